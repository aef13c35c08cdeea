"""Helpers for patches in Python."""

from tests.selection.hostile.repositories import PYTHON

WRONG = PYTHON.wrong["pkg/ops.py"]


def init(code: str) -> dict[str, str]:
    """`code` in the package's `__init__.py`."""
    return {"pkg/__init__.py": f"{code}\nfrom .ops import two\n"}


def ops(code: str) -> dict[str, str]:
    """`code` below the wrong fix."""
    return {"pkg/ops.py": f"{WRONG}\n\n{code}"}


def added(**files: str) -> dict[str, str]:
    """New Python files in the root."""
    return {f"{name}.py": text for name, text in files.items()}
