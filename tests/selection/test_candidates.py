"""Equal patches are one candidate."""

from data.patches.patch import UNEDITED, FileChange, Patch
from sandbox.protocol import Script
from selection.candidates import Entry, merge_candidates, merge_tests


def patch(content: bytes | None, path: str = "a.py", diff: str = "diff") -> Patch:
    return Patch.of(diff, (FileChange(path, content),))


def merged(*patches: Patch) -> list[tuple[int, ...]]:
    entries = [Entry(p, number) for number, p in enumerate(patches, 1)]
    return [candidate.samples for candidate in merge_candidates(entries)]


def test_the_same_files_are_one_candidate():
    assert merged(patch(b"x = 1\n"), patch(b"x = 2\n"), patch(b"x = 1\n")) == [(1, 3), (2,)]


def test_comments_and_layout_do_not_tell_python_files_apart():
    assert merged(patch(b"x = [1,2]\n"), patch(b"x = [1, 2]  # why\n\n")) == [(1, 2)]


def test_what_code_does_tells_them_apart():
    assert merged(patch(b"x = 1\n"), patch(b"x = -1\n")) == [(1,), (2,)]


def test_a_docstring_is_code():
    assert len(merged(patch(b'"""a"""\n'), patch(b'"""b"""\n'))) == 2


def test_files_that_are_not_python_are_compared_as_text():
    assert merged(patch(b"a  \nb\n", "a.txt"), patch(b"a\nb\n", "a.txt")) == [(1, 2)]
    assert len(merged(patch(b"a # x\n", "a.txt"), patch(b"a\n", "a.txt"))) == 2


def test_python_that_does_not_parse_is_compared_as_text():
    assert len(merged(patch(b"def (\n"), patch(b"def (  # x\n"))) == 2
    assert merged(patch(b"\0"), patch(b"\0")) == [(1, 2)]


def test_a_deletion_is_not_an_empty_file():
    assert len(merged(patch(None), patch(b""))) == 2


def test_an_empty_patch_is_no_candidate():
    assert merged(UNEDITED, patch(b"x\n")) == [(2,)]


def test_the_shortest_diff_stands_for_all():
    long, short = patch(b"x = 1 # long\n", diff="long diff"), patch(b"x = 1\n", diff="short")
    (candidate,) = merge_candidates([Entry(long, 1), Entry(short, 2), Entry(long, source="them")])
    assert candidate.patch is short
    assert candidate.support == 3
    assert candidate.sources == ("them",)


def test_equal_scripts_are_one_test():
    tests = merge_tests([(1, Script("a")), (2, Script("b")), (3, Script("a"))])
    assert [(t.number, t.samples) for t in tests] == [(1, (1, 3)), (2, (2,))]


def test_tests_from_outside_stand_behind_the_samples_and_join_equal_ones():
    tests = merge_tests([(1, Script("a"))], [("first", Script("b")), ("first", Script("a"))])
    assert [(t.number, t.script.text, t.samples, t.sources) for t in tests] == [
        (1, "a", (1,), ("first",)),
        (2, "b", (), ("first",)),
    ]


def test_numbers_that_python_does_not_write_are_compared() -> None:
    """An integer of more than 4,300 digits has no decimal text."""
    digits = "9" * 5000
    first, second, third = (
        Patch.of(diff, (FileChange("a.py", text.encode()),))
        for diff, text in (
            ("1", f"x = {hex(int('9' * 4000))}\ny = 0x{digits}\n"),
            ("22", f"x = {hex(int('9' * 4000))}  # why\ny = 0x{digits}\n"),
            ("333", f"x = 1\ny = (1, 0x{digits})\n"),
        )
    )
    found = merge_candidates([Entry(first, 1), Entry(second, 2), Entry(third, 3)])
    assert [candidate.samples for candidate in found] == [(1, 2), (3,)]


def test_a_very_large_file_is_compared_as_text() -> None:
    text = b"x = 1\n" * 400_000
    first = Patch.of("1", (FileChange("a.py", text),))
    second = Patch.of("2", (FileChange("a.py", text + b"# more\n"),))
    assert len(merge_candidates([Entry(first, 1), Entry(second, 2)])) == 2
