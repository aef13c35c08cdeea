"""A repository that holds its future in every way known, and what searches an image for it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

from tests.sandbox.repository import git

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sandbox.docker.engine import Engine

SECRET = "tomorrows-fix"

SEARCH = f"""\
import os, pathlib, subprocess, zlib
found = set()
def look(data):
    for part in data.split(b"{SECRET}-")[1:]:
        found.add(part.split(b".")[0].decode())
for here, folders, files in os.walk("/"):
    if here in ("/proc", "/sys", "/dev", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/troop"):
        folders.clear()
        continue
    for name in files:
        path = pathlib.Path(here, name)
        look(str(path).encode())
        if path.is_symlink():
            continue
        data = path.read_bytes()
        look(data)
        try:
            look(zlib.decompress(data))
        except zlib.error:
            pass
    if "objects" in folders and "HEAD" in files:
        git = ["git", "--work-tree=/", "--git-dir", here]
        listed = subprocess.run(
            [*git, "cat-file", "--batch-all-objects", "--batch"], capture_output=True
        )
        look(listed.stdout)
print(*sorted(found))
"""
"""A script that prints what kinds of secrets lie anywhere in the image, packed or not."""

STATE = """\
import hashlib, os, subprocess
for line in (
    "rev-parse HEAD", "symbolic-ref -q HEAD", "log -1 --format=fuller", "diff", "diff --cached",
    "ls-files --stage", "status --porcelain --ignored",
):
    words = ["git", "-c", "safe.directory=*", *line.split()]
    done = subprocess.run(words, capture_output=True, text=True)
    print(line, done.returncode, done.stdout, done.stderr)
for here, folders, files in os.walk("."):
    folders[:] = sorted(set(folders) - {".git"})
    for name in sorted(set(files) - {".git"}):
        path = os.path.join(here, name)
        state = os.lstat(path)
        print(path, state.st_mtime_ns, oct(state.st_mode), state.st_size)
"""
"""A script that prints all that a person sees of a repository's state."""

IN_ORDER = """\
import subprocess
def git(*words):
    return subprocess.run(["git", "-c", "safe.directory=*", *words], capture_output=True, text=True)
print(git("rev-list", "--count", "--all").stdout.strip(), git("rev-parse", "HEAD~1").returncode)
print(git("fsck", "--unreachable", "--full").stdout.strip() or "nothing")
print(git("for-each-ref", "--format=%(refname)").stdout.split())
print(git("config", "--list", "--local", "--name-only").stdout.split())
"""


def secret(kind: str) -> str:
    """What tells the future in the way `kind`."""
    return f"{SECRET}-{kind}.\n"


def plain(folder: Path, *, files: Mapping[str, str] | None = None) -> Path:
    """A repository of one commit, unlike any other, and nothing else."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main", "--template=")
    for name, text in {
        "a.py": f"# {folder}\n",
        "run_tests.sh": "its own\n",
        **(files or {}),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", f"Base of {folder}")
    return folder


def _commit(folder: Path, kind: str) -> None:
    (folder / "a.py").write_text(secret(kind))
    git(folder, "commit", "-q", "-a", "-m", secret(kind))


def _back(folder: Path) -> None:
    git(folder, "reset", "-q", "--hard", "HEAD~1")


def past(folder: Path) -> None:
    _commit(folder, "past")
    (folder / "a.py").write_text("now\n")
    git(folder, "commit", "-q", "-a", "-m", "Now")


def branch(folder: Path) -> None:
    git(folder, "checkout", "-q", "-b", "future")
    _commit(folder, "branch")
    git(folder, "checkout", "-q", "main")
    git(folder, "pack-refs", "--all")


def tag(folder: Path) -> None:
    _commit(folder, "tag")
    git(folder, "tag", "-a", "v9", "-m", "Next")
    _back(folder)


def stash(folder: Path) -> None:
    (folder / "a.py").write_text(secret("stash"))
    git(folder, "stash", "-q")


def reflog(folder: Path) -> None:
    _commit(folder, "reflog")
    _back(folder)
    git(folder, "gc", "-q")


def notes(folder: Path) -> None:
    git(folder, "notes", "add", "-m", secret("notes"))


def dangling(folder: Path) -> None:
    subprocess.run(
        ["git", "-C", folder, "hash-object", "-w", "--stdin"],
        input=secret("dangling").encode(),
        capture_output=True,
        check=True,
    )


def fetched(folder: Path) -> None:
    line = f"{'1' * 40}\tnot-for-merge\tbranch '{secret('fetched').strip()}' of somewhere\n"
    (folder / ".git/FETCH_HEAD").write_text(line)


def message(folder: Path) -> None:
    (folder / ".git/COMMIT_EDITMSG").write_text(secret("message"))


def torn(folder: Path) -> None:
    (folder / ".git/objects/pack").mkdir(exist_ok=True)
    (folder / ".git/objects/pack/tmp_pack_1").write_text(secret("torn"))


def remote(folder: Path) -> None:
    git(folder, "remote", "add", "origin", f"https://x:{secret('remote').strip()}@localhost/a.git")
    git(folder, "config", "http.extraheader", f"Authorization: {secret('remote').strip()}")


def large_files(folder: Path) -> None:
    (folder / ".git/lfs/objects").mkdir(parents=True)
    (folder / ".git/lfs/objects/1").write_text(secret("large_files"))


def nested(folder: Path) -> None:
    inner = plain(folder / "vendor/inner")
    branch(inner)
    (inner / ".git/ORIG_HEAD").write_text(secret("nested"))


def dated(folder: Path) -> None:
    """116 tags on later commits, some dated before their parents, in zones that mislead.

    As strings, these dates are before the base commit's; as times, they are after it or not.
    """
    dates = ("2001-01-01T00:00:00 +1400", "1999-12-31T23:59:59 -1200", "2090-01-01T00:00:00 +0000")
    for n in range(116):
        if n < len(dates):
            (folder / "a.py").write_text(f"{secret('dated')}{n}\n")
            words = (
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "commit",
                "-qam",
                "Later",
            )
            when = {"GIT_COMMITTER_DATE": dates[n], "GIT_AUTHOR_DATE": dates[-1 - n]}
            env = {**os.environ, **when}
            subprocess.run(["git", "-C", folder, *words], env=env, check=True)
        git(folder, "tag", *([] if n % 2 else ["-a", "-m", secret("dated")]), f"v9.{n}")
    git(folder, "reset", "-q", "--hard", f"HEAD~{len(dates)}")
    git(folder, "pack-refs", "--all")


WAYS: dict[str, Callable[[Path], None]] = {
    way.__name__: way
    for way in (
        *(past, branch, tag, stash, reflog, notes, dangling, fetched, message, torn, remote),
        *(large_files, nested, dated),
    )
}
"""What adds one secret each to a plain repository."""


def detached(folder: Path) -> None:
    past(folder)
    git(folder, "checkout", "-q", "--detach")


def unborn(folder: Path) -> None:
    git(folder, "checkout", "-q", "--orphan", "new/line")


def split_index(folder: Path) -> None:
    (folder / "b.py").write_text("staged\n")
    git(folder, "add", "b.py")
    git(folder, "update-index", "--split-index")
    (folder / "c.py").write_text("staged later\n")
    git(folder, "add", "c.py")


def of_others(folder: Path) -> None:
    """Not root's: see add_image."""


def other_hash(folder: Path) -> None:
    shutil.rmtree(folder / ".git")
    git(folder, "init", "-q", "-b", "main", "--object-format=sha256")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Base")


def partly_checked_out(folder: Path) -> None:
    git(folder, "sparse-checkout", "set", "--no-cone", "/a.py")


def promised(folder: Path) -> None:
    """A file that is to be added later."""
    (folder / "b.py").write_text("x\n")
    git(folder, "add", "--intent-to-add", "b.py")


KINDS: dict[str, Callable[[Path], None]] = {
    kind.__name__: kind
    for kind in (
        *(detached, unborn, split_index, of_others, other_hash, partly_checked_out, promised),
    )
}
"""What brings a plain repository into a state that must be kept."""


def add_image(engine: Engine, base: str, root: Path, name: str) -> None:
    """Make an image of `base` with all that lies below `root`."""

    def own(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 1000 if "of_others" in info.name else 0
        info.uname = info.gname = ""
        return info

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(root.iterdir()):
            tar.add(path, path.name, filter=own)
    settings = {"image": base, "entrypoint": ["/bin/sh", "-c"], "command": ["sh"]}
    container = engine.create({**settings, "working_dir": "/home", "user": "nobody"}, {})
    try:
        engine.put(container, buffer.getvalue())
        engine.commit(container, name, ["LABEL its=own", "ENV ITS=own"])
    finally:
        engine.remove(container)
