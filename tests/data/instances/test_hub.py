"""The real `datasets` library, without network: local tables and its own cache."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from data.instances.loaders import load_instances
from tests.support.hub import put_in_cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = [
    {
        "instance_id": f"acme__tool-{number}",
        "repo": "acme/tool",
        "base_commit": "0" * 40,
        "problem_statement": f"Issue {number}: naïve",
        "patch": "SECRET",
        "FAIL_TO_PASS": ["SECRET"],
        "image": None,
    }
    for number in range(3)
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An offline library whose cache holds two datasets."""
    import datasets
    import huggingface_hub.constants

    home = tmp_path_factory.mktemp("hub")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        patch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", home)
        datasets.disable_progress_bars()
        put_in_cache(home, "SWE-bench___swe-bench_lite", ["test", "dev"], ROWS)
        put_in_cache(home, "acme___tools", ["spring", "autumn"], ROWS)
        yield home


def test_a_dataset_from_the_cache(hub: Path) -> None:
    for source, split in (
        ("lite", None),
        ("Lite", "dev"),
        ("SWE-bench/SWE-bench_Lite", None),
        ("SWE-bench/SWE-bench_Lite", "dev"),
    ):
        instances = load_instances(source, split=split)
        assert [one.instance_id for one in instances] == [row["instance_id"] for row in ROWS]
        assert instances[0].problem_statement == "Issue 0: naïve"
        assert "SECRET" not in repr(instances)


def test_splits(hub: Path) -> None:
    with pytest.raises(UsageError, match="no split nosuch") as caught:
        load_instances("lite", split="nosuch")
    assert "dev" in caught.value.hint
    with pytest.raises(UsageError, match=r"several splits: .*autumn"):
        load_instances("acme/tools")
    assert len(load_instances("acme/tools", split="spring")) == 3


def test_a_dataset_that_cannot_be_had(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="HF_HUB_OFFLINE forbids") as caught:
        load_instances("verified")
    assert "JSONL" in caught.value.hint
    monkeypatch.delenv("HF_HUB_OFFLINE")
    with pytest.raises(UsageError, match="cannot be reached") as caught:
        load_instances("verified")
    assert "network" in caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint


def test_parquet(hub: Path, tmp_path: Path) -> None:
    import datasets

    for name in ("rows.parquet", "odd [x] *?.parquet", "no_suffix"):
        datasets.Dataset.from_list(ROWS).to_parquet(tmp_path / name)
        instances = load_instances(str(tmp_path / name))
        assert [one.instance_id for one in instances] == [row["instance_id"] for row in ROWS]
        assert "SECRET" not in repr(instances)


def test_a_folder_is_read_as_the_harness_reads_it(hub: Path, tmp_path: Path) -> None:
    import datasets

    table = datasets.Dataset.from_list(ROWS)
    table.save_to_disk(tmp_path / "one")
    table.save_to_disk(tmp_path / "by_split" / "dev")
    datasets.DatasetDict({"test": table, "dev": table}).save_to_disk(tmp_path / "two")
    (tmp_path / "files").mkdir()
    table.to_parquet(tmp_path / "files" / "test.parquet")
    for name, split in (
        ("one", None),
        ("by_split", "dev"),
        ("two", None),
        ("two", "dev"),
        ("files", "test"),
    ):
        instances = load_instances(str(tmp_path / name), split=split)
        assert [one.instance_id for one in instances] == [row["instance_id"] for row in ROWS]
        assert "SECRET" not in repr(instances)
    with pytest.raises(UsageError, match="no split nosuch") as caught:
        load_instances(str(tmp_path / "two"), split="nosuch")
    assert "dev" in caught.value.hint


def test_a_folder_that_holds_no_dataset(hub: Path, tmp_path: Path) -> None:
    for name in ("empty", "damaged"):
        (tmp_path / name).mkdir()
    (tmp_path / "damaged" / "dataset_info.json").write_text("{}")
    for name in ("empty", "damaged"):
        with pytest.raises(UsageError, match="cannot be read as a dataset") as caught:
            load_instances(str(tmp_path / name))
        assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"problem_statement": None}, "row 1: problem_statement is null"),
        ({"problem_statement": 3}, "row 1: problem_statement must be text, not a number"),
        ({"instance_id": "same"}, "row 2: instance_id same is already at .*row 1"),
    ],
)
def test_parquet_that_does_not_fit(
    hub: Path, tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    import datasets

    rows = [{**row, **change} for row in ROWS]
    datasets.Dataset.from_list(rows).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(UsageError, match=complaint):
        load_instances(str(tmp_path / "rows.parquet"))


def test_damaged_parquet(hub: Path, tmp_path: Path) -> None:
    import datasets

    path = tmp_path / "rows.parquet"
    datasets.Dataset.from_list(ROWS).to_parquet(path)
    whole = path.read_bytes()
    for content in (b"PAR1 junk PAR1", whole[:-20], b"not parquet"):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="cannot be read as parquet"):
            load_instances(str(path))


@pytest.mark.slow
def test_importing_data_is_light() -> None:
    code = """
import importlib, pathlib, sys
for file in pathlib.Path("data").rglob("*.py"):
    importlib.import_module(".".join(file.with_suffix("").parts))
heavy = {"datasets", "git", "docker", "pyarrow", "pandas"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
