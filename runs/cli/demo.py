"""Repair a small library that ships with Troop, from its issue to the patch, in under a minute.

The model's replies come from a recording. Everything else is real: files are read, scripts run in
sandboxes (in Docker if an engine answers, else lightly walled off on this machine), tests vote, and
the selection trajectory writes a test that tells the finalists apart. It needs no key, GPU or
network.

Examples:
  troop demo
  troop demo --sandbox local
  troop show last cadence-demo     afterwards: the patch, the votes and the choice
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from data.folders import cache_folder
from runs.cli.shared.flags import add_database, add_fresh, add_patch_only, add_sandbox
from runs.run.signals import run_to_end
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse

    from runs.run.config import SandboxKind
    from sandbox.protocol import SandboxProvider

PACE_S = 0.6
"""Seconds that a replayed reply waits for each thousand tokens, to give something to watch."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    add_sandbox(parser, default="auto")
    add_fresh(parser)
    parser.add_argument(
        "--no-wait", action="store_true", help="replay the replies as fast as possible"
    )
    add_patch_only(parser)
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.cli.shared.ending import show_solution
    from runs.cli.shared.terminal import progress
    from runs.demo.subject import demo_instance, recording, settings
    from runs.run.config import load_config
    from runs.run.session import Job, carry_out
    from runs.show.live import LiveDisplay

    provider, image = run_to_end(provider_and_image(args.sandbox))
    instance = demo_instance(cache_folder() / "demo", image=image)
    job = Job(
        dataset="demo",
        instances=[instance],
        config=load_config(settings(), {}),
        database=database_url(args.db),
        fresh=args.fresh,
        again=True,
        replay=recording(),
        waits=False,
        pace=0.0 if args.no_wait else PACE_S,
    )
    finished = run_to_end(carry_out(job, LiveDisplay(progress()), provider))
    return show_solution(
        finished, job.database, instance.instance_id, output=None, patch_only=args.patch_only
    )


async def provider_and_image(kind: SandboxKind) -> tuple[SandboxProvider, str | None]:
    """What runs the scripts and, for Docker, an image with this machine's own Python."""
    from sandbox.kinds.choose import choose_provider

    provider = await choose_provider(kind)
    if provider.kind != "docker":
        return provider, None
    from sandbox.docker.hostimage import host_python_image

    return provider, await asyncio.to_thread(host_python_image)
