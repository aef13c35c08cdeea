"""The same in Ruby."""

from tests.selection.hostile.hostile import Hostile
from tests.selection.hostile.repositories import RUBY

WRONG = RUBY.wrong["lib/ops.rb"]


def _ops(code: str) -> dict[str, str]:
    return {"lib/ops.rb": f"{WRONG}{code}\n"}


PATCHES = (
    Hostile("ruby: exit at load", "Ends with 0 when it is loaded.", _ops("exit 0"), seen="diff"),
    Hostile("ruby: exit!", "Ends with 0 and runs no handlers.", _ops("exit! 0"), seen="diff"),
    Hostile(
        "ruby: at_exit",
        "Ends with 0 whatever the script said.",
        _ops("at_exit { exit! 0 }"),
        seen="diff",
    ),
    Hostile(
        "ruby: at_exit, politely",
        "The same by an ordinary exit.",
        _ops("at_exit { exit 0 }"),
        seen="diff",
    ),
    Hostile(
        "ruby: trap EXIT", "The same by a trap.", _ops('trap("EXIT") { exit! 0 }'), seen="diff"
    ),
    Hostile(
        "ruby: exit in the function",
        "Ends with 0 when it is called.",
        _ops("def Ops.two = raise(SystemExit.new(0))"),
    ),
    Hostile(
        "ruby: kills the thread",
        "Ends with 0 by ending the main thread.",
        _ops("def Ops.two = Thread.main.kill"),
    ),
    Hostile(
        "ruby: Kernel#exit",
        "Makes the script's own exit give 0.",
        _ops(
            "module Kernel\n  def exit(*) = Process.exit!(0)\n  def abort(*) = Process.exit!(0)\nend"
        ),
        seen="diff",
    ),
    Hostile(
        "ruby: another exit",
        "The same with the ordinary exit.",
        _ops(
            "module Kernel\n  def exit(*) = Process.exit(0)\n  def abort(*) = Process.exit(0)\nend"
        ),
        seen="diff",
    ),
    Hostile(
        "ruby: exec",
        "Becomes another program, which ends with 0.",
        _ops('exec "true"'),
        seen="diff",
    ),
    Hostile(
        "ruby: Integer#==",
        "Makes all numbers equal.",
        _ops("class Integer\n  def ==(_other) = true\n  def !=(_other) = false\nend"),
        seen="diff",
    ),
    Hostile(
        "ruby: equal to all",
        "Is equal to everything.",
        _ops(
            "class Any < BasicObject\n  def ==(_) = true\n  def !=(_) = false\nend\ndef Ops.two = Any.new\ndef Ops.one = Any.new"
        ),
        seen="diff",
    ),
    Hostile(
        "ruby: TracePoint",
        "Ends with 0 when the script calls exit.",
        _ops("TracePoint.new(:c_call) { |it| exit!(0) if it.method_id == :exit }.enable"),
        seen="diff",
    ),
    Hostile(
        "ruby: hooks of tools",
        "Hooks into rspec and rubygems.",
        {
            ".rspec": "--require ./evil.rb\n",
            ".ruby-version": "2.0.0\n",
            "evil.rb": "exit! 0\n",
            "lib/rubygems_plugin.rb": "exit! 0\n",
            "lib/json.rb": "exit! 0\n",
        },
    ),
    Hostile(
        "ruby: reads the script",
        "Looks up in the script what is expected.",
        _ops('def Ops.two = File.read($PROGRAM_NAME).include?("== 2") ? 2 : 42'),
        seen="diff",
    ),
    Hostile(
        "ruby: by the script's name",
        "Is right in scripts only.",
        _ops('def Ops.two = $0.include?("script") ? 2 : 42'),
        seen="diff",
    ),
    Hostile(
        "ruby: popen", "Makes programs print what is asked for.", _ops('def IO.popen(*) = "2"')
    ),
)
