"""Test scripts in the language of a repository: what is made of a model's text, and the prompt."""

from __future__ import annotations

import shlex
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from agent.phrases import script_rules
from agent.scripts import check_trial, language_of, make_script, trial
from data.codebases.codebase import Codebase, SourceFile
from data.errors import SandboxUnavailable
from data.instances.instance import Environment, Instance
from data.languages.languages import LANGUAGES, find_language
from sandbox.protocol import Ending, Execution, Limits, Script

if TYPE_CHECKING:
    from pathlib import Path

GO = find_language("go")
CODEBASE = Codebase("digest", {"a.go": SourceFile("a.go", "package a\n")})


def instance(language: str) -> Instance:
    return Instance("i", "r", "c", "It breaks.", Environment("image", language=language))


def rules(language: str) -> str:
    given = instance(language)
    language = language_of(given, CODEBASE)
    bench = SimpleNamespace(instance=given, language=language, limits=Limits(timeout_s=60))
    return script_rules(bench)


def run(script: Script, folder: Path) -> tuple[int, str]:
    """The exit code and the output, as a sandbox starts it."""
    file = folder / f"script{script.suffix}"
    file.write_text(script.text)
    words = [*shlex.split(script.interpreter), str(file)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("exit 0", 0),
        ("exit 2", 2),
        ("sh -c 'exit 2'; exit $?", 2),
        ("sh -c 'exit 2' || exit 2", 2),
        ("f() { sh -c 'exit 2'; code=$?; }\nf\nexit $code", 2),
        ("set -e\nif ! sh -c 'exit 2'; then exit 2; fi", 2),
        ("trap 'rm -f made' EXIT\ntouch made\nexit 2", 2),
        # What is no verdict: the last command's code, a failure, a script that cannot be read.
        ("echo fixed", 1),
        ("sh -c 'exit 2'", 1),
        ("set -e\nsh -c 'exit 2'\nexit 0", 1),
        ("set -euo pipefail\nf() { sh -c 'exit 2' | cat; }\nf\nexit 0", 1),
        ("set -e\nx=$(sh -c 'exit 2')\nexit 0", 1),
        ("set -e\n(exit 2)\nexit 0", 1),
        ("if true; then", 1),
        ("echo )\nexit 0", 1),
        ("return 2", 1),
    ],
)
def test_only_an_exit_that_is_written_out_is_a_verdict_in_bash(
    tmp_path: Path, text: str, code: int
) -> None:
    assert run(make_script(GO, text), tmp_path)[0] == code


def test_a_bash_script_knows_its_own_name_and_the_folder(tmp_path: Path) -> None:
    script = make_script(GO, 'echo "$0 ${BASH_SOURCE[0]} $# $PWD"\nexit 0')
    file = tmp_path / "script.sh"
    assert run(script, tmp_path)[1] == f"{file} {file} 0 {tmp_path}\n"


def test_php_begins_as_it_must() -> None:
    php = find_language("php")
    assert make_script(php, "exit(2);").text == "<?php\nexit(2);"
    assert make_script(php, "<?php exit(2);").text == "<?php exit(2);"


def test_a_python_script_is_as_it_always_was() -> None:
    """Its digest is what recorded executions are found by."""
    assert make_script(find_language("python"), "print(1)") == Script("print(1)")


def test_the_language_is_the_instances_else_the_files() -> None:
    assert language_of(instance("ruby"), CODEBASE).name == "ruby"
    assert language_of(instance(""), CODEBASE).name == "go"


@pytest.mark.parametrize("language", [*LANGUAGES, find_language("zig")], ids=lambda each: each.name)
def test_the_model_is_told_how_scripts_are_run(language) -> None:
    text = rules(language.name)
    script = language.script
    assert f"one complete {script.name} file" in text
    assert f"run as `{script.interpreter} SCRIPT` in the root folder" in text
    assert ("code importable" in text) == (language.name == "python")
    assert language.how in text
    if language.name != "python":
        assert "Python" not in text
    lines = text.splitlines()
    assert all(line.startswith(("- ", "  - ")) for line in lines[2:])


def ended(code: int) -> Execution:
    return Execution(Ending.EXITED, code, "", 0, 0.1)


def test_a_trial_says_what_scripts_lack(tmp_path: Path) -> None:
    assert trial(find_language("ruby")).text == ""
    code, output = run(trial(GO), tmp_path)
    assert output == ""
    assert code in {0, 3}
    check_trial(ended(0), GO, Environment("image"))
    check_trial(ended(3), find_language("ruby"), Environment("image"))
    with pytest.raises(SandboxUnavailable, match=r"no go on the PATH in the image i:1") as error:
        check_trial(ended(3), GO, Environment("i:1"))
    assert "golang" in error.value.hint
