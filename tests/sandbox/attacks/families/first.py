"""The first process of an execution, which holds rights, and the supervisor behind it."""

from __future__ import annotations

from sandbox.protocol import Ending
from tests.sandbox.attacks.attack import Attack, anything, both, ends, exits, prints

_ONE = """
import fcntl, resource
def first():
    with open("/proc/1/cmdline", "rb") as file:
        return file.read().split(b"\\0")[0]
"""


def _of_first(name: str, aim: str, text: str) -> Attack:
    return Attack(f"first-{name}", aim, f"{_ONE}\n{text}")


def _read(name: str) -> Attack:
    """A file of the first process that only one with its rights may read or enter."""
    return _of_first(
        f"reads-{name}",
        f"read /proc/1/{name}, which only its own program may",
        f"""
def look():
    path = "/proc/1/{name}"
    if os.path.islink(path):
        return os.readlink(path)
    if os.path.isdir(path):
        return [os.readlink(f"{{path}}/{{each}}") for each in os.listdir(path)]
    with open(path, "rb") as file:
        return file.read(100)
refused("{name}", look, ABSENT, errno.EIO)
""",
    )


_FILES = ("mem", "environ", "exe", "root", "cwd", "fd", "map_files", "maps", "smaps", "auxv",
          "pagemap", "syscall", "stack", "io", "personality", "timers")  # fmt: skip
_CALLS = {
    "attach": 'lambda: syscall("ptrace", 16, 1, 0, 0)',
    "seize": 'lambda: syscall("ptrace", 0x4206, 1, 0, 0)',
    "interrupt": 'lambda: syscall("ptrace", 0x4207, 1, 0, 0), errno.ESRCH',
    "read-memory": 'lambda: syscall("process_vm_readv", 1, bytes(16), 1, bytes(16), 1, 0), UNKNOWN',
    "take-descriptor": 'lambda: syscall("pidfd_getfd", syscall("pidfd_open", 1, 0), 0, 0), UNKNOWN',
    "compare": 'lambda: syscall("kcmp", os.getpid(), 1, 0, 1, 1), UNKNOWN',
    "move-pages": 'lambda: syscall("move_pages", 1, 0, None, None, None, 0), UNKNOWN',
    "migrate": 'lambda: syscall("migrate_pages", 1, 8, bytes(8), bytes(8)), UNKNOWN',
    "limit": "lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3))",
    "limit-processes": "lambda: resource.prlimit(1, resource.RLIMIT_NPROC, (0, 0))",
}

ATTACKS = [
    *map(_read, _FILES),
    *(
        _of_first(
            name,
            f"change or read the first process by a call: {name}",
            f"refused({name!r}, {call})",
        )
        for name, call in _CALLS.items()
    ),
    Attack(
        "first-all-signals",
        "send every signal to the first process",
        """
for number in range(1, 65):
    with contextlib.suppress(OSError):
        os.kill(1, number)
time.sleep(0.2)
say("it lives")
os._exit(7)
""",
        both(exits(7), prints("it lives")),
    ),
    Attack(
        "first-queued-signals",
        "queue a great many signals for the first process",
        """
for _ in range(20000):
    with contextlib.suppress(OSError):
        os.kill(1, 34)
say("it lives")
os._exit(7)
""",
        both(exits(7), prints("it lives")),
    ),
    Attack(
        "first-children",
        "give it ten thousand dead children while the script ends",
        """
for _ in range(10000):
    try:
        if os.fork() == 0:
            if os.fork() == 0:
                os._exit(3)
            os._exit(4)
    except OSError:
        break
os._exit(5)
""",
        exits(5),
        limits={"processes": 64},
    ),
    Attack(
        "first-codes",
        "have a child end with another code just before the script does",
        """
for code in (0, 0, 0, 2):
    if os.fork() == 0:
        os.setsid()
        os._exit(code)
os._exit(9)
""",
        exits(9),
    ),
    Attack(
        "first-folder",
        "empty Troop's folder, and lay links, pipes and folders where its files were",
        """
import shutil
shutil.rmtree("/troop", ignore_errors=True)
for name in ("job", "base", "root", "x", "u", "w", "layers", "devices", "empty", "full", "busy"):
    with contextlib.suppress(OSError):
        os.makedirs("/troop", exist_ok=True)
        os.symlink("/", f"/troop/{name}")
for name in ("launch.sh", "script.py", "word", "start.py"):
    with contextlib.suppress(OSError):
        os.mkfifo(f"/troop/{name}")
os._exit(5)
""",
        exits(5),
    ),
    Attack(
        "first-end-file",
        "leave no inode for what tells whether the disk is full",
        """
with contextlib.suppress(OSError):
    for number in range(1 << 20):
        os.close(os.open(f"/tmp/{number}", os.O_CREAT))
os._exit(5)
""",
        ends(Ending.DISK_EXCEEDED, Ending.TIMEOUT),
        limits={"disk_mb": 16, "timeout_s": 30},
    ),
    Attack(
        "first-orders",
        "write orders to the supervisor wherever it might read them",
        """
orders = b"run x 0 9\\nforget 1\\nhello x size=1m\\nfile 1 launch.sh\\nx"
for path in ("/dev/stdin", "/proc/self/fd/0", "/proc/1/fd/0", "/troop/x", "/dev/tty"):
    with contextlib.suppress(OSError):
        way = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        os.write(way, orders)
os.write(1, b"\\n" + orders)
os.write(2, b"\\n" + orders)
os._exit(5)
""",
        exits(5),
    ),
    Attack(
        "first-own-name",
        "call itself as the first process is called",
        """
name = ctypes.create_string_buffer(b"troop")
libc.prctl(15, name, 0, 0, 0)
os._exit(5)
""",
        exits(5),
    ),
    Attack(
        "first-stopped-end",
        "stop every process that it sees just before it ends",
        "with contextlib.suppress(OSError):\n    os.kill(-1, signal.SIGSTOP)\nos._exit(5)",
        exits(5),
    ),
    Attack(
        "first-score",
        "be the last that is ended for lack of memory",
        """
for value in ("-1000", "-999", "0", "999"):
    refused(value, lambda: open("/proc/self/oom_score_adj", "w").write(value))
for value in ("-17", "0"):
    refused("old " + value, lambda: open("/proc/self/oom_adj", "w").write(value))
""",
    ),
    Attack(
        "first-reads-its-output",
        "read the pipe that it prints into, as others could have printed there",
        """
refused("output", lambda: opened("/proc/self/fd/1"), ABSENT)
refused("by name", lambda: opened("/dev/stdout"), ABSENT)
way = os.open("/dev/stdout", os.O_WRONLY)
os.write(way, b"HELD it may be written to by its name\\n")
""",
    ),
    Attack(
        "first-many-descriptors",
        "hold so many descriptors that none is left for the supervisor",
        """
held_open = []
with contextlib.suppress(OSError):
    while True:
        held_open.append(os.open("/dev/null", os.O_RDONLY))
for _ in range(30):
    if os.fork() == 0:
        time.sleep(100)
os._exit(5)
""",
        exits(5),
        limits={"processes": 64},
    ),
    Attack(
        "first-sleeps",
        "leave processes in calls that take long to end",
        """
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        with contextlib.suppress(OSError):
            os.sync()
        read, write = os.pipe()
        os.read(read, 1)
os._exit(5)
""",
        both(exits(5), anything),
    ),
]
