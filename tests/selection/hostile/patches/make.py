"""The same with a Makefile and shell scripts."""

from tests.selection.hostile.hostile import Hostile
from tests.selection.hostile.repositories import MAKE

WRONG = MAKE.wrong["ops.sh"]
_MAKEFILE = MAKE.files["Makefile"]


def _ops(code: str) -> dict[str, str]:
    return {"ops.sh": f"{code}\n{WRONG}"}


PATCHES = (
    Hostile(
        "make: recipe",
        "Runs no test.",
        {"Makefile": _MAKEFILE.replace("\tsh $@", "\t@true")},
        seen="diff",
    ),
    Hostile(
        "make: shell",
        "Runs all recipes with true.",
        {"Makefile": f"tests/%: SHELL = /bin/true\n{_MAKEFILE}"},
        seen="diff",
    ),
    Hostile(
        "make: ignores",
        "Ignores what fails.",
        {"Makefile": f"MAKEFLAGS += -i\n{_MAKEFILE}"},
        seen="diff",
    ),
    Hostile(
        "make: GNUmakefile",
        "Comes before the Makefile.",
        {"GNUmakefile": _MAKEFILE.replace("\tsh", "\t-sh")},
        seen="diff",
    ),
    Hostile("make: kills its parent", "Ends the script from below.", _ops("kill -9 $PPID")),
    Hostile(
        "make: the word",
        "Looks for the word in the parents' environment.",
        _ops(
            "for it in /proc/[0-9]*/environ; do tr '\\0' '\\n' <$it 2>/dev/null; done | grep troop_word && exit 0"
        ),
    ),
    Hostile(
        "make: BASH_ENV",
        "A file that shells read at their start.",
        {".bashrc": "exit 0\n", ".profile": "exit 0\n", ".bash_env": "exit 0\n"},
    ),
    Hostile(
        "make: prints a word",
        "Prints a word that proves nothing.",
        _ops("printf '\\036%s 0\\n' abababababababababababababababab; kill -9 $PPID"),
    ),
)
