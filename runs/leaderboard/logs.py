"""The harness's logs of an instance's grade, for a submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import UsageError
from runs.grading.nouns import patch_digest
from runs.leaderboard.submission import LOGS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from runs.store.reading import Reader

    Logs = Callable[[str], Mapping[str, bytes]]
    """From an instance's id to its log files by name; empty if it was not graded."""


def stored_logs(reader: Reader, run: str, diffs: Mapping[str, str]) -> Logs:
    """What `troop grade` has stored of the official harness's verdicts on exactly these diffs."""
    found = {
        grade.instance_id: grade
        for grade in reader.grades(run, grader="harness")
        if grade.resolved is not None
        and grade.patch == patch_digest(diffs.get(grade.instance_id, ""))
    }

    def logs(instance_id: str) -> Mapping[str, bytes]:
        grade = found.get(instance_id)
        if grade is None:
            return {}
        texts = {
            "patch.diff": diffs[instance_id],
            "test_output.txt": reader.text(grade.log),
            "report.json": reader.text(grade.report),
        }
        return {name: text.encode("utf-8", "surrogatepass") for name, text in texts.items() if text}

    return logs


def logs_in(folder: Path, names: Collection[str]) -> Logs:
    """Logs from a folder of the harness: logs/run_evaluation/RUN_ID/MODEL, or one above it.

    Raises:
        UsageError: it has no folder of any of the instances `names`.
    """
    for place in (folder, *_folders(folder)):
        if any((place / name).is_dir() for name in names):
            return lambda instance_id: _read(place / instance_id)
    raise UsageError(
        f"{folder} has no logs of this run's instances.",
        hint="Give --logs the harness's folder logs/run_evaluation/RUN_ID/MODEL.",
    )


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if each.is_dir())
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}.") from error


def _read(folder: Path) -> Mapping[str, bytes]:
    found = {}
    for name in LOGS:
        file = folder / name
        try:
            found[name] = file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    return found
