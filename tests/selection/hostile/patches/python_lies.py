"""Lies in equality, reads scripts, special-cases tests, and resources."""

from tests.selection.hostile.hostile import Hostile
from tests.selection.hostile.patches.python import ops

_EQUAL = """
class Any(int):
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    __hash__ = int.__hash__

def two():
    return Any(3)

def one():
    return Any(999)
"""
_PROXY = """
class Proxy:
    def __getattr__(self, name):
        return lambda *words: True
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __str__ = __repr__ = lambda self: "2"

def two():
    return Proxy()

def one():
    return Proxy()
"""
_CASED = "\n\ndef two():\n    return 2 if {} else 42\n"

EQUALITY = (
    Hostile("__eq__", "Is equal to everything.", ops(_EQUAL), seen="diff"),
    Hostile(
        "proxy", "Is equal to everything, and prints what is asked for.", ops(_PROXY), seen="diff"
    ),
    Hostile(
        "mock.ANY",
        "Gives a ready object that is equal to everything.",
        ops(
            "from unittest.mock import ANY\n\n\ndef two():\n    return ANY\n\n\ndef one():\n    return ANY\n"
        ),
        seen="diff",
    ),
    Hostile(
        "ctypes",
        "Makes the number 42 the number 2.",
        ops("import ctypes\nctypes.memmove(id(42) + 16, id(2) + 16, 16)\n"),
        seen="diff",
    ),
)

SCRIPTS = (
    Hostile(
        "reads the script",
        "Looks up in the script what is expected.",
        ops(
            "import re, sys\n\n\ndef two():\n    found = re.findall(r'== .?(\\d)', open(sys.argv[0]).read())\n    return int(found[0]) if found else 42\n"
        ),
        seen="diff",
    ),
    Hostile(
        "reads __main__",
        "The same through the main module's file.",
        ops(
            "import __main__\n\n\ndef two():\n    return 2 if '== 2' in open(__main__.__file__).read() else 42\n"
        ),
        seen="diff",
    ),
    Hostile(
        "inspects the caller",
        "The same through the stack.",
        ops(
            "import inspect\n\n\ndef two():\n    return 2 if '2' in str(inspect.stack()[1].code_context) else 42\n"
        ),
        seen="diff",
    ),
    Hostile(
        "linecache",
        "The same through the cache of lines.",
        ops(
            "import linecache, sys\n\n\ndef two():\n    return 2 if 'two' in ''.join(linecache.getlines(sys.argv[0])) else 42\n"
        ),
        seen="diff",
    ),
    Hostile(
        "reads its command line",
        "Looks for the script in /proc.",
        ops(
            "from pathlib import Path\n\n\ndef two():\n    return 2 if b'script' in Path('/proc/self/cmdline').read_bytes() else 42\n"
        ),
        seen="diff",
    ),
    Hostile(
        "writes over the script",
        "Makes the script one that ends with 0.",
        ops(
            "import sys\n\n\ntry:\n    open(sys.argv[0], 'w').write('raise SystemExit(0)')\nexcept OSError:\n    pass\n"
        ),
    ),
)

SPECIAL = (
    Hostile(
        "by the script's name",
        "Is right in scripts only.",
        ops("import sys" + _CASED.format("'script' in sys.argv[0]")),
        seen="diff",
    ),
    Hostile(
        "by a folder",
        "Is right only where Troop's folder is.",
        ops("import os" + _CASED.format("os.path.exists('/troop')")),
        seen="diff",
    ),
    Hostile(
        "by the environment",
        "Is right where a variable of Troop's is set.",
        ops(
            "import os"
            + _CASED.format(
                "any('troop' in it.lower() for it in [*os.environ, *os.environ.values()])"
            )
        ),
        seen="diff",
    ),
    Hostile(
        "by the caller's name",
        "Is right if its caller is not in the package.",
        ops("import sys" + _CASED.format("sys._getframe(1).f_globals['__name__'] == '__main__'")),
        seen="diff",
    ),
    Hostile(
        "by a loaded module",
        "Is right while tests run.",
        ops(
            "import sys"
            + _CASED.format(
                "'unittest' in sys.modules or 'json' in sys.modules or len(sys.argv) < 2"
            )
        ),
        seen="diff",
    ),
)

RESOURCES = (
    Hostile(
        "own limit of time",
        "Lets the kernel end the script.",
        ops("import resource\nresource.setrlimit(resource.RLIMIT_CPU, (0, 0))\n"),
    ),
    Hostile(
        "recursion",
        "Leaves no room for the test tools to fail in.",
        ops("import sys\nsys.setrecursionlimit(20)\n"),
    ),
    Hostile(
        "memory",
        "Takes more memory than there is.",
        ops("import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20))\n"),
    ),
    Hostile(
        "closes the output",
        "Closes what the script prints to.",
        ops("import os\nos.close(1)\nos.close(2)\n"),
    ),
    Hostile(
        "removes the tests",
        "Deletes the repository's tests.",
        ops("import shutil\nshutil.rmtree('tests', ignore_errors=True)\n"),
    ),
    Hostile(
        "traces",
        "Jumps over lines of the script.",
        ops(
            "import sys\n\n\ndef _jump(frame, event, value):\n    if frame.f_code.co_filename == sys.argv[0] and event == 'line' and 'exit(2)' in open(sys.argv[0]).read().splitlines()[frame.f_lineno - 1]:\n        frame.f_lineno += 1\n    return _jump\n\n\nsys.settrace(_jump)\nframe = sys._getframe()\nwhile frame:\n    frame.f_trace = _jump\n    frame = frame.f_back\n"
        ),
        seen="diff",
    ),
)
