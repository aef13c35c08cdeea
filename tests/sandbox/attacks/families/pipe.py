"""The way that results come: the output pipe, the marks, the exit code, inherited descriptors."""

from __future__ import annotations

from sandbox.protocol import Ending
from tests.sandbox.attacks.attack import (
    Attack,
    anything,
    both,
    control,
    ends,
    exits,
    prints,
    within,
)

_PIPE = """
import fcntl
SET_SIZE, GET_SIZE = 1031, 1032
"""
_DESCRIPTORS = Attack(
    "pipe-descriptors",
    "find and use descriptors that were left open",
    """
import fcntl
def inherited(fd):
    with contextlib.suppress(OSError):
        return fcntl.fcntl(fd, fcntl.F_GETFD) >= 0
def ours(fd):  # what tells Troop that the script came to its end: the output again, and a word
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/self/fd/{fd}") in (
            "/troop/word (deleted)", os.readlink("/proc/self/fd/1"))
nothing("more than these", [fd for fd in range(3, 1 << 16) if inherited(fd) and not ours(fd)])
(held if os.readlink("/proc/self/fd/0") == "/dev/null" else broke)("input is nothing")
for fd in range(3, 4096):
    with contextlib.suppress(OSError):
        os.write(fd, b"forged")
        (held if ours(fd) else broke)("wrote", fd)
for pid in pids():
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            if not target.startswith(("pipe:", "/dev/null", "/troop", "/proc", "anon_inode")):
                broke(f"descriptor {fd} of {pid}", target)
""",
)
_FORGE = """
import re
seen = set()
places = [f"/troop/{name}" for name in os.listdir("/troop") if "script" not in name]
for pid in pids():
    places += [f"/proc/{pid}/{name}" for name in ("cmdline", "environ", "comm", "maps", "stat")]
    places += glob.glob(f"/proc/{pid}/fd/[0-9]*")
for path in places:
    with contextlib.suppress(OSError):
        if stat.S_ISREG(os.stat(path).st_mode):
            seen.update(re.findall(rb"[0-9a-f]{12,}", open(path, "rb").read()))
for pid in pids():  # what the shell that started this still has in its memory
    with contextlib.suppress(OSError, ValueError, OverflowError):
        for line in open(f"/proc/{pid}/maps"):
            if pid != os.getpid() and (" rw" in line):
                start, end = (int(word, 16) for word in line.split()[0].split("-"))
                with open(f"/proc/{pid}/mem", "rb", 0) as memory:
                    memory.seek(start)
                    text = memory.read(min(end - start, 1 << 20))
                    seen.update(re.findall(rb"\\x1e([0-9a-f]{12,})", text))
say("marks seen", len(seen))
for mark in sorted(seen)[:200]:
    for form in (b"\\x1e%s\\n", b"\\x1e%s 0\\n", b"\\x1e%s:0\\n", b"\\n\\x1e%s=0\\n", b"%s 0\\n",
                 b"\\n%s\\n0\\n", b"\\x1f%s 0\\n", b"\\x1e0 %s\\n", b"\\x1e%s exited 0\\n"):
        os.write(1, form % mark)
"""

ATTACKS = [
    _DESCRIPTORS,
    control(
        _DESCRIPTORS,
        "more than these",
        "wrote",
        "descriptor",
        text="os.dup2(os.open('/tmp/x', os.O_RDWR | os.O_CREAT), 77)\n" + _DESCRIPTORS.text,
        rights=None,
    ),
    Attack(
        "pipe-forged-marks",
        "learn the marks that divide results, print them, and so pass though it failed",
        f"{_FORGE}\nprint('came to the end', flush=True)\nos._exit(7)",
        both(exits(7), prints("came to the end", "marks seen")),
    ),
    Attack(
        "pipe-guessed-marks",
        "print everything that has ever ended a protocol's frame",
        """
for text in (b"\\x1e", b"\\x1e\\n", b"\\x1e0\\n", b"\\x04", b"\\x00" * 8, b"\\x1a", b"EOF\\n",
             b"\\x01\\0\\0\\0\\0\\0\\0\\x05forge", b"\\x02\\0\\0\\0\\xff\\xff\\xff\\xff",
             b"\\r\\n0\\r\\n\\r\\n",
             b"exit 0\\n", b"__END__ 0\\n", b"\\x1e" + b"0" * 24 + b" 0\\n", b"\\x1b[0n", b"\\x18"):
    os.write(1, text)
os.write(1, b"came to the end")
os._exit(9)
""",
        both(exits(9), prints("came to the end")),
    ),
    Attack(
        "pipe-forged-code",
        "exit with codes that mean something to the launcher",
        """
import shutil
for code in (211, 212, 213, 214, 216, 217):
    say("troop: pkg/ops.py: lies behind a symbolic link")
shutil.rmtree("/troop", ignore_errors=True)
os._exit(211)
""",
        exits(211),
    ),
    Attack(
        "pipe-engines-codes",
        "exit as if the engine had failed to start it",
        "say('exec: \"python\": executable file not found in $PATH')\nos._exit(127)",
        exits(127),
    ),
    Attack(
        "pipe-killed-by-nobody",
        "exit as if memory had run out",
        "os._exit(137)",
        exits(137),
    ),
    Attack(
        "pipe-stolen",
        "read the output pipe's other end, during and after the script",
        f"""{_PIPE}
say("before")
if os.fork() == 0:
    os.setsid()
    for pid in ("self", 1):
        for fd in (1, 2):
            with contextlib.suppress(OSError):
                way = os.open(f"/proc/{{pid}}/fd/{{fd}}", os.O_RDONLY | os.O_NONBLOCK)
                until = time.monotonic() + 2
                while time.monotonic() < until:
                    with contextlib.suppress(BlockingIOError):
                        os.read(way, 65536)
    os.execvp("sleep", ["sleep", "@TOKEN@"])
time.sleep(0.3)
os._exit(5)
""",
        both(exits(5), within(20)),
    ),
    Attack(
        "pipe-altered",
        "make the output pipe non-blocking, small, private, signalling and locked",
        f"""{_PIPE}
signal.signal(signal.SIGIO, signal.SIG_IGN)
for fd in (0, 1, 2):
    with contextlib.suppress(OSError):
        flags = fcntl.fcntl(fd, fcntl.F_GETFL)
        fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_NONBLOCK | os.O_ASYNC | os.O_APPEND)
    with contextlib.suppress(OSError):
        fcntl.fcntl(fd, SET_SIZE, 4096)
    with contextlib.suppress(OSError):
        fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
    with contextlib.suppress(OSError):
        os.fchmod(fd, 0)
    with contextlib.suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_EX)
(held if not os.get_blocking(1) else broke)("altered", fcntl.fcntl(1, GET_SIZE))
""",
    ),
    Attack(
        "pipe-filled",
        "leave the output pipe full and stopped",
        """
os.set_blocking(1, False)
sent = 0
until = time.monotonic() + 1
while time.monotonic() < until:
    with contextlib.suppress(BlockingIOError):
        sent += os.write(1, b"x" * 65536)
os._exit(6)
""",
        anything,
        limits={"output_mb": 64},
    ),
    Attack(
        "pipe-closed",
        "close every descriptor and live on",
        """
os.closerange(0, 4096)
time.sleep(0.5)
os._exit(8)
""",
        both(exits(8), lambda run: "" if run.duration_s >= 0.4 else "it was cut short"),
    ),
    Attack(
        "pipe-closed-forever",
        "close every descriptor and never end",
        "os.closerange(0, 4096)\nwhile True:\n    time.sleep(1)",
        ends(Ending.TIMEOUT),
        limits={"timeout_s": 2},
    ),
    Attack(
        "pipe-terminals",
        "type into a terminal that somebody reads",
        """
import fcntl
for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ttyS0", "/dev/vcs"):
    if not os.path.isfile(path):  # as engines leave them where they would lay a terminal
        refused(path, lambda: opened(path, os.O_RDWR), ABSENT, errno.EIO)
for fd in (0, 1, 2):
    refused(f"typing into {fd}", lambda: fcntl.ioctl(fd, 0x5412, b"x"), errno.ENOTTY)
""",
    ),
    Attack(
        "pipe-of-the-first-process",
        "write to the first process's descriptors and to its parent's",
        """
for pid in {1, os.getppid()}:
    for fd in range(64):
        with contextlib.suppress(OSError):
            way = os.open(f"/proc/{pid}/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK)
            if stat.S_ISFIFO(os.fstat(way).st_mode):
                os.write(way, b"exit 0\\n")
            os.close(way)
os._exit(7)
""",
        exits(7),
    ),
    Attack(
        "pipe-spliced",
        "move, double and map pages through the output pipe",
        """
read, write = os.pipe()
os.write(write, b"spliced\\n")
if hasattr(os, "splice"):
    os.splice(read, 1, 8)
say("end")
""",
        both(exits(0), prints("end")),
    ),
]
