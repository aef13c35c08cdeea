"""A sandbox without walls: a temporary copy of given files, for tests of what is above it.

The real ones have a contract suite of their own in tests/sandbox.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from data.codebases.reader import MAX_FILE_BYTES, RawFile, codebase_from_files
from sandbox.protocol import Ending, Execution
from tests.support.started import started, without_word


class PlainSandbox:
    """Runs scripts in a copy of `files`, with this Python unless they say otherwise."""

    kind = "plain"

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files
        self.executed: list[tuple[str, str]] = []
        """(script text, patch digest), in the order they began."""
        self.waits_for: list[str] = []
        """What it tells while it opens."""

    def describe(self) -> str:
        return "plain sandbox for tests"

    def slots(self, limits):
        return 4

    def expect(self, instances):
        return None

    async def open(self, instance, *, run, tell=None):
        for line in self.waits_for:
            await asyncio.to_thread(tell, line)
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *ending):
        return None

    async def close(self):
        return None

    async def read_codebase(self, largest=MAX_FILE_BYTES):
        return codebase_from_files(
            (RawFile(path, text.encode()) for path, text in self.files.items()), largest
        )

    async def execute(self, script, patch, limits):
        self.executed.append((script.text, patch.digest))
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as tools:
            self._lay(Path(folder), patch)
            process = await asyncio.create_subprocess_exec(
                *started(script, Path(tools), folder),
                cwd=folder,
                env={
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # it starts in a third of the time
                },
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
        text = without_word(output.decode(errors="replace"))
        text = text.replace(folder, "/repo").replace(tools, "/repo")
        seconds = time.monotonic() - began
        return Execution(Ending.EXITED, process.returncode, text, len(output), seconds)

    def _lay(self, folder, patch):
        contents = {path: text.encode() for path, text in self.files.items()}
        for change in patch.files:
            contents.pop(change.path, None)
            if change.content is not None:
                contents[change.path] = change.content
        for path, content in contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
