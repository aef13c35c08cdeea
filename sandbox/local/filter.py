"""A filter of system calls for local executions, as a program for the kernel.

The namespaces of the local sandbox leave open what no namespace covers (keys, BPF, io_uring) and,
if root made them, new user namespaces, in which a script would have all rights. Scripts get an
error for these calls. It is a list of refused calls, not the list of allowed ones that containers
have (`sandbox/docker/containers/seccomp.py`), because it only closes what is known.
"""

from __future__ import annotations

import platform
import struct

_EPERM, _ENOSYS = 1, 38
_REFUSED = {  # the numbers on x86_64 and on aarch64
    "add_key": (248, 217),
    "bpf": (321, 280),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "request_key": (249, 218),
    "setns": (308, 268),
    "syslog": (103, 116),
}
_UNKNOWN = {  # so that libraries take the older way
    "clone3": (435, 435),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "userfaultfd": (323, 282),
}
_NEW_NAMESPACES = {"clone": (56, 220), "unshare": (272, 97)}
_NAMESPACES = 0x7E020000
"""Flags of clone and unshare: a new namespace of any kind. For clone, 0x80 is part of a signal."""
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16


def system_call_filter(machine: str = "") -> bytes:
    """The program for `machine`, by default this one; b"": for that there is none."""
    known = _MACHINES.get(machine or platform.machine())
    if known is None:
        return b""
    column, kernel_machine = known
    program = [
        _step(_LOAD, _MACHINE_AT),
        _step(_EQUAL, kernel_machine, 1, 0),  # calls of other kinds have other numbers
        _step(_RETURN, _ERROR | _EPERM),
        _step(_LOAD, _NUMBER_AT),
        _step(_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, _ERROR | _ENOSYS),
    ]
    for calls, error in ((_REFUSED, _EPERM), (_UNKNOWN, _ENOSYS)):
        for numbers in calls.values():
            program += [_step(_EQUAL, numbers[column], 0, 1), _step(_RETURN, _ERROR | error)]
    for numbers in _NEW_NAMESPACES.values():
        program += [
            _step(_EQUAL, numbers[column], 0, 4),
            _step(_LOAD, _FIRST_ARGUMENT_AT),
            _step(_ANY_BIT, _NAMESPACES, 0, 1),
            _step(_RETURN, _ERROR | _EPERM),
            _step(_RETURN, _ALLOW),
        ]
    return b"".join([*program, _step(_RETURN, _ALLOW)])


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
