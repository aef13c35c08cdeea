"""The SWE-bench family: where each dataset is, and what Troop reads of its rows.

One entry per dataset, and one function for rows of a file without a dataset's name.
What a row's columns say (an image, `repo_dir`, `activate`) comes before the entry.
Sources: the datasets' cards and harnesses, as far as they could be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTIVATE = (
    "if [ -f /opt/miniconda3/bin/activate ]; then "
    ". /opt/miniconda3/bin/activate && conda activate testbed; fi"
)
"""Enters the environment of SWE-bench's images; does nothing in an image without conda."""

PRO_IMAGES = "jefzda/sweap-images"
IMAGE_COLUMNS = ("image", "image_name", "docker_image", "dockerhub_tag")
"""The columns that name an image; the first one that is not empty is used."""
LANGUAGE_COLUMNS = ("language", "repo_language")

_SWE_BENCH_IMAGE = "swebench/sweb.eval.x86_64.{id_1776}:latest"
_SECTIONS = (
    ("requirements", "Requirements"),
    ("interface", "New interfaces introduced"),
)
"""SWE-bench Pro's columns that belong to the issue, with the headings of its own prompt."""
_OWN_COLUMNS = (*IMAGE_COLUMNS, *LANGUAGE_COLUMNS, "repo_dir", "activate")

# The images of SWE-smith hold the code before its bug. The bug is a branch of a mirror. Only the
# last commit of the branch is laid: the one before it has the tests, the first one the fix.
_SMITH_SETUP = (
    "bug=$(mktemp -d) && git clone -q --depth 1 --single-branch --branch {id}"
    ' https://github.com/{repository} "$bug" && git ls-files -z | xargs -0 rm -rf --'
    ' && rm -rf .git && mv "$bug/.git" .git && rm -rf "$bug" && git reset -q --hard'
    " && git remote remove origin"
)


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a row has the four fields of an instance.

    A column; "a.b", a field of an object in column a; or text with columns in
    braces. An issue may also be a list of objects with title and body.
    """

    instance_id: str = "instance_id"
    repo: str = "repo"
    base_commit: str = "base_commit"
    problem_statement: str = "problem_statement"

    def columns(self) -> tuple[str, ...]:
        """The columns that a row must have, in the order of the fields."""
        found: dict[str, None] = {}
        for where in (self.instance_id, self.repo, self.base_commit, self.problem_statement):
            names = re.findall(r"\{(\w+)\}", where) or [where.partition(".")[0]]
            found.update(dict.fromkeys(names))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One dataset of the family."""

    alias: str
    hub: str
    """Its name on Hugging Face."""
    split: str | None
    """The split that is used by default; None: a person must name one."""
    also: tuple[str, ...] = ()
    """Other names on Hugging Face with rows of the same shape."""
    fields: Fields = Fields()
    image: str | None = _SWE_BENCH_IMAGE
    """For rows that name no image. Lowercase: id_1776, id_s, org, name; unchanged: id, number."""
    folder: str = "/testbed"
    """The repository in the image; {name} is the repository's."""
    activate: str = ACTIVATE
    language: str = "python"
    """The language of rows that name none; "": the dataset has several."""
    sections: tuple[tuple[str, str], ...] = ()
    """Columns that are added to the end of the issue, each with its heading."""
    may_lack_issue: bool = False
    """Whether rows without an issue are skipped instead of refused."""
    setup: str = ""
    """Run once in the image, with network. {id} and {repository} are the row's, quoted."""
    note: str = ""
    """What a person should know before a run."""

    @property
    def columns(self) -> frozenset[str]:
        """All columns that are read."""
        sections = (name for name, _ in self.sections)
        marks = ("install_config",) if self is GENERIC else ()
        return frozenset({*self.fields.columns(), *_OWN_COLUMNS, *sections, *marks})


_MULTI_SWE = Fields(
    instance_id="{org}__{repo}-{number}",
    repo="{org}/{repo}",
    base_commit="base.sha",
    problem_statement="resolved_issues",
)

FAMILY = (
    Dataset(
        alias="full",
        hub="SWE-bench/SWE-bench",
        split="test",
        also=("princeton-nlp/SWE-bench",),
    ),
    Dataset(
        alias="lite",
        hub="SWE-bench/SWE-bench_Lite",
        split="test",
        also=("princeton-nlp/SWE-bench_Lite",),
    ),
    Dataset(
        alias="verified",
        hub="SWE-bench/SWE-bench_Verified",
        split="test",
        also=("princeton-nlp/SWE-bench_Verified",),
    ),
    Dataset(
        alias="multilingual",
        hub="SWE-bench/SWE-bench_Multilingual",
        split="test",
        language="",
        note="rows name no language",
    ),
    Dataset(
        alias="multimodal",
        hub="SWE-bench/SWE-bench_Multimodal",
        split="test",
        also=("princeton-nlp/SWE-bench_Multimodal",),
        language="javascript",
        note="text only: pictures of an issue are not shown to the model",
    ),
    Dataset(
        alias="pro",
        hub="ScaleAI/SWE-bench_Pro",
        split="test",
        image=None,
        folder="/app",
        activate="",
        language="",
        sections=_SECTIONS,
        note="requirements and interface are appended to the issue",
    ),
    Dataset(
        alias="live",
        hub="SWE-bench-Live/SWE-bench-Live",
        split="verified",
        image="starryzhang/sweb.eval.x86_64.{id_1776}:latest",
        note="splits lite, verified, full, test",
    ),
    Dataset(
        alias="live-multilang",
        hub="SWE-bench-Live/MultiLang",
        split=None,
        image="starryzhang/sweb.eval.x86_64.{id_1776}:latest",
        language="",
        note="one split per language",
    ),
    Dataset(
        alias="rebench",
        hub="nebius/SWE-rebench",
        split="filtered",
        also=("nebius/SWE-rebench-leaderboard",),
        image="swerebench/sweb.eval.x86_64.{id_1776}:latest",
    ),
    Dataset(
        alias="rebench-v2",
        hub="nebius/SWE-rebench-V2",
        split="train",
        image=None,
        folder="/{name}",
        language="",
        sections=_SECTIONS[1:],
        activate="",
        note="interface is appended to the issue",
    ),
    Dataset(
        alias="multi-swe",
        hub="ByteDance-Seed/Multi-SWE-bench",
        split="train",
        also=("ByteDance-Seed/Multi-SWE-bench_mini", "ByteDance-Seed/Multi-SWE-bench-flash"),
        fields=_MULTI_SWE,
        image="mswebench/{org}_m_{name}:pr-{number}",
        folder="/home/{name}",
        activate="",
        language="",
        note="its files differ too much for `datasets`: name one, multi-swe:FILE.jsonl",
    ),
    Dataset(
        alias="smith",
        hub="SWE-bench/SWE-smith",
        split="train",
        also=("SWE-bench/SWE-smith-py",),
        fields=Fields(base_commit="instance_id"),
        image=None,
        may_lack_issue=True,
        setup=_SMITH_SETUP,
        note="the bug is fetched from GitHub, once; rows without an issue are left out",
    ),
    Dataset(
        alias="gym",
        hub="SWE-Gym/SWE-Gym",
        split="train",
        also=("SWE-Gym/SWE-Gym-Lite",),
        image="xingyaoww/sweb.eval.x86_64.{id_s}:latest",
    ),
    Dataset(
        alias="fficiency",
        hub="swefficiency/swefficiency",
        split="test",
        image="ghcr.io/swefficiency/swefficiency-images:{id}",
        note="asks for speed, which votes do not measure",
    ),
    Dataset(
        alias="omnigirl",
        hub="Deep-Software-Analytics/OmniGIRL",
        split="test",
        image=None,
        language="",
        note="its own harness builds its images: add a column image to a file of its rows",
    ),
)

GENERIC = Dataset(alias="", hub="", split=None, sections=_SECTIONS)
"""For rows of a file without a dataset's name that look like no other entry."""

_NAMES = {name.lower(): each for each in FAMILY for name in (each.alias, each.hub, *each.also)}


def aliases() -> list[str]:
    """The short names, in the table's order."""
    return [each.alias for each in FAMILY]


def find(name: str) -> Dataset | None:
    """The dataset with this short name or name on Hugging Face; None: there is none."""
    return _NAMES.get(name.lower())


def split_source(source: str) -> tuple[Dataset | None, str]:
    """Split "gym:rows.jsonl" into the dataset whose shape the file has, and the file."""
    alias, colon, path = source.partition(":")
    dataset = find(alias) if colon and path else None
    return (dataset, path) if dataset else (None, source)


def recognised(row: Mapping[str, object]) -> Dataset:
    """The dataset that a row is from, by its columns; `GENERIC` if they do not show it."""
    image = str(row.get("image") or row.get("image_name") or row.get("docker_image") or "")
    if {"org", "number", "base", "resolved_issues"} <= row.keys():
        return _NAMES["multi-swe"]
    if row.get("dockerhub_tag") or image.strip().startswith(PRO_IMAGES):
        return _NAMES["pro"]
    if "/swesmith." in image:
        return _NAMES["smith"]
    # The first version of SWE-rebench has these columns too, but SWE-bench's folder.
    if row.get("image_name") and row.get("install_config") and "sweb.eval." not in image:
        return _NAMES["rebench-v2"]
    return GENERIC


READ_TO_RECOGNISE = GENERIC.columns.union(*(_NAMES[n].columns for n in ("multi-swe", "pro")))
"""The columns to read in order to recognise the dataset."""
