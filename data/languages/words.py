"""Names in source code, and the words that they are made of (`from_file`, `fromFile`)."""

import re

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
