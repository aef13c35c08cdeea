"""A class name means one thing in the project."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("agent", "data", "runs", "sandbox", "selection")
LIBRARY = ROOT / "runs" / "demo" / "library"  # what the demo repairs


def test_no_public_class_name_is_defined_twice() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for file in (file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))):
        if LIBRARY in file.parents:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert len(places) > len(ROOMS)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
