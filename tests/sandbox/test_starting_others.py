"""Scripts in Node and Ruby: honest and dishonest endings."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from data.patches.applying import diff_files
from sandbox.protocol import Ending, Script
from sandbox.starting.starting import new_word, start_of

if TYPE_CHECKING:
    from tests.sandbox.repository import World

pytestmark = pytest.mark.slow

NODE_LOAD = "const ops = require(process.cwd() + '/ops.js');\n"
RUBY_LOAD = 'require File.join(Dir.pwd, "ops.rb")\n'
CHILD = """
if (process.execArgv.length) process.exit(1);
const { fork } = require('child_process');
if (process.argv[2]) process.exit(0);
fork(__filename, ['child']).on('exit', (code) => process.exit(code === 0 ? 2 : 1));
"""
HONEST = {
    "node: exit": ("node", "process.exit(2)", 2),
    "node: the end": ("node", "console.log(1)", 0),
    "node: exit code": ("node", "process.exitCode = 2", 2),
    "node: exit by the code": ("node", "process.exitCode = 2; process.exit()", 2),
    "node: a function": ("node", "const end = (code) => process.exit(code);\nend(0)", 0),
    "node: after a wait": ("node", "(async () => { await null; process.exit(2); })()", 2),
    "node: by a timer": ("node", "setTimeout(() => process.exit(0), 5)", 0),
    "node: called by others": ("node", "[1].forEach(() => process.exit(2))", 2),
    "node: an error": ("node", "throw new Error('wrong')", 1),
    "node: a rejection": ("node", "Promise.reject(new Error('wrong'))", 1),
    "node: much output": ("node", "console.log('x'.repeat(1 << 20)); process.exit(2)", 2),
    "node: a child": (
        "node",
        CHILD,
        2,
    ),
    "node: main": ("node", "process.exit(require.main === module ? 2 : 1)", 2),
    "ruby: exit": ("ruby", "exit 2", 2),
    "ruby: the end": ("ruby", "puts 1", 0),
    "ruby: true": ("ruby", "exit true", 0),
    "ruby: a function": ("ruby", "def finish = exit(2)\nfinish", 2),
    "ruby: called by others": ("ruby", "[1].each { exit 2 }", 2),
    "ruby: abort": ("ruby", 'abort "wrong"', 1),
    "ruby: an error": ("ruby", 'raise "wrong"', 1),
    "ruby: a child": ("ruby", "fork { exit 0 }\nProcess.wait\nexit 2", 2),
    "ruby: at_exit": ("ruby", 'at_exit { puts "bye" }\nexit 2', 2),
    "ruby: its own name": ("ruby", "exit(__FILE__ == $0 ? 2 : 1)", 2),
}
DISHONEST = {
    "node: exit": ("ops.js", "process.exit(0)"),
    "node: reallyExit": ("ops.js", "process.reallyExit(0)"),
    "node: on exit": ("ops.js", "process.on('exit', () => process.reallyExit(0))"),
    "node: exitCode": ("ops.js", "process.on('exit', () => { process.exitCode = 0; })"),
    "node: patched": ("ops.js", "const e = process.exit; process.exit = () => e(0)"),
    "node: bound": ("ops.js", "process.exit = process.exit.bind(process, 0)"),
    "ruby: exit": ("ops.rb", "exit 0"),
    "ruby: exit!": ("ops.rb", "exit! 0"),
    "ruby: at_exit": ("ops.rb", "at_exit { exit! 0 }"),
    "ruby: at_exit, politely": ("ops.rb", "at_exit { exit 0 }"),
    "ruby: Kernel#exit": ("ops.rb", "module Kernel\n  def exit(*) = Process.exit(0)\nend"),
    "ruby: the thread": ("ops.rb", "Thread.main.kill"),
}


@pytest.fixture
async def local(open_world):
    async with open_world("local") as world:
        yield world


def script(program: str, text: str) -> Script:
    if shutil.which(program) is None:
        pytest.skip(f"this machine has no {program}")
    return Script(text, program, {"node": ".js", "ruby": ".rb"}[program])


@pytest.mark.parametrize(("program", "text", "ends"), HONEST.values(), ids=HONEST.keys())
async def test_an_honest_end_keeps_its_exit_code(
    local: World, program: str, text: str, ends: int
) -> None:
    execution = await local.execute(script(program, text), memory_mb=4096)
    assert (execution.ending, execution.exit_code) == (Ending.EXITED, ends), execution.output
    assert "\x1e" not in execution.output
    assert "start." not in execution.output


@pytest.mark.parametrize(("path", "text"), DISHONEST.values(), ids=DISHONEST.keys())
async def test_code_of_the_repository_never_makes_a_verdict(
    local: World, path: str, text: str
) -> None:
    given = {
        "ops.js": script("node", f"{NODE_LOAD}process.exit(2);\n"),
        "ops.rb": script("ruby", f"{RUBY_LOAD}exit 2\n"),
    }[path]
    codebase = await local.sandbox.read_codebase()
    patch = diff_files({path: text.encode()}, codebase)
    execution = await local.execute(given, patch, memory_mb=4096)
    assert (execution.ending, execution.exit_code) == (Ending.CUT_SHORT, None), execution.output


async def test_a_promise_that_never_settles_is_no_end(local: World) -> None:
    text = "(async () => { await new Promise(() => {}); process.exit(2); })()"
    execution = await local.execute(script("node", text), memory_mb=4096)
    assert execution.ending is Ending.CUT_SHORT


def test_which_scripts_have_a_program() -> None:
    assert start_of(Script("", "node", ".js")) == "start.js"
    assert start_of(Script("", "/usr/bin/ruby -w", ".rb")) == "start.rb"
    assert new_word(Script("", "node", ".js"))
    assert not new_word(Script("", "php", ".php"))
