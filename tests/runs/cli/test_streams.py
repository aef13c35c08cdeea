"""Standard streams that lack characters, readers or room: the command goes on as it would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runs.cli.shared.streams import MARKS
from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.slow

ENCODINGS = [
    *({"PYTHONIOENCODING": name} for name in ("ascii", "latin-1", "cp1252", "gbk")),
    {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """A folder with one run in its database, named run."""
    troop = Command(tmp_path_factory.mktemp("solved"))
    with ModelServer(scripted_model.answer) as server:
        repository = calc_repository(troop.folder)
        troop.finish(*solve_words(repository, server.base_url, "--name", "run"))
    return troop.folder


@pytest.fixture
def troop(solved):
    return Command(solved)


def shell(troop: Command, line: str) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and error of a shell's line; $TROOP is the command."""
    environment = troop.environment | {"TROOP": f"{sys.executable} -m runs"}
    done = subprocess.run(
        ["bash", "-c", line], cwd=troop.folder, env=environment, capture_output=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        *((encoding, "show run") for encoding in ENCODINGS),
        *((ENCODINGS[0], f"{words}") for words in ("show run --sample 1", "select --help")),
    ],
)
def test_what_the_terminal_lacks_is_replaced(troop, encoding, words):
    troop.extra = encoding
    code, output, errors = shell(troop, f"$TROOP {words}")
    assert (code, errors) == (0, b"")
    assert output.decode(encoding.get("PYTHONIOENCODING", "ascii")).strip()


def test_marks_are_different_in_ascii(troop):
    troop.extra = {"PYTHONIOENCODING": "ascii"}
    _, output, _ = shell(troop, "$TROOP show run")
    assert b"+       pass (exit 0" in output
    assert b"x       fail (exit 2" in output
    assert "".join(MARKS.values()).isascii()


def test_a_solve_ends_as_it_would_in_utf_8(tmp_path):
    troop = Command(tmp_path)
    troop.extra = {"PYTHONIOENCODING": "latin-1"}
    with ModelServer(scripted_model.answer) as server:
        output = troop.finish(*solve_words(calc_repository(tmp_path), server.base_url))
    assert "+       pass (exit 0" in output


def test_an_error_names_a_file_in_any_locale(troop):
    troop.extra = {"PYTHONIOENCODING": "ascii"}
    code, _, errors = shell(troop, "$TROOP check-predictions 'präd…'")
    assert code == 2
    assert rb"pr\xe4d..." in errors


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_json_is_ascii_everywhere(troop, encoding):
    row = {
        "instance_id": "a__b-1",
        "repo": "a/b",
        "base_commit": "x",
        "problem_statement": "naïve ✔",
    }
    (troop.folder / "rows.jsonl").write_text(json.dumps(row))
    troop.extra = {"PYTHONIOENCODING": encoding}
    _, output, _ = shell(troop, "$TROOP data show a__b-1 --dataset rows.jsonl --json")
    assert json.loads(output.decode("ascii"))["problem_statement"] == "naïve ✔"


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&- <&-", "2>/dev/full"])
@pytest.mark.parametrize(("words", "expected"), [("show run", 0), ("show nothing", 2)])
def test_a_closed_stream_changes_no_exit_code(troop, closed, words, expected):
    code, _, errors = shell(troop, f"$TROOP {words} {closed}")
    assert code == expected
    assert b"Traceback" not in errors


def test_files_do_not_get_the_number_of_a_closed_stream(troop):
    """Else what is printed would be written into them."""
    before = shell(troop, "$TROOP show run")
    assert shell(troop, "$TROOP show run --patch >&- 2>&- <&-")[0] == 0
    assert shell(troop, "$TROOP show run") == before


@pytest.mark.parametrize("words", ["show run", "select --help"])
def test_a_reader_that_leaves_is_not_an_error(troop, words):
    code, _, errors = shell(troop, f"$TROOP {words} | true; exit ${{PIPESTATUS[0]}}")
    assert (code, errors) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("words", ["show run --patch-only", "--help"])
def test_a_full_disk_behind_standard_output_is_reported_in_one_line(troop, words):
    code, _, errors = shell(troop, f"$TROOP {words} > /dev/full")
    assert code == 5
    assert errors.startswith(b"troop: Standard output cannot be written: No space left")
    assert b"Traceback" not in errors
