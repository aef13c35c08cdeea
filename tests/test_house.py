"""What every test of the house keeps to: it can fail, and no clock decides whether it does."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))
CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time"}
BROAD = {"Exception", "BaseException"}
CHECKS = ("assert", "raises", "fail", "warns", "processor_time")
"""A test or a helper whose text has a call or a statement that begins so can fail by itself."""

ROOMS = ("agent", "data", "runs", "sandbox", "selection")
MAY_BE_FALSE = re.compile(
    r"None|bool|str|int|float|bytes|list|dict|tuple|set|Sequence|Mapping|Collection|Any|object|T\b"
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def called(node: ast.AST) -> str:
    """The last part of what is called: `time.monotonic()` gives monotonic."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def reads_clock(node: ast.AST) -> bool:
    """Whether it calls a clock; `time.time()` is a date, which tests give to files and images."""
    calls = (each for each in ast.walk(node) if called(each) in CLOCKS)
    return any(isinstance(call, ast.Call) and not call.args for call in calls)


def on_a_clock(function: Function) -> Iterator[ast.Assert]:
    """Asserts on what a clock said, at once or by way of names; and on the end of a duration."""
    told: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and (reads_clock(node.value) or names(node.value) & told):
            told |= {name for target in node.targets for name in names(target)}
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and (
            reads_clock(node.test) or names(node.test) & told or is_upper_bound(node.test)
        ):
            yield node


def is_upper_bound(test: ast.expr) -> bool:
    """`x.duration_s < 5`, in a chain or alone."""
    if not isinstance(test, ast.Compare):
        return False
    sides = [test.left, *test.comparators]
    return any(
        isinstance(operator, ast.Lt | ast.LtE) and getattr(left, "attr", "") == "duration_s"
        for left, operator in zip(sides, test.ops, strict=False)
    )


def cannot_fail(function: Function, helpers: set[str]) -> Iterator[str]:
    """Why a test, or an assert of it, holds whatever the code does."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and (why := always_true(node.test)):
            yield f"line {node.lineno}: {why}"
        if is_broad(node):
            yield f"line {node.lineno}: any error will do; name it, or match what it says"
    if function.name.startswith("test_") and not checks(function, helpers):
        yield f"line {function.lineno}: {function.name} asserts nothing"


def is_broad(node: ast.AST) -> bool:
    """`pytest.raises(Exception)` with nothing that it must say."""
    if not isinstance(node, ast.Call) or called(node) != "raises" or node.keywords:
        return False
    return bool(names(node.args[0]) & BROAD)


def always_true(test: ast.expr) -> str:
    if isinstance(test, ast.Constant | ast.Tuple | ast.JoinedStr | ast.Lambda) and not (
        isinstance(test, ast.Constant) and not test.value
    ):
        return "it asserts something that is always true"
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return next(filter(None, map(always_true, test.values)), "")
    if isinstance(test, ast.Compare) and is_same([test.left, *test.comparators]):
        return "it compares something with itself"
    if called(test) in NEVER_FALSE:
        return f"{called(test)}() always gives something: look at what"
    if isinstance(test, ast.GeneratorExp):
        return "a generator is always true: use all()"
    return ""


def is_same(sides: list[ast.expr]) -> bool:
    """Whether all are the same words; two calls may give different things."""
    calls = any(isinstance(node, ast.Call) for node in ast.walk(sides[0]))
    return not calls and len({ast.dump(side) for side in sides}) == 1


def checks(function: Function, helpers: set[str]) -> bool:
    """Whether it has an assert, expects an error, or calls something that does."""
    return any(
        isinstance(node, ast.Assert | ast.Raise)
        or called(node).startswith(CHECKS)
        or called(node) in helpers
        for node in ast.walk(function)
    )


def checking_helpers(trees: list[ast.Module]) -> set[str]:
    """Names of functions and fixtures that check, at whatever distance."""
    everything = [one for tree in trees for one in functions(tree)]
    helpers: set[str] = set()
    while True:
        found = {one.name for one in everything if checks(one, helpers)}
        if found <= helpers:
            return helpers
        helpers |= found


def never_false() -> set[str]:
    """Functions of ours that give a thing which is true whatever it holds."""
    files = (file for room in ROOMS for file in (TESTS.parent / room).rglob("*.py"))
    made: dict[str, set[str]] = {}
    for file in files:
        for one in functions(ast.parse(file.read_text(encoding="utf-8"))):
            made.setdefault(one.name, set()).add(ast.unparse(one.returns) if one.returns else "Any")
    return {name for name, kinds in made.items() if not any(map(MAY_BE_FALSE.search, kinds))}


NEVER_FALSE = never_false()
TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
HELPERS = {name for name in checking_helpers([*TREES.values()]) if not name.startswith("test_")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TESTS)))
def test_no_assert_depends_on_how_fast_the_machine_is(file: Path) -> None:
    found = {node.lineno for one in functions(TREES[file]) for node in on_a_clock(one)}
    assert not found, f"{file}: lines {sorted(found)}; see tests/support/waiting.py"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TESTS)))
def test_every_test_can_fail(file: Path) -> None:
    found = [why for one in functions(TREES[file]) for why in cannot_fail(one, HELPERS)]
    assert not found, f"{file}: {found}"


BAD = """
def test_fast():
    began = time.monotonic()
    took = time.monotonic() - began
    assert took < 3

def test_short(run):
    assert 0 <= run.duration_s < 60

def test_anything():
    with pytest.raises(Exception):
        work()

def test_tuple():
    assert (work(), "it failed")

def test_or():
    assert work() or True

def test_same(a):
    assert a.b == a.b

def test_nothing():
    work()
"""
GOOD = """
def test_order(run):
    with pytest.raises(ValueError, match="no"):
        work()
    assert run.duration_s >= 3
    assert run.time("x") == 3

def test_by_a_helper():
    holds(1)

def holds(x):
    assert x
"""


def test_the_rules_find_what_they_are_for() -> None:
    tree = ast.parse(BAD)
    assert [node.lineno for one in functions(tree) for node in on_a_clock(one)] == [5, 8]
    found = [why for one in functions(tree) for why in cannot_fail(one, set())]
    assert [why.split(":")[0] for why in found] == [f"line {n}" for n in (11, 15, 18, 21, 23)]
    tree = ast.parse(GOOD)
    helpers = checking_helpers([tree])
    assert not [node for one in functions(tree) for node in on_a_clock(one)]
    assert not [why for one in functions(tree) for why in cannot_fail(one, helpers)]
