"""One system call each, of those with which containers have been left: all must be refused."""

from __future__ import annotations

from tests.sandbox.attacks.attack import Attack

_SOCKETS = {
    "alg": (38, 5, 0),
    "packet": (17, 3, 768),
    "vsock": (40, 1, 0),
    "xdp": (44, 3, 0),
    "bluetooth": (31, 3, 1),
    "can": (29, 3, 1),
    "tipc": (30, 5, 0),
    "rds": (21, 5, 0),
    "kcm": (41, 5, 0),
    "smc": (43, 1, 0),
    "nfc": (39, 5, 0),
    "qipcrtr": (42, 2, 0),
    "ax25": (3, 5, 0),
    "x25": (9, 5, 0),
    "pppox": (24, 1, 0),
    "llc": (26, 1, 0),
    "key": (15, 3, 2),
    "netlink-netfilter": (16, 3, 12),
    "netlink-generic": (16, 3, 16),
    "netlink-xfrm": (16, 3, 6),
    "netlink-audit": (16, 3, 9),
    "netlink-uevents": (16, 3, 15),
    "raw-tcp": (2, 3, 6),
    "raw-icmp": (2, 3, 1),
    "sctp": (2, 1, 132),
    "dccp": (2, 6, 33),
    "mptcp-raw": (2, 3, 262),
}
_NO_SUCH = "errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EINVAL"

_DEVICES = {
    "memory": ("c", 1, 1),
    "ports": ("c", 1, 4),
    "messages": ("c", 1, 11),
    "disk": ("b", 254, 0),
    "sata-disk": ("b", 8, 0),
    "loop": ("b", 7, 0),
    "loop-control": ("c", 10, 237),
    "mapper": ("c", 10, 236),
    "fuse": ("c", 10, 229),
    "kvm": ("c", 10, 232),
    "tunnel": ("c", 10, 200),
    "input": ("c", 10, 223),
    "vhost": ("c", 10, 238),
    "terminal": ("c", 4, 1),
    "serial": ("c", 4, 64),
    "frame-buffer": ("c", 29, 0),
    "nbd": ("b", 43, 0),
    "ram": ("b", 1, 0),
}

_CALLS = {
    "keyctl-session": 'syscall("keyctl", 1, None)',
    "keyctl-user-ring": 'syscall("keyctl", 0, -4, 1)',
    "keyctl-link": 'syscall("keyctl", 8, -4, -3)',
    "keyctl-describe": 'syscall("keyctl", 6, -5, None, 0)',
    "keyctl-persistent": 'syscall("keyctl", 22, -1, -3)',
    "keyctl-capabilities": 'syscall("keyctl", 31, bytes(8), 8)',
    "add-big-key": 'syscall("add_key", b"big_key", b"left-@TOKEN@", bytes(9000), 9000, -4)',
    "request-logon": 'syscall("request_key", b"logon", b"x:y", None, -4)',
    "bpf-socket-filter": 'syscall("bpf", 5, struct.pack("IIQQ", 1, 2, 0, 0) + bytes(104), 128)',
    "bpf-btf": 'syscall("bpf", 18, bytes(128), 128)',
    "bpf-ids": 'syscall("bpf", 11, bytes(128), 128)',
    "bpf-token": 'syscall("bpf", 36, bytes(128), 128)',
    "userfaultfd-user-only": 'syscall("userfaultfd", 1)',
    "ring-setup": 'syscall("io_uring_setup", 1, ctypes.create_string_buffer(120))',
    "ring-polled": 'syscall("io_uring_setup", 8, struct.pack("4I", 0, 0, 2, 0) + bytes(104))',
    "perf": 'syscall("perf_event_open", struct.pack("2I", 1, 112) + bytes(104), 0, -1, -1, 0)',
    "user-namespace": 'in_child(lambda: syscall("unshare", 0x10000000))',
    "user-and-mount-namespace": 'in_child(lambda: syscall("unshare", 0x10020000))',
    "user-and-net-namespace": 'in_child(lambda: syscall("unshare", 0x50000000))',
    "time-namespace": 'in_child(lambda: syscall("unshare", 0x80))',
    "enter-own-namespace": 'in_child(lambda: syscall("setns", os.open("/proc/self/ns/mnt", 0), 0))',
    "enter-first-namespace": 'syscall("setns", syscall("pidfd_open", 1, 0), 0x20000)',
    "chroot-again": 'in_child(lambda: os.chroot("/tmp"))',
    "pivot": 'syscall("pivot_root", b".", b".")',
    "mount-fuse": 'syscall("mount", b"x", b"/tmp", b"fuse", 0, b"fd=0,rootmode=40000,user_id=0")',
    "mount-overlay": 'syscall("mount", b"o", b"/tmp", b"overlay", 0, b"userxattr,lowerdir=/")',
    "mount-image": 'syscall("mount", b"/dev/loop0", b"/tmp", b"ext4", 0, None)',
    "mount-as-slave": 'syscall("mount", None, b"/", None, (1 << 19) | 16384, None)',
    "detach-root": 'syscall("umount2", b"/", 2)',
    "uncover-proc": 'syscall("umount2", b"/proc", 2)',
    "handle-of-root": 'syscall("open_by_handle_at", -100, struct.pack("Ii8s", 8, 1, b"\\2"), 0)',
    "ptrace-parent": 'syscall("ptrace", 0x4206, os.getppid(), 0, 0)',
    "secret-log": 'syscall("syslog", 2, ctypes.create_string_buffer(99), 99)',
    "bad-personality": 'syscall("personality", 0x0400000)',
    "old-accounts": 'syscall("acct", None)',
    "quota-on": 'syscall("quotactl", 0x800002 << 8, b"/dev/vda", 0, b"/x")',
}  # fmt: skip
_ALLOWED_TO_FAIL = "UNKNOWN, errno.ESRCH, errno.ENOTBLK, errno.ENOENT, errno.EINVAL"
_STRICT = ("user", "keyctl", "add", "request", "bpf", "ring", "mount", "chroot", "pivot")


def _call(name: str, text: str) -> Attack:
    others = "UNKNOWN" if name.startswith(_STRICT) else _ALLOWED_TO_FAIL
    return Attack(
        f"call-{name}", f"make one call: {name}", f"refused({name!r}, lambda: {text}, {others})"
    )


def _socket(name: str, kind: tuple[int, int, int]) -> Attack:
    text = f"refused({name!r}, lambda: socket.socket{kind!r}.close(), {_NO_SUCH})"
    return Attack(f"socket-{name}", f"open a socket: {name}", text)


def _device(name: str, kind: str, major: int, minor: int) -> Attack:
    flag = "stat.S_IFCHR" if kind == "c" else "stat.S_IFBLK"
    return Attack(
        f"device-{name}",
        f"make a device file and open it: {name}",
        f"""
for at in ("/tmp/left-@TOKEN@", "/dev/left-@TOKEN@", "left-@TOKEN@"):
    refused(at, lambda: os.mknod(at, {flag} | 0o666, os.makedev({major}, {minor})))
    refused("open", lambda: opened(at, os.O_RDWR), ABSENT)
""",
    )


ATTACKS = [
    *(_call(name, text) for name, text in _CALLS.items()),
    *(_socket(name, kind) for name, kind in _SOCKETS.items()),
    *(_device(name, *numbers) for name, numbers in _DEVICES.items()),
]
