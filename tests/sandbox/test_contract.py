"""What every sandbox keeps: each test runs against each kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from data.errors import SandboxError, SandboxUnavailable, UsageError
from data.patches.patch import UNEDITED, Patch
from sandbox.protocol import Ending, Script

if TYPE_CHECKING:
    from tests.sandbox.repository import World

# How a script ends


@pytest.mark.parametrize("code", [0, 1, 2])
async def test_exit_codes_are_the_scripts_own(world: World, code: int) -> None:
    execution = await world.run(f"import sys; print('out'); sys.exit({code})")
    assert (execution.ending, execution.exit_code) == (Ending.EXITED, code)
    assert execution.output == "out\n"
    assert execution.passed is (code == 0)
    assert execution.duration_s >= 0


@pytest.mark.parametrize("number", [9, 15])
async def test_a_signal_is_128_and_its_number(world: World, number: int) -> None:
    execution = await world.run(f"import os; os.kill(os.getpid(), {number})")
    assert (execution.ending, execution.exit_code) == (Ending.EXITED, 128 + number)


async def test_a_traceback_names_the_same_paths_every_time(world: World) -> None:
    code = "import pkg.ops\npkg.ops.nothing"
    outputs = {(await world.run(code)).output for _ in range(2)}
    assert len(outputs) == 1
    assert "script.py" in outputs.pop()
    shown = await world.run("import pkg.ops, os; print(pkg.ops.__file__, os.getcwd())")
    assert shown.output == "/testbed/pkg/ops.py /testbed\n"


async def test_other_interpreters_and_suffixes(world: World) -> None:
    execution = await world.execute(Script('echo "$0"; exit 5', interpreter="sh", suffix=".sh"))
    assert (execution.exit_code, execution.output) == (5, "/troop/script.sh\n")
    execution = await world.execute(
        Script("import sys; print(sys.flags.dev_mode)", "python -X dev")
    )
    assert execution.output == "True\n"


async def test_what_a_compiler_needs_is_there(world: World) -> None:
    """A cache below the home folder, a temporary folder, and programs that run from both."""
    code = """
import pathlib, shutil, subprocess, tempfile
for folder in (pathlib.Path.home() / ".cache/built", pathlib.Path(tempfile.mkdtemp())):
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([shutil.copy("/bin/true", folder / "built")], check=True)
"""
    execution = await world.run(code)
    assert (execution.exit_code, execution.output) == (0, "")


# Output


async def test_both_streams_come_in_their_order(world: World) -> None:
    code = "import sys\nfor i in range(50):\n    print('out', i); print('err', i, file=sys.stderr)"
    expected = "".join(f"out {i}\nerr {i}\n" for i in range(50))
    assert (await world.run(code)).output == expected


async def test_output_is_valid_and_harmless_text(world: World) -> None:
    code = r"import os; os.write(1, b'a\xff\xc3\xa4\x1b[2J\r\nb\x00\x07c\td\x7f' + b'\xc2\x85')"
    execution = await world.run(code)
    assert execution.output == "a\ufffdä\\x1b[2J\nb\\x00\\x07c\td\\x7f\\x85"


async def test_output_is_bounded_in_the_middle(world: World) -> None:
    code = "print('begin' + 'x' * 100_000 + 'end', end='')"
    execution = await world.run(code, output_chars=1000)
    assert execution.output.startswith("beginxxx")
    assert execution.output.endswith("xxxend")
    assert "[... 99008 characters left out ...]" in execution.output
    assert execution.output_bytes == 100_008


async def test_an_output_bomb_is_stopped(world: World) -> None:
    code = "import os\nwhile True:\n    os.write(1, b'x' * 65536)"
    execution = await world.run(code, output_mb=1, output_chars=100)
    assert execution.ending is Ending.OUTPUT_EXCEEDED
    assert execution.exit_code is None
    assert len(execution.output) < 200


async def test_closed_streams_do_not_end_a_script(world: World) -> None:
    code = (
        "import os, time; os.write(1, b'x'); os.close(1); os.close(2); time.sleep(1); os._exit(9)"
    )
    execution = await world.run(code)
    assert (execution.exit_code, execution.output) == (9, "x")


# The environment


async def test_the_environment_is_entered_before_the_script(world: World) -> None:
    lines = "export ENTERED=yes\ncd /\necho noise of the activation"
    sandbox = await world.provider.open(world.changed(activate=lines), run=world.run_id)
    script = Script("import os; print(os.environ['ENTERED'], os.getcwd())")
    execution = await sandbox.execute(script, Patch.of("", ()), world.limits())
    assert execution.output == "yes /testbed\n"


@pytest.mark.parametrize(
    "lines", ["false", "exit 3", "echo the reason; return 2", "no-such-command"]
)
async def test_an_activation_that_fails_is_not_the_scripts_failure(
    world: World, lines: str
) -> None:
    sandbox = await world.provider.open(world.changed(activate=lines), run=world.run_id)
    with pytest.raises(SandboxError, match="activated") as caught:
        await sandbox.execute(Script("print(1)"), Patch.of("", ()), world.limits())
    assert not isinstance(caught.value, SandboxUnavailable)
    if "reason" in lines:
        assert "the reason" in caught.value.message


async def test_an_interpreter_that_is_not_there_has_to_be_mended(world: World) -> None:
    with pytest.raises(SandboxUnavailable, match="no-such-python") as caught:
        await world.execute(Script("print(1)", interpreter="no-such-python"))
    assert caught.value.hint


async def test_a_command_that_cannot_be_read_is_refused(world: World) -> None:
    for script in (Script("", interpreter="python '"), Script("", suffix="/../x")):
        with pytest.raises(UsageError):
            await world.execute(script)


async def test_the_codebase_is_the_tracked_files(world: World) -> None:
    codebase = await world.sandbox.read_codebase()
    assert list(codebase.files) == [
        "README",
        "länder/ñ.txt",
        "pkg/__init__.py",
        "pkg/deep/only.py",
        "pkg/ops.py",
        "run.sh",
    ]
    assert codebase.files["run.sh"].executable
    assert codebase.files["pkg/ops.py"].text == "def two():\n    return 3\n"
    assert set(codebase.skipped) == {"blob.bin", "outside", "inside", "tail"}
    assert (await world.sandbox.read_codebase()).digest == codebase.digest


async def test_a_commit_that_is_not_there_is_the_users_to_fix(world: World) -> None:
    with pytest.raises(UsageError, match="no commit"):
        await world.provider.open(replace(world.instance, base_commit="f" * 40), run="r")


async def test_describe_and_kind(world: World) -> None:
    assert world.provider.kind == world.kind.removesuffix("-cold")
    assert "per execution" in world.provider.describe()
    assert "\n" not in world.provider.describe()


async def test_closing_twice_is_fine(world: World) -> None:
    await world.sandbox.close()
    await world.sandbox.close()
    again = await world.provider.open(world.instance, run=world.run_id)
    try:
        assert (await again.execute(Script("print(1)"), UNEDITED, world.limits())).exit_code == 0
    finally:
        await again.close()
