"""`troop check-submission`: a good submission passes, and each fault is told."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from data.errors import UsageError
from runs.cli.main import main
from runs.leaderboard.review.review import review
from tests.data.patches.test_litter import NEW
from tests.data.patches.test_repairs import GOOD

if TYPE_CHECKING:
    from pathlib import Path

IDS = ("a__b-1", "a__b-2", "a__b-3")
README = "# A system\n\n" + "It repairs software by scaled sampling. " * 10 + "\n\n- [x] No web\n"
METADATA = {
    "info": {
        "name": "A system",
        "authors": "A. Person",
        "site": "https://a.edu",
        "report": "https://arxiv.org/abs/1",
        "logo": "",
    },
    "tags": {
        "model": ["m"],
        "org": "A",
        "os_model": True,
        "os_system": True,
        "checked": False,
        "system": {"attempts": "2+"},
    },
}


class Folder:
    """A submission of three instances, one of them with an empty patch."""

    def __init__(self, root: Path) -> None:
        self.path = root / "evaluation" / "lite" / "20261121_a-system"
        self.dataset = root / "rows.jsonl"
        row = {"repo": "a/b", "base_commit": "c", "problem_statement": "p"}
        rows = [{"instance_id": name, **row} for name in IDS]
        self.dataset.write_text("".join(json.dumps(one) + "\n" for one in rows))
        self.patches = dict.fromkeys(IDS, GOOD) | {IDS[2]: ""}
        self.model = "m"
        for name in IDS:
            self.put(f"trajs/{name}.md", f"# {name}\n\nIt thinks.\n")
        for name in IDS[:2]:
            self.put(f"logs/{name}/patch.diff", GOOD)
            self.put(f"logs/{name}/test_output.txt", "1 passed")
            self.report(name, resolved=True)
        self.put("README.md", README)
        self.about(METADATA)
        self.write()

    def put(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def report(self, name: str, **said: bool) -> None:
        report = {"patch_successfully_applied": True, **said}
        self.put(f"logs/{name}/report.json", json.dumps({name: report}))

    def about(self, found: object) -> None:
        self.put("metadata.yaml", yaml.safe_dump(found))

    def change(self, section: str, **values: object) -> None:
        self.about({**METADATA, section: {**METADATA[section], **values}})

    def write(self, *more: dict[str, object]) -> None:
        rows = [
            {"instance_id": name, "model_name_or_path": self.model, "model_patch": patch}
            for name, patch in self.patches.items()
        ]
        text = "".join(json.dumps(row) + "\n" for row in [*rows, *more])
        self.put("all_preds.jsonl", text)

    def patch(self, name: str, patch: object) -> None:
        self.patches[name] = patch
        self.write()

    def findings(self) -> list[str]:
        _, found = review(self.path, dataset=str(self.dataset))
        return [f"{one.where}: {one.what} {one.instances}" for one in found if one.grave]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_good_submission_passes(folder: Folder) -> None:
    submitted, found = review(folder.path, dataset=str(folder.dataset))
    assert found == []
    assert list(submitted.patches) == list(IDS)


PREDICTIONS = {
    "null": (lambda f: f.patch(IDS[0], None), "all_preds.jsonl, line 1: is damaged: took null"),
    "newline": (lambda f: f.patch(IDS[0], GOOD.rstrip("\n")), "line 1: is damaged"),
    "prose": (lambda f: f.patch(IDS[1], "I would fix it."), "line 2: cannot be graded"),
    "unknown": (lambda f: f.patch("a__b-9", GOOD), "The dataset has no instance a__b-9."),
    "lacking": (
        lambda f: (f.patches.pop(IDS[1]), f.write()),
        "lacks instances of the dataset, which count as not resolved ('a__b-2',)",
    ),
    "twice": (
        lambda f: f.write(
            {"instance_id": IDS[0], "model_name_or_path": "m", "model_patch": GOOD + "\n"}
        ),
        "has instances more than once ('a__b-1',)",
    ),
    "models": (
        lambda f: (
            f.patches.pop(IDS[2]),
            f.write({"instance_id": IDS[2], "model_name_or_path": "n", "model_patch": ""}),
        ),
        "mixes model names: m (2), n (1)",
    ),
    "nameless": (
        lambda f: (setattr(f, "model", ""), f.write()),
        "graders refuse it:",
    ),
    "tests": (
        lambda f: f.patch(IDS[0], GOOD + NEW.format("tests/test_x.py")),
        "touches tests/test_x.py (a test)",
    ),
    "scratch": (
        lambda f: f.patch(IDS[0], GOOD + NEW.format("reproduce.py")),
        "touches reproduce.py (a script that reproduces the bug)",
    ),
    "broken": (lambda f: f.put("all_preds.jsonl", "{"), "all_preds.jsonl"),
    "none": (lambda f: f.put("all_preds.jsonl", ""), "all_preds.jsonl"),
}
TRACES = {
    "missing": (
        lambda f: (f.path / "trajs" / "a__b-2.md").unlink(),
        "trajs: instances have no trace ('a__b-2',)",
    ),
    "empty": (lambda f: f.put("trajs/a__b-2.md", " \n"), "trajs/a__b-2.md: is empty"),
    "no steps": (
        lambda f: f.put("trajs/a__b-2.traj.json", '{"messages": []}'),
        "trajs/a__b-2.traj.json: has no steps",
    ),
    "no json": (lambda f: f.put("trajs/a__b-2.json", "{"), "cannot be read as JSON"),
    "no file": (lambda f: (f.path / "trajs/a__b-2").mkdir(), "trajs/a__b-2: has no trace"),
    "foreign": (lambda f: f.put("trajs/x__y-1.md", "x"), "belong to no prediction ('x__y-1.md',)"),
    "hints": (
        lambda f: f.put("trajs/a__b-1.md", "the hints_text says"),
        "trajs/a__b-1.md: names hints_text",
    ),
    "grading": (
        lambda f: f.put("trajs/a__b-1.md", "FAIL_TO_PASS and PASS_TO_PASS"),
        "names FAIL_TO_PASS, PASS_TO_PASS",
    ),
}
LOGS = {
    "missing": (
        lambda f: shutil.rmtree(f.path / "logs" / "a__b-1"),
        "logs: instances have no logs ('a__b-1',)",
    ),
    "no output": (
        lambda f: (f.path / "logs/a__b-1/test_output.txt").unlink(),
        "logs/a__b-1/test_output.txt: is missing or empty",
    ),
    "empty report": (
        lambda f: f.put("logs/a__b-1/report.json", ""),
        "logs/a__b-1/report.json: is missing or empty",
    ),
    "other patch": (
        lambda f: f.put("logs/a__b-1/patch.diff", GOOD.replace("+c", "+d")),
        "logs/a__b-1/patch.diff: is not the submitted patch",
    ),
    "other report": (
        lambda f: f.put("logs/a__b-1/report.json", '{"a__b-2": {"resolved": true}}'),
        "logs/a__b-1/report.json: says nothing of this instance",
    ),
    "empty but resolved": (
        lambda f: f.report("a__b-3", resolved=True),
        "logs/a__b-3/report.json: says that an empty patch is resolved",
    ),
    "unapplied but resolved": (
        lambda f: f.report("a__b-1", resolved=True, patch_successfully_applied=False),
        "says that a patch is resolved which could not be applied",
    ),
    "foreign": (
        lambda f: f.report("x__y-1", resolved=False),
        "belong to no prediction ('x__y-1',)",
    ),
}
ABOUT = {
    "no yaml": (lambda f: f.put("metadata.yaml", "a: [\n"), "metadata.yaml: is not YAML"),
    "no fields": (lambda f: f.put("metadata.yaml", "a\n"), "metadata.yaml: has no fields"),
    "no org": (lambda f: f.change("tags", org=""), "lacks tags.org"),
    "no report": (lambda f: f.change("info", report=None), "lacks info.report"),
    "placeholder": (lambda f: f.change("info", name="TODO: x"), "info.name is still 'TODO: x'"),
    "no url": (lambda f: f.change("info", site="our site"), "info.site is not a URL"),
    "no flag": (lambda f: f.change("tags", os_model="maybe"), "tags.os_model is 'maybe'"),
    "attempts": (
        lambda f: f.change("tags", system={"attempts": 10}),
        "tags.system.attempts is 10",
    ),
    "checked": (lambda f: f.change("tags", checked=True), "tags.checked is true"),
    "short": (lambda f: f.put("README.md", "A system."), "README.md: is almost empty"),
    "unfilled": (lambda f: f.put("README.md", README + "TODO: x\n"), "is still 'TODO: x'"),
    "open": (lambda f: f.put("README.md", README + "- [ ] Hints\n"), "leaves a question open"),
}
PLACE = {
    "no readme": (lambda f: (f.path / "README.md").unlink(), "README.md: is missing"),
    "no metadata": (lambda f: (f.path / "metadata.yaml").unlink(), "metadata.yaml: is missing"),
    "no logs": (lambda f: shutil.rmtree(f.path / "logs"), "logs: is missing"),
    "no traces": (lambda f: shutil.rmtree(f.path / "trajs"), "trajs: is missing"),
    "no predictions": (
        lambda f: (f.path / "all_preds.jsonl").unlink(),
        "all_preds.jsonl: is missing",
    ),
    "date": (lambda f: moved(f, "lite/20261321_a"), "20261321_a: is not named YYYYMMDD_name"),
    "name": (lambda f: moved(f, "lite/20261121"), "20261121: is not named YYYYMMDD_name"),
    "split": (lambda f: moved(f, "hard/20261121_a"), "hard/20261121_a: is not in the"),
    "large": (
        lambda f: os.truncate(f.path / "logs/a__b-1/test_output.txt", 101 * 2**20),
        "logs/a__b-1/test_output.txt: has 101 MB",
    ),
}


def moved(folder: Folder, place: str) -> None:
    target = folder.path.parents[1] / place
    target.parent.mkdir(exist_ok=True)
    folder.path = folder.path.rename(target)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(*case, id=f"{group}: {name}")
        for group, cases in (
            ("predictions", PREDICTIONS),
            ("traces", TRACES),
            ("logs", LOGS),
            ("about", ABOUT),
            ("place", PLACE),
        )
        for name, case in cases.items()
    ],
)
def test_each_fault_is_reported(folder: Folder, spoil: object, said: str) -> None:
    spoil(folder)  # type: ignore[operator]
    assert [one for one in folder.findings() if said in one], folder.findings()


def test_what_only_needs_a_look_is_no_rejection(folder: Folder) -> None:
    folder.put("notes.txt", "x")
    moved(folder, "verified/20261121_a")
    _, found = review(folder.path, dataset=str(folder.dataset))
    assert [(one.where, one.grave) for one in found] == [
        ("notes.txt", False),
        ("metadata.yaml", False),
    ]


def test_without_the_dataset_it_says_that_nothing_was_compared(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(source: str) -> object:
        raise UsageError(f"{source} cannot be had")

    monkeypatch.setattr("runs.leaderboard.review.review.load_instances", unreachable)
    _, (finding,) = review(folder.path)
    assert "not compared with the dataset: lite cannot be had" in finding.what
    assert not finding.grave


def test_the_command_says_it_in_lines_and_in_json(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["check-submission", str(folder.path), "--dataset", str(folder.dataset)]
    assert main(words) == 0
    assert capsys.readouterr().out == "3 predictions; 0 would be rejected, 0 to look at\n"
    folder.patch(IDS[0], GOOD + NEW.format("x\x1b.orig"))
    assert main(words) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("rejected  all_preds.jsonl, line 1")
    assert not any("\x1b" in line for line in lines)
    assert main([*words, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is False
    assert {"severity", "where", "what", "hint", "instances"} == document["findings"][0].keys()
    assert main(["check-submission", str(folder.path / "none")]) == 2
    assert "is not a folder" in capsys.readouterr().err
