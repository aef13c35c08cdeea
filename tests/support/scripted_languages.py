"""Small repositories in other languages, and a model that repairs them by rote: for `ModelServer`.

Each has an issue with two parts. Of three samples, the first repairs both, the second only the
first part, with a test that sees no more; the third repairs both in other words, with a test that
could not be read at first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """One repository, with what the model answers."""

    language: str
    scripts: str
    """What the prompt says that scripts are written in."""
    files: dict[str, str]
    issue: str
    weak: str
    """A test of the issue's first part."""
    strong: str
    """A test of the whole issue."""
    broken: str
    """A test that does not get as far as a verdict."""
    path: str
    right: str
    """The whole file at `path`, repaired."""
    right_too: str
    wrong: str
    mark: str
    """What the right edits have and the wrong one lacks."""

    def answer(self, body: dict[str, Any]) -> str | list[str]:
        """What the model says."""
        messages = [message["content"] for message in body["messages"]]
        opening, last = messages[1], messages[-1]
        turn = len(messages) // 2 - 1
        if "# The file\n" in opening:
            return f"<relevant>yes</relevant>\n<summary>It is {self.language}.</summary>"
        if "rank these files" in opening:
            return f"<ranking>\n{self.path}\n</ranking>"
        if "# Your task: write a test script" in opening:
            assert f"one complete {self.scripts} file" in opening
            return self._testing(body, turn, last)
        if "# Your task: fix the issue" in opening:
            return self._editing(opening, turn)
        return self._selection(opening, turn)

    def _testing(self, body: dict[str, Any], turn: int, last: str) -> str | list[str]:
        if turn == 0:
            texts = [f"{self.strong}# 1\n", f"{self.weak}# 2\n", f"{self.broken}# 3\n"]
            return [_script(text) for text in texts[: body.get("n") or 1]]
        if "It should end with exit code 2 here" in last:
            return _script(f"{self.strong}# 3\n")
        return "<done/>"

    def _editing(self, opening: str, turn: int) -> str:
        if turn:
            return "<done/>"
        sample = re.findall(r"^# (\d)$", opening, re.MULTILINE)[-1]
        text = {"1": self.right, "2": self.wrong, "3": self.right_too}[sample]
        return f'<create path="{self.path}">\n{text}</create>'

    def _selection(self, opening: str, turn: int) -> str:
        if turn == 0:
            return _script(f"{self.strong}# 9\n")
        candidates = re.findall(r"## Candidate (\w)\n.*?```diff\n(.*?)```", opening, re.DOTALL)
        return f"<choose>{next(x for x, diff in candidates if self.mark in diff)}</choose>"


def _script(text: str) -> str:
    return f"<test_script>\n{text}</test_script>"


_DURATION = """\
module Duration
  UNITS = { "h" => 3600, "m" => 60, "s" => 1 }.freeze

  def self.parse(text)
%s    text.scan(/(%s)([hms])/).sum { |number, unit| number.to_i * UNITS.fetch(unit) }
  end
end
"""
_REFUSAL = (
    '    raise ArgumentError, "no duration: #{text}" unless text.match?(/\\A(\\d+[hms])+\\z/)\n'
)
_REFUSAL_TOO = "    raise ArgumentError, text unless /\\A(\\d+[hms])+\\z/ =~ text\n"
_LOAD = '$LOAD_PATH.unshift(File.join(Dir.pwd, "lib"))\nrequire "duration"\n'
_NINETY = 'got = Duration.parse("90m")\nputs "90m: #{got}"\nexit 2 if got != 5400\n'
_SOON = """begin
  puts "soon: #{Duration.parse("soon")}"
  exit 2
rescue ArgumentError => error
  puts error.message
end
"""

RUBY = Case(
    language="Ruby",
    scripts="Ruby",
    files={
        "lib/duration.rb": _DURATION % ("", r"\d"),
        "spec/duration_spec.rb": 'require "duration"\n',
        "bin/duration": '#!/usr/bin/env ruby\nrequire "duration"\n',
    },
    issue='Duration.parse("90m") is 0\n\nIt should be 5400, and "soon" should be an ArgumentError.',
    weak=f"{_LOAD}{_NINETY}exit 0\n",
    strong=f"{_LOAD}{_NINETY}{_SOON}exit 0\n",
    broken='require "duration"\nexit 0\n',
    path="lib/duration.rb",
    right=_DURATION % (_REFUSAL, r"\d+"),
    right_too=_DURATION % (_REFUSAL_TOO, r"\d+"),
    wrong=_DURATION % ("", r"\d+"),
    mark="ArgumentError",
)

_JOIN = """\
#include "join.h"
#include <stdio.h>
#include <string.h>

int join(char *out, size_t size, const char *folder, const char *name)
{
    size_t end = strlen(folder);
    const char *between = %s ? "" : "/";
    return snprintf(out, size, "%%s%%s%%s", folder, between, name);
}
"""
_CHECK = """\
tmp=$(mktemp -d) || exit 1
make -s libjoin.a || exit 1
cat >"$tmp/check.c" <<'END'
#include "join.h"
#include <stdio.h>
#include <string.h>
int main(void)
{
    char got[64];
    int wrong = 0;
%s    return wrong ? 3 : 0;
}
END
cc -Isrc -o "$tmp/check" "$tmp/check.c" libjoin.a || exit 1
"$tmp/check"
case $? in 0) exit 0 ;; 3) exit 2 ;; *) exit 1 ;; esac
"""
_SLASH = """\
    join(got, sizeof got, "a/", "b");
    printf("a/ and b: %s\\n", got);
    wrong |= strcmp(got, "a/b") != 0;
"""
_EMPTY = """\
    join(got, sizeof got, "", "b");
    printf("nothing and b: %s\\n", got);
    wrong |= strcmp(got, "b") != 0;
"""

C = Case(
    language="C",
    scripts="Bash",
    files={
        "src/join.c": _JOIN % "end == (size_t)-1",
        "src/join.h": (
            "#include <stddef.h>\nint join(char *, size_t, const char *folder, const char *name);\n"
        ),
        "tests/test_join.c": '#include "join.h"\n',
        "Makefile": (
            "libjoin.a: src/join.o\n\tar rc $@ $<\n"
            "src/join.o: src/join.c src/join.h\n\t$(CC) -Wall -Werror -c -o $@ $<\n"
        ),
    },
    issue='join("a/", "b") is "a//b"\n\nIt should be "a/b", and join("", "b") should be "b".',
    weak=_CHECK % _SLASH,
    strong=_CHECK % (_SLASH + _EMPTY),
    broken="set -e\nmake -s nothing\nexit 0\n",  # make ends with 2, which is no verdict here
    path="src/join.c",
    right=_JOIN % "end == 0 || folder[end - 1] == '/'",
    right_too=_JOIN % "!end || folder[end - 1] == '/'",
    wrong=_JOIN % "end > 0 && folder[end - 1] == '/'",
    mark="|| folder",
)
