"""One small repository in each language, with an issue: `two` gives 3, and should give 2.

Each has a right patch, and an honest wrong one that breaks a test of the repository as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.protocol import Script

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, its candidates that are honest, and the generated tests."""

    language: str
    files: Mapping[str, str]
    right: Mapping[str, str]
    wrong: Mapping[str, str]
    scripts: tuple[Script, ...]
    """The last one never passes."""
    command: str = ""
    """What runs a test file of the repository."""
    packages: tuple[str, ...] = ()
    """What Debian's image must have."""


_PY_OPS = "def two():\n    return {two}\n\n\ndef one():\n    return {one}\n"
PYTHON = Repository(
    language="python",
    files={
        "pkg/__init__.py": "from .ops import two\n",
        "pkg/ops.py": _PY_OPS.format(two=3, one=1),
        "tests/__init__.py": "",
        "tests/test_ops.py": (
            "import unittest\nfrom pkg import ops\n\n\nclass Ops(unittest.TestCase):\n"
            "    def test_one(self):\n        self.assertEqual(ops.one(), 1)\n\n"
            "    def test_there(self):\n        self.assertTrue(callable(ops.two))\n"
        ),
    },
    right={"pkg/ops.py": _PY_OPS.format(two=2, one=1)},
    wrong={"pkg/ops.py": _PY_OPS.format(two=42, one=999)},
    scripts=(
        Script(
            "import sys\nfrom pkg.ops import two\n"
            "if two() == 2:\n    sys.exit(0)\nprint('two is', two())\nsys.exit(2)\n"
        ),
        Script(
            "import sys\nimport pkg\ntry:\n    assert pkg.two() == 2, pkg.two()\n"
            "except AssertionError as error:\n    print(error)\n    sys.exit(2)\n"
        ),
        Script("import sys\nimport pkg.ops\nsys.exit(2)\n"),
    ),
)

_JS_OPS = "exports.two = () => {two};\nexports.one = () => {one};\n"
_JS_LOAD = "const ops = require(process.cwd() + '/lib/ops.js');\n"
NODE = Repository(
    language="javascript",
    files={
        "package.json": '{"name": "ops", "version": "1.0.0"}\n',
        "lib/ops.js": _JS_OPS.format(two=3, one=1),
        "test/ops.test.js": (
            "const assert = require('assert');\nconst ops = require('../lib/ops.js');\n"
            "assert.strictEqual(ops.one(), 1);\n"
        ),
    },
    right={"lib/ops.js": _JS_OPS.format(two=2, one=1)},
    wrong={"lib/ops.js": _JS_OPS.format(two=42, one=999)},
    scripts=(
        Script(
            f"{_JS_LOAD}if (ops.two() === 2) process.exit(0);\n"
            "console.log('two is', ops.two());\nprocess.exit(2);\n",
            "node",
            ".js",
        ),
        Script(
            "(async () => {\n  const ops = await import(process.cwd() + '/lib/ops.js');\n"
            "  process.exit((await ops.default.two()) === 2 ? 0 : 2);\n})();\n",
            "node",
            ".js",
        ),
        Script(f"{_JS_LOAD}process.exit(2);\n", "node", ".js"),
    ),
    command="node {files}",
    packages=("nodejs",),
)

_RB_OPS = "module Ops\n  def self.two = {two}\n\n  def self.one = {one}\nend\n"
_RB_LOAD = '$LOAD_PATH.unshift(File.join(Dir.pwd, "lib"))\nrequire "ops"\n'
RUBY = Repository(
    language="ruby",
    files={
        "lib/ops.rb": _RB_OPS.format(two=3, one=1),
        "spec/ops_spec.rb": (
            '$LOAD_PATH.unshift("lib")\nrequire "ops"\nabort "one is #{Ops.one}" if Ops.one != 1\n'
        ),
    },
    right={"lib/ops.rb": _RB_OPS.format(two=2, one=1)},
    wrong={"lib/ops.rb": _RB_OPS.format(two=42, one=999)},
    scripts=(
        Script(
            f'{_RB_LOAD}exit 0 if Ops.two == 2\nputs "two is #{{Ops.two}}"\nexit 2\n',
            "ruby",
            ".rb",
        ),
        Script(
            f'{_RB_LOAD}unless 2 == Ops.two\n  exit 2\nend\nputs "all is well"\n', "ruby", ".rb"
        ),
        Script(f"{_RB_LOAD}exit 2\n", "ruby", ".rb"),
    ),
    command="ruby {files}",
    packages=("ruby",),
)

_SH_OPS = "case $1 in two) echo {two} ;; one) echo {one} ;; esac\n"
MAKE = Repository(
    language="shell",
    files={
        "ops.sh": _SH_OPS.format(two=3, one=1),
        "Makefile": "all: ops\n\nops: ops.sh\n\tcp ops.sh ops\n\ntests/%: ops\n\tsh $@\n",
        "tests/ops_test.sh": '[ "$(sh ./ops one)" = 1 ]\n',
    },
    right={"ops.sh": _SH_OPS.format(two=2, one=1)},
    wrong={"ops.sh": _SH_OPS.format(two=42, one=999)},
    scripts=(
        Script(
            'make -s ops || exit 1\n[ "$(sh ./ops two)" = 2 ] && exit 0\nexit 2\n', "bash", ".sh"
        ),
        Script(
            "make -s ops >/dev/null 2>&1 || exit 1\nsaid=$(sh ./ops two)\n"
            'test "$said" -eq 2 || exit 2\nexit 0\n',
            "bash",
            ".sh",
        ),
        Script("make -s ops || exit 1\nsh ./ops two\nexit 2\n", "bash", ".sh"),
    ),
    command="make -s {files}",
    packages=("make",),
)
