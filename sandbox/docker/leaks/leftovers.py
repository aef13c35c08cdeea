"""Files that benchmarks leave in their images and that reveal the answer or the hidden tests."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leak:
    """One kind of file or folder. Files that the repository tracks never count."""

    patterns: tuple[str, ...]
    """Shell patterns of absolute paths; `{repo}` is the top folder of the repository."""
    what: str
    source: str
    """How it is known."""


def _in(folders: str, names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for folder in folders.split() for name in names.split())


LEAKS = (
    Leak(
        _in("/home", "fix.patch test.patch fix-run.sh test-run.sh"),
        "gold patch, test patch, and the scripts that apply them",
        "multi-swe-bench/multi-swe-bench: files() of the images in harness/repos; issue 70",
    ),
    Leak(
        ("/eval.sh", *_in("/root", "eval.sh"), *_in("/root /tmp", "patch.diff")),
        "evaluation script with the test patch, candidate's patch",
        "SWE-bench/SWE-bench: harness/run_evaluation.py, DOCKER_PATCH in harness/constants; forks",
    ),
    Leak(
        _in("/workspace", "patch.diff run_script.sh parser.py entryscript.sh output.json"),
        "candidate's patch, test run and its verdicts",
        "scaleapi/SWE-bench_Pro-os: swe_bench_pro_eval.py",
    ),
    Leak(
        (
            *_in("/workspace", "fix.patch test.patch fix-run.sh test-run.sh"),
            "/tmp/patcheval_hidden_assets",  # noqa: S108 - looked for, not made
        ),
        "gold patch, security tests",
        "bytedance/PatchEval images; UKGovernmentBEIS/inspect_evals pull request 2088",
    ),
    Leak(
        (
            *_in("{repo} /root", "r2e_tests run_tests.sh syn_issue.json parsed_commit.json"),
            *_in("{repo} /root", "expected_test_output.json execution_result.json"),
            *_in("{repo} /root", "modified_files.json modified_entities.json"),
            *("/r2e_tests", "/run_tests.sh"),
        ),
        "hidden tests, their expected results, the fixing commit",
        "R2E-Gym/R2E-Gym: SKIP_FILES of the agent's runtime",
    ),
    Leak(
        ("/gso_test_*.py",),
        "hidden performance tests",
        "gso-bench/gso: issue 18, pull request 21",
    ),
    Leak(
        ("/swe_util/eval_data",),
        "data set rows with gold and test patches",
        "OpenHands: evaluation/benchmarks/swe_bench, the full evaluation image",
    ),
    Leak(
        ("/solution", "/solution.sh", "/oracle", "/tests/test.sh", "/tests/config.json"),
        "reference solution, verifier",
        "harbor-framework/harbor and terminal-bench: folders of a task, where baked in",
    ),
    Leak(
        ("/*.patch", "/*.diff", *_in("/root /home /tmp /workspace /mnt", "*.patch *.diff")),
        "patches in the folders that evaluations copy them to",
        "images built by hand after the benchmarks above",
    ),
)


def shell_text() -> str:
    """A shell function that prints the patterns, one per line."""
    words = [shlex.quote(pattern) for leak in LEAKS for pattern in leak.patterns]
    return "leftovers() {\n  printf '%s\\n' \\\n    " + " \\\n    ".join(words) + "\n}\n"
