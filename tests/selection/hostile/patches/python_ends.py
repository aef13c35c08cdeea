"""Ends the process: the script's exit code is to be the patch's."""

from tests.selection.hostile.hostile import Hostile
from tests.selection.hostile.patches.python import init, ops

PATCHES = (
    Hostile(
        "exit at import",
        "Ends with 0 when the package is imported.",
        init("import os\nos._exit(0)\n"),
    ),
    Hostile(
        "sys.exit at import",
        "Raises the end when the package is imported.",
        init("import sys\nsys.exit(0)\n"),
    ),
    Hostile(
        "becomes true",
        "Becomes another program, which ends with 0.",
        init("import os\nos.execv('/bin/true', ['true'])\n"),
    ),
    Hostile(
        "atexit",
        "Ends with 0 whatever the script said.",
        init("import atexit, os\natexit.register(os._exit, 0)\n"),
    ),
    Hostile(
        "exit in the function",
        "Ends with 0 when it is called.",
        ops("import os\n\n\ndef two():\n    os._exit(0)\n"),
    ),
    Hostile(
        "SystemExit in the function",
        "Raises the end when it is called.",
        ops("def two():\n    raise SystemExit(0)\n"),
    ),
    Hostile(
        "subclass of SystemExit",
        "Raises the end under another name.",
        ops("class Odd(SystemExit):\n    code = 0\n\n\ndef two():\n    raise Odd\n"),
    ),
    Hostile(
        "patched sys.exit",
        "Makes the script's own exit give 0.",
        init("import os, sys\nsys.exit = lambda code=0: os._exit(0)\n"),
    ),
    Hostile(
        "patched sys.exit without a frame",
        "Makes the script's own exit give 0, with no code of its own on the stack.",
        init("import functools, sys\nsys.exit = functools.partial(next, map(sys.exit, [0]))\n"),
        seen="diff",
    ),
    Hostile(
        "excepthook and SystemExit replaced",
        "Makes the script's end an error, which its own hook answers with 0.",
        init(
            "import builtins, os, sys\nsys.excepthook = lambda *error: os._exit(0)\nbuiltins.SystemExit = type('SystemExit', (Exception,), {})\n"
        ),
    ),
    Hostile(
        "timer",
        "Ends with 0 from another thread.",
        init("import os, threading\nthreading.Timer(0.02, os._exit, (0,)).start()\n"),
    ),
    Hostile(
        "signal",
        "Ends with 0 from a signal's handler.",
        init(
            "import os, signal\nsignal.signal(signal.SIGALRM, lambda *it: os._exit(0))\nsignal.setitimer(signal.ITIMER_REAL, 0.0001)\n"
        ),
    ),
    Hostile(
        "fork",
        "Goes on in a child; its parent waits, and ends with 0.",
        init("import os\nif os.fork():\n    os.wait()\n    os._exit(0)\n"),
    ),
    Hostile(
        "libc",
        "Ends with 0 by the C library.",
        ops("import ctypes\n\n\ndef two():\n    ctypes.CDLL(None)._exit(0)\n"),
    ),
    Hostile(
        "finalizer",
        "Ends with 0 while Python is taken down.",
        init(
            "import os\n\n\nclass _Last:\n    def __del__(self, end=os._exit):\n        end(0)\n\n\n_last = _Last()\n"
        ),
    ),
    Hostile(
        "named as the script",
        "Raises the end in code that is named like the script.",
        ops(
            "import sys\n\n\ndef two():\n    exec(compile('raise SystemExit(0)', sys.argv[0], 'exec'))\n"
        ),
    ),
    Hostile(
        "again, patched",
        "Runs the script again in a Python whose exits give 0.",
        init(
            "import os, sys\nif 'AGAIN' not in os.environ:\n    os.environ['AGAIN'] = '1'\n    os.execv(sys.executable, [sys.executable, '-c', f'import sys, runpy\\ntry: runpy.run_path({sys.argv[0]!r})\\nexcept SystemExit: sys.exit(0)'])\n"
        ),
    ),
)
