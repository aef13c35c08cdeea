"""The context: which files the model sees, and in what order (CodeMonkeys, section 3.1).

A model reads every source file outside tests and says whether it matters; the
files that do are ranked a few times, and the context is filled in the order of
their mean rank.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from agent.conversation import Conversation, SharedFirstTurn
from agent.journal import Kind, TrajectoryId
from agent.observer import Stage
from agent.prefilter import best_matches
from agent.prompting import render
from agent.replies import Relevance, read_ranking, read_relevance
from agent.slots import together
from agent.source_files import source_files
from agent.trajectory import Answer, converse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.settings import ContextSettings
    from agent.workbench import Workbench
    from data.codebases.codebase import SourceFile

TRIES = 3
"""Replies asked for until a verdict or a ranking can be read."""
NOTHING_RELEVANT = 5
"""How many files, chosen by their words, are used where the model calls no file relevant."""
LEFT_OUT_NAMED = 20
"""How many relevant files that did not fit are named in the context."""
CHARS_PER_TOKEN = 3.5
"""Used until the server has counted tokens; after that its own figures are used."""


@dataclass(frozen=True, slots=True)
class Context:
    """The files that every trajectory of the instance is shown."""

    files: tuple[SourceFile, ...]
    text: str
    """The rendered beginning of each conversation: issue, then files; byte-identical everywhere."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What reading one file gave."""

    file: SourceFile
    relevance: Relevance
    prompt_tokens: int
    prompt_chars: int


class ContextReader:
    """Gathers the context of one instance."""

    def __init__(self, bench: Workbench, settings: ContextSettings, model: str) -> None:
        self._bench = bench
        self._settings = settings
        self._model = model
        self._about = {
            "repo": bench.instance.repo,
            "issue": bench.instance.problem_statement.strip(),
        }

    async def gather(self) -> Context:
        """Choose the files and render what all trajectories begin with.

        Raises:
            ModelError, Interrupted.
        """
        issue = self._bench.instance.problem_statement
        files = source_files(self._bench.codebase)
        if self._settings.prefilter_files:
            files = best_matches(files, issue, self._settings.prefilter_files)
        reads = await self._read_all(files)
        ratio = _chars_per_token(reads)
        order = await self._rank([read for read in reads if read.relevance.relevant], ratio)
        if not order:
            order = best_matches(files, issue, NOTHING_RELEVANT)
        chosen = _fill(order, self._settings.tokens, ratio)
        left_out = [file.path for file in order if file not in chosen][:LEFT_OUT_NAMED]
        total = len(self._bench.codebase.files)
        text = render("context", files=chosen, total=total, left_out=left_out, **self._about)
        return Context(tuple(chosen), text)

    async def _read_all(self, files: Sequence[SourceFile]) -> list[_Read]:
        """Read every file. The first one goes ahead, so that the others find the prefix cached."""
        self._bench.observer.stage(Stage.RELEVANCE, len(files))
        prefix = render("relevance_issue", **self._about)
        first = [await self._read(file, prefix) for file in files[:1]]
        return first + await together(*(self._read(file, prefix) for file in files[1:]))

    async def _read(self, file: SourceFile, prefix: str) -> _Read:
        parts = _split(file.text, int(self._settings.part_tokens * CHARS_PER_TOKEN))
        verdicts: list[Relevance] = []
        tokens = chars = 0
        for number, part in enumerate(parts, 1):
            suffix = f"#{number}" if len(parts) > 1 else ""
            talk = self._relevance_talk(f"relevance/{file.path}{suffix}", prefix)
            about = {"path": file.path, "text": part, "part": number, "parts": len(parts)}
            prompt = render("relevance_file", **about)
            task = Answer(prompt, "<relevant>yes or no</relevant>", read_relevance)
            await converse(talk, task, turns=TRIES)
            # A file counts as not relevant if no reply about it can be read.
            verdicts.append(task.value or Relevance(relevant=False, summary=""))
            if talk.first_usage is not None:
                tokens += talk.first_usage.prompt_tokens
                chars += len(render("relevance_system")) + len(prefix) + len(prompt)
        self._bench.observer.step(Stage.RELEVANCE)
        summary = " ".join(v.summary for v in verdicts if v.relevant and v.summary)
        return _Read(file, Relevance(any(v.relevant for v in verdicts), summary), tokens, chars)

    def _relevance_talk(self, key: str, prefix: str) -> Conversation:
        return Conversation(
            self._bench,
            TrajectoryId(key, Kind.RELEVANCE),
            model=self._settings.model or self._model,
            temperature=self._settings.temperature,
            max_tokens=self._settings.max_tokens,
            system=render("relevance_system"),
            prefix=prefix,
        )

    async def _rank(self, relevant: Sequence[_Read], ratio: float) -> list[SourceFile]:
        """The relevant files by their mean rank. Files that no ranking names come last."""
        by_path = {read.file.path: read.file for read in relevant}
        if len(relevant) < 2:  # noqa: PLR2004 - one file needs no order
            return list(by_path.values())
        listed = [
            {
                "path": read.file.path,
                "tokens": math.ceil(len(read.file.text) / ratio),
                "summary": read.relevance.summary,
            }
            for read in relevant
        ]
        prompt = render(
            "ranking", files=listed, suffix=self._bench.language.example_suffix, **self._about
        )
        count = self._settings.rankings
        self._bench.observer.stage(Stage.RANKING, count)
        talks = [self._ranking_talk(number) for number in range(1, count + 1)]
        first = SharedFirstTurn(talks, prompt, count)
        known = frozenset(by_path)
        _, *rankings = await together(
            first.ask_all(), *(self._ranking(talk, first, prompt, known) for talk in talks)
        )
        found = [ranking for ranking in rankings if ranking]
        return [by_path[path] for path in mean_order(list(by_path), found)]

    def _ranking_talk(self, number: int) -> Conversation:
        return Conversation(
            self._bench,
            TrajectoryId(f"ranking-{number}", Kind.RANKING),
            model=self._model,
            temperature=self._settings.ranking_temperature,
            max_tokens=self._settings.ranking_max_tokens,
            system=render("ranking_system"),
        )

    async def _ranking(
        self, talk: Conversation, first: SharedFirstTurn, prompt: str, paths: frozenset[str]
    ) -> list[str]:
        task = Answer(
            prompt, "<ranking>\n...\n</ranking>", lambda choice: read_ranking(choice, paths)
        )
        await converse(talk, task, turns=TRIES, first=first)
        self._bench.observer.step(Stage.RANKING)
        return task.value or []  # without one, the other rankings decide


class ContextOnce:
    """The context of one instance, gathered when it is first asked for."""

    def __init__(self, bench: Workbench, settings: ContextSettings, model: str) -> None:
        self._reader = ContextReader(bench, settings, model)
        self._lock = asyncio.Lock()
        self._context: Context | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of its files; empty if nobody has asked for the context."""
        return tuple(file.path for file in self._context.files) if self._context else ()

    async def get(self) -> Context:
        """The context.

        Raises:
            ModelError, Interrupted.
        """
        async with self._lock:
            if self._context is None:
                self._context = await self._reader.gather()
            return self._context

    async def text(self) -> str:
        """What every conversation begins with; errors as in `get`."""
        return (await self.get()).text


def mean_order(paths: Sequence[str], rankings: Sequence[Sequence[str]]) -> list[str]:
    """`paths` by mean rank. A path that a ranking lacks counts as one place after its last."""
    places = [
        {path: place for place, path in enumerate(ranking)} for ranking in rankings if ranking
    ]
    if not places:
        return list(paths)
    rank: Mapping[str, float] = {
        path: mean(place.get(path, len(place)) for place in places) for path in paths
    }
    return sorted(paths, key=lambda path: (rank[path], path))


def _fill(files: Sequence[SourceFile], tokens: int, ratio: float) -> list[SourceFile]:
    """Files in order, as long as they fit. A file that does not fit is skipped."""
    chosen: list[SourceFile] = []
    left = tokens * ratio
    for file in files:
        size = len(file.text) + len(file.path) + 30
        if size <= left:
            chosen.append(file)
            left -= size
    return chosen


def _chars_per_token(reads: Sequence[_Read]) -> float:
    """Measured by the tokens that the server counted while the files were read."""
    tokens = sum(read.prompt_tokens for read in reads)
    chars = sum(read.prompt_chars for read in reads)
    return chars / tokens if tokens and chars else CHARS_PER_TOKEN


def _split(text: str, size: int) -> list[str]:
    """`text` in parts of at most about `size` characters, cut at line ends."""
    parts, start = [], 0
    while len(text) - start > size:
        cut = text.rfind("\n", start, start + size) + 1 or start + size
        if cut <= start:
            cut = start + size
        parts.append(text[start:cut])
        start = cut
    return [*parts, text[start:]]
