"""Finding out, with one of its images, whether warm containers work on an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import SandboxError
from data.instances.instance import Environment
from data.patches.patch import UNEDITED
from sandbox.docker.containers import Containers
from sandbox.docker.containers.ground import Ground
from sandbox.docker.containers.settings import Machine
from sandbox.docker.engine.labels import container_labels
from sandbox.docker.warm.container import NotWarm
from sandbox.docker.warm.pool import Pool
from sandbox.docker.warm.runner import WarmRunner
from sandbox.owner import this_process
from sandbox.protocol import Ending, Limits, Script
from sandbox.supervise import Stop

if TYPE_CHECKING:
    from sandbox.docker.engine import Engine

_SCRIPT = Script("exit 7", interpreter="sh", suffix=".sh")
_LIMITS = Limits(timeout_s=30, memory_mb=256, disk_mb=64)


def why_not_warm(engine: Engine, image_name: str) -> str:
    """Why `image_name` cannot have warm containers on this engine; "": it can.

    Raises:
        SandboxError: the engine failed, or has no such image.
    """
    containers = Containers(engine)
    ground = Ground(
        engine,
        Machine.of(engine),
        containers,
        engine.image(image_name),
        Environment(image=image_name, repo_dir="/tmp"),  # noqa: S108 - inside of the container
        container_labels(this_process(), "probe", "probe"),
    )
    pool = Pool(0)
    runner = WarmRunner(ground, pool)
    try:
        result = runner.execute(Stop(), _SCRIPT, UNEDITED, _LIMITS)
    except NotWarm as reason:
        return str(reason)
    except SandboxError as error:
        return error.message
    finally:
        pool.close()
        containers.remove_all()
    return "" if (result.ending, result.exit_code) == (Ending.EXITED, 7) else result.output
