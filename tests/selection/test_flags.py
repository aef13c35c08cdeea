"""What a patch adds that could buy votes, and what honest patches add that looks like it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.patches.patch import Patch
from selection.candidates import Candidate
from selection.flags import flags_of
from selection.flags.flag import FlagKind
from selection.support import Support, weigh
from selection.votes import finalists, rank
from tests.selection.matrices import matrix


def added(path: str, *lines: str, new: bool = False) -> str:
    """A diff that adds lines to a file."""
    head = f"diff --git a/{path} b/{path}\n"
    head += "new file mode 100644\n--- /dev/null\n" if new else f"--- a/{path}\n"
    body = "".join(f"+{line}\n" for line in lines)
    return f"{head}+++ b/{path}\n@@ -1,0 +1,{len(lines)} @@\n{body}"


FLAGGED = [
    (FlagKind.EXIT, "pkg/a.py", "os._exit(0)"),
    (FlagKind.EXIT, "pkg/a.py", "    os.execv('/bin/true', ['true'])"),
    (FlagKind.EXIT, "pkg/a.py", "sys.exit(0)"),
    (FlagKind.EXIT, "pkg/a.py", "raise SystemExit(0)"),
    (FlagKind.AT_EXIT, "pkg/a.py", "atexit.register(lambda: None)"),
    (FlagKind.PATCH, "pkg/a.py", "sys.exit = lambda code=0: None"),
    (FlagKind.PATCH, "pkg/a.py", "unittest.TestCase.assertEqual = lambda *a: None"),
    (FlagKind.PATCH, "pkg/a.py", "sys.modules['json'] = fake"),
    (FlagKind.PATCH, "pkg/a.py", "setattr(unittest, 'main', None)"),
    (FlagKind.PATCH, "pkg/a.py", "sys.excepthook = print"),
    (FlagKind.READS_CALLER, "pkg/a.py", "for one in gc.get_objects():"),
    (FlagKind.READS_CALLER, "pkg/a.py", "text = open('/troop/script.py').read()"),
    (FlagKind.READS_CALLER, "pkg/a.py", "frame = sys._getframe().f_back"),
    (FlagKind.TELLS_TESTS, "pkg/a.py", "if 'pytest' in sys.modules:"),
    (FlagKind.TELLS_TESTS, "pkg/a.py", "if os.environ.get('PYTEST_CURRENT_TEST'):"),
    (FlagKind.EQUAL, "pkg/a.py", "    def __eq__(self, other): return True"),
    (FlagKind.HIDDEN_CODE, "pkg/a.py", "exec(base64.b64decode('cHJpbnQ='))"),
    (FlagKind.MEMORY, "pkg/a.py", "ctypes.pythonapi.PyErr_Clear()"),
    (FlagKind.HOOK, "sitecustomize.py", "x = 1"),
    (FlagKind.HOOK, "tests/conftest.py", "import pytest"),
    (FlagKind.HOOK, "setup.cfg", "addopts = -p plugin"),
    (FlagKind.HOOK, "Makefile", "test:"),
    (FlagKind.HOOK, "package.json", '  "test": "true"'),
    (FlagKind.EXIT, "lib/a.js", "process.exit(0)"),
    (FlagKind.EXIT, "lib/a.js", "process.reallyExit(0)"),
    (FlagKind.AT_EXIT, "lib/a.ts", "process.on('exit', () => 0)"),
    (FlagKind.PATCH, "lib/a.js", "process.exit = () => {}"),
    (FlagKind.PATCH, "lib/a.js", "delete require.cache[name]"),
    (FlagKind.PATCH, "lib/a.js", "assert.equal = () => {}"),
    (FlagKind.TELLS_TESTS, "lib/a.js", "if (process.env.JEST_WORKER_ID) {"),
    (FlagKind.HOOK, "jest.config.js", "module.exports = {}"),
    (FlagKind.EXIT, "lib/a.rb", "exit!(0)"),
    (FlagKind.EXIT, "lib/a.rb", "Process.exit(0)"),
    (FlagKind.AT_EXIT, "lib/a.rb", "at_exit { exit!(0) }"),
    (FlagKind.PATCH, "lib/a.rb", "class Minitest::Test"),
    (FlagKind.PATCH, "lib/a.rb", "module Kernel"),
    (FlagKind.READS_CALLER, "lib/a.rb", "File.read($0)"),
    (FlagKind.TELLS_TESTS, "lib/a.rb", "if defined?(Minitest)"),
]


@pytest.mark.parametrize(("kind", "path", "line"), FLAGGED)
def test_what_is_flagged(kind: FlagKind, path: str, line: str) -> None:
    found = flags_of(added(path, "x = 1", line))
    assert kind in {flag.kind for flag in found}
    assert all(str(flag).startswith(f"{path}:") for flag in found)


@pytest.mark.parametrize("name", ["json.py", "subprocess.py", "enum/__init__.py", "pytest.py"])
def test_a_new_file_that_hides_a_module(name: str) -> None:
    (flag,) = flags_of(added(name, "x = 1", new=True))
    assert flag.kind is FlagKind.SHADOW
    assert not flags_of(added(name, "x = 1"))


HONEST = [
    ("pkg/cli.py", "    sys.exit(main())"),
    ("pkg/cli.py", "        raise SystemExit(code)"),
    ("pkg/a.py", "    os.environ['HOME'] = folder"),
    ("pkg/a.py", "    if sys.version_info >= (3, 8):"),
    ("pkg/a.py", "    path = os.path.join(a, b)"),
    ("pkg/a.py", "    def __eq__(self, other):"),
    ("pkg/a.py", "    if sys.argv == ['x']:"),
    ("pkg/a.py", "    return json.loads(text)"),
    ("pkg/a.py", "    self.exit = sys.exit"),
    ("pkg/a.py", "    if os.name == 'nt':"),
    ("pkg/json.py", "x = 1"),
    ("pkg/a.py", "    # sys.orig_argv has what os._exit ends"),
    ("lib/a.js", "// process.exit(0) ends it"),
    ("pkg/a.py", "    atexit.register(self._pool.shutdown)"),
    ("pkg/a.py", "    atexit.register(shutil.rmtree, folder, True)"),
    ("pkg/a.py", "    sys.stdout = stream"),
    ("pkg/a.py", "    os.kill(child, signal.SIGTERM)"),
    ("pkg/a.py", "    name = sys._getframe(depth).f_code.co_name"),
    ("tests/test_a.py", "    monkeypatch.setattr(os, 'access', no_access)"),
    ("tests/test_a.py", "    m.assert_called_with(mock.ANY)"),
    ("README.md", "sys.exit(0) ends the process"),
    ("docs/a.rst", "process.exit(0)"),
    ("lib/a.js", "const code = process.exitCode"),
    ("lib/a.js", "if (Object.is(a, b)) {"),
    ("lib/a.rb", "    raise ArgumentError"),
    ("setup.cfg", "version = 2"),
    ("Makefile", "OBJECTS += more.o"),
    ("package.json", '  "version": "2.0.0"'),
]


@pytest.mark.parametrize(("path", "line"), HONEST)
def test_what_is_not_flagged(path: str, line: str) -> None:
    assert not flags_of(added(path, "y = 2", line))


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("pkg/a.py", ("    def __eq__(self, other):", "        return True")),
        ("lib/a.rb", ("  def ==(other)", "    true")),
    ],
)
def test_an_equality_over_two_lines(path: str, lines: tuple[str, str]) -> None:
    (flag,) = flags_of(added(path, *lines))
    assert flag.kind is FlagKind.EQUAL


OTHER_SPELLINGS = [
    (FlagKind.EXIT, "pkg/a.py", ("import os as o", "o._exit(0)")),
    (FlagKind.EXIT, "pkg/a.py", ("from os import _exit as bye", "bye(0)")),
    (FlagKind.EXIT, "pkg/a.py", ("import posix", "posix._exit(0)")),
    (FlagKind.EXIT, "pkg/a.py", ("__import__('os')._exit(0)",)),
    (FlagKind.EXIT, "pkg/a.py", ("importlib.import_module('os')._exit(0)",)),
    (FlagKind.EXIT, "pkg/a.py", ("getattr(os, '_exit')(0)",)),
    (FlagKind.EXIT, "pkg/a.py", ("vars(os)['_exit'](0)",)),
    (FlagKind.EXIT, "pkg/a.py", ("threading.Timer(1, os._exit, [0])",)),
    (FlagKind.EXIT, "pkg/a.py", ("os \\", "    ._exit(0)")),
    (FlagKind.EXIT, "pkg/a.py", ("\uff4f\uff53._exit(0)",)),
    (FlagKind.EXIT, "pkg/a.py", ("import sys; sys.exit(0)",)),
    (FlagKind.EXIT, "pkg/a.py", ("x = '''", "# '''; os._exit(0)")),
    (FlagKind.EXIT, "pkg/a.py", ("x = 1;" + " " * 9000 + "os._exit(0)",)),
    (FlagKind.EXIT, "pkg/a.py", ("x = '" + "y" * 9000 + "'; os._exit(0)",)),
    (FlagKind.EXIT, "pkg/a.py", ("++ b/README.md", "os._exit(0)")),
    (FlagKind.PATCH, "pkg/a.py", ("getattr(os, '_ex' + 'it')(0)",)),
    (FlagKind.PATCH, "pkg/a.py", ("import sys as s", "s.exit = print")),
    (FlagKind.PATCH, "pkg/a.py", ("from unittest import TestCase as T", "T.assertEqual = print")),
    (FlagKind.PATCH, "pkg/a.py", ("from sys import settrace", "settrace(f)")),
    (FlagKind.AT_EXIT, "pkg/a.py", ("from atexit import register", "register(f)")),
    (FlagKind.READS_CALLER, "pkg/a.py", ("from gc import get_objects", "get_objects()")),
    (FlagKind.HIDDEN_CODE, "pkg/a.py", ("exec(''.join(map(chr, [111, 115])))",)),
    (FlagKind.MEMORY, "pkg/a.py", ("ctypes.CDLL(None)._exit(0)",)),
    (FlagKind.EQUAL, "pkg/a.py", ("def __eq__(s, o):", "    'Equal.'", "    return True")),
    (FlagKind.EQUAL, "pkg/a.py", ("def __eq__(s, o):", "    # All.", "", "    return not False")),
    (FlagKind.EQUAL, "pkg/a.py", ("from unittest.mock import ANY",)),
    (FlagKind.EXIT, "lib/a.js", ("require('process').exit(0)",)),
    (FlagKind.EXIT, "lib/a.js", ("process['exit'](0)",)),
    (FlagKind.EXIT, "lib/a.js", ("const { exit: bye } = process", "bye(0)")),
    (FlagKind.PATCH, "lib/a.js", ("Object.assign(assert, { equal: f })",)),
    (FlagKind.PATCH, "lib/a.js", ("process.env.NODE_OPTIONS = '--require ./x'",)),
    (FlagKind.PATCH, "lib/a.rb", ("Minitest::Assertions.class_eval do",)),
    (FlagKind.AT_EXIT, "lib/a.rb", ("END { exit!(0) }",)),
]


@pytest.mark.parametrize(("kind", "path", "lines"), OTHER_SPELLINGS)
def test_other_spellings_of_the_same(kind: FlagKind, path: str, lines: tuple[str, ...]) -> None:
    assert kind in {flag.kind for flag in flags_of(added(path, *lines))}


def test_a_name_that_the_file_imported_before() -> None:
    diff = added("a.py", "o._exit(0)").replace("-1,0 +1,1 @@\n", "-1,1 +1,2 @@\n import os as o\n")
    (flag,) = flags_of(diff)
    assert (flag.kind, flag.line) == (FlagKind.EXIT, 2)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("json.py", FlagKind.SHADOW),
        ("src/json.so", FlagKind.SHADOW),
        ("sitecustomize.so", FlagKind.HOOK),
        ("sitecustomize/__init__.py", FlagKind.HOOK),
    ],
)
@pytest.mark.parametrize("how", ["moved", "binary"])
def test_files_whose_lines_are_not_in_the_diff(path: str, kind: FlagKind, how: str) -> None:
    if how == "moved":
        diff = f"diff --git a/pkg/x.py b/{path}\nsimilarity index 100%\n"
        diff += f"rename from pkg/x.py\nrename to {path}\n"
    else:
        diff = f"diff --git a/{path} b/{path}\nnew file mode 100644\nindex 0000000..1234567\n"
        diff += f"Binary files /dev/null and b/{path} differ\n"
    assert [flag.kind for flag in flags_of(diff)] == [kind]


@pytest.mark.parametrize("name", ["src/types.ts", "src/string.js", "statistics.json", "code.md"])
def test_only_files_of_python_hide_modules_of_python(name: str) -> None:
    assert not flags_of(added(name, "x = 1", new=True))


def test_more_code_than_is_looked_at() -> None:
    found = flags_of(added("pkg/a.py", *["x = 'some text'"] * 100_000, "os._exit(0)"))
    assert [flag.kind for flag in found] == [FlagKind.LARGE]
    assert not flags_of(added("data.txt", "x" * 2_000_000))


def test_only_what_a_patch_adds() -> None:
    diff = added("a.py", "x = 1").replace("+x = 1", "-os._exit(0)\n os._exit(1)\n+x = 1")
    assert not flags_of(diff)


@pytest.mark.parametrize("diff", ["", "\0\0", "+++", "@@ @@\n+os._exit(0)", "+" * 100_000])
def test_any_text_is_looked_at(diff: str) -> None:
    assert flags_of(diff) == ()


BUYS = added("sitecustomize.py", "import os", new=True)


GRID = ("ff", "pp", "pf", "ff")


class TestVotes:
    @pytest.fixture
    def given(self):
        plain = matrix(*GRID)
        bought = replace(plain.candidates[0], patch=Patch(BUYS, "bought"))
        return replace(plain, candidates=(bought, *plain.candidates[1:]))

    @pytest.mark.parametrize("rule", ["paper", "discriminating", "regression", "regression-first"])
    def test_a_flagged_candidate_has_no_votes_and_comes_last(self, given, rule) -> None:
        order = rank(given, rule)
        assert order[-1].candidate.number == 1
        assert order[-1].votes == 0

    def test_it_is_shown_to_the_model_beside_the_others(self, given) -> None:
        shown = [c.number for c in finalists(given, "discriminating", 1)]
        assert shown == [2, 1]

    def test_it_is_supported_only_if_a_model_cleared_it(self, given) -> None:
        assert weigh(given, 1).support is not Support.SUPPORTED
        assert weigh(given, 1).flags
        assert weigh(given, 1, cleared=True).support is Support.SUPPORTED

    def test_it_does_not_speak_against_others(self, given) -> None:
        assert weigh(given, 2).support is Support.SUPPORTED


def test_candidates_know_their_flags() -> None:
    assert Candidate(1, Patch(BUYS, "x")).flags
