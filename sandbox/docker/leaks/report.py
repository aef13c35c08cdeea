"""What look.sh says about an image, and what has to be hidden."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_OBJECTS = 400_000
"""If a repository has more objects, they are counted but not listed."""

_ENTRIES = frozenset({
    *("HEAD", "config", "config.worktree", "description", "index", "info", "objects", "refs"),
    *("shallow", "modules", "branches", "hooks", "packed-refs", "logs", "COMMIT_EDITMSG"),
})  # fmt: skip
"""All that a git folder of one commit may hold; `hooks` reveal nothing."""
_SETTINGS = ("remote.", "branch.", "url.", "credential.", "http.", "include.", "includeif.")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class RepositoryReport:
    """One git folder."""

    path: str
    parts: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def head(self) -> list[str]:
        """The commit, then the branch; "": there is none."""
        return self.parts.get("head", [])

    @property
    def needed(self) -> set[str]:
        """The objects of the commit and of the index."""
        return {line.partition(" ")[0] for line in self.parts.get("needed", ())}

    def findings(self) -> Iterator[str]:
        """What the commit does not need, in words."""
        if "head" not in self.parts:
            yield "git cannot be used on it"
            return
        if "broken" in self.parts:
            yield "it is damaged"
        yield from self._about_objects()
        branch = self.head[1] if len(self.head) > 1 else ""
        refs = [line.partition(" ")[2] for line in self.parts["refs"]]
        yield from _found("refs", [ref for ref in refs if ref != branch])
        entries = self.parts["entries"]
        yield from _found("files", [name for name in entries if name not in _ENTRIES])
        odd = [name for name in self.parts["in objects"] if not _is_plain(name)]
        yield from _found("entries in objects/", odd)
        settings = [name for name in self.parts["settings"] if name.startswith(_SETTINGS)]
        yield from _found("settings", sorted(set(settings)))
        known = {self.head[0], "0" * len(self.head[0])}
        logged = {sha for line in self.parts["logs"] for sha in line.split(" ")[:2]} - known
        yield from _found("reflogs of", sorted(logged))
        if "other message" in self.parts:
            yield "another commit's message"

    def _about_objects(self) -> Iterator[str]:
        needed = self.needed
        counts = dict(line.split(": ", 1) for line in self.parts.get("count", ()) if ": " in line)
        if counts.get("garbage", "0") != "0":
            yield f"{counts['garbage']} files of no use among the objects"
        if "objects" in self.parts:
            objects = set(self.parts["objects"])
            if more := len(objects - needed):
                yield f"{more} objects that the commit does not need"
            if lacking := len(needed - objects):
                yield f"{lacking} objects are missing"
            return
        total = int(counts.get("count", 0)) + int(counts.get("in-pack", 0))
        if total != len(needed):
            yield f"{total} objects where the commit needs {len(needed)}"


@dataclass(frozen=True, slots=True)
class Report:
    """One image."""

    leftovers: list[str]
    mirrors: list[str]
    """Folders of git objects elsewhere that hold the repository's history."""
    repositories: list[RepositoryReport]
    """Those in the working tree, and last the working tree's own."""
    has_git: bool

    def findings(self) -> list[str]:
        """What has to be hidden, in words."""
        return [
            *_found("leftovers", self.leftovers),
            *_found("copies of the history", self.mirrors),
            *(
                f"{repository.path}: {finding}"
                for repository in self.repositories
                for finding in (repository.findings() if self.has_git else ["there is no git"])
            ),
        ]


def read_report(text: str) -> Report:
    """The report in what look.sh printed.

    Raises:
        SandboxError: it was cut short.
    """
    sections: list[tuple[str, list[str]]] = [("", [])]
    for line in text.split("\n"):
        if line.startswith("== "):
            sections.append((line[3:], []))
        else:
            sections[-1][1].append(line)
    names = [name for name, _ in sections]
    if names[-1] != "end":
        raise SandboxError("The search of the image for leaks was cut short.")
    for _, lines in sections[:-1]:
        if lines and not lines[-1]:
            lines.pop()
    repositories: list[tuple[str, dict[str, list[str]]]] = []
    common: dict[str, list[str]] = defaultdict(list)
    for name, lines in sections:
        if name == "repository":
            repositories.append((lines[0], {}))
        elif repositories:
            repositories[-1][1][name] = lines
        else:
            common[name] = lines
    return Report(
        leftovers=common["leftovers"],
        mirrors=common["mirrors"],
        repositories=[RepositoryReport(path, parts) for path, parts in repositories],
        has_git="no git" not in names,
    )


def _is_plain(name: str) -> bool:
    return name in {"pack", "info"} or (len(name) == 2 and set(name) <= set("0123456789abcdef"))  # noqa: PLR2004 - two hexadecimal digits


def _found(what: str, names: list[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield f"{what} {', '.join(names[:_SHOWN])}{more}"
