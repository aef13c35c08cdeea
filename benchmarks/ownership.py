"""Checks that many processes on the same runs do nothing twice and lose nothing.

Real `troop run` processes with the local sandbox ask a real HTTP server. They use SQLite or, with
`--db`, an empty PostgreSQL database. At random, they are started, killed, suspended, and made to
take over from each other. The check at the end uses the server's list of requests, the database,
and triggers in the database that record which worker held an instance at each write:

- Each stored reply is stored once, and each turn exists once.
- If the reply to a request is not stored, the request was in flight when its process was killed or
  when its instance was taken over.
- Each reply was stored by the process that asked for it, while that process held the instance.
- Nothing is left behind: no held instance, no open worker, no process, no folder of a sandbox.

    python benchmarks/ownership.py --minutes 10 --processes 16
    python benchmarks/ownership.py --minutes 10 --processes 16 \
        --db postgresql+psycopg://postgres@127.0.0.1/soak
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import sqlalchemy as sa

from benchmarks.parts.audit import Entry, entries, install
from benchmarks.parts.crowd import DONE, Crowd
from benchmarks.parts.paying import Cashier, Request, mark_of
from runs.store.database import open_database, sqlite_url
from runs.store.reading import Reader
from tests.support.command import calc_repository

GRACE_S = 60.0
"""Seconds for which a reply that has arrived may wait to be stored. With 16 processes on two cores,
one waited for 11 s, until its instance was taken over."""
GREEDY = 0.3
"""How often one begins with --take-over."""


def disturbed(crowd: Crowd, seconds: float, processes: int, pause_s: float) -> None:
    """Keep the processes at work and disturb them, for this many seconds."""
    end = time.time() + seconds
    while time.time() < end:
        crowd.thaw()
        while len(crowd.at_work()) < processes:
            crowd.start(crowd.next_run(), take_over=crowd.chance.random() < GREEDY)
        time.sleep(crowd.chance.uniform(0, 2 * pause_s))
        crowd.disturb()


def finished(crowd: Crowd) -> None:
    """Let everything that was begun come to its end."""
    crowd.thaw(every=True)
    runs = sorted({process.run for process in crowd.all})
    for process in crowd.at_work():
        process.popen.wait()
    crowd.at_work()
    for run in runs:
        crowd.start(run).popen.wait()  # finds out who was killed after the run's end, too
        crowd.at_work()


class Proof:
    """What the requests, the database and the triggers show."""

    def __init__(self, crowd: Crowd, requests: list[Request]) -> None:
        self._crowd = crowd
        self._requests = requests
        self.figures: dict[str, object] = dict(crowd.happened)
        self.wrong: list[str] = []
        with Reader(crowd.database) as reader:
            self._turns = reader.read(
                lambda s: s.execute(
                    sa.text(
                        "SELECT u.id, u.reply, u.trajectory_id, u.number FROM turn u ORDER BY u.id"
                    )
                ).all()
            )
            self._marks = {row.id: mark_of(reader.text(row.reply)) for row in self._turns}
            self._log = reader.read(lambda s: entries(s.connection()))
            pids = reader.read(lambda s: s.execute(sa.text("SELECT id, pid FROM worker")).all())
            names = reader.read(
                lambda s: s.execute(sa.text("SELECT id, instance_id FROM instance")).all()
            )
            self._left(reader)
        numbers = {process.popen.pid: process.number for process in crowd.all}
        self._process = {row.id: numbers[row.pid] for row in pids}
        self._issue = {row.id: int(row.instance_id.rpartition("-")[2]) for row in names}
        self._once()
        self._paid()
        self._writers()
        self._lasted()

    def _check(self, right: bool, said: str) -> None:
        if not right:
            self.wrong.append(said)

    def _once(self) -> None:
        places = {(row.trajectory_id, row.number) for row in self._turns}
        self._check(len(places) == len(self._turns), "a turn is stored twice")
        marks = Counter(self._marks.values())
        self._check(max(marks.values(), default=1) == 1, "a reply is stored twice")
        self.figures |= {"requests": len(self._requests), "replies stored": len(self._turns)}

    def _paid(self) -> None:
        """Why the reply to a request is not stored, for each such request."""
        stored = {number for number, _ in self._marks.values()}
        killed = {one.number: one.killed_at for one in self._crowd.all if one.killed_at}
        lost = self._losses()
        excused, late = Counter[str](), 0.0
        for number, request in enumerate(self._requests):
            if number in stored:
                continue
            until = GRACE_S + (request.answered or time.time())
            at = killed.get(request.process)
            gone = [t for t in lost.get((request.process, request.issue), ()) if t <= until]
            if at is not None and request.arrived <= at <= until:
                excused["in flight when killed"] += 1
            elif gone:
                excused["in flight when taken over"] += 1
                late = max(late, request.arrived - max(gone))
            else:
                self.wrong.append(f"paid for but not stored: request {number}: {request}")
        self.figures |= {f"requests {why}": count for why, count in excused.items()}
        self.figures["longest time from a loss to a later request, s"] = round(late, 1)

    def _losses(self) -> dict[tuple[int, int], list[float]]:
        """When a process lost an issue to another that is at work."""
        found: dict[tuple[int, int], list[float]] = {}
        for entry in self._log:
            if entry.what == "hold" and entry.was is not None and entry.holder != entry.was:
                key = self._process[entry.was], self._issue[entry.instance]
                found.setdefault(key, []).append(entry.at)
        return found

    def _writers(self) -> None:
        """Check that each row was added by the worker that held its instance."""
        holder: dict[int, int | None] = {}
        for entry in self._log:
            if entry.what == "hold":
                self._check(holder.get(entry.instance) == entry.was, f"held by two: {entry}")
                holder[entry.instance] = entry.holder
                continue
            self._check(entry.holder is not None, f"written while no worker held it: {entry}")
            self._check(holder.get(entry.instance) == entry.holder, f"written too late: {entry}")
            if entry.what == "turn":
                self._check_turn(entry)
        claims = [one for one in self._log if one.what == "hold" and one.holder is not None]
        self.figures |= {
            "rows written": sum(one.what != "hold" for one in self._log),
            "claims": len(claims),
            "claims that took over from a live worker": sum(one.was is not None for one in claims),
        }

    def _check_turn(self, entry: Entry) -> None:
        assert entry.row is not None
        assert entry.holder is not None
        asked = self._requests[self._marks[entry.row][0]].process
        self._check(
            asked == self._process[entry.holder],
            f"stored by another process: {entry}",
        )

    def _left(self, reader: Reader) -> None:
        for what, query in {
            "instances held": "SELECT count(*) FROM instance WHERE worker_id IS NOT NULL",
            "workers open": "SELECT count(*) FROM worker WHERE ended_at IS NULL",
            "instances without an end": "SELECT count(*) FROM instance"
            " WHERE status NOT IN ('patched', 'no_patch')",
            "runs without an end": "SELECT count(*) FROM run WHERE status <> 'finished'",
        }.items():
            text = sa.text(query)
            # mypy cannot infer a lambda with a default, which binds the variable of the loop.
            count = reader.read(lambda s, text=text: s.execute(text).scalar_one())  # type: ignore[misc]
            self._check(count == 0, f"left: {what}: {count}")
        counts = reader.read(
            lambda s: s.execute(
                sa.text(
                    "SELECT count(*) AS runs, sum(one.n) AS instances FROM (SELECT count(*) AS n"
                    " FROM instance GROUP BY run_id) one"
                )
            ).one()
        )
        self.figures |= {"runs": counts.runs, "instances": int(counts.instances)}

    def _lasted(self) -> None:
        processes = self._crowd.leftovers()
        self._check(not processes, f"left: processes {processes}")
        from sandbox.local.folders import dead_folders

        folders = dead_folders(self._crowd.folder / "XDG_CACHE_HOME" / "troop" / "local")
        self._check(not folders, f"left: folders {folders}")
        ended = Counter(self._crowd.codes)
        self.figures["exit codes of processes that were not killed"] = dict(sorted(ended.items()))
        self._check(set(ended) <= DONE, f"exit codes {ended}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--db", default="", help="an empty database (default: a new SQLite file)")
    parser.add_argument("--instances", type=int, default=6, help="instances in each run")
    parser.add_argument("--lease", type=float, default=6.0, help="batch.lease_s, in seconds")
    parser.add_argument("--pause", type=float, default=3.0, help="seconds between disturbances")
    parser.add_argument("--delay", type=float, default=0.3, help="seconds until a reply comes")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="troop-ownership-"))
    database = given.db or sqlite_url(folder / "troop.db")
    engine = open_database(database)
    install(engine)
    engine.dispose()
    cashier = Cashier(given.delay)
    with cashier.server as server:
        crowd = Crowd(
            folder,
            server.base_url,
            database,
            calc_repository(folder),
            given.instances,
            given.lease,
            random.Random(given.seed),
            cashier.working,
        )
        disturbed(crowd, given.minutes * 60, given.processes, given.pause)
        finished(crowd)
    proof = Proof(crowd, cashier.requests)
    print(f"{given.processes} processes, {given.minutes:g} minutes, {database.partition(':')[0]}\n")
    print("| | |\n|---|---|")
    for name, value in proof.figures.items():
        print(f"| {name} | {value} |")
    print(
        "\n".join(["", *(f"WRONG: {one}" for one in proof.wrong)])
        if proof.wrong
        else "\nAll is well."
    )
    print(f"logs: {folder}")
    return 1 if proof.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
