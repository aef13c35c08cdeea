"""What the tests say about the chosen patch, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.words import counted, listed
from selection.support import Support

if TYPE_CHECKING:
    from selection.support import Evidence

STYLES = {
    Support.SUPPORTED: "green",
    Support.UNSUPPORTED: "yellow",
    Support.CONTRADICTED: "yellow",
    Support.UNTESTED: "yellow",
}
LEGEND = (
    ("supported", "the patch passes at least one generated test that fails before the edit"),
    ("unsupported", "it passes none, or there is none"),
    ("contradicted", "tests speak against it"),
    ("untested", "no generated test was asked for"),
)
_NO_TEST = {
    True: "no sample ended with a test",
    False: "no generated test was run, because none was asked for",
}
MEANING = "Supported does not mean right: the model wrote these tests too."


def support_sentence(evidence: Evidence) -> str:
    """What speaks for the patch, and what against it."""
    word = evidence.support.capitalize()
    said = [*_against(evidence), _for(evidence)]
    return f"{word}: {'; '.join(said)}."


def _for(of: Evidence) -> str:
    if not of.generated:
        return _NO_TEST[of.asked]
    if not of.failing:
        return (
            "no generated test fails before the edit, so none can show that the issue is fixed"
            f" ({counted(of.generated, 'was', 'were')} run)"
        )
    which = counted(of.failing, "generated test that fails", "generated tests that fail")
    return f"it passes {of.passed or 'none'} of {which} before the edit"


def _against(of: Evidence) -> list[str]:
    said = []
    if of.flags:
        said.append(
            f"{counted(of.flags, 'place')} in its patch could buy votes, so no test counts for it"
        )
    if of.ahead:
        numbers, most = sorted(number for number, _ in of.ahead), of.ahead[0][1]
        one = len(numbers) == 1
        said.append(
            f"candidate{'' if one else 's'} {listed(numbers)} {'has' if one else 'have up to'}"
            f" {counted(most, 'vote')}, and this one {of.votes or 'none'}"
        )
    if of.own:
        one = len(of.own) == 1
        said.append(
            f"the last {'test' if one else 'tests'} of sample{'' if one else 's'}"
            f" {listed(of.own)}, which wrote it, still fail{'s' if one else ''} on it"
        )
    if of.better:
        said.append(
            "the selection trajectory's last script fails on it and passes on"
            f" candidate{'' if len(of.better) == 1 else 's'} {listed(of.better)}"
        )
    return said
