"""All attacks on one sandbox, and what is seen after each and after all."""

from __future__ import annotations

import asyncio
import contextlib
import io
import tarfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import TroopError
from data.patches.patch import UNEDITED
from sandbox.docker.engine import Engine
from sandbox.docker.engine.labels import RUN
from sandbox.protocol import Ending, Execution, Limits, Script
from tests.sandbox.attacks import host
from tests.sandbox.attacks.attack import LEAST
from tests.sandbox.attacks.pace import Pace, pace, ticker
from tests.sandbox.processes import new_token, running

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from tests.sandbox.attacks.attack import Attack
    from tests.sandbox.repository import World

LANES = 3
"""Attacks at once; the ticker runs beside them."""

_LOOK = (Path(__file__).parent / "look.py").read_text("utf-8")
_LIMITS = replace(LEAST, timeout_s=60)
_QUIET_S = 3.0
_SLICE_S = 3.0
_HEAD_START_S = 0.7
_GONE_S = 10.0
_SLACK_S = 30.0
"""What ending an execution may take after its time."""


@dataclass(frozen=True)
class Outcome:
    """What came of one attack."""

    wrong: tuple[str, ...]
    """Every way in which it got through; none if the sandbox held."""
    execution: Execution | None
    took_s: float

    def told(self, attack: Attack) -> str:
        """For people."""
        shown = self.execution
        lines = [f"{attack.name} tries: {attack.aim}", *self.wrong]
        if shown is not None:
            lines += [f"[{shown.ending} {shown.exit_code} {shown.duration_s:.1f} s]"]
            said = [line for line in shown.output.splitlines() if not line.startswith("HELD")]
            lines += [line[:500] for line in said[-30:]]
        return "\n".join(lines)


@dataclass
class Report:
    """What came of all."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    quiet: Pace = field(default_factory=Pace)
    busy: Pace = field(default_factory=Pace)
    before: str = ""
    after: list[str] = field(default_factory=list)
    """What executions found at the end, as many at once as there were."""
    host_before: dict[str, str] = field(default_factory=dict)
    host_after: dict[str, str] = field(default_factory=dict)
    clock_was_set: bool = False
    visitors: list[str] = field(default_factory=list)
    """Who came to this machine's port, controls apart."""
    containers: list[str] = field(default_factory=list)
    processes: int = 0


class Campaign:
    """Runs attacks in a world."""

    def __init__(self, world: World, engine: Engine, image: str, listener: host.Listener) -> None:
        self._world = world
        self._engine = engine
        self._image = image
        self._listener = listener
        self._tokens: list[str] = []
        self._seen: dict[str, int] = {}
        self._clean = ""
        self._blamed: set[str] = set()
        self.report = Report()

    async def run(self, attacks: Sequence[Attack]) -> None:
        """Run `attacks`, `LANES` at a time and in their order."""
        report = self.report
        report.before = await self._look(whole=True)
        self._clean = await self._look()
        report.quiet = pace([await self._execute(ticker(_QUIET_S), _LIMITS)])
        waiting = list(reversed(attacks))
        over = asyncio.Event()
        ticking = asyncio.ensure_future(self._tick(over))
        try:
            await asyncio.gather(*(self._lane(waiting) for _ in range(LANES)))
        finally:
            over.set()
            report.busy = await ticking
        report.after = await asyncio.gather(*(self._look(whole=True) for _ in range(LANES + 1)))

    def processes(self) -> int:
        """How many processes of any attack still run on this machine."""
        return sum(map(running, self._tokens))

    async def _tick(self, over: asyncio.Event) -> Pace:
        executions = []
        while not over.is_set():
            executions.append(await self._execute(ticker(_SLICE_S), _LIMITS))
        return pace(executions)

    async def _lane(self, waiting: list[Attack]) -> None:
        while waiting:
            attack = waiting.pop()
            begun = time.monotonic()
            token = new_token()
            self._tokens.append(token)
            execution: Execution | None = None
            wrong: list[str] = []
            try:
                execution, wrong = await self._attack(attack, token)
                if attack.rights is None:
                    wrong += await self._aftermath(attack, token)
            except TroopError as error:
                wrong.append(f"the sandbox failed: {type(error).__name__}: {error}")
            took = time.monotonic() - begun
            self.report.outcomes[attack.name] = Outcome(tuple(wrong), execution, took)

    async def _attack(self, attack: Attack, token: str) -> tuple[Execution, list[str]]:
        if attack.rights is not None:
            control = await asyncio.to_thread(self._with_rights, attack, token)
            return control, list(filter(None, [attack.sees(control)]))
        victim, seen = None, asyncio.ensure_future(self._most(attack, token))
        script = self._filled(attack.script(attack.text, token))
        if attack.beside:
            beside = self._filled(attack.script(attack.beside, token))
            victim = asyncio.ensure_future(self._execute(beside, attack.limited()))
            await asyncio.sleep(_HEAD_START_S)
        begun = time.monotonic()
        try:
            execution = await self._execute(script, attack.limited())
        finally:
            suffered = await victim if victim else None
            seen.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await seen
        wrong = [attack.sees(execution)]
        took = time.monotonic() - begun
        if took > attack.limited().timeout_s + _SLACK_S:
            wrong.append(f"its end took {took:.0f} s")
        if suffered is not None and not _unharmed(suffered):
            wrong.append(f"its victim suffered: {suffered}")
        most = self._seen.pop(token, 0)
        if most < attack.lingers:
            wrong.append(f"only {most} of {attack.lingers} processes were seen living")
        return execution, list(filter(None, wrong))

    async def _aftermath(self, attack: Attack, token: str) -> list[str]:
        until = time.monotonic() + _GONE_S
        while attack.lingers and running(token) and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        wrong = [f"{running(token)} processes live on"] if attack.lingers and running(token) else []
        found = await self._look(attack.limited())
        if found != self._clean and found not in self._blamed:
            self._blamed.add(found)  # later attacks in the same container find it too
            wrong.append("the next execution found\n" + difference(self._clean, found))
        return wrong

    async def _most(self, attack: Attack, token: str) -> None:
        """Note the most processes of `attack` that were seen at once, until cancelled."""
        while attack.lingers:
            self._seen[token] = max(self._seen.get(token, 0), running(token))
            await asyncio.sleep(0.1)

    async def _look(self, like: Limits = _LIMITS, *, whole: bool = False) -> str:
        """What an execution finds; `like`: the limits of the one whose container it should get."""
        text = _LOOK.replace("@WHOLE@", "yes" if whole else "no")
        limits = replace(like, timeout_s=60, output_mb=64, output_chars=1 << 24)
        execution = await self._execute(Script(text), limits)
        if not execution.passed:
            return f"{execution.ending} {execution.exit_code} {execution.output[-1000:]}"
        return execution.output

    async def _execute(self, script: Script, limits: Limits) -> Execution:
        return await self._world.sandbox.execute(script, UNEDITED, limits)

    def _filled(self, script: Script) -> Script:
        text = script.text.replace("@PORT@", str(self._listener.port))
        text = text.replace("@HOSTS@", repr(self._listener.addresses))
        return Script(text, script.interpreter, script.suffix)

    def _with_rights(self, attack: Attack, token: str) -> Execution:
        """Run a control in a container that has rights."""
        script = self._filled(attack.script(attack.text, token))
        text = f"import signal\nsignal.alarm(30)\n{script.text}".encode()
        settings = {
            "image": self._image,
            "entrypoint": ["python", "/attack.py"],
            "command": [],
            "labels": {RUN: self._world.run_id},
            "user": "0:0",
        }
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            info = tarfile.TarInfo("attack.py")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
        begun = time.monotonic()
        host_settings = {"init": True, "network_mode": "none", **(attack.rights or {})}
        container = self._engine.create(settings, host_settings)
        try:
            self._engine.put(container, buffer.getvalue())
            with contextlib.closing(self._engine.attach(container)) as output:
                self._engine.start(container)
                said = b"".join(data for _, data in output.frames())
            code = self._engine.wait(container, 60)
        finally:
            self._engine.remove(container)
        took = time.monotonic() - begun
        return Execution(Ending.EXITED, code, said.decode("utf-8", "replace"), len(said), took)


async def attack_all(
    opened: AbstractAsyncContextManager[World], attacks: Sequence[Attack], image: str
) -> Report:
    """Open a world, run all of `attacks` in it, close it, and look at what is left."""
    with contextlib.closing(Engine.connect(connections=8)) as engine, host.Listener() as listener:
        before, clock = host.portrait(engine), host.clock()
        async with opened as world:
            campaign = Campaign(world, engine, image, listener)
            report = campaign.report
            await campaign.run(attacks)
            run = world.run_id
        report.containers = [found.id for found in engine.stored_containers(f"{RUN}={run}")]
        report.processes = campaign.processes()
        report.host_before, report.host_after = before, host.portrait(engine)
        report.clock_was_set = host.clock_was_set(clock)
        report.visitors = [visitor for visitor in listener.visitors if "control" not in visitor]
    return report


def difference(before: str, after: str) -> str:
    """The lines that differ."""
    old, new = before.splitlines(), after.splitlines()
    lines = [f"- {line}" for line in old if line not in set(new)]
    lines += [f"+ {line}" for line in new if line not in set(old)]
    return "\n".join(line[:600] for line in lines[:40]) or "the same lines in another number"


def _unharmed(victim: Execution) -> bool:
    """Whether it came to its end. Victims replace their process, which loses the end word."""
    ended = victim.passed or victim.ending is Ending.CUT_SHORT
    return ended and victim.output.startswith("HELD") and "BROKE" not in victim.output
