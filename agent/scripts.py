"""Test scripts: their language, and how a model's text becomes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.codebases.source_paths import guess_language
from data.errors import SandboxUnavailable
from data.languages.languages import find_language
from sandbox.protocol import Script

if TYPE_CHECKING:
    from data.codebases.codebase import Codebase
    from data.instances.instance import Environment, Instance
    from data.languages.languages import Language
    from sandbox.protocol import Execution

_NONE_FOUND = 3


def language_of(instance: Instance, codebase: Codebase) -> Language:
    """The repository's language: the one that the instance names, else judged by its files."""
    return find_language(instance.environment.language or guess_language(codebase))


def make_script(language: Language, text: str) -> Script:
    """The script that a model wrote for a repository in `language`."""
    written = language.script
    if written.opening.strip() not in text:
        text = written.opening + text
    return Script(text, written.command or written.interpreter, written.suffix)


def trial(language: Language) -> Script:
    """A script that finds out whether scripts for `language` can run in the sandbox."""
    lines = [f"command -v {program} >/dev/null && exit 0" for program in language.needs]
    text = "\n".join([*lines, f"exit {_NONE_FOUND}", ""]) if lines else ""
    return make_script(language, text)


def check_trial(execution: Execution, language: Language, environment: Environment) -> None:
    """Check how the `trial` ended.

    Raises:
        SandboxUnavailable: a program is missing without which no script can build anything.
    """
    if not language.needs or execution.exit_code != _NONE_FOUND:
        return
    programs = " or ".join(language.needs)
    where = f"the image {environment.image}" if environment.image else "the local sandbox"
    raise SandboxUnavailable(
        f"There is no {programs} on the PATH in {where}: nothing in {language.title} can be built.",
        hint=f"Give an image that has it, such as {language.image}; or activation lines that put it"
        " on the PATH.",
    )
