"""A folder for SWE-bench's leaderboard, in the form that SWE-bench/experiments asks for.

    evaluation/<split>/<YYYYMMDD_name>/
        all_preds.jsonl  metadata.yaml  README.md
        trajs/<id>.md    logs/<id>/{patch.diff, test_output.txt, report.json, …}

Sources: that repository's README, checklist and `analysis/get_results.py`, which
counts an instance only if it has patch.diff and test_output.txt, and takes the split
and the name from the folders. What only a person knows is written as TODO, which
`troop check-submission` rejects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import yaml

from data.errors import UsageError
from data.instances.family import find

if TYPE_CHECKING:
    from runs.store.records import RunRecord

SPLITS = {
    "full": "test",
    "lite": "lite",
    "verified": "verified",
    "multimodal": "multimodal",
    "multilingual": "multilingual",
}
"""The leaderboard's folder for each of our dataset names."""
TODO = "TODO"
"""Marks what a person must still fill in."""
LOGS = ("patch.diff", "test_output.txt", "report.json", "eval.sh", "run_instance.log")
"""What the harness leaves for an instance. The leaderboard counts by the first two."""


@dataclass(frozen=True, slots=True)
class About:
    """What the leaderboard shows and only a person knows; "" and None: not given."""

    system_name: str = ""
    authors: str = ""
    org: str = ""
    site: str = ""
    report: str = ""
    logo: str = ""
    open_model: bool | None = None
    """Whether the model's weights are open."""
    split: str = ""
    """The leaderboard's folder; "": the one of the run's dataset."""
    date: str = ""
    """YYYYMMDD; "": the day on which the run ended."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A run that is submitted."""

    run: RunRecord
    about: About
    outside: tuple[str, ...] = ()
    """Systems whose candidates took part in the race."""

    @property
    def single(self) -> bool:
        """Whether there was only one attempt at each instance."""
        return self.run.samples * self.run.edits + len(self.outside) <= 1

    @property
    def models(self) -> list[str]:
        """The main model, and the context's model if it is a different one."""
        models = [self.run.model, self.run.config.get("context.model")]
        return list(dict.fromkeys(filter(None, models)))

    @property
    def place(self) -> str:
        """The submission's folder in the output folder.

        Raises:
            UsageError: the split is not known, or the date is not a date.
        """
        name = self.about.system_name or f"troop {self.run.model}"
        slug = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "troop"
        return f"evaluation/{_split(self.run, self.about)}/{_date(self.run, self.about)}_{slug}"


def _split(run: RunRecord, about: About) -> str:
    dataset = find(run.dataset)
    split = about.split or (SPLITS.get(dataset.alias, "") if dataset else "")
    if split not in SPLITS.values():
        said = f"is not a leaderboard: {split}" if split else f"is not known for {run.dataset}"
        raise UsageError(
            f"The split of the submission {said}.",
            hint=f"Give --leaderboard-split, one of {', '.join(SPLITS.values())}.",
        )
    return split


def _date(run: RunRecord, about: About) -> str:
    if about.date:
        if not is_date(about.date):
            raise UsageError(f"{about.date!r} is not a date.", hint="Write --date as YYYYMMDD.")
        return about.date
    return f"{run.finished_at or run.created_at:%Y%m%d}"


def is_date(text: str) -> bool:
    """Whether it is a date, written YYYYMMDD."""
    try:
        return bool(re.fullmatch(r"20\d{6}", text) and date.fromisoformat(text))
    except ValueError:
        return False


def metadata(submission: Submission) -> str:
    """The text of metadata.yaml. The leaderboard's maintainers add its `assets`."""
    about = submission.about
    found: dict[str, Any] = {
        "info": {
            "name": about.system_name or _todo("--system-name"),
            "authors": about.authors or _todo("--authors"),
            "report": about.report or _todo("--report, a URL"),
            "site": about.site or _todo("--url"),
            "logo": about.logo,
        },
        "tags": {
            "model": submission.models,
            "org": about.org or _todo("--org"),
            "os_model": about.open_model
            if about.open_model is not None
            else _todo("--open-model yes or no"),
            "os_system": True,
            "checked": False,
            "system": {"attempts": "1" if submission.single else "2+"},
        },
    }
    return yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=1000)


def _todo(flag: str) -> str:
    return f"{TODO}: {flag}"
