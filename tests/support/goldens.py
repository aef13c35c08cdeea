"""Stored databases of schema 0004, how to open a copy of one, and what is to be found in it.

`tests/runs/store/data/0004/make.py` made the databases and wrote down with `facts` what the Troop
of their day made of them; the tests hold today's against it. Only the command line is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zstandard

from runs.cli.main import main
from tests.support import tally
from tests.support.plain_sandbox import PlainSandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = Path(__file__).parents[1] / "runs" / "store" / "data" / "0004"
LONG = 100
"""Longer texts in exports are told by their digests."""
LINE = 90
METHODS = "random,shortest,agreement,paper,discriminating,codet,regression,regression-first"

BASE = ("--samples", "4")
SOLVED = {
    "plain": BASE,
    "shell": (
        *("--samples", "3", "--language", "shell", "--repo-dir", "/srv/tally"),
        *("--setup", "echo ready > ready.txt", "--set", "selection.repeats=0"),
    ),
    "command": ("--samples", "3", "--set", "selection.regression_command=sh check.sh {files}"),
    "guests": (
        *("--samples", "2", "--candidates", "guests.jsonl", "--set", "selection.turns=0"),
        *("--set", "selection.repeats=0"),
    ),
}
"""Flags of `troop solve` by the name of the run, which is also the database's."""
INTERRUPTED = ("stopped", "killed", "first-n", "before-selection", "in-selection", "shell-killed")
"""Runs in interrupted.db; all but the last have the flags of "plain", that one those of "shell"."""
DATASET_IDS = ("tally-1", "tally-2", "tally-3")
"""The second is hopeless, and the sandbox of the third cannot be opened."""


class Troop:
    """The command line in this process, with one database."""

    def __init__(self, folder: Path, database: Path | str) -> None:
        self.folder = folder
        self.database = database

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        output, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            code = main([*words, "--db", str(self.database)])
        for stream in (output, errors):
            stream.flush()
            stream.seek(0)
        return code, output.read(), errors.read()

    def finish(self, *words: str) -> str:
        """Standard output of a command that must succeed."""
        code, output, errors = self.run(*words)
        assert code == 0, output + errors
        return output

    def rows(self, query: str) -> list[list[Any]]:
        """What `troop sql` answers."""
        lines = self.finish("sql", "--format", "json", query).splitlines()
        return [list(json.loads(line).values()) for line in lines]

    def solve_words(self, name: str, url: str, flags: Iterable[str]) -> list[str]:
        """`troop solve` on the repository in the folder."""
        where = [str(self.folder / word) if word.endswith(".jsonl") else word for word in flags]
        what = ["--repo", str(self.folder / "tally"), "--issue", str(self.folder / "issue.md")]
        model = ["--model", "mock", "--base-url", url, "--sandbox", "local"]
        settings = ["--set", "samples.editing_turns=3", "--name", name]
        return ["solve", *what, *model, *settings, *where]

    def run_words(self, url: str, *ids: str) -> list[str]:
        """`troop run` on the dataset in the folder."""
        what = ["--dataset", str(self.folder / "rows.jsonl"), "--instances", ",".join(ids)]
        model = ["--model", "mock", "--base-url", url, "--sandbox", "local", "--samples", "4"]
        return ["run", *what, *model, "--set", "samples.editing_turns=3", "--name", "dataset"]

    def ensemble_words(self, name: str, *more: str) -> list[str]:
        """`troop ensemble` on the first instance of the dataset in the folder."""
        files = [str(self.folder / f"{system}.jsonl") for system in ("one", "two", "three")]
        words = ["ensemble", str(self.folder / "rows.jsonl"), "--candidates", *files]
        return [*words, "--instances", "tally-1", "--sandbox", "local", "--name", name, *more]


class RowsSandbox(PlainSandbox):
    """Holds the repository for the rows of a dataset; that of the third cannot be opened."""

    kind = "local"  # what is stored must be a kind that there is

    def __init__(self) -> None:
        super().__init__(dict(tally.FILES))

    async def open(self, instance, *, run, tell=None):
        if instance.instance_id == "tally-3":
            from data.errors import SandboxError

            raise SandboxError("there is no room")
        return await super().open(instance, run=run, tell=tell)


def lay_inputs(folder: Path) -> None:
    """The repository, its issue, a dataset of three instances, and other systems' candidates."""
    tally.lay_repository(folder)
    issues = (tally.ISSUE, tally.HOPELESS, tally.ISSUE)
    rows = [
        {"instance_id": name, "repo": "tally", "base_commit": "0" * 40, "image": "tiny"}
        | {"problem_statement": issue}
        for name, issue in zip(DATASET_IDS, issues, strict=True)
    ]
    _write_lines(folder / "rows.jsonl", rows)
    for file, name, text in (
        ("one", "System One", tally.WHOLE),
        ("two", "system two", tally.AGAINST),
        ("three", "three", tally.AGAINST),
    ):
        row = {"instance_id": "tally-1", "model_name_or_path": name, "model_patch": diff(text)}
        _write_lines(folder / f"{file}.jsonl", [row])
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=folder / "tally",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    guests = [
        {"instance_id": own_id(commit), "model_name_or_path": name, "model_patch": diff(text)}
        for name, text in (
            ("System One", tally.WHOLE),
            ("system two", tally.WHOLE),
            ("three", tally.AGAINST),
            ("four of them", tally.AGAINST + "\n\nSPARE = 1\n"),
        )
    ]
    _write_lines(folder / "guests.jsonl", guests)


def own_id(commit: str) -> str:
    """The id of the instance that `troop solve --repo` makes."""
    return f"tally-{commit[:8]}-{hashlib.sha256(tally.ISSUE.encode()).hexdigest()[:6]}"


def diff(text: str) -> str:
    """`tally/stats.py` changed to `text`."""
    import difflib

    path = "tally/stats.py"
    lines = difflib.unified_diff(
        tally.STATS.splitlines(keepends=True),
        text.splitlines(keepends=True),
        f"a/{path}",
        f"b/{path}",
    )
    return f"diff --git a/{path} b/{path}\n" + "".join(lines)


def _write_lines(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def unpack(name: str, folder: Path) -> Troop:
    """A copy of a stored database in `folder`, whose runs are those of the inputs there.

    Where a run's dataset was, this folder is now; a process that drove one when it was killed is a
    dead one of this machine.
    """
    file = folder / f"{name}.db"
    packed = (DATA / f"{name}.db.zst").read_bytes()
    file.write_bytes(zstandard.decompress(packed, max_output_size=1 << 26))
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        for place in ("tally", "rows.jsonl"):
            database.execute(
                "UPDATE run SET dataset = ? WHERE dataset LIKE ?",
                (str((folder / place).resolve()), f"%/{place}"),
            )
        database.execute("UPDATE run SET owner = ? WHERE status = 'running'", (_dead_owner(),))
    return Troop(folder, file)


def _dead_owner() -> str:
    """As schema 0004 stores the owner of a run."""
    from sandbox.owner import this_process

    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    owner = replace(this_process(), pid=done.pid)
    return f"{owner} {owner.place}"


def pack(database: Path, name: str) -> None:
    """Store a database, whole and compressed."""
    copy = database.with_suffix(".packed")
    with closing(sqlite3.connect(database, isolation_level=None)) as source:
        source.execute("VACUUM INTO ?", (str(copy),))
    packed = zstandard.ZstdCompressor(level=19).compress(copy.read_bytes())
    copy.unlink()
    DATA.mkdir(parents=True, exist_ok=True)
    (DATA / f"{name}.db.zst").write_bytes(packed)


_COLUMNS = {
    "runs": "run, status, model, sandbox, replayed, instances, solved, calls, cost_usd",
    "instances": (
        "run, instance_id, repo, base_commit, image, status, problem, context_files, chosen,"
        " reason, patch, cost_usd"
    ),
    "samples": "run, instance_id, sample, outcome, test, candidate, script, diff",
    "trajectories": "run, instance_id, trajectory, kind, sample, outcome, turns",
    "turns": (
        "run, instance_id, trajectory, turn, kind, sample, model, finish, n, prompt_tokens,"
        " cached_tokens, completion_tokens, cost_usd, attempts, replayed, prompt, reply"
    ),
    "executions": (
        "run, instance_id, script, diff, repeat, edited, ending, exit_code, output_bytes, output"
    ),
    "trajectory_executions": (
        "run, instance_id, trajectory, kind, sample, turn, purpose, ending, exit_code, output"
    ),
    "candidates": (
        "run, instance_id, candidate, place, chosen, finalist, discriminating_votes, paper_votes,"
        " regression_votes, broken_tests, agreement, support, samples, sources, size, diff"
    ),
    "tests": (
        "run, instance_id, test, kind, label, flaky, discriminates, samples, sources,"
        " CASE kind WHEN 'regression' THEN '' ELSE script END"
    ),
    "votes": "run, instance_id, candidate, test, verdict, broken, exit_code, ending, output",
    "regression_files": "run, instance_id, place, path, test, passing, reason",
    "cost_by_stage": (
        "run, stage, model, calls, prompt_tokens, cached_tokens, completion_tokens, cost_usd,"
        " unpriced_calls"
    ),
    "grades": (
        "run, instance_id, candidate, chosen, judge, judge_version, resolved, outcome, detail,"
        " fail_to_pass, fail_to_pass_failing, pass_to_pass, pass_to_pass_failing, timeout_s,"
        " inputs, patch, diff, report, log"
    ),
    "resolved": (
        "run, judge, instances, without_patch, chosen_graded, resolved, candidates_graded,"
        " candidates, coverage"
    ),
}
"""Of every view, the columns that stay what they are: no times, paths, numbers of rows, nor words
for people, nor the program of ours that runs repository tests. Texts are their SHA-256."""

_THEN = {
    "sources": "replace(sources, ', ', ' ')",
    "context_files": "coalesce(context_files, '')",
}
"""What schema 0004 had otherwise: names joined by spaces alone, and no NULL."""
_OUR_PROGRAM = '"""Runs one of the repository'
"""How the program begins that runs repository tests. Whenever it changes, what an older one printed
does not count any more and it runs again, so its executions are not counted here."""
QUERIES = {
    **{
        view: f"SELECT {told} FROM {view} ORDER BY {', '.join(map(str, range(1, width + 1)))}"
        for view, names in _COLUMNS.items()
        for told, width in [
            (", ".join(_THEN.get(one, one) for one in names.split(", ")), names.count(",") + 1)
        ]
    },
    "distinct executions": (
        "SELECT run, count(*) FROM executions"
        f" WHERE content(script) NOT LIKE '{_OUR_PROGRAM}%' GROUP BY run ORDER BY run"
    ),
    "patches": (
        "SELECT run, instance_id, candidate, content(diff) FROM candidates ORDER BY 1, 2, 3"
    ),
    "digests": (
        "SELECT r.name, i.instance_id, t.key, u.number, u.request_digest FROM turn u"
        " JOIN trajectory t ON t.id = u.trajectory_id JOIN instance i ON i.id = t.instance_id"
        " JOIN run r ON r.id = i.run_id ORDER BY 1, 2, 3, 4"
    ),
}
"""Asked with `troop sql`; the last one of the tables."""

FINAL = ("candidates", "tests", "votes", "samples", "instances", "digests", "patches")
"""The queries that a run comes to the same answers to whenever it was stopped."""


def facts(troop: Troop) -> dict[str, Any]:
    """What the database holds."""
    return {name: troop.rows(query) for name, query in QUERIES.items()}


def outcome(troop: Troop, run: str) -> dict[str, Any]:
    """What one run came to; what scripts printed and their texts' digests are left out of votes."""
    found: dict[str, Any] = {
        name: [row[1:] for row in troop.rows(QUERIES[name]) if row[0] == run] for name in FINAL
    }
    return found | {"votes": [row[:5] for row in found["votes"]]}


def prompts(troop: Troop, run: str) -> list[list[Any]]:
    """Of every turn: instance, trajectory, number, digest of the prompt's text, of the request."""
    texts = {tuple(row[:4]): row[15] for row in troop.rows(QUERIES["turns"])}
    return [
        [*row[1:4], texts[tuple(row[:4])], row[4]]
        for row in troop.rows(QUERIES["digests"])
        if row[0] == run
    ]


_UNSTABLE = {
    *("timestamp", "duration_s", "troop_version", "version", "made", "notes", "seconds"),
    *("mini_version", "created_at", "date", "config", "error"),
}
_SPOKEN = ("messages", "steps")


def exported(troop: Troop, run: str, folder: Path) -> dict[str, Any]:
    """What `troop export` writes in every form: JSON as it is, of other files their lines' facts.

    Versions and times are left out, and so is the wording of pages for people.
    """
    forms = "preds,pro,mini,atif,leaderboard"
    about = ["--system-name", "Troop", "--split", "lite", "--date", "20240101"]
    code, _, errors = troop.run("export", run, "-o", str(folder), "--format", forms, *about)
    found: dict[str, Any] = {"exit code": code}
    assert code in {0, 1}, errors
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        found[file.relative_to(folder).as_posix()] = _content(file)
    return found


def recorded(troop: Troop, run: str, instance: str, file: Path) -> Any:
    """What `troop export --recording` writes."""
    troop.finish("export", run, instance, "--recording", str(file))
    head, *replies = _content(file)
    return [head, *(_digest(json.dumps(reply, sort_keys=True)) for reply in replies)]


def _content(file: Path) -> Any:
    text = file.read_text()
    if file.suffix == ".json":
        return _stable(json.loads(text))
    if file.suffix == ".jsonl":
        return [_stable(json.loads(line)) for line in text.splitlines()]
    # A page for people: the patches in it, and that it is there.
    return sorted(set(re.findall(r"^[+-]    .*$", text, re.MULTILINE)))


def _stable(document: Any) -> Any:
    """Without what may change; steps and messages are told by who speaks and a digest."""
    if isinstance(document, dict):
        return {
            key: [_told(each) for each in value] if key in _SPOKEN else _stable(value)
            for key, value in document.items()
            if key not in _UNSTABLE
        }
    if isinstance(document, list):
        return sorted(map(_stable, document), key=_purpose)
    if isinstance(document, str) and len(document) > LONG:
        return f"{len(document)} characters, {_digest(document)}"
    return document


def _told(step: dict[str, Any]) -> str:
    if step.get("llm_call_count") == 0:  # told by us, in words that may change
        refs = re.findall(r'"trajectory_id": "(.*?)"', json.dumps(step))
        return " ".join([step["source"], *refs])
    said = json.dumps(_stable(step), sort_keys=True)
    return f"{step.get('role', step.get('source'))} {_digest(said)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _purpose(each: object) -> str:
    """Executions that a turn saw were begun together: their order tells nothing."""
    if not isinstance(each, dict):
        return ""
    purpose = each.get("purpose") or each.get("extra", {}).get("purpose", "")
    return str(purpose)


def selected(troop: Troop, run: str, *more: str, methods: str = METHODS) -> dict[str, Any]:
    """What `troop select --json` says, without its reasons in words."""
    code, output, errors = troop.run("select", run, "--json", "--method", methods, *more)
    assert code in {0, 1}, errors
    document: dict[str, Any] = json.loads(output) if output else {}
    for one in document.get("instances", []):
        for said in one["methods"].values():
            del said["reason"]
    return document


def read_golden(name: str) -> Any:
    """A golden document."""
    return json.loads((DATA / f"{name}.json").read_text())


def write_golden(name: str, document: Any) -> None:
    """Store one."""
    (DATA / f"{name}.json").write_text(_lines(as_json(document), "") + "\n")


def _lines(document: Any, indent: str) -> str:
    """JSON with a line for each row."""
    more = indent + " "
    flat = json.dumps(document, ensure_ascii=False)
    if isinstance(document, dict) and len(flat) > LINE:
        parts = [
            f"{more}{json.dumps(k, ensure_ascii=False)}: {_lines(v, more)}"
            for k, v in sorted(document.items())
        ]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    if isinstance(document, list) and any(isinstance(each, list | dict) for each in document):
        return "[\n" + ",\n".join(more + _lines(v, more) for v in document) + f"\n{indent}]"
    return flat


def as_json(document: Any) -> Any:
    """As it comes back from a golden file, which has the beginnings of digests only."""
    text = json.dumps(document, ensure_ascii=False)
    return json.loads(re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1", text))


def folders(folder: Path) -> dict[str, str]:
    """Environment variables that keep Troop in `folder`."""
    names = {"XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "share", "XDG_STATE_HOME": "state"}
    return {name: os.fspath(folder / place) for name, place in names.items()} | {"COLUMNS": "160"}
