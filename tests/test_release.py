"""The changelog and the package agree on what was released, and when."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
PLACES = {"Source", "Changelog", "Issues"}
RELEASE = re.compile(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})")


def wrong(changelog: str, project: dict[str, Any]) -> list[str]:
    """What a release would stumble over."""
    titles = re.findall(r"^## (.*)$", changelog, re.MULTILINE)
    found = [] if titles[:1] == ["[Unreleased]"] else ["[Unreleased] is not the first section"]
    releases = [match.groups() for title in titles[1:] if (match := RELEASE.fullmatch(title))]
    if len(releases) < len(titles) - 1:
        found.append("a section is not [X.Y.Z] - YYYY-MM-DD")
    versions = [tuple(map(int, version.split("."))) for version, _ in releases]
    if versions != sorted(set(versions), reverse=True):
        found.append("versions do not fall")
    days = [date.fromisoformat(day) for _, day in releases]
    if days != sorted(days, reverse=True):
        found.append("dates do not fall")
    own = tuple(map(int, project["version"].split(".")))
    if versions and own < versions[0]:
        found.append("pyproject.toml has an older version than the last release")
    if releases and not set(project["urls"]) >= PLACES:
        found.append("[project.urls] does not say where a released project lives")
    kinds = set(re.findall(r"^### (.*)$", changelog, re.MULTILINE))
    return found + [f"{kind} is not a kind of change" for kind in sorted(kinds - KINDS)]


def test_changelog_and_package_agree() -> None:
    assert wrong(CHANGELOG, PROJECT) == []


def test_addresses_are_real_ones() -> None:
    assert PROJECT["urls"]
    for name, url in PROJECT["urls"].items():
        assert url.startswith("https://"), name
        assert not re.search(r"example|TODO|…|localhost", url), name


FINE = """\
# Changelog

## [Unreleased]

## [1.1.0] - 2027-02-01

### Added

## [1.0.0] - 2027-01-01
"""


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("## [Unreleased]\n", "", "first section"),
        (" - 2027-02-01", " (unreleased)", "not [X.Y.Z]"),
        ("[1.0.0]", "[1.2.0]", "versions do not fall"),
        ("2027-01-01", "2027-03-01", "dates do not fall"),
        ("Added", "New", "not a kind"),
    ],
)
def test_what_is_wrong_is_found(before: str, after: str, complaint: str) -> None:
    project = {"version": "1.2.0", "urls": dict.fromkeys(PLACES, "https://a.org")}
    assert wrong(FINE, project) == []
    (found,) = wrong(FINE.replace(before, after), project)
    assert complaint in found


def test_a_release_has_its_version_and_its_addresses() -> None:
    found = wrong(FINE, {"version": "1.0.0", "urls": {}})
    assert len(found) == 2
