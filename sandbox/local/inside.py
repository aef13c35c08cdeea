"""The other side of a local execution: a program of its own, standard library only.

Started as `python -I -S inside.py SPEC`, with its standard input held open by
the owner. It makes the namespaces, builds the file system that the script
sees, gives up every right, and starts the script:

    this process    waits; ends everything when its standard input ends
    └── init        the first process of the namespace: reaps, and takes all with it
        └── script  limited

Without namespaces there is no init, and this process hunts down what the
script left.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

FAILED = 120
"""What this program exits with where it could not come to the script."""

_NEWNS, _NEWUTS, _NEWIPC = 0x00020000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC = 0x1, 0x2, 0x4, 0x8
_REMOUNT, _BIND, _REC, _PRIVATE, _RELATIME = 0x20, 0x1000, 0x4000, 0x40000, 0x200000
_KEPT_FLAGS = 0x2 | 0x4 | 0x8 | 0x400 | 0x800
_ST_RELATIME = 0x1000
_DETACH = 2
_SET_PDEATHSIG, _CAPBSET_DROP, _SET_SUBREAPER, _SET_NO_NEW_PRIVS = 1, 24, 36, 38
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
_SET_SECCOMP, _SECCOMP_FILTER, _STEP_BYTES = 22, 2, 8
_CAP_VERSION_3 = 0x20080522
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_HUNT_S = 10.0


def main() -> NoReturn:
    """Run what the specification says, and exit as the script did."""
    spec = json.loads(sys.argv[1])
    try:
        code = _in_namespaces(spec) if spec["mode"] != "none" else _bare(spec)
    except OSError as error:
        print(f"troop: {error}", flush=True)  # noqa: T201 - standard output leads to the owner
        code = FAILED
    os._exit(code)


def _in_namespaces(spec: dict[str, Any]) -> int:
    uid, gid = os.getuid(), os.getgid()
    flags = _NEWNS | _NEWPID | _NEWIPC | _NEWUTS | (0 if spec["network"] else _NEWNET)
    libc = _Libc()
    if spec["mode"] == "user":
        libc.unshare(flags | _NEWUSER)
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1", "ascii")
    else:
        libc.unshare(flags)
    owner_lives, life = os.pipe()
    init = os.fork()
    if init == 0:
        os.close(life)
        _exit_with(lambda: _init(spec, libc, owner_lives))
    os.close(owner_lives)
    return _wait(init, lambda: os.kill(init, signal.SIGKILL))


def _init(spec: dict[str, Any], libc: _Libc, owner_lives: int) -> int:
    if not spec["network"]:
        _loopback_up()
    socket.sethostname("sandbox")
    _build_root(spec, libc)
    if spec["mode"] == "user":
        # No namespace below this one, where the script would have rights again.
        with contextlib.suppress(OSError):
            Path("/proc/sys/user/max_user_namespaces").write_text("0", "ascii")
    _give_up_rights(spec, libc)
    # The kernel forgets this with a change of rights, so it comes after it.
    libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
    poll = select.poll()
    poll.register(owner_lives, select.POLLIN)
    if poll.poll(0):
        return FAILED
    script = os.fork()
    if script == 0:
        _exit_with(lambda: _script(spec))
    while True:
        pid, status = os.wait()
        if pid == script:
            return _code(status)


def _bare(spec: dict[str, Any]) -> int:
    linux = sys.platform == "linux"
    libc = _Libc() if linux else None
    if libc:
        libc.prctl(_SET_SUBREAPER, 1)
    script = os.fork()
    if script == 0:
        if libc:
            libc.prctl(_SET_NO_NEW_PRIVS, 1)
        _exit_with(lambda: _script(spec))
    code = _wait(script, lambda: os.killpg(script, signal.SIGKILL))
    with contextlib.suppress(OSError):
        os.killpg(script, signal.SIGKILL)
    if linux:
        _hunt()
    return code


def _script(spec: dict[str, Any]) -> NoReturn:
    os.setsid()
    for name, limit in spec["limits"].items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        value = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        # Where the system refuses a limit (macOS has no RLIMIT_AS), it is none.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(number, (value, value))
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
        signal.signal(ignored, signal.SIG_DFL)
    os.chdir(spec["cwd"])
    _filter_calls(bytes.fromhex(spec["filter"]))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.execve(spec["argv"][0], spec["argv"], spec["env"])  # noqa: S606 - the launcher is the shell's


def _build_root(spec: dict[str, Any], libc: _Libc) -> None:
    root = spec["root"]
    libc.mount("none", "/", "", _REC | _PRIVATE)
    libc.mount("tmpfs", root, "tmpfs", _NOSUID | _NODEV, "mode=755,size=4m")
    for target, link in spec["links"]:
        Path(root + target).symlink_to(link)
    for source, target, write in spec["binds"]:
        _bind(libc, source, root + target, write=write)
    _make_dev(libc, f"{root}/dev")
    Path(f"{root}/proc").mkdir()
    libc.mount("proc", f"{root}/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    os.chdir(root)
    libc.pivot_root(".", ".")
    libc.umount2(".", _DETACH)
    os.chdir("/")
    libc.mount("none", "/", "", _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)


def _bind(libc: _Libc, source: str, target: str, *, write: bool) -> None:
    if not os.path.lexists(target):
        if Path(source).is_dir():
            Path(target).mkdir(parents=True)
        else:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(target).touch()
    libc.mount(source, target, "", _BIND | _REC)
    if not write:
        now = os.statvfs(target).f_flag
        kept = now & _KEPT_FLAGS | (_RELATIME if now & _ST_RELATIME else 0)
        libc.mount("none", target, "", _REMOUNT | _BIND | _RDONLY | kept)


def _make_dev(libc: _Libc, dev: str) -> None:
    Path(dev).mkdir()
    libc.mount("tmpfs", dev, "tmpfs", _NOSUID | _NOEXEC, "mode=755,size=1m")
    for name in _DEVICES:
        if Path(f"/dev/{name}").exists():
            _bind(libc, f"/dev/{name}", f"{dev}/{name}", write=True)
    Path(f"{dev}/fd").symlink_to("/proc/self/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        Path(f"{dev}/{name}").symlink_to(f"/proc/self/fd/{number}")
    Path(f"{dev}/shm").mkdir()
    libc.mount("tmpfs", f"{dev}/shm", "tmpfs", _NOSUID | _NODEV, "mode=1777,size=64m")
    Path(f"{dev}/pts").mkdir()
    with contextlib.suppress(OSError):
        options = "newinstance,ptmxmode=0666,mode=620"
        libc.mount("devpts", f"{dev}/pts", "devpts", _NOSUID | _NOEXEC, options)
        Path(f"{dev}/ptmx").symlink_to("pts/ptmx")


def _give_up_rights(spec: dict[str, Any], libc: _Libc) -> None:
    libc.prctl(_SET_NO_NEW_PRIVS, 1)
    for capability in range(64):
        try:
            libc.prctl(_CAPBSET_DROP, capability)
        except OSError:
            break  # the kernel knows no more of them
    if spec["uid"] is not None:
        os.setgroups([])
        os.setresgid(spec["uid"], spec["uid"], spec["uid"])
        os.setresuid(spec["uid"], spec["uid"], spec["uid"])
    libc.drop_capabilities()


def _filter_calls(program: bytes) -> None:
    """Have the kernel refuse what `program` says. Needs that there are no new privileges."""
    if not program:
        return
    steps = ctypes.create_string_buffer(program, len(program))
    given = struct.pack("HxxxxxxP", len(program) // _STEP_BYTES, ctypes.addressof(steps))
    held = ctypes.create_string_buffer(given, len(given))
    # A kernel without such filters has no weaker walls than before there was one.
    with contextlib.suppress(OSError):
        _Libc().prctl(_SET_SECCOMP, _SECCOMP_FILTER, ctypes.addressof(held))


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))


def _wait(child: int, kill: Any) -> int:
    """The exit code of `child`, which is killed when the owner's end of the input closes."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(wake_read, select.POLLIN)
    poll.register(0, select.POLLIN)
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return _code(status)
        for fd, _ in poll.poll():
            if fd == 0:
                poll.unregister(0)
                with contextlib.suppress(ProcessLookupError):
                    kill()
            else:
                os.read(wake_read, 4096)


def _hunt() -> None:
    """Kill all descendants: orphans of any depth become children of this process."""
    until = time.monotonic() + _HUNT_S
    me = os.getpid()
    while time.monotonic() < until:
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and _parent(entry) == me:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(entry.name), signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def _exit_with(work: Any) -> NoReturn:
    """End a forked process with what `work` returns, whatever happens in it."""
    code = FAILED
    try:
        code = work()
    except OSError as error:
        print(f"troop: {error}", flush=True)  # noqa: T201 - standard output leads to the owner
    finally:
        os._exit(code)


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


class _Libc:
    """The system calls that Python lacks, with errors as OSError."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def unshare(self, flags: int) -> None:
        self._call("unshare", flags)

    def mount(self, source: str, target: str, kind: str, flags: int, options: str = "") -> None:
        words = (source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags))
        self._call("mount", *words, options.encode())

    def umount2(self, target: str, flags: int) -> None:
        self._call("umount2", target.encode(), flags)

    def pivot_root(self, new: str, old: str) -> None:
        self._call("pivot_root", new.encode(), old.encode())

    def prctl(self, option: int, value: int, more: int = 0) -> None:
        zero = ctypes.c_ulong(0)
        self._call("prctl", option, ctypes.c_ulong(value), ctypes.c_ulong(more), zero, zero)

    def drop_capabilities(self) -> None:
        head = (ctypes.c_uint32 * 2)(_CAP_VERSION_3, 0)
        self._call("capset", head, (ctypes.c_uint32 * 6)())

    def _call(self, name: str, *arguments: Any) -> None:
        if getattr(self._libc, name)(*arguments) != 0:
            number = ctypes.get_errno()
            said = " ".join(str(a) for a in arguments if isinstance(a, bytes))
            raise OSError(number, f"{name} {said}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
