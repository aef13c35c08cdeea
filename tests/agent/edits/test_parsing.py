"""What a reply says, and what it is told when it says it badly."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.edits import Block, Create, Delete, FileEdit, MalformedEdits, Replace, parse_edits
from agent.edits.nouns import MALFORMED_LIMIT
from agent.edits.parsing import MAX_BLOCKS, MAX_EDITS, MAX_SPLITS
from tests.agent.edits.replies import block, create, edit, text

BLOCK = block("a\n", "b\n")

ONE_OR_TWO = """<edit path="a">
<<<<<<< SEARCH
a
=======
b
>>>>>>>
<<<<<<<
c
=======
d
>>>>>>> REPLACE
</edit>
"""

CROSSWISE = """<edit path="a">
<<<<<<< SEARCH
a
=======
b
>>>>>>>> REPLACE
<<<<<<<< SEARCH
c
=======
d
>>>>>>> REPLACE
</edit>
"""


def halves(reply: str) -> list[tuple[str, str]]:
    """The halves of all blocks, each of which can be divided in one way only."""
    found = []
    for one in parse_edits(reply):
        assert isinstance(one, Replace)
        for each in one.blocks:
            ((search, replace),) = each.readings()
            found.append((text(*search), text(*replace)))
    return found


def test_whole_format() -> None:
    reply = (
        "First I change the module.\n\n"
        + edit("src/pkg/mod.py", ("old\n", "new\n"), ("x\ny\n", ""))
        + "Then a new file:\n"
        + create("src/pkg/new.py", "whole\ncontent\n")
        + '<delete path="src/pkg/old.py"/>\nThat is all.'
    )
    assert parse_edits(reply) == (
        Replace(
            "src/pkg/mod.py",
            (
                Block(("old", "=======", "new"), (1,), 4),
                Block(("x", "y", "======="), (2,), 9),
            ),
        ),
        Create("src/pkg/new.py", "whole\ncontent\n"),
        Delete("src/pkg/old.py"),
    )


@pytest.mark.parametrize(
    "reply",
    ["", "No edits.", "Use `<edit path=...>` like\n=======\nthis\n<<<<<<<\n", "<edition>\n<b>\n"],
)
def test_prose_alone(reply: str) -> None:
    assert parse_edits(reply) == ()


@pytest.mark.parametrize(
    "tag",
    [
        '<edit path="a.py">',
        "<edit path='a.py'>",
        "<edit path=a.py>",
        '  <edit  path = "a.py" >  ',
        '<EDIT path="a.py">',
        '<edit reason="it is wrong" path="a.py">',
    ],
)
def test_opening_tags(tag: str) -> None:
    (found,) = parse_edits(f"{tag}\n{BLOCK}</edit>\n")
    assert found.path == "a.py"


@pytest.mark.parametrize(
    "body",
    [
        "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n",
        "<<<<<<< SEARCH   \nold\n=======\t\nnew\n>>>>>>> REPLACE \n",
        "<<<<< SEARCH\nold\n=====\nnew\n>>>>> REPLACE\n",
        "<<<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n",
        "<<<<<<< search\nold\n=======\nnew\n>>>>>>> Replace\n",
        "<<<<<<<SEARCH\nold\n=======\nnew\n>>>>>>>REPLACE\n",
        "<<<<<<< SEARCH:\nold\n=======\nnew\n>>>>>>> REPLACE\n",
        "<<<<<<<\nold\n=======\nnew\n>>>>>>>\n",
        "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>>\n",
        "<<<<<<<\nold\n=======\nnew\n>>>>>>> REPLACE\n",
        "  <<<<<<< SEARCH\nold\n  =======\nnew\n  >>>>>>> REPLACE\n",
        "```python\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n```\n",
        "\nThe only place:\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n\n",
        "<<<<<<< SEARCH\r\nold\r\n=======\r\nnew\r\n>>>>>>> REPLACE\r\n",
    ],
)
@pytest.mark.parametrize("fenced", [False, True])
def test_tolerated_markers(body: str, fenced: bool) -> None:
    reply = f'<edit path="a.py">\n{body}</edit>\n'
    assert halves(f"```xml\n{reply}```\n" if fenced else reply) == [("old\n", "new\n")]


def test_no_newline_at_the_end() -> None:
    assert halves(edit("a.py", ("a\n", "b\n")).rstrip("\n")) == [("a\n", "b\n")]


def test_markers_without_words_twice() -> None:
    body = "<<<<<<<\na\n=======\nb\n>>>>>>>\n<<<<<<<\nc\n=======\nd\n>>>>>>>\n"
    assert halves(f'<edit path="a">\n{body}</edit>') == [("a\n", "b\n"), ("c\n", "d\n")]


def test_markers_of_unequal_width() -> None:
    body = (
        "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>>> REPLACE\n"
        "<<<<<<< SEARCH\nc\n========\nd\n>>>>>> REPLACE\n"
    )
    assert halves(f'<edit path="a">\n{body}</edit>') == [("a\n", "b\n"), ("c\n", "d\n")]


@pytest.mark.parametrize(
    "body",
    [
        "<<<<<<<\na\n{}\n=======\nb\n>>>>>>>\n",
        "<<<<<<< SEARCH\na\n{}\n=======\nb\n>>>>>> REPLACE\n",
    ],
)
@pytest.mark.parametrize("line", [">>>>>>>", ">>>>>>>> REPLACE"])
def test_nothing_ends_a_block_before_its_divider(body: str, line: str) -> None:
    found = halves(f'<edit path="a">\n{body.format(line)}</edit>')
    assert found == [(f"a\n{line}\n", "b\n")]


def test_conflict_markers_are_text() -> None:
    conflict = "<<<<<<< HEAD\nours\n>>>>>>> branch\n<<<<<<<\n>>>>>>> 12ab\n"
    assert halves(edit("a", (conflict, "resolved\n"))) == [(conflict, "resolved\n")]


def test_wide_markers_hold_a_whole_reply() -> None:
    """A test of ourselves can be edited."""
    inner = edit("b.py", ("a\n", "b\n"), ("c\n", "d\n"))
    assert halves(edit("a", (inner, f"{inner}# end\n"), ("x\n", "y\n"), width=9)) == [
        (inner, f"{inner}# end\n"),
        ("x\n", "y\n"),
    ]


def test_closing_tags_are_text_inside_a_block() -> None:
    template = "<edit>\n  x\n</edit>\n</create>\n"
    assert halves(edit("a.xml", (template, f"{template}{template}"))) == [
        (template, f"{template}{template}")
    ]


def test_divider_lines_are_all_kept() -> None:
    (found,) = parse_edits(edit("a.rst", ("A\n=======\nB\n", "C\n=======\n")))
    assert isinstance(found, Replace)
    assert found.blocks[0].splits == (1, 3, 5)


def test_only_dividers_like_the_first_marker_count() -> None:
    (found,) = parse_edits(edit("a.rst", ("A\n=====\n  =======\n", "C\n========\n")))
    assert isinstance(found, Replace)
    assert found.blocks[0].splits == (3,)


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ("", ""),
        ("\n", "\n"),
        ("\nx\n\n", "\nx\n\n"),
        ("x = '</create>'\n# </edit>\n  </create>\n", "x = '</create>'\n# </edit>\n  </create>\n"),
        ("a\n</edit>\n<<<<<<< SEARCH\n=======\n", "a\n</edit>\n<<<<<<< SEARCH\n=======\n"),
        ("\x0c\u2028\x85\n", "\x0c\u2028\x85\n"),
    ],
)
def test_created_content(body: str, content: str) -> None:
    assert parse_edits(create("n", body)) == (Create("n", content),)


@pytest.mark.parametrize("form", ['<create path="n"/>', '<create path="n"></create>'])
def test_created_empty(form: str) -> None:
    assert parse_edits(form) == (Create("n", ""),)


@pytest.mark.parametrize(
    "form",
    [
        '<delete path="d"/>',
        '<delete path="d" />',
        '<delete path="d">',
        '<delete path="d"></delete>',
        '<delete path="d">\n</delete>',
        "<delete path=d/>",
    ],
)
def test_deleted(form: str) -> None:
    assert parse_edits(f"a\n{form}\nb") == (Delete("d"),)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (edit("a", ("a\n", "b\n")).removesuffix("</edit>\n"), r"Line 1 .*never closed.*</edit>"),
        ('<edit path="a">\n<<<<<<< SEARCH\nold\n', r"Line 2 .*no end.*cut"),
        ('<edit path="a">\n<<<<<<< SEARCH\na\n=======\nb\n</edit>', r"Line 2 .*no end"),
        (
            '<edit path="a">\n<<<<<<< SEARCH\na\n=======\nb\n</edit>\n' + edit("b", ("c\n", "d\n")),
            r"Line 2 .*no end",
        ),
        ('<edit path="a">\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n</edit>', r"Line 2 .*divider"),
        ('<edit path="a">\na\n=======\nb\n>>>>>>> REPLACE\n</edit>', r"Line 3 .*outside of a"),
        ('<edit path="a">\nnew content\n</edit>', r"Line 1 .*no block"),
        ('<edit path="a"/>', r"Line 1 .*no block"),
        ('<edit path="a">\n<<<< SEARCH\na\n====\nb\n>>>> REPLACE\n</edit>', r"Line 2, .*marker"),
        (f'<edit path="a">\n{BLOCK}<delete path="b"/>', r"Line 1 .*line 7"),
        ('<create path="a">\nx\n', r"Line 1 .*never closed.*</create>.*cut"),
        ('<create path="a">\nx\n<create path="b">\ny\n</create>', r"Line 1 .*line 3"),
        (create("a", "x\n</create>\n"), r"Line 4 .*not open"),
        ("text\n</edit>\n", r"Line 2 .*not open"),
        ('Here: <edit path="a">\n' + BLOCK, r"Line 2 .*outside of any <edit>"),
        ("a.py\n" + BLOCK, r"Line 2 .*outside of any <edit>"),
        ("<edit a.py>\n" + BLOCK, r'Line 1 .*like <edit path="src'),
        ('<create path="a">import os\n</create>', r"Line 1 .*cannot be read"),
        ("<delete src/a.py>", r"Line 1 .*cannot be read"),
        ('text\n<edit path="src/a', r"Line 2 .*cannot be read"),
        (
            edit("a", ("a\n" + "=======\n" * MAX_SPLITS, "b\n")),
            rf"Line 2 .*{MAX_SPLITS + 1} lines.*<<<<<<<<< SEARCH",
        ),
        (edit("a", *[("a\n", "b\n")] * (MAX_BLOCKS + 1)), rf"can hold {MAX_BLOCKS}"),
        ('<delete path="a"/>\n' * (MAX_EDITS + 1), rf"begins edit {MAX_EDITS + 1}"),
        (ONE_OR_TWO, r"Line 2 .*one block or two"),
        (CROSSWISE, r"Line 2 .*one block or two"),
    ],
)
def test_malformed(reply: str, told: str) -> None:
    with pytest.raises(MalformedEdits, match=told):
        parse_edits(reply)


def test_message_is_bounded() -> None:
    with pytest.raises(MalformedEdits) as caught:
        parse_edits(f'<edit path="{"x" * 100_000}">\n<<<<<<< SEARCH\n\udc80' + "y" * 100_000)
    assert len(str(caught.value)) <= MALFORMED_LIMIT
    str(caught.value).encode()


FRAGMENTS = [
    *["<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "<<<<<<<", ">>>>>>>", "<<<<<<<<< SEARCH"],
    *["=========", ">>>>>>>>> REPLACE", "<<<<<<< HEAD", '<edit path="a">', "</edit>", "  </edit>"],
    *['<create path="a">', "</create>", '<delete path="a"/>', "</delete>", "<edit", "<delete>"],
    *["```", "text", "", " ", "\r", "\0", "\ud800", "<", "=", ">", '<create path=""/>', "<<<<"],
]


@given(
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=40),
    st.sampled_from(["\n", "\r\n", ""]),
)
@example(FRAGMENTS, "\n")
def test_any_text_is_read_or_refused(parts: list[str], between: str) -> None:
    edits: tuple[FileEdit, ...] = ()
    message = "none"
    try:
        edits = parse_edits(between.join(parts))
    except MalformedEdits as refused:
        message = str(refused)
    assert 0 < len(message) <= MALFORMED_LIMIT
    assert all(one.blocks for one in edits if isinstance(one, Replace))
