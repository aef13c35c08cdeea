"""Finding the answer: in the repository's history, in what was staged, in what others left.

Holds what is true of a repository that Troop lays itself; what an image's own
repository still tells has its place here too.
"""

from __future__ import annotations

from tests.sandbox.attacks.attack import Attack, control

_GIT = """
def git(*words):
    done = subprocess.run(["git", "-c", "safe.directory=*", *words], capture_output=True, text=True)
    return done.stdout.split("\\n")[:-1] if done.returncode == 0 else broke(words, done.stderr)
"""
_COMMITS = Attack(
    "history-commits",
    "find commits, branches, tags, stashes and objects of a later time",
    f"""{_GIT}
nothing("commits", git("rev-list", "--all", "--reflog")[1:])
(held if len(git("rev-list", "HEAD") or []) == 1 else broke)("one commit")
nothing("remotes", git("remote", "-v"))
nothing("tags", git("tag"))
nothing("stashes", git("stash", "list"))
nothing("lost objects", git("fsck", "--unreachable", "--no-reflogs", "--no-progress"))
nothing("other heads", [n for n in os.listdir(".git") if n.endswith("_HEAD")])
""",
)

ATTACKS = [
    _COMMITS,
    control(
        _COMMITS,
        "commits",
        "one commit",
        "tags",
        "lost objects",
        text=f"""{_GIT}
who = ["-c", "user.name=a", "-c", "user.email=a@b"]
git(*who, "commit", "--allow-empty", "-q", "-m", "the answer")
git("tag", "answer")
hashing = ["git", "hash-object", "-w", "--stdin"]
subprocess.run(hashing, input="lost", text=True, capture_output=True)
{_COMMITS.text}""",
        rights=None,
    ),
    Attack(
        "history-staged",
        "find other patches, other scripts, tests or marks where the launcher lies",
        """
nothing("files", [name for name in os.listdir("/troop")
                  if name not in ("script.py", "launch.sh", "start.py", "activate.sh", "files")])
nothing("patches", os.path.isdir("/troop/files") and os.listdir("/troop/files"))
nothing("environment", [key for key in os.environ if any(
    word in key for word in ("KEY", "TOKEN", "SECRET", "PASSWORD", "PROXY", "DOCKER", "TROOP"))])
""",
    ),
]
