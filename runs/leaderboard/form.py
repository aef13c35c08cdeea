"""A submission as a form that runs are exported in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.paths import file_name
from data.predictions.predictions import ALL_PREDICTIONS, write_prediction_file
from data.writing import put_file
from runs.export.trace import trace
from runs.leaderboard.readme import Result, readme
from runs.leaderboard.submission import metadata

if TYPE_CHECKING:
    from runs.export.forms import Order
    from runs.leaderboard.logs import Logs
    from runs.leaderboard.submission import Submission
    from runs.store.story import Story


class SubmissionWriter:
    """Writes a submission, which has only instances that have ended."""

    def __init__(self, order: Order, submission: Submission, logs: Logs) -> None:
        self._order = order
        self._submission = submission
        self._logs = logs
        self._folder = order.folder / submission.place
        self._result = Result()

    def write(self, story: Story, patch: str) -> None:
        """Take in an instance. `patch` is its exported patch."""
        if story.name not in self._order.patches.diffs:
            return
        text = trace(story, patch).encode("utf-8", "backslashreplace")
        put_file(self._folder / "trajs" / f"{file_name(story.name)}.md", text)
        logs = self._logs(story.name)
        for name, content in logs.items():
            put_file(self._folder / "logs" / file_name(story.name) / file_name(name), content)
        self._result.count(story.instance.repo, logs.get("report.json"), story.name)

    def finish(self) -> str:
        """Write the files about the whole run. Gives a line for people."""
        order = self._order
        file = self._folder / ALL_PREDICTIONS
        write_prediction_file(file, order.model_name, order.patches.diffs)
        put_file(self._folder / "metadata.yaml", metadata(self._submission).encode())
        put_file(self._folder / "README.md", readme(self._submission, self._result).encode())
        return f"a submission of {len(order.patches.diffs)} predictions: {self._folder}/"
