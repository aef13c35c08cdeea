"""A script's exit code counts only if the script came to its end: honest and dishonest endings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data.patches.applying import diff_files
from data.patches.patch import Patch
from sandbox.protocol import Ending, Script
from sandbox.starting.end_word import EndWord, proven
from sandbox.starting.starting import hidden_by, new_word

if TYPE_CHECKING:
    from tests.sandbox.repository import World

SPAWN = """
import multiprocessing as m, sys
def f(q): q.put(2)
if __name__ == '__main__':
    c = m.get_context('spawn'); q = c.Queue(); p = c.Process(target=f, args=(q,))
    p.start(); code = q.get(); p.join(); sys.exit(code)
"""
CHILD = """
import subprocess, sys
sys.exit(subprocess.call([sys.executable, '-c', 'import pkg.ops; exit(2)']))
"""
HONEST = {
    "the end": ("x = 1", 0),
    "sys.exit": ("import sys\nsys.exit(2)", 2),
    "a function": ("import sys\ndef end():\n    sys.exit(2)\nend()", 2),
    "exit": ("exit(2)", 2),
    "raise": ("raise SystemExit(0)", 0),
    "none": ("import sys\nsys.exit()", 0),
    "words": ("import sys\nsys.exit('wrong')", 1),
    "large": ("import sys\nsys.exit(258)", 2),
    "an error": ("import pkg.ops\npkg.ops.nothing", 1),
    "a syntax error": ("def", 1),
    "unittest": (
        "import unittest\nclass T(unittest.TestCase):\n    def test(self): pass\nunittest.main()",
        0,
    ),
    "a failing unittest": (
        "import unittest as u\nclass T(u.TestCase):\n    def test(self): self.fail()\nu.main()",
        1,
    ),
    "argparse": ("import argparse\nargparse.ArgumentParser().parse_args(['--no'])", 2),
    "atexit": ("import atexit, sys\natexit.register(print, 'bye')\nsys.exit(2)", 2),
    "a thread": ("import threading\nthreading.Timer(0.2, print).start()\nexit(2)", 2),
    "a child": ("import os, sys\nif os.fork() == 0: os._exit(0)\nos.wait()\nsys.exit(2)", 2),
    "closed streams": ("import sys\nsys.stdout.close()\nsys.exit(2)", 2),
    "replaced streams": ("import io, sys\nsys.stdout = io.StringIO()\nsys.exit(2)", 2),
    "its own name": ("import sys\nsys.exit(2 if __name__ == '__main__' else 1)", 2),
    "pickle": (
        "import pickle\nclass A: pass\nassert type(pickle.loads(pickle.dumps(A()))) is A\nexit(2)",
        2,
    ),
    "source": ("import inspect\ndef f(): pass\nassert 'def f' in inspect.getsource(f)\nexit(2)", 2),
    "spawn": (SPAWN, 2),
    "its command line": ("import sys\nsys.exit(2 if sys.argv == [__file__] else 1)", 2),
    "a child with the repository": (CHILD, 2),
}


@pytest.mark.parametrize(("code", "ends"), HONEST.values(), ids=HONEST.keys())
async def test_an_honest_end_keeps_its_exit_code(world: World, code: str, ends: int) -> None:
    execution = await world.run(code)
    assert (execution.ending, execution.exit_code) == (Ending.EXITED, ends), execution.output
    assert "\x1e" not in execution.output
    assert "start.py" not in execution.output


SAYS_TWO = "import sys\nimport pkg.ops\nsys.exit(2)"
DISHONEST = {
    "os._exit": {"pkg/ops.py": "import os\nos._exit(0)\n"},
    "sys.exit": {"pkg/ops.py": "import sys\nsys.exit(0)\n"},
    "os.execv": {"pkg/ops.py": "import os\nos.execv('/bin/true', ['true'])\n"},
    "atexit": {"pkg/ops.py": "import atexit, os\natexit.register(os._exit, 0)\n"},
    "a replaced sys.exit": {"pkg/ops.py": "import os, sys\nsys.exit = lambda c: os._exit(0)\n"},
    "a hook": {"sitecustomize.py": "import os\nos._exit(0)\n"},
    "a hook of the user": {"usercustomize.py": "import os\nos._exit(0)\n"},
    "a printed word": {"pkg/ops.py": "import os\nprint('\\x1eword 0', flush=True)\nos._exit(0)\n"},
    "a replaced exception": {
        "pkg/ops.py": "import builtins, os, sys\nsys.excepthook = lambda *a: os._exit(0)\n"
        "builtins.SystemExit = type('SystemExit', (Exception,), {})\n"
    },
    "an exit without a frame": {
        "pkg/ops.py": "import functools, sys\n"
        "sys.exit = functools.partial(next, map(sys.exit, [0]))\n"
    },
    "code named as the script": {
        "pkg/ops.py": "import sys\nexec(compile('sys.exit(0)', sys.argv[0], 'exec'))\n"
    },
    "its exit in a module of others": {
        "pkg/ops.py": "import argparse\nargparse.ArgumentParser().exit(0)\n"
    },
    "a hidden module": {"enum.py": "import os\nos._exit(0)\n", "re.py": "import os\nos._exit(0)\n"},
    "a stream that ends it": {
        "pkg/ops.py": "import os, sys\nclass S:\n    def flush(self): os._exit(0)\n"
        "    def write(self, text): pass\nsys.stdout = S()\n"
    },
}


@pytest.mark.parametrize("files", DISHONEST.values(), ids=DISHONEST.keys())
async def test_code_of_the_repository_never_makes_a_verdict(
    world: World, files: dict[str, str]
) -> None:
    codebase = await world.sandbox.read_codebase()
    patch = diff_files({name: text.encode() for name, text in files.items()}, codebase)
    execution = await world.execute(Script(SAYS_TWO), patch)
    assert not execution.passed
    assert (execution.ending, execution.exit_code) in {
        (Ending.CUT_SHORT, None),
        (Ending.EXITED, 2),
        (Ending.EXITED, 1),
    }


async def test_the_repository_may_call_the_script_that_ends_itself(world: World) -> None:
    codebase = await world.sandbox.read_codebase()
    patch = diff_files({"pkg/ops.py": b"def each(check):\n    check(3)\n"}, codebase)
    text = "import sys\nfrom pkg.ops import each\neach(lambda value: sys.exit(2))"
    execution = await world.execute(Script(text), patch)
    assert (execution.ending, execution.exit_code) == (Ending.EXITED, 2)


async def test_the_word_is_not_there_while_the_script_runs(world: World) -> None:
    look = "import os\nprint(sorted(os.listdir('/troop')), open('/proc/self/cmdline').read())"
    for code in (look, f"import sys\nsys.path[:0] = []\n{look}"):
        output = (await world.run(code)).output
        assert "'word'" not in output or world.kind == "none"
    shell = await world.execute(Script("cat /troop/word; env; cat /troop/launch.sh", "sh", ".sh"))
    assert "troop_word=" not in shell.output
    assert not [line for line in shell.output.splitlines() if len(line) == 32 and line.isalnum()]


async def test_shell_scripts_end_with_their_own_code(world: World) -> None:
    for text, ends in (("exit 2", 2), ("true", 0), ("kill -9 $$", 137), ("exit 130", 130)):
        execution = await world.execute(Script(text, "sh", ".sh"))
        assert (execution.ending, execution.exit_code) == (Ending.EXITED, ends)
    killed = await world.execute(Script("kill -9 $PPID; sleep 1; exit 0", "sh", ".sh"))
    assert not killed.passed


def test_which_scripts_have_a_word() -> None:
    for command in ("python", "python3.9", "/usr/bin/python", "python -X dev", "uv run python"):
        assert new_word(Script("", command))
    for command in ("sh", "bash -E -c 'x'", "/bin/dash"):
        assert new_word(Script("", command, ".sh"))
    for command in ("python -m pytest", "python -c pass", "php", "cat /etc/passwd", "'"):
        assert not new_word(Script("", command))


def test_new_files_that_hide_the_standard_library() -> None:
    new = "diff --git a/{0} b/{0}\nnew file mode 100644\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n"
    new += "+x\n"
    old = "diff --git a/types.py b/types.py\n--- a/types.py\n+++ b/types.py\n@@ -1 +1 @@\n-x\n+y\n"
    names = ("json.py", "subprocess/__init__.py", "pkg/enum.py", "test/__init__.py", "mine.py")
    diff = old + "".join(map(new.format, names))
    assert hidden_by(Patch(diff, "")) == ("json", "subprocess")


class Kept:
    def __init__(self) -> None:
        self.data = b""

    def feed(self, data: bytes) -> None:
        self.data += data


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_word_is_found_however_the_output_is_cut(size: int) -> None:
    kept = Kept()
    end = EndWord("secret", kept)
    output = b"out\n\x1esecre\x1esecret 2\nlater\n"
    for at in range(0, len(output), size):
        end.feed(output[at : at + size])
    end.finish()
    assert end.code == 2
    assert kept.data == b"out\n\x1esecrelater\n"


@pytest.mark.parametrize("line", [b"\x1esecret x\n", b"\x1esecret 2222\n", b"\x1esecret \n"])
def test_a_word_without_a_code_proves_nothing(line: bytes) -> None:
    end = EndWord("secret", Kept())
    end.feed(line)
    end.finish()
    assert end.code is None


def test_only_a_verdict_needs_a_proof() -> None:
    assert proven("w", None, Ending.EXITED, 0) == (Ending.CUT_SHORT, None)
    assert proven("w", 2, Ending.EXITED, 0) == (Ending.CUT_SHORT, None)
    assert proven("w", 2, Ending.EXITED, 2) == (Ending.EXITED, 2)
    assert proven("w", None, Ending.EXITED, 139) == (Ending.EXITED, 139)
    assert proven("", None, Ending.EXITED, 0) == (Ending.EXITED, 0)
    assert proven("w", None, Ending.TIMEOUT, None) == (Ending.TIMEOUT, None)
