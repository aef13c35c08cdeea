"""Patches in the forms that benchmarks other than SWE-bench accept.

Sources: SWE-bench Pro's `swe_bench_pro_eval.py` (--patch_path) and Multi-SWE-bench's
`harness/run_evaluation.py` (patch_files).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.predictions.predictions import check_model_name, ended
from data.writing import put_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PRO = "pro.json"
MULTI_SWE = "multi-swe.jsonl"
_NUMBER = re.compile(r"-(\d{1,18})$")


def write_pro(file: Path, model_name: str, patches: Mapping[str, str]) -> None:
    """Write an array of {instance_id, patch, prefix}, whole or not at all.

    The prefix becomes part of the evaluation's file names, so it has only characters
    that a file name may have.

    Raises:
        UsageError: there is no model name, or a text that JSON readers cannot read.
        StoreError: the file cannot be written.
    """
    check_model_name(model_name)
    prefix = re.sub(r"[^\w.+-]+", "_", model_name)
    rows = [
        {"instance_id": name, "patch": ended(name, patch), "prefix": prefix}
        for name, patch in patches.items()
    ]
    put_file(file, (json.dumps(rows, indent=2) + "\n").encode(), durable=True)


def write_multi_swe(file: Path, repos: Mapping[str, str], patches: Mapping[str, str]) -> list[str]:
    """Write lines of {org, repo, number, fix_patch}, whole or not at all.

    Args:
        file: where it is written.
        repos: "org/repo" by instance id.
        patches: diffs by instance id.

    Returns:
        The instances that are left out, because their ids are not those of a pull
        request (org__repo-number).

    Raises:
        UsageError: no instance is left, or a text cannot be read by JSON readers.
        StoreError: the file cannot be written.
    """
    lines, left_out = [], []
    for name, patch in patches.items():
        org, _, repo = repos[name].partition("/")
        number = _NUMBER.search(name)
        if not org or not repo or not number:
            left_out.append(name)
            continue
        row = {"org": org, "repo": repo, "number": int(number[1]), "fix_patch": ended(name, patch)}
        lines.append(json.dumps(row) + "\n")
    if not lines:
        raise UsageError(
            "No instance can be written for Multi-SWE-bench.",
            hint="Its ids are org__repo-number, and the repository is org/repo.",
        )
    put_file(file, "".join(lines).encode(), durable=True)
    return left_out
