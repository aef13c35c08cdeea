"""The shell lines that lay a patch over a repository, never through a link or out of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from data.paths import check_editable, encode_path
from sandbox.refusals import Code

if TYPE_CHECKING:
    from data.patches.patch import FileChange, Patch

_LAY = """\
umask 022
refuse() { printf 'troop: %s: %s\\n' "$1" "$2" >&2; exit @REFUSED; }
own() { # every folder above $1 is a real one, so writing there stays in the repository
  rest=$1 at=$repo
  while case $rest in */*) true ;; *) false ;; esac; do
    at=$at/${rest%%/*} rest=${rest#*/}
    [ -L "$at" ] && refuse "$1" 'lies behind a symbolic link'
    [ -e "$at" ] && [ ! -d "$at" ] && refuse "$1" 'lies below a file'
  done
  [ -d "$repo/$1" ] && [ ! -L "$repo/$1" ] && refuse "$1" 'is a folder'
}
forget_compiled() { # what Python keeps of $1 would keep its folder
  name=${1##*/} cache=${1%/*}/__pycache__
  if [ -d "$cache" ] && [ ! -L "$cache" ]; then
    rm -f "$cache/${name%.py}".*.pyc
    rmdir "$cache" 2>/dev/null || :
  fi
}
gone() {
  own "$1"
  rm -f "$repo/$1" || exit @NOT_LAID
  case $1 in *.py) forget_compiled "$repo/$1" ;; esac
  up=$1
  while case $up in */*) true ;; *) false ;; esac; do # as git does with emptied folders
    up=${up%/*}
    rmdir "$repo/$up" 2>/dev/null || break
  done
}
pour() { # the parts of a content, between which there is a NUL
  printf %s "$1" && shift && { [ $# = 0 ] || printf '\\000%s' "$@"; }
}
lay() { # $1 the path, $2 "x" for a program, then the content
  own "$1"
  case $1 in */*) [ -d "$repo/${1%/*}" ] || mkdir -p "$repo/${1%/*}" || exit @NOT_LAID ;; esac
  path=$repo/$1 mode=$2
  shift 2
  if [ -L "$path" ]; then rm -f "$path" || exit @NOT_LAID; fi
  { pour "$@" >"$path"; } 2>/dev/null || # it may not be ours to write, but ours to replace
    { rm -f "$path" && pour "$@" >"$path"; } || exit @NOT_LAID
  if [ "$mode" = x ]; then # without a program where the mode is right already
    [ -x "$path" ] || chmod 755 "$path" || exit @NOT_LAID
  else
    [ ! -x "$path" ] || chmod 644 "$path" || exit @NOT_LAID
  fi
}
""".replace("@REFUSED", str(Code.REFUSED.value)).replace("@NOT_LAID", str(Code.NOT_LAID.value))


def laying(patch: Patch) -> list[bytes]:
    """Lines that lay `patch` over `$repo`, the repository, by any POSIX shell.

    Raises:
        UsageError: the patch names a path that no patch may name.
    """
    for change in patch.files:
        check_editable(change.path)
    if not patch:
        return []
    return [
        _LAY.encode(),
        *(b"gone " + quoted(c.path) for c in patch.files if c.content is None),
        *(_lay(c, c.content) for c in patch.files if c.content is not None),
    ]


def words_of(content: bytes) -> bytes:
    """Any content as words for a shell: the parts between NULs, which a shell cannot hold."""
    return b" ".join(b"'" + part.replace(b"'", b"'\\''") + b"'" for part in content.split(b"\0"))


def quoted(word: str) -> bytes:
    """`word` for a shell, as bytes that may not be UTF-8."""
    return encode_path(shlex.quote(word))


def _lay(change: FileChange, content: bytes) -> bytes:
    mode = b"x" if change.executable else b"-"
    return b"lay %s %s %s" % (quoted(change.path), mode, words_of(content))
