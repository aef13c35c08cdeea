"""The system calls that Troop's containers may make: our own seccomp profile.

It is an allow-list: calls that it does not name fail, as in Docker's own profile
(github.com/moby/profiles). Unlike that profile with the capability that mounts
need (SYS_ADMIN), it forbids: user namespaces, setns, bpf, perf,
keyrings, userfaultfd, io_uring, the mount API that works on descriptors, other
processes' memory, and every kind of socket but local, IP and routing queries.
"""

from __future__ import annotations

import functools
import json
from typing import Any

_ALLOWED = """
    accept accept4 access adjtimex alarm arch_prctl arm_fadvise64_64 arm_sync_file_range bind
    breakpoint brk cachestat cacheflush capget capset chdir chmod chown chown32 clock_getres
    clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close
    close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl
    epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve
    execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod
    fchmodat fchmodat2 fchown fchown32 fchownat fdatasync fgetxattr flistxattr flock
    fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate
    ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat
    get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid
    geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid
    getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage
    getsid getsockname getsockopt gettid gettimeofday getuid getuid32 getxattr inotify_add_watch
    inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
    io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set ipc kill landlock_add_rule
    landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link linkat listen
    listxattr llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack
    membarrier memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2
    mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
    mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock
    munlockall munmap nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal
    pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv
    preadv2 process_mrelease pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2
    read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg
    remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction
    rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
    rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
    sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler
    sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile
    sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address set_tls
    setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer
    setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
    setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget
    shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketpair splice stat stat64
    statfs statfs64 statx symlink symlinkat sync sync_file_range sync_file_range2 syncfs sysinfo
    tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
    timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
    timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat utime
    utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
"""
_FOR_THE_SUPERVISOR = "chroot mount umount umount2"
"""They need a capability that the supervisor has, but no script has."""

_ABSENT = """
    clone3 fsconfig fsmount fsopen fspick io_uring_enter io_uring_register io_uring_setup
    mount_setattr move_mount open_tree process_vm_readv process_vm_writev userfaultfd
"""
"""Reported as unknown to the kernel, so that libraries take the older way."""

_NEW_USER = 0x10000000
_ENOSYS = 38
_EPERM = 1
_EPROTONOSUPPORT = 93
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_NETLINK_ROUTE, _NETLINK_AUDIT = 0, 9
_FCNTLS = (*range(17), *range(36, 39), *range(1024, 1031), *range(1032, 1041))
"""All but F_SETPIPE_SZ, because the pipe that scripts print into outlives them. Each is named,
because the kernel only looks at half of the argument, and a comparison looks at all of it."""
_LINUX_PERSONALITIES = (0x0, 0x0008, 0x20000, 0x20008, 0xFFFFFFFF)


@functools.cache
def profile() -> str:
    """The profile as JSON, for the engine's `seccomp=` option."""
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": _EPERM,
            "syscalls": [
                _rule(f"{_ALLOWED} {_FOR_THE_SUPERVISOR}"),
                # No flag for a new user namespace, in which a script would have capabilities.
                _rule("clone unshare", _argument(0, "MASKED_EQ", _NEW_USER, 0)),
                *(_rule("socket", _argument(0, "EQ", kind)) for kind in (_UNIX, _INET, _INET6)),
                _rule("socket", _argument(0, "EQ", _NETLINK), _argument(2, "EQ", _NETLINK_ROUTE)),
                # As from a kernel without audit: groupadd and others continue only then.
                _rule("socket", _argument(0, "EQ", _NETLINK), _argument(2, "EQ", _NETLINK_AUDIT))
                | {"action": "SCMP_ACT_ERRNO", "errnoRet": _EPROTONOSUPPORT},
                *(_rule("fcntl fcntl64", _argument(1, "EQ", command)) for command in _FCNTLS),
                # Its own limits, or only a look: the first process has the same user.
                _rule("prlimit64", _argument(0, "EQ", 0)),
                _rule("prlimit64", _argument(2, "EQ", 0)),
                *(_rule("personality", _argument(0, "EQ", one)) for one in _LINUX_PERSONALITIES),
                _rule(_ABSENT) | {"action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS},
            ],
        }
    )


def _rule(names: str, *arguments: dict[str, Any]) -> dict[str, Any]:
    return {"names": names.split(), "action": "SCMP_ACT_ALLOW", "args": list(arguments)}


def _argument(index: int, compare: str, value: int, second: int = 0) -> dict[str, Any]:
    operation = f"SCMP_CMP_{compare}"
    return {"index": index, "value": value, "valueTwo": second, "op": operation}
