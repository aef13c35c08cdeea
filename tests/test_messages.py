"""Every error that a person sees is written as CONTRIBUTING, "Plain English", asks for."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGES = ("agent", "data", "runs", "sandbox", "selection")

FILLED = "\0"
"""Stands for a placeholder in a text; what fills it is not known here."""

NAME = re.compile(r"\W|\d|(?:git|pip|swebench)\b|\w*[_./\d:-]\w")
"""What may begin without a capital letter: a flag, a path, a name that is not a common word."""

COMMAND = re.compile(
    r"(?:^|: |like |`)(?:git|troop|docker|pip|sudo|hf|make|python|createdb|await|--?\w)"
    r"(?:[^.]|\.\S)*$"
)
"""A command, to the end of the text."""
ADDRESS = re.compile(r"\w+://\S+$")


def errors() -> frozenset[str]:
    """The names of TroopError and of all classes below it."""
    classes = [
        node
        for package in PACKAGES
        for tree in trees(package).values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    found = {"TroopError"}
    while True:
        more = {
            node.name
            for node in classes
            if any(isinstance(base, ast.Name) and base.id in found for base in node.bases)
        }
        if more <= found:
            return frozenset(found)
        found |= more


def trees(package: str) -> dict[Path, ast.Module]:
    files = sorted((ROOT / package).rglob("*.py"))
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}


def shown(tree: ast.Module, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    """The line and the text of each message and each hint, with FILLED for placeholders."""
    assigned = assignments(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        given = [keyword.value for keyword in node.keywords if keyword.arg == "hint"]
        if getattr(node.func, "id", "") in names:
            given += node.args[:1]
        for one in given:
            for text in texts(one, assigned):
                yield one.lineno, text


def assignments(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """What is assigned to each name of a file, wherever that is."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            several = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            left = target.elts if several else [target]
            right = node.value.elts if several else [node.value]
            for name, value in zip(left, right, strict=False):
                if isinstance(name, ast.Name):
                    found.setdefault(name.id, []).append(value)
    return found


def texts(node: ast.expr, assigned: dict[str, list[ast.expr]]) -> list[str]:
    """All that an expression may say; FILLED where it is not written in the file."""
    match node:
        case ast.Constant() | ast.JoinedStr():
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            text = "".join(
                str(each.value) if isinstance(each, ast.Constant) else FILLED for each in parts
            )
            return [text] if text else []
        case ast.BinOp(op=ast.Add()):
            right = texts(node.right, assigned) or [""]
            return [a + b for a in texts(node.left, assigned) for b in right]
        case ast.IfExp():
            return texts(node.body, assigned) + texts(node.orelse, assigned)
        case ast.Call(func=ast.Attribute(value=inside, attr="strip")):
            return texts(inside, assigned)
        case ast.Name(id=name):
            known = {name: []} | assigned
            return [text for value in known[name] for text in texts(value, {**assigned, name: []})]
        case _:
            return [FILLED]


def fault(text: str) -> str:
    """What is wrong with a message or a hint; "" where nothing is."""
    text = text.strip()
    if text[0].islower() and not NAME.match(text):
        return "begins with a small letter"
    if text[-1] not in f".?!{FILLED}" and not COMMAND.search(text) and not ADDRESS.search(text):
        return "has no full stop"
    return ""


NAMES = errors()


@pytest.mark.parametrize("package", PACKAGES)
def test_errors_and_hints_are_sentences(package: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}, line {line}: {why}: {text.replace(FILLED, '…')!r}"
        for file, tree in trees(package).items()
        for line, text in shown(tree, NAMES)
        if (why := fault(text))
    ]
    assert not found, "\n".join(["See CONTRIBUTING, Plain English.", *found])


BAD = """
UsageError("there is no file")
UsageError("There is no file.", hint="check the spelling.")
SandboxUnavailable(f"no engine at {place}.")
message, hint = "The key is refused", f"Set {name}"
ModelRefused(f"{message} ({says})", hint=hint)
ModelRefused(message, hint=hint + "to another key")
StoreError("It is full." if full else "it is locked.")
record.error("lacks a patch", hint="Each row needs one")
"""
GOOD = """
UsageError(f"{path}, line {number}: is empty.", hint="List the runs: troop show")
UsageError("--slice 3 has no colon.", hint=f"Write it like --slice 0:{count}")
UsageError("git is not installed.", hint="")
UsageError(f"instance_id {name} is not an id.", hint="See https://example.org/a")
StoreError(f"The database says: {error}", hint="Was it copied whole?")
"""


def test_the_rules_find_what_they_are_for() -> None:
    found = [(line, fault(text)) for line, text in shown(ast.parse(BAD), NAMES)]
    wrong = sorted({line for line, why in found if why})
    assert wrong == [2, 3, 4, 6, 7, 8, 9]
    assert [text for _, text in shown(ast.parse(GOOD), NAMES) if fault(text)] == []
    assert {"UsageError", "ModelRefused", "TransientEngineError"} <= NAMES
