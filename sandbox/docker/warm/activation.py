"""Entering an environment once instead of before every script.

`conda activate` takes longer than most test scripts. If the activation lines are
known to only set variables, the variables are kept and given to each script. Other
lines run each time.
"""

from __future__ import annotations

import re

_WORD = r"""[^\s;&|<>`$"'()]+"""
_VALUE = r"""(?:[^\s;&|<>`"'()]|"[^"`()]*"|'[^']*')*"""
_ONLY_VARIABLES = re.compile(
    rf"(?:source|\.)\s+{_WORD}/(?:activate|conda\.sh|mamba\.sh)(?:\s+{_WORD})?"
    rf"|(?:conda|mamba|micromamba)\s+activate(?:\s+{_WORD})?"
    r"""|eval\s+"\$\((?:conda|mamba|micromamba)\s+shell[. ]\w+\s+hook\)\""""
    rf"|export\s+[A-Za-z_]\w*={_VALUE}"
)
_NOT_OURS = frozenset({"_", "PWD", "OLDPWD", "SHLVL"})


def only_sets_variables(activate: str) -> bool:
    """Whether activation lines are of the kinds that change the environment and nothing else."""
    lines = re.split(r"\s*(?:&&|;|\n)\s*", activate.strip())
    return all(_ONLY_VARIABLES.fullmatch(line) for line in lines if line and line[0] != "#")


def variables_of(environ: bytes) -> dict[str, str]:
    """The variables in the content of a process's `/proc/self/environ`."""
    pairs = (item.partition(b"=") for item in environ.split(b"\0") if item)
    named = {
        name.decode("utf-8", "surrogateescape"): value.decode("utf-8", "surrogateescape")
        for name, _, value in pairs
    }
    return {name: value for name, value in named.items() if name not in _NOT_OURS}
