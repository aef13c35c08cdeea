"""The pure parts of gathering the context."""

from agent.context import _split, mean_order
from agent.prefilter import best_matches
from agent.source_files import source_files
from data.codebases.codebase import Codebase, SourceFile


def codebase(**files: str) -> Codebase:
    named = {path.replace("__", "/"): text for path, text in files.items()}
    return Codebase("digest", {path: SourceFile(path, text) for path, text in named.items()})


def test_mean_order_puts_the_unranked_last():
    paths = ["a", "b", "c", "d"]
    assert mean_order(paths, [["b", "a"], ["a", "b"], ["a", "c"]]) == ["a", "b", "c", "d"]
    assert mean_order(paths, [["d"], []]) == ["d", "a", "b", "c"]
    assert mean_order(paths, [[], []]) == paths


def test_source_files_leave_out_tests_prose_others_code_and_empty_files():
    found = codebase(
        **{"a.py": "x", "tests__b.py": "x", "README.md": "x", "c.py": " \n", "d.rs": "x"},
        **{"e_test.go": "x", "vendor__g.go": "x", "h.min.js": "x"},
    )
    assert [file.path for file in source_files(found)] == ["a.py", "d.rs"]


def test_the_prefilter_finds_identifiers_whole_and_by_parts():
    files = [
        SourceFile("config.py", "def from_file(path): ..."),
        SourceFile("app.py", "class Flask: run = 1"),
        SourceFile("other.py", "nothing of the kind"),
    ]
    found = best_matches(files, "Add a mode to `Config.from_file`", 2)
    assert found[0].path == "config.py"
    assert [f.path for f in best_matches(files, "fromFile", 1)] == ["config.py"]


def test_the_prefilter_survives_odd_text():
    files = [SourceFile(f"{n}.py", "text \udcff \0 ' \" *") for n in range(3)]
    assert len(best_matches(files, '"" OR NEAR( * -- text', 2)) == 2
    assert len(best_matches(files, "", 2)) == 2


def test_a_long_file_is_split_at_line_ends_and_nothing_is_lost():
    text = "".join(f"line {n}\n" for n in range(100)) + "x" * 500
    parts = _split(text, 120)
    assert "".join(parts) == text
    assert all(len(part) <= 120 for part in parts)
    assert parts[0].endswith("\n")
    assert _split("", 10) == [""]
