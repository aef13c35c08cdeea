"""The views, which people query. `troop sql --views` prints the descriptions of their columns."""

from __future__ import annotations

from runs.store.grade_views import GRADE_VIEWS
from runs.store.stage_views import STAGE_VIEWS
from runs.store.view import IN_RUN, OF_INSTANCE, SETUP, View, joined


def _of_run(expression: str) -> str:
    """`expression` over the calls of the row's run."""
    calls = "call c JOIN instance i ON i.id = c.instance_id WHERE i.run_id = r.id"
    return f"(SELECT {expression} FROM {calls})"  # noqa: S608 - ours


def _setups() -> str:
    """The setup commands of the row's run."""
    each = (
        f"(SELECT {SETUP} AS setup, min(i.id) AS place FROM instance i"  # noqa: S608 - ours
        f" WHERE i.run_id = r.id GROUP BY {SETUP}) s WHERE s.setup <> ''"
    )
    return joined("s.setup", each, "s.place", "\n")


def _patched(more: str = "") -> str:
    """How many instances of the row's run have a patch."""
    rows = "instance i WHERE i.run_id = r.id AND i.status = 'patched'"
    return f"(SELECT count(*) FROM {rows} {more})"  # noqa: S608 - ours


def _samples(column: str, row: str) -> str:
    """The numbers of the samples whose `column` is the number of `row`."""
    same = f"s.instance_id = {row}.instance_id AND s.{column} = {row}.number"
    return joined("s.number", f"sample s WHERE {same}", "s.number", " ")


def _sources(kind: str, row: str) -> str:
    """The names of the sources of `row`, a candidate or a test, each once."""
    same = f"o.instance_id = {row}.instance_id AND o.kind = '{kind}' AND o.number = {row}.number"
    return joined("o.name", f"source o WHERE {same} GROUP BY o.name", "min(o.place)", ", ")


def _files(diff: str) -> tuple[str, str, str]:
    """The files that a diff edits, as one column."""
    paths = joined("d.path", f"edited_file d WHERE d.diff = {diff}", "d.place", ", ")
    return ("files", paths, 'the files that the patch edits, separated by ", "')


def _share(column: str) -> tuple[str, str, str]:
    """A reply's share, in whole numbers, of a figure of its request. The shares add up to it."""
    replies = "SELECT count(*) FROM turn w WHERE w.call_id = u.call_id"
    upto = f"(c.{column} * ({replies} AND w.id {{}} u.id) / ({replies}))"
    share = f"{upto.format('<=')} - {upto.format('<')}"
    return (f"{column}_share", share, f"this reply's share of {column}; the shares add up to it")


def _part(column: str) -> tuple[str, str, str]:
    """The same for a figure that can be divided."""
    replies = "(SELECT count(*) FROM turn w WHERE w.call_id = u.call_id)"
    return (
        f"{column}_share",
        f"c.{column} / {replies}",
        f"this reply's share of {column}; the shares add up to it",
    )


def _script(row: str) -> tuple[tuple[str, str, str], ...]:
    """What belongs to the script of `row` beside its text."""
    return (
        ("interpreter", f"{row}.interpreter", "the command that runs the script"),
        ("suffix", f"{row}.suffix", "the suffix of the script's file"),
    )


_PATCH = "digest of the files that the patch results in; equal patches have the same"
_WHERE = (("run", "r.name", "the run's name"), ("instance_id", "i.instance_id", "the instance"))

VIEWS = (
    View(
        "runs",
        "one row per run",
        (
            ("run", "r.name", "the run's name"),
            ("status", "r.status", "running, finished, interrupted or failed"),
            ("created_at", "r.created_at", "when it began, in UTC"),
            ("finished_at", "r.finished_at", "when it last stopped, in UTC; NULL: it has not"),
            ("dataset", "r.dataset", "where the instances came from"),
            ("model", "r.model", "the main model"),
            ("sandbox", "r.sandbox", "docker or local"),
            ("replayed", "r.replayed", "1: replies came from a recording"),
            ("troop_version", "r.troop_version", "the version of Troop that began it"),
            ("owner", "r.owner", "the process that was the last to begin work on it (see workers)"),
            ("samples", "r.samples", "samples bought for each instance"),
            ("config", "r.config", "JSON: everything else that results depend on"),
            ("setup", _setups(), "the commands that set up its instances, each once, one per line"),
            (
                "instances",
                "(SELECT count(*) FROM instance i WHERE i.run_id = r.id)",
                "instances, whatever their status",
            ),
            ("patched", _patched(), "instances for which a patch came out, right or wrong"),
            (
                "supported",
                _patched("AND i.support = 'supported'"),
                "of those, the ones whose patch the tests support (see support in instances)",
            ),
            ("solved", _patched(), "the number of patched instances, by its former name"),
            (
                "calls",
                _of_run("count(*)"),
                "requests to the model server",
            ),
            (
                "cost_usd",
                _of_run("sum(c.cost_usd)"),
                "known cost in US dollars; NULL: no price is known",
            ),
        ),
        "run r",
        "r.created_at, r.id",
    ),
    View(
        "instances",
        "one row per instance of a run",
        (
            ("run", "r.name", "the run's name"),
            ("instance_id", "i.instance_id", "the instance"),
            ("repo", "i.repo", "the repository"),
            ("base_commit", "i.base_commit", "the commit that patches are made for"),
            ("image", "i.image", "the Docker image"),
            ("environment", "i.environment", "JSON: where its scripts run; NULL: unknown"),
            ("setup", SETUP, "the command that sets up its sandbox; NULL: unknown"),
            ("status", "i.status", "waiting, running, patched, no_patch, failed or interrupted"),
            ("error", "i.error", "why it failed"),
            ("started_at", "i.started_at", "when work on it began, in UTC"),
            ("finished_at", "i.finished_at", "when it ended, in UTC; NULL: it has not ended"),
            ("problem", "i.problem", "the issue (content() shows it)"),
            (
                "context_files",
                "nullif(i.context_files, '')",
                "JSON: paths shown to the model, in order; NULL: not known yet",
            ),
            (
                "samples",
                "i.samples",
                "samples that the columns below rest on; NULL: not known yet",
            ),
            ("chosen", "i.chosen", "the number of the chosen candidate"),
            (
                "reason",
                "i.reason",
                "what decided: only_candidate, vote, selection (a model), fallback (to the vote)",
            ),
            ("patch", "i.patch", "the chosen patch (content() shows it)"),
            _files("i.patch"),
            ("worker", "i.worker_id", "the worker that holds it (see workers); NULL: none"),
            (
                "support",
                "i.support",
                (
                    "what tests say of the patch: supported, unsupported, contradicted, or untested"
                    " (none was asked for); NULL: no patch, or an older version chose it"
                ),
            ),
            (
                "cost_usd",
                "(SELECT sum(c.cost_usd) FROM call c WHERE c.instance_id = i.id)",
                "known cost in US dollars; NULL: no price is known",
            ),
        ),
        "instance i JOIN run r ON r.id = i.run_id",
        IN_RUN,
    ),
    View(
        "workers",
        "one row per process that works on a run, or once did",
        (
            ("run", "r.name", "the run's name"),
            ("worker", "w.id", "the worker's number; never used twice"),
            ("pid", "w.pid", "the process"),
            ("host", "w.host", "where it runs; empty: unknown"),
            (
                "instances",
                joined("i.instance_id", "instance i WHERE i.worker_id = w.id", "i.id", " "),
                "the instances that it holds now, separated by spaces",
            ),
            ("started_at", "w.started_at", "when it began, in UTC by the database server's clock"),
            ("heartbeat_at", "w.heartbeat_at", "the time of its last heartbeat"),
            (
                "lease_s",
                "w.lease_s",
                "seconds without a heartbeat after which workers elsewhere take it for gone",
            ),
            ("ended_at", "w.ended_at", "when it ended, or was found to be gone; NULL: not yet"),
        ),
        "worker w JOIN run r ON r.id = w.run_id",
        "r.id, w.id",
    ),
    View(
        "samples",
        "one row per sample that has ended",
        (
            *_WHERE,
            ("sample", "s.number", "from 1"),
            (
                "outcome",
                "s.outcome",
                "done, out_of_turns, no_edit, context_exceeded, rejected, failed",
            ),
            ("test", "s.test", "the number of its last test (see tests)"),
            ("candidate", "s.candidate", "the number of its patch (see candidates)"),
            ("script", "s.script", "its last test (content() shows it)"),
            *_script("s"),
            ("diff", "s.diff", "its last patch (content() shows it)"),
            _files("s.diff"),
            ("patch", "s.patch", _PATCH),
            ("error", "s.error", "the trace of what kept its patch from being a candidate"),
            ("finished_at", "s.finished_at", "when it ended, in UTC"),
        ),
        "sample s " + OF_INSTANCE.format("s"),
        f"{IN_RUN}, s.number",
    ),
    View(
        "trajectories",
        "one row per conversation with the model",
        (
            *_WHERE,
            ("trajectory", "t.key", 'for example "sample-3/editing"'),
            ("kind", "t.kind", "relevance, ranking, testing, editing, matrix, selection, judge"),
            ("sample", "t.sample", "the sample it belongs to"),
            ("outcome", "t.outcome", "how it ended; NULL: it has not ended"),
            ("error", "t.error", "the trace of the unexpected error that ended it"),
            (
                "turns",
                "(SELECT count(*) FROM turn u WHERE u.trajectory_id = t.id)",
                "replies so far",
            ),
        ),
        "trajectory t " + OF_INSTANCE.format("t"),
        f"{IN_RUN}, t.key",
    ),
    View(
        "turns",
        "one row per model reply",
        (
            *_WHERE,
            ("trajectory", "t.key", "the trajectory"),
            ("kind", "t.kind", "the trajectory's kind"),
            ("sample", "t.sample", "the sample it belongs to"),
            ("turn", "u.number", "from 0"),
            ("model", "c.model", "the model"),
            ("finish", "u.finish", "stop, length, filtered or empty"),
            (
                "call",
                "c.id",
                "the request's number; turns may share a request: add up the shares below",
            ),
            ("n", "c.n", "replies that the request asked for"),
            ("prompt_tokens", "c.prompt_tokens", "tokens sent, of the whole request"),
            (
                "cached_tokens",
                "c.cached_tokens",
                "of prompt_tokens, those found in the server's cache",
            ),
            ("completion_tokens", "c.completion_tokens", "tokens written, of the whole request"),
            ("cost_usd", "c.cost_usd", "US dollars, of the whole request; NULL: unknown"),
            (
                "duration_s",
                "c.duration_s",
                "seconds of the whole request, in the try that succeeded",
            ),
            ("attempts", "c.attempts", "tries that the request took"),
            ("replayed", "c.replayed", "1: the reply came from a recording"),
            ("created_at", "c.created_at", "when the request was answered, in UTC"),
            *map(_share, ("prompt_tokens", "cached_tokens", "completion_tokens")),
            *map(_part, ("cost_usd", "duration_s")),
            ("prompt", "u.prompt", "the new part of the prompt (content() shows it)"),
            ("reply", "u.reply", "the reply (content() shows it)"),
        ),
        "turn u JOIN trajectory t ON t.id = u.trajectory_id JOIN call c ON c.id = u.call_id "
        + OF_INSTANCE.format("t"),
        f"{IN_RUN}, t.key, u.number",
    ),
    View(
        "executions",
        "one row per execution of a script in a sandbox",
        (
            *_WHERE,
            ("execution", "e.id", "the execution's number"),
            ("ending", "e.ending", "exited, timeout, out_of_memory, disk_exceeded, ..."),
            ("exit_code", "e.exit_code", "0: fixed, 2: the issue is there; NULL: it was stopped"),
            ("duration_s", "e.duration_s", "seconds that it took"),
            ("output_bytes", "e.output_bytes", "all bytes that it printed"),
            ("edited", "e.diff != ''", "0: before the edit"),
            ("script", "e.script_text", "the script (content() shows it)"),
            *_script("e"),
            ("diff", "e.diff", "the patch (content() shows it)"),
            ("patch", "e.patch", _PATCH),
            ("output", "e.output", "what it printed (content() shows it)"),
            (
                "repeat",
                "e.repeat",
                "0: the first time; above: the same again, to see whether it ends the same",
            ),
            ("created_at", "e.created_at", "when it ended, in UTC"),
        ),
        "execution e " + OF_INSTANCE.format("e"),
        f"{IN_RUN}, e.id",
    ),
    View(
        "trajectory_executions",
        "one row per trajectory and execution that it saw",
        (
            *_WHERE,
            ("trajectory", "t.key", "the trajectory"),
            ("kind", "t.kind", "the trajectory's kind"),
            ("sample", "t.sample", "the sample it belongs to"),
            ("turn", "g.turn", "replies that the trajectory had by then"),
            ("purpose", "g.purpose", "before, after, vote, or the candidate that it ran on"),
            ("execution", "e.id", "the execution's number"),
            ("ending", "e.ending", "exited, timeout, ..."),
            ("exit_code", "e.exit_code", "0: fixed, 2: the issue is there; NULL: it was stopped"),
            ("duration_s", "e.duration_s", "seconds that it took"),
            ("output", "e.output", "what it printed (content() shows it)"),
        ),
        "sighting g JOIN trajectory t ON t.id = g.trajectory_id"
        " JOIN execution e ON e.id = g.execution_id " + OF_INSTANCE.format("t"),
        f"{IN_RUN}, t.key, g.turn, g.id",
    ),
    View(
        "candidates",
        "one row per candidate: a distinct patch",
        (
            *_WHERE,
            ("candidate", "k.number", "from 1"),
            ("place", "k.place", "in the vote's order, from 1"),
            ("chosen", "k.chosen", "1: this candidate is chosen"),
            ("finalist", "k.finalist", "1: the selection trajectory was shown it"),
            (
                "discriminating_votes",
                "k.discriminating_votes",
                "generated tests passed that do not pass before, without its own samples' tests",
            ),
            ("paper_votes", "k.paper_votes", "generated tests passed"),
            (
                "regression_votes",
                "k.regression_votes",
                "repository tests in which no other candidate breaks fewer",
            ),
            ("broken_tests", "k.broken_tests", "single tests in repository tests that it breaks"),
            (
                "agreement",
                "k.agreement",
                "samples and systems that wrote a candidate of the same behaviour",
            ),
            ("support", "k.support", "samples and systems that wrote this very patch"),
            ("samples", _samples("candidate", "k"), "the samples that wrote it, by number"),
            (
                "sources",
                _sources("candidate", "k"),
                'outside systems that wrote it, separated by ", "',
            ),
            ("size", "k.size", "characters of the diff"),
            ("diff", "k.diff", "the patch (content() shows it)"),
            _files("k.diff"),
            ("patch", "k.patch", _PATCH),
        ),
        "candidate k " + OF_INSTANCE.format("k"),
        f"{IN_RUN}, k.number",
    ),
    View(
        "edited_files",
        "one row per candidate and file that its patch edits",
        (
            *_WHERE,
            ("candidate", "k.number", "the candidate's number"),
            ("chosen", "k.chosen", "1: this candidate is chosen"),
            ("place", "d.place", "in the patch, from 1"),
            ("path", "d.path", "the file"),
        ),
        "edited_file d JOIN candidate k ON k.diff = d.diff " + OF_INSTANCE.format("k"),
        f"{IN_RUN}, k.number, d.place",
    ),
    View(
        "tests",
        "one row per distinct test",
        (
            *_WHERE,
            ("test", "x.number", "from 1"),
            ("kind", "x.kind", "generated (by a sample) or regression (a repository test)"),
            ("label", "x.label", "the file that a repository test runs"),
            ("flaky", "x.flaky", "1: run again, it gave another verdict, so it has no vote"),
            (
                "discriminates",
                "x.discriminates",
                "1: it does not pass before the edit, and is not flaky",
            ),
            (
                "samples",
                _samples("test", "x"),
                "the samples that ended with it, by number, separated by spaces",
            ),
            (
                "sources",
                _sources("test", "x"),
                'stored runs that it was taken from, separated by ", "',
            ),
            ("script", "x.script", "the script (content() shows it)"),
            *_script("x"),
        ),
        "test x " + OF_INSTANCE.format("x"),
        f"{IN_RUN}, x.number",
    ),
    View(
        "votes",
        "one row per candidate and test",
        (
            *_WHERE,
            ("candidate", "v.candidate", "the candidate's number; 0: before the edit"),
            ("test", "v.test", "the test's number"),
            ("verdict", "v.verdict", "pass, fail or error (no verdict)"),
            ("broken", "v.broken", "single tests broken, where a repository test says how many"),
            ("exit_code", "e.exit_code", "of the execution; NULL: it was stopped"),
            ("ending", "e.ending", "exited, timeout, ..."),
            ("execution", "e.id", "the execution's number"),
            ("output", "e.output", "what it printed (content() shows it)"),
        ),
        "vote v JOIN execution e ON e.id = v.execution_id " + OF_INSTANCE.format("v"),
        f"{IN_RUN}, v.candidate, v.test",
    ),
    View(
        "regression_files",
        "one row per repository test file that was considered",
        (
            *_WHERE,
            ("place", "f.place", "from 1, the nearest to the edits first"),
            ("path", "f.path", "the file"),
            ("test", "f.test", "the number of the test that it became; NULL: it has no vote"),
            (
                "passing",
                "f.passing",
                "tests in it that pass before the edit; NULL: not known one by one",
            ),
            ("reason", "f.reason", "why it has no vote"),
        ),
        "regression_file f " + OF_INSTANCE.format("f"),
        f"{IN_RUN}, f.place, f.path",
    ),
    *STAGE_VIEWS,
    *GRADE_VIEWS,
)
