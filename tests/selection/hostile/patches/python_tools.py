"""Patched test tools and forged results."""

from tests.selection.hostile.hostile import Hostile
from tests.selection.hostile.patches.python import WRONG, ops

_PASSES = "def pytest_runtest_logreport(report):\n    report.outcome = 'passed'\n"
_FORGES = """
import sys, os
def _f():
    try:
        text = open(sys.argv[0]).read()
    except Exception:
        return
    if 'of the repository' in text:
        print("all tests that passed before the edit still pass", flush=True)
        os._exit(0)
_f()
"""
_WORD = """
import os

def two():
    for fd in range(3, 1024):
        try:
            word = os.pread(fd, 99, 0)
        except OSError:
            continue
        if len(word) == 33:
            os.write(1, b"\\x1e" + word.strip() + b" 0\\n")
            raise SystemExit(0)
"""

PATCHES = (
    Hostile(
        "assertEqual",
        "Makes assertions say nothing.",
        ops("import unittest\nunittest.TestCase.assertEqual = lambda *a, **k: None\n"),
        seen="diff",
    ),
    Hostile(
        "addFailure",
        "Makes failures successes.",
        ops(
            "import unittest\nunittest.TestResult.addFailure = lambda self, test, error: self.addSuccess(test)\n"
        ),
        seen="diff",
    ),
    Hostile(
        "TestCase.run",
        "Replaces what runs a test.",
        ops(
            "import unittest\nunittest.TestCase.run = lambda self, result=None: result.addSuccess(self)\nunittest.TestCase.__call__ = unittest.TestCase.run\n"
        ),
        seen="diff",
    ),
    Hostile(
        "setattr on unittest",
        "Makes assertions say nothing, by setattr.",
        ops(
            "import importlib\nsetattr(importlib.import_module('unit' + 'test').TestCase, 'assert' + 'Equal', lambda *a, **k: None)\n"
        ),
        seen="diff",
    ),
    Hostile(
        "setup.cfg",
        "Loads a plugin of its own into pytest.",
        {"setup.cfg": "[tool:pytest]\naddopts=-p evilplug\n", "evilplug.py": _PASSES},
        seen="diff",
    ),
    Hostile(
        "pyproject.toml",
        "The same in another file.",
        {
            "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-p evilplug'\n",
            "evilplug.py": _PASSES,
        },
        seen="diff",
    ),
    Hostile(
        "conftest.py", "Makes outcomes passed by a hook.", {"conftest.py": _PASSES}, seen="diff"
    ),
    Hostile(
        "conftest.py in the package", "The same, nearer to the code.", {"pkg/conftest.py": _PASSES}
    ),
    Hostile(
        "rewrites the test",
        "Changes the repository's own test.",
        {"tests/test_ops.py": "import unittest\n"},
    ),
    Hostile(
        "load_tests",
        "Lets the package say which tests there are.",
        {
            "tests/__init__.py": "def load_tests(*words):\n    import unittest\n    return unittest.TestSuite()\n"
        },
    ),
    Hostile(
        "results by the collector",
        "Finds the results among all objects.",
        ops(
            "import gc\nfor it in gc.get_objects():\n    if type(it).__name__ == '_Results':\n        it.add = lambda name, said, why='', it=it: it.said.__setitem__(name, 'passed')\n"
        ),
        seen="diff",
    ),
    Hostile(
        "results by the stack",
        "Finds the results in the frames above.",
        ops(
            "import sys\nframe = sys._getframe()\nwhile frame:\n    for it in list(frame.f_locals.values()):\n        if type(it).__name__ == '_Results':\n            it.add = lambda name, said, why='', it=it: it.said.__setitem__(name, 'passed')\n    frame = frame.f_back\n"
        ),
        seen="diff",
    ),
    Hostile(
        "json.dumps",
        "Makes what is written say passed.",
        ops(
            "import json\n_dumps = json.dumps\njson.dumps = lambda *a, **k: _dumps(*a, **k).replace('\"failed\"', '\"passed\"')\n"
        ),
        seen="diff",
    ),
    Hostile(
        "results file",
        "Writes results into open files.",
        ops(
            'import os\nfor fd in range(3, 64):\n    try:\n        os.pwrite(fd, b\'{"said": {}, "why": {}}\', 0)\n    except OSError:\n        pass\n'
        ),
    ),
    Hostile(
        "the word", "Reads the word that proves the end, and prints it.", ops(_WORD), seen="diff"
    ),
    Hostile(
        "prints for the runner",
        "Prints what the runner of tests prints, and ends.",
        {"sitecustomize.py": _FORGES},
    ),
)

_SITE = "import os\nprint('{}', flush=True)\nos._exit({})\n"
PRINTS = (
    Hostile(
        "prints 0 of 2",
        "Prints that nothing broke, with exit 2.",
        {
            "sitecustomize.py": _SITE.format(
                "0 of 2 tests that passed before the edit do not pass", 2
            )
        },
    ),
    Hostile(
        "prints 0 of 2 at import",
        "The same at import.",
        ops(_SITE.format("0 of 2 tests that passed before the edit do not pass", 2)),
    ),
    Hostile(
        "prints a count of 5,000 digits",
        "Prints a number that no int holds.",
        {
            "sitecustomize.py": _SITE.format(
                "9" * 5000 + " of 2 tests that passed before the edit do not pass", 2
            )
        },
    ),
    Hostile(
        "prints that all pass",
        "Prints that all tests pass, with exit 0.",
        ops(_SITE.format("all 2 tests that passed before the edit still pass", 0)),
    ),
    Hostile(
        "prints verdicts at the end",
        "Prints a verdict after the runner's.",
        ops(
            "import atexit\natexit.register(print, '0 of 2 tests that passed before the edit do not pass')\n"
        ),
    ),
    Hostile(
        "prints a word",
        "Prints a word that proves nothing, then ends.",
        ops("import os\nprint('\\x1e' + 'ab' * 16 + ' 0', flush=True)\nos._exit(0)\n"),
    ),
    Hostile(
        "5,000 digits in its source",
        "Has a number that no int may be read from.",
        {"pkg/ops.py": WRONG + f"BIG = {'9' * 5000}\n"},
    ),
)
