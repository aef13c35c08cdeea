"""What replies ask for, and what is said of those that cannot be read."""

import contextlib

import pytest

from agent.model import Choice, Finish
from agent.replies import (
    Unreadable,
    find_choice,
    find_fenced_script,
    find_script,
    read_ranking,
    read_relevance,
    require_whole,
    says_done,
    split_script,
)
from tests.support.waiting import processor_time


def stop(text: str) -> Choice:
    return Choice(text, Finish.STOP)


@pytest.mark.parametrize(
    ("reply", "script"),
    [
        ("no tags", None),
        ("<test_script>\nprint(1)\n</test_script>", "print(1)\n"),
        ("prose\n  <test_script>\nprint(1)\n\n\n</test_script>\nmore", "print(1)\n"),
        ("<test_script>print(1)</test_script>", "print(1)\n"),
        ("<test_script>\n```python\nprint(1)\n```\n</test_script>", "print(1)\n"),
        ("<test_script>\n    indented()\n</test_script>", "    indented()\n"),
        (
            "<test_script>\nx = '</test_script>'\ny = 1\n</test_script>",
            "x = '</test_script>'\ny = 1\n",
        ),
        ("I write <test_script> in prose", None),
    ],
)
def test_a_script_is_found(reply, script):
    assert find_script(reply) == script


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("<test_script>\nprint(1)\n", "never closed"),
        ("<test_script>\n\n</test_script>", "empty"),
        ("<test_script>\na\n</test_script>\n<test_script>\nb\n</test_script>", "several"),
    ],
)
def test_a_broken_script_is_told(reply, why):
    with pytest.raises(Unreadable, match=why):
        find_script(reply)


def test_a_reply_is_split_around_its_script():
    script, rest = split_script("<edit/>\n<test_script>\n<edit>\n</test_script>\nbye")
    assert script == "<edit>\n"
    assert rest == "<edit/>\n\nbye"


def test_one_fenced_block_is_plainly_the_script():
    named = ("python", "py")
    assert find_fenced_script("Here:\n```python\nprint(1)\n```\n", named) == "print(1)\n"
    assert find_fenced_script("```\na\n```\n```\nb\n```\n", named) is None
    assert find_fenced_script("```py\na\n```\nIt prints\n```text\nb\n```\n", named) == "a\n"
    assert find_fenced_script("```go\nfunc main() {}\n```\n", named) is None


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("<done/>", True),
        ("All right.\n  <done />  \n", True),
        ("<done></done>", True),
        ("I am not <done/> yet", False),
    ],
)
def test_done_stands_on_its_own_line(text, done):
    assert says_done(text) is done


@pytest.mark.parametrize(
    ("finish", "text", "why"),
    [
        (Finish.LENGTH, "<done/>", "cut"),
        (Finish.FILTERED, "x", "filter"),
        (Finish.EMPTY, "", "empty"),
        (Finish.STOP, "  \n", "empty"),
    ],
)
def test_a_reply_that_is_not_whole_is_told(finish, text, why):
    with pytest.raises(Unreadable, match=why):
        require_whole(Choice(text, finish))


def test_a_choice_is_one_of_the_candidates():
    assert find_choice("so: <choose>b</choose>", "ABC") == "B"
    assert find_choice("<choose>Candidate A</choose>, yes <choose>A</choose>", "ABC") == "A"
    assert find_choice("none", "AB") is None
    with pytest.raises(Unreadable, match="no candidate D"):
        find_choice("<choose>D</choose>", "ABC")
    with pytest.raises(Unreadable, match="exactly one"):
        find_choice("<choose>A</choose><choose>B</choose>", "ABC")


def test_relevance_is_yes_or_no_with_a_summary():
    found = read_relevance(
        stop("<relevant>Yes</relevant>\n<summary>Class A\n  parses it.</summary>")
    )
    assert found.relevant
    assert found.summary == "Class A parses it."
    assert not read_relevance(stop("<relevant> no </relevant>")).relevant
    with pytest.raises(Unreadable):
        read_relevance(stop("perhaps"))
    with pytest.raises(Unreadable):
        read_relevance(stop("<relevant>yes</relevant><relevant>no</relevant>"))


def test_a_ranking_keeps_known_paths_once():
    paths = frozenset({"a.py", "b/c.py", "d.py"})
    text = "<ranking>\n1. `b/c.py`\n- a.py\nnot/there.py\nb/c.py\n</ranking>"
    assert read_ranking(stop(text), paths) == ["b/c.py", "a.py"]
    with pytest.raises(Unreadable, match="None of the paths"):
        read_ranking(stop("<ranking>\nx.py\n</ranking>"), paths)
    with pytest.raises(Unreadable, match="inside <ranking>"):
        read_ranking(stop("a.py"), paths)


@pytest.mark.parametrize(
    "text",
    [
        "<summary>" * 100_000,
        "<ranking>" * 100_000,
        "```a\n" * 200_000,
        "<test_script>" + " " * 1_000_000 + "x",
        "<done" + " " * 1_000_000,
        "<choose>" * 100_000,
        "<ranking>\n" + " " * 1_000_000 + "`\n</ranking>",
    ],
)
def test_hostile_replies_are_read_in_a_moment(text):
    with processor_time(60):
        for read in (
            find_script,
            lambda t: find_fenced_script(t, ()),
            says_done,
            lambda t: find_choice(t, "AB"),
            lambda t: read_relevance(stop(t)),
            lambda t: read_ranking(stop(t), frozenset({"a.py"})),
        ):
            with contextlib.suppress(Unreadable):
                read(text)
