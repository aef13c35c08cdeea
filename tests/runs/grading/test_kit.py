"""The sandbox on a real instance, where the kit of real instances and its images are here."""

from __future__ import annotations

import json
from contextlib import aclosing
from pathlib import Path

import pytest

from data.instances.grading import load_specs
from runs.grading.nouns import GradeOutcome, GradingTask
from runs.grading.sandbox_grader import SandboxGrader
from sandbox.docker.engine import Engine
from tests.support.docker import require_docker

KIT = Path(__file__).parents[3].parent / "shared/kit"
ID = "pallets__flask-4992"

pytestmark = pytest.mark.docker


@pytest.mark.skipif(not KIT.exists(), reason="the kit of real instances is not here")
async def test_real_patches_get_the_recorded_verdicts() -> None:
    require_docker()
    spec = load_specs(str(KIT / "instances.jsonl"), None, [ID]).found[ID]
    engine = Engine.connect()
    here = engine.has_image(spec.instance.environment.image or "")
    engine.close()
    if not here:
        pytest.skip(f"the kit's image for {ID} is not built")
    rows = [json.loads(line) for line in (KIT / "candidates.jsonl").read_text().splitlines()]
    recorded = {
        row["model_patch"]: row["resolved_here"] for row in rows if row["instance_id"] == ID
    }
    expected = {spec.gold: True, "": False, **dict(list(recorded.items())[:2])}
    grader = SandboxGrader("1", workers=2, timeout_s=300, label="test")
    tasks = {diff: GradingTask.of(spec, diff) for diff in expected}
    async with aclosing(grader.grade(list(tasks.values()))) as grades:
        found = {grade.task.diff: grade async for grade in grades}
    assert {diff: found[task.diff].resolved for diff, task in tasks.items()} == expected
    assert found[spec.gold].outcome is GradeOutcome.RESOLVED
