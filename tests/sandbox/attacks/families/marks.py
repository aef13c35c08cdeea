"""Attributes and modes that outlive a file's content, floods of odd bytes, and races of links."""

from __future__ import annotations

from sandbox.protocol import Ending
from tests.sandbox.attacks.attack import Attack, both, ends, exits, within

_ATTRIBUTES = {
    "overlay-opaque": ("trusted.overlay.opaque", b"y"),
    "overlay-redirect": ("trusted.overlay.redirect", b"/etc"),
    "overlay-metacopy": ("trusted.overlay.metacopy", b""),
    "capability": ("security.capability", b"\\1\\0\\0\\2" + b"\\xff" * 16),
    "integrity": ("security.ima", b"\\1" * 21),
}


def _attribute(name: str, key: str, value: bytes) -> Attack:
    return Attack(
        f"attribute-{name}",
        f"set {key} on files and folders of the image",
        f"""
unsupported = (errno.EOPNOTSUPP, errno.ENODATA, errno.EINVAL)
open("/tmp/own", "w").close()
for path in ("/tmp/own", "/tmp", "/", "/etc", ".", "/dev/null", "/bin/sh"):
    refused(path, lambda: os.setxattr(path, {key!r}, b"{value.decode("latin-1")}"), *unsupported)
""",
    )


def _mode(path: str) -> Attack:
    name = path.strip("/").replace("/", "-")
    return Attack(
        f"mode-of-{name}",
        f"change the mode, the times and the owner of {path} for the next execution",
        f"""
for action in (lambda: os.chmod({path!r}, 0), lambda: os.utime({path!r}, (1, 1)),
               lambda: os.chown({path!r}, 65534, 65534), lambda: os.chmod({path!r}, 0o4777)):
    with contextlib.suppress(OSError):
        action()
os._exit(5)
""",
        exits(5),
    )


def _flood(name: str, aim: str, text: str) -> Attack:
    return Attack(
        f"flood-{name}",
        aim,
        f"{text}\nos._exit(5)",
        both(lambda run: "" if run.exit_code == 5 or not run.passed else "it passed", within(40)),
        limits={"output_mb": 64, "timeout_s": 20},
    )


_PATHS = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
          "/dev/pts", "/dev/shm", "/dev", "/proc", "/sys", "/tmp", "/etc/hosts", "/etc/resolv.conf",
          "/troop", "/bin/sh", "/proc/acpi", "/proc/scsi", "/proc/kcore")  # fmt: skip

ATTACKS = [
    *(_attribute(name, *given) for name, given in _ATTRIBUTES.items()),
    *map(_mode, _PATHS),
    _flood("nuls", "print 20 MB of NULs", "for _ in range(320):\n    os.write(1, bytes(65536))"),
    _flood(
        "record-signs",
        "print marks' first byte without end",
        "for _ in range(80):\n    os.write(1, b'\\x1e' * 65536)",
    ),
    _flood(
        "half-marks",
        "print what marks look like",
        "for n in range(20000):\n    os.write(1, b'\\x1e%024x 0 -' % n)",
    ),
    _flood(
        "one-line", "print one line of 30 MB", "for _ in range(480):\n    os.write(1, b'a' * 65536)"
    ),
    _flood(
        "single-bytes",
        "print in writes of one byte",
        "for _ in range(100000):\n    os.write(1, b'x')",
    ),
    _flood(
        "bad-utf-8",
        "print bytes that are no text",
        "for _ in range(160):\n    os.write(1, b'\\xf0\\x9f' * 32768)",
    ),
    _flood(
        "errors",
        "print to standard error alone",
        "for _ in range(160):\n    os.write(2, bytes(65536))",
    ),
    Attack(
        "race-links-in-troop",
        "swap the launcher's files for links to it, while others are started",
        """
until = time.monotonic() + 1.5
while time.monotonic() < until:
    for name in ("launch.sh", "script.py", "start.py", "word", "x"):
        path = f"/troop/{name}"
        with contextlib.suppress(OSError):
            os.unlink(path)
        with contextlib.suppress(OSError):
            os.symlink("/etc/passwd", path)
os._exit(5)
""",
        exits(5),
    ),
    Attack(
        "race-links-in-dev",
        "swap devices for links to files, at the end most of all",
        """
until = time.monotonic() + 1.5
while time.monotonic() < until:
    for name in ("null", "tty", "pts", "shm", "stdout"):
        with contextlib.suppress(OSError):
            os.rename(f"/dev/{name}", f"/dev/was-{name}")
        with contextlib.suppress(OSError):
            os.unlink(f"/dev/{name}")
        with contextlib.suppress(OSError):
            os.symlink("/etc/passwd", f"/dev/{name}")
os._exit(5)
""",
        exits(5),
    ),
    Attack(
        "race-folders-exchanged",
        "exchange folders above the repository while it works in them",
        """
import shutil
os.makedirs("/tmp/other", exist_ok=True)
here = os.getcwd()
for _ in range(200):
    with contextlib.suppress(OSError):
        libc.renameat2(-100, here.encode(), -100, b"/tmp/other", 2)
os._exit(5)
""",
        exits(5),
    ),
    Attack(
        "race-root-renamed",
        "move everything at the root of the file system",
        """
for name in os.listdir("/"):
    with contextlib.suppress(OSError):
        os.rename(f"/{name}", f"/was-{name}")
    with contextlib.suppress(OSError):
        os.symlink("/proc", f"/{name}")
os._exit(5)
""",
        exits(5),
    ),
    Attack(
        "race-end-and-write",
        "write files from many processes while the script ends",
        """
for number in range(30):
    if os.fork() == 0:
        os.setsid()
        while True:
            with contextlib.suppress(OSError):
                open(f"/tmp/left-@TOKEN@-{number}", "w").write("x" * 10000)
os._exit(5)
""",
        exits(5),
        limits={"processes": 64},
    ),
    Attack(
        "race-memory-at-the-end",
        "take the last memory just when the supervisor needs some",
        """
kept = []
with contextlib.suppress(MemoryError):
    while True:
        kept.append(bytearray(1 << 20))
os._exit(5)
""",
        ends(Ending.OUT_OF_MEMORY, Ending.EXITED, Ending.TIMEOUT),
        limits={"memory_mb": 64, "timeout_s": 20},
    ),
]
