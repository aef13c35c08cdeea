"""Ways that ask the engine for everything: an exec, a run, and the reference's sequence."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

from benchmarks.parts.contender import Threaded
from benchmarks.parts.image import tar_of
from benchmarks.parts.machine import BenchmarkError, middle
from benchmarks.parts.workload import REPO_DIR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.parts.image import Bench
    from benchmarks.parts.workload import Job

_LAY = f"""cd {REPO_DIR} || exit 1
if [ -n "$1" ]; then printf %s "$1" | git apply || exit 1; fi
printf %s "$2" >"/tmp/script$4"
"""
_AND_RUN = _LAY + 'exec $3 "/tmp/script$4"'
_RUN_AND_UNDO = _LAY + '$3 "/tmp/script$4"; code=$?; git checkout -q -- .; exit $code'
_GRACE_S = 15
"""As the reference has it, to the second."""
_TRIES = 3


def _words(shell: str, job: Job) -> list[str]:
    script = job.script
    words = [job.patch.diff, script.text, script.interpreter, script.suffix]
    return ["/bin/sh", "-c", shell, "job", *words]


class Exec(Threaded):
    """`docker exec` in a warm container, by the SDK: nothing between two scripts."""

    name = "exec"
    title = "docker exec in a warm container, no isolation"

    def __init__(self, bench: Bench, image: str, environment: Mapping[str, str]) -> None:
        self._bench = bench
        self._image = image
        self._environment = dict(environment)
        self._containers: list[Any] = []

    def prepare(self, workers: int) -> None:
        """A container for each worker, whose git knows its files."""
        while len(self._containers) < workers:
            container = self._bench.idle(self._image, self._environment)
            container.exec_run(["git", "update-index", "-q", "--refresh"], workdir=REPO_DIR)
            self._containers.append(container)

    def one(self, worker: int, job: Job) -> str:
        """One exec: apply, run, undo."""
        container = self._containers[worker]
        done = container.exec_run(_words(_RUN_AND_UNDO, job), environment=self._environment)
        if done.exit_code != 0:
            raise BenchmarkError(f"exec: exit {done.exit_code}: {done.output[-500:]!r}")
        return str(done.output.decode(errors="replace"))


class Run(Threaded):
    """A new container for each script, removed by force: by the CLI or the SDK."""

    name = "run"
    title = "docker run --rm --network none"

    def __init__(self, bench: Bench, image: str, environment: Mapping[str, str]) -> None:
        self._bench = bench
        self._image = image
        self._environment = dict(environment)
        self._by_sdk = False

    def choose(self, job: Job) -> None:
        """Try both clients a few times and keep the faster one."""
        took: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(_TRIES):
            for by_sdk, found in took.items():
                self._by_sdk = by_sdk
                began = time.monotonic()
                self.one(0, job)
                found.append(time.monotonic() - began)
        self._by_sdk = middle(took[True]) < middle(took[False])
        self.title = f"{Run.title} ({'SDK' if self._by_sdk else 'CLI'})"

    def one(self, worker: int, job: Job) -> str:
        """One container."""
        return self._sdk(job) if self._by_sdk else self._cli(job)

    def _cli(self, job: Job) -> str:
        labels = [f"--label={name}={value}" for name, value in self._bench.labels.items()]
        variables = [f"--env={name}={value}" for name, value in self._environment.items()]
        command = ["docker", "run", "--rm", "--network=none", "--pull=never", *labels, *variables]
        done = subprocess.run(
            [*command, self._image, *_words(_AND_RUN, job)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            raise BenchmarkError(f"docker run: exit {done.returncode}: {done.stdout[-500:]!r}")
        return done.stdout.decode(errors="replace")

    def _sdk(self, job: Job) -> str:
        container = self._bench.client.containers.create(
            self._image,
            _words(_AND_RUN, job),
            environment=self._environment,
            network_mode="none",
            labels=self._bench.labels,
        )
        try:
            output = container.attach(stdout=True, stderr=True, stream=True, logs=True)
            container.start()
            said = b"".join(output)
            code = container.wait()["StatusCode"]
        finally:
            container.remove(force=True)
        if code != 0:
            raise BenchmarkError(f"docker run: exit {code}: {said[-500:]!r}")
        return said.decode(errors="replace")


class Reference(Threaded):
    """What CodeMonkeys does for each script, call by call, with the same SDK.

    A container whose first process is `tail -f /dev/null`, on a bridge network
    (Docker's default one); the patch and the script as archives; `git apply` and the script
    under `timeout` as execs; `stop` with a grace that `tail` ignores; removal.
    """

    name = "reference"
    title = "the reference's sequence (CodeMonkeys)"

    def __init__(
        self,
        bench: Bench,
        image: str,
        environment: Mapping[str, str],
        *,
        activate: str = "",
        network: str = "bridge",
        timeout_s: int = 100,
    ) -> None:
        """`activate`: shell lines (bash) before the script."""
        self._bench = bench
        self._image = image
        self._environment = dict(environment)
        self._activate = activate
        self._network = network
        self._timeout_s = timeout_s

    def one(self, worker: int, job: Job) -> str:
        """One script."""
        return self.run(job)[1]

    def run(self, job: Job) -> tuple[int, str]:
        """The exit code and what was printed."""
        container = self._bench.client.containers.create(
            self._image,
            ["tail", "-f", "/dev/null"],
            environment=self._environment,
            working_dir=REPO_DIR,
            network=self._network,
            # Where an image does not say otherwise, as SWE-bench's do not.
            stop_signal="SIGTERM",
            labels=self._bench.labels,
        )
        try:
            container.start()
            container.put_archive("/tmp", tar_of({"edit.patch": job.patch.diff.encode()}))
            name = f"script{job.script.suffix}"
            container.put_archive("/tmp", tar_of({name: job.script.text.encode()}))
            if job.patch:
                applied = container.exec_run(["git", "apply", "/tmp/edit.patch"], workdir=REPO_DIR)
                if applied.exit_code != 0:
                    raise BenchmarkError(f"reference: git apply: {applied.output[-500:]!r}")
            done = container.exec_run(self._command(job, f"/tmp/{name}"), workdir=REPO_DIR)
            container.stop(timeout=_GRACE_S)
        finally:
            container.remove(force=True)
        return done.exit_code, done.output.decode(errors="replace")

    def _command(self, job: Job, path: str) -> list[str]:
        plain = ["timeout", str(self._timeout_s), *job.script.interpreter.split(), path]
        if not self._activate:
            return plain
        return ["bash", "-c", f"{self._activate}\n{' '.join(plain)}"]
