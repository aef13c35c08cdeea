"""The local sandbox: what the kernel gives no namespace for is refused by a filter.

Hostile scripts of `attacks/` that try it, in namespaces that root made, and in those of a user.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from data.patches.patch import UNEDITED
from sandbox.local import LocalProvider
from sandbox.local.filter import system_call_filter
from sandbox.local.isolation import Isolation, _works, best
from sandbox.protocol import Ending, Script
from tests.sandbox.attacks.attack import LEAST
from tests.sandbox.attacks.catalogue import ATTACKS
from tests.sandbox.processes import new_token

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.repository import World

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs the Linux kernel"),
]

NAMES = (
    "kernel-keys",
    "kernel-watching",
    "kernel-rings",
    "kernel-clock-and-name",
    "kernel-hardware",
    "mounts-new-calls",
    "mounts-namespaces",
    "mounts-handles",
    "rights-capabilities",
)


@pytest.mark.parametrize("isolation", [Isolation.ROOT, Isolation.USER])
@pytest.mark.parametrize("name", NAMES)
async def test_an_attack_on_the_kernel(
    name: str, isolation: Isolation, local_world: World, tmp_path: Path
) -> None:
    if (isolation is Isolation.ROOT and os.geteuid() != 0) or not _works(isolation):
        pytest.skip("the kernel gives no such namespaces")
    attack = ATTACKS[name]
    async with LocalProvider(isolation=isolation, folder=tmp_path) as provider:
        sandbox = await provider.open(local_world.instance, run=local_world.run_id)
        script = attack.script(attack.text, new_token())
        execution = await sandbox.execute(script, UNEDITED, LEAST)
        await sandbox.close()
    assert attack.sees(execution) == "", execution.output


@pytest.mark.skipif(not _works(best()), reason="the kernel gives no namespaces")
async def test_unshare_makes_no_user_namespace(local_world: World) -> None:
    """What a script would do first, with the machine's own program."""
    script = Script("unshare -Ur true", interpreter="sh", suffix=".sh")
    execution = await local_world.execute(script)
    assert (execution.ending, execution.exit_code) == (Ending.EXITED, 1), execution
    assert "not permitted" in execution.output


def test_the_filter_is_made_for_this_kernel_s_machines() -> None:
    programs = {system_call_filter(machine) for machine in ("x86_64", "aarch64", "riscv64")}
    assert len(programs) == 3
    assert system_call_filter("riscv64") == b""
    assert {len(program) % 8 for program in programs} == {0}
