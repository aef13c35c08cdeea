"""Taking all there is of something. Each ends by its limit, and nothing else notices."""

from __future__ import annotations

from sandbox.protocol import Ending
from tests.sandbox.attacks.attack import (
    Attack,
    anything,
    both,
    endless,
    ends,
    exits,
    never_passes,
    prints,
    within,
)

_STOPPED = ends(Ending.OUT_OF_MEMORY, Ending.DISK_EXCEEDED, Ending.TIMEOUT)


ATTACKS = [
    endless(
        "fork",
        "fork without end",
        """
while True:
    with contextlib.suppress(OSError):
        os.fork()
""",
    ),
    endless(
        "fork-in-a-shell",
        "the classic",
        "os.execvp('sh', ['sh', '-c', 'f() { f | f & }; f; wait; sleep 9'])",
    ),
    endless(
        "fork-in-sessions",
        "fork without end, each in a session of its own",
        """
while True:
    with contextlib.suppress(OSError):
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
""",
    ),
    endless(
        "threads",
        "start threads without end",
        """
while True:
    with contextlib.suppress(RuntimeError, MemoryError):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
""",
    ),
    Attack(
        "bomb-disk",
        "fill the disk in files of a megabyte",
        """
number = 0
while True:
    number += 1
    with open(f"/tmp/fill-{number}", "wb") as file:
        file.write(bytes(1 << 20))
    time.sleep(0.005)
""",
        both(_STOPPED, within(25)),
        limits={"disk_mb": 48, "timeout_s": 15},
    ),
    Attack(
        "bomb-deleted-files",
        "fill the disk with files that have no name any more",
        """
kept = []
while True:
    kept.append(open("/tmp/fill", "wb"))
    os.remove("/tmp/fill")
    kept[-1].write(bytes(1 << 20))
    kept[-1].flush()
    time.sleep(0.02)
""",
        both(never_passes, within(25)),
        limits={"disk_mb": 48, "timeout_s": 3},
    ),
    Attack(
        "bomb-sparse",
        "make a file of a terabyte that holds nothing",
        """
hole = os.open("/tmp/hole", os.O_CREAT | os.O_WRONLY)
refused("seek", lambda: os.pwrite(hole, b"x", 1 << 40), errno.EFBIG)
refused("truncate", lambda: os.truncate(hole, 1 << 40), errno.EFBIG)
refused("allocate", lambda: os.posix_fallocate(hole, 0, 1 << 40),
        errno.EFBIG, errno.ENOSPC, errno.ENOTSUP)
sys.exit(0)
""",
        both(exits(0), prints("HELD seek", "HELD truncate", "HELD allocate")),
        limits={"file_mb": 4},
    ),
    endless(
        "inodes",
        "make empty files without end",
        """
number = 0
os.mkdir("/tmp/many")
os.chdir("/tmp/many")
while True:
    with contextlib.suppress(OSError):
        os.close(os.open(str(number), os.O_CREAT | os.O_WRONLY))
        number += 1
""",
        timeout_s=3,
    ),
    Attack(
        "bomb-output",
        "print without end",
        "while True:\n    os.write(1, b'x' * 65536)",
        ends(Ending.OUTPUT_EXCEEDED),
        limits={"output_mb": 2},
    ),
    Attack(
        "bomb-output-until-the-end",
        "print without end, so that whoever ends it has to wait for the output",
        "while True:\n    os.write(1, b'x' * 65536)",
        ends(Ending.TIMEOUT),
        limits={"output_mb": 1 << 20, "timeout_s": 2},
    ),
    endless(
        "output-of-many",
        "print without end in many processes that ignore signals",
        """
for number in signal.valid_signals():
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_IGN)
for _ in range(8):
    os.fork()
while True:
    os.write(1, b"\\x1e\\xff\\x1b]" * 10000)
""",
        output_mb=2,
        timeout_s=10,
    ),
    Attack(
        "bomb-descriptors",
        "open files until there are no descriptors",
        """
kept = []
try:
    while len(kept) < 200_000:
        kept.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    (held if error.errno == errno.EMFILE else broke)("descriptors", f"{len(kept)} {error}")
else:
    broke("descriptors", len(kept))
""",
    ),
    endless(
        "watchers",
        "use up what all of this machine's programs share: watches, timers, queues",
        """
import select
kept = []
for make in (libc.inotify_init, lambda: libc.timerfd_create(1, 0), lambda: libc.eventfd(0, 0)):
    while len(kept) < 100_000 and (fd := make()) >= 0:
        kept.append(fd)
time.sleep(0.5)
os._exit(7)
""",
    ),
    endless(
        "timers",
        "be woken a million times a second",
        """
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 1e-6, 1e-6)
while True:
    with contextlib.suppress(BaseException):
        time.sleep(1)
""",
    ),
    endless(
        "cores",
        "compute on many threads",
        "for _ in range(16):\n    os.fork()\n    break\nwhile True:\n    pass",
    ),
    Attack(
        "bomb-nothing",
        "do nothing for ever",
        "signal.pause()",
        both(ends(Ending.TIMEOUT), within(10)),
        limits={"timeout_s": 1},
    ),
    Attack(
        "bomb-links",
        "make a chain and a ring of symbolic links",
        """
os.chdir("/tmp")
os.symlink("ring", "ring")
for number in range(2000):
    os.symlink(f"chain-{number}", f"chain-{number + 1}")
refused("ring", lambda: opened("ring"), errno.ELOOP)
refused("chain", lambda: opened("chain-2000"), errno.ELOOP)
""",
    ),
    Attack(
        "bomb-core",
        "leave a dump of its memory",
        """
import resource
with contextlib.suppress(ValueError, OSError):
    resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
os.abort()
""",
        exits(134),
    ),
    Attack("bomb-syntax", "a script that is no script", "\x00(((((" + "(" * 5000, anything),
]
