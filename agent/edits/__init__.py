"""From a model's reply to the new contents of files.

    edits = parse_edits(reply)              # what the reply says
    edited = apply_edits(edits, codebase)   # what the files become

| module | holds |
|---|---|
| `nouns` | the edits, their outcome, the two exceptions |
| `tokens` | tags and markers, line by line |
| `blocks` | where a block ends, and where it may be divided |
| `parsing` | `parse_edits` |
| `paths` | which file a written path means |
| `lines` | text as lines and their endings, and back |
| `matching` | where a SEARCH text stands in a file |
| `readings` | which divider of a block is the real one |
| `nearest` | what in a file resembles a SEARCH text that is not there |
| `lookalikes` | lines that look the same but differ |
| `reporting` | the messages that the model is shown |
| `applying` | `apply_edits` |
"""

from agent.edits.applying import apply_edits
from agent.edits.nouns import (
    Block,
    Create,
    Delete,
    Edited,
    EditMismatch,
    FileEdit,
    MalformedEdits,
    Replace,
)
from agent.edits.parsing import parse_edits

__all__ = [
    "Block",
    "Create",
    "Delete",
    "EditMismatch",
    "Edited",
    "FileEdit",
    "MalformedEdits",
    "Replace",
    "apply_edits",
    "parse_edits",
]
