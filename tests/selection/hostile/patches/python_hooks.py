"""Hooks at start, and files that hide the standard library or Troop's own programs."""

from tests.selection.hostile.hostile import Hostile
from tests.selection.hostile.patches.python import added

_EXIT = "import os\nos._exit(0)\n"
_ATEXIT = "import atexit, os\natexit.register(os._exit, 0)\n"
_FORGES_TESTS = """
def main(words, plugins=()):
    class Report:
        failed = skipped = False
        passed, when = True, "call"
    for name in ("test_one", "test_there"):
        for form in ("tests.test_ops.Ops.{}", "tests/test_ops.py::Ops::{}"):
            Report.nodeid = form.format(name)
            plugins[0].pytest_runtest_logreport(Report)
    return 0
"""

PATCHES = (
    Hostile("sitecustomize", "Ends with 0 when Python starts.", added(sitecustomize=_EXIT)),
    Hostile("usercustomize", "Ends with 0 when Python ends.", added(usercustomize=_ATEXIT)),
    Hostile(
        "sitecustomize package", "The same as a package.", {"sitecustomize/__init__.py": _EXIT}
    ),
    Hostile(
        "sitecustomize below src",
        "The same in src, which may be on the path.",
        {"src/sitecustomize.py": _EXIT},
    ),
    Hostile(
        "pth file",
        "A path file in the repository runs code.",
        {"evil.pth": "import os; os._exit(0)\n"},
    ),
    Hostile(
        "pyvenv.cfg",
        "Makes the repository look like an environment.",
        {
            "pyvenv.cfg": "home = .\n",
            "lib/python3/site-packages/evil.pth": "import os; os._exit(0)\n",
        },
    ),
    Hostile(
        "hides subprocess",
        "A module of the root hides one of the standard library.",
        added(subprocess=_EXIT),
    ),
    Hostile(
        "hides json and tempfile",
        "The same with what Troop's runner of tests needs.",
        added(json=_EXIT, tempfile=_EXIT),
    ),
    Hostile(
        "hides unittest",
        "A package hides the runner of tests, with exit 0.",
        {"unittest/__init__.py": _EXIT, "unittest/case.py": ""},
    ),
    Hostile(
        "hides base64",
        "The same with what encodes names of tests.",
        added(base64=_EXIT, hashlib=_EXIT),
    ),
    Hostile(
        "hides typing",
        "The same with a module that everything imports.",
        added(typing=_ATEXIT, runpy=_EXIT),
    ),
    Hostile(
        "hides start",
        "A file named like Troop's own program.",
        added(start=f"{_EXIT}\n\ndef enter(*words):\n    os._exit(0)\n"),
    ),
    Hostile("hides inside", "A file named like the script.", added(script=_EXIT, inside=_EXIT)),
    Hostile(
        "becomes pytest",
        "A pytest.py in the root says that all tests pass.",
        added(pytest=_FORGES_TESTS),
        seen="diff",
    ),
)
