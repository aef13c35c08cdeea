/* The system calls that the supervisor makes, without a C library: 64-bit Linux on x86-64 and ARM.
 *
 * Each returns what the kernel returns: an error is a negative number.
 */
#pragma once

#define NULL ((void *)0)
typedef unsigned long size_t;

#if defined(__x86_64__)
#define NR(x86_64, aarch64) (x86_64)
#elif defined(__aarch64__)
#define NR(x86_64, aarch64) (aarch64)
#else
#error "The supervisor knows only x86-64 and ARM."
#endif

static inline long call(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
    long answer;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return answer;
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#endif
}

#define CALL5(n, a, b, c, d, e) call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define CALL3(n, a, b, c) CALL5(n, a, b, c, 0, 0)

#define EINTR 4
#define ENOENT 2
#define ENOSPC 28
#define ENOTDIR 20
#define AT_FDCWD (-100)
#define AT_REMOVEDIR 0x200
#define O_WRONLY 01
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_CLOEXEC 02000000
#define O_PATH 010000000
#define O_DIRECTORY NR(0200000, 040000)
#define O_NOFOLLOW NR(0400000, 0100000)
#define MS_RDONLY 1
#define MS_NOSUID 2
#define MS_NODEV 4
#define MS_NOEXEC 8
#define MS_REMOUNT 32
#define MS_BIND 0x1000
#define MS_REC 0x4000
#define MS_PRIVATE 0x40000
#define MNT_DETACH 2
#define CLONE_NEWNS 0x00020000
#define CLONE_NEWUTS 0x04000000
#define CLONE_NEWIPC 0x08000000
#define CLONE_NEWPID 0x20000000
#define SIGCHLD 17
#define SIGKILL 9
#define WNOHANG 1
#define POLLIN 1
#define POLLERR 8
#define POLLHUP 16
#define TMPFS_MAGIC 0x01021994
#define SIG_BLOCK 0
#define SIG_SETMASK 2
#define PROT_READ_WRITE 3
#define MAP_SHARED_ANONYMOUS 0x21

struct pollfd {
    int fd;
    short events, revents;
};
struct timespec {
    long seconds, nanoseconds;
};

static inline long sys_read(int fd, void *to, size_t most) { return CALL3(NR(0, 63), fd, to, most); }
static inline long sys_write(int fd, const void *from, size_t n) { return CALL3(NR(1, 64), fd, from, n); }
static inline long sys_close(int fd) { return CALL3(NR(3, 57), fd, 0, 0); }
static inline long sys_open(const char *path, int flags, int mode)
{
    return CALL5(NR(257, 56), AT_FDCWD, path, flags, mode, 0);
}
static inline long sys_mkdir(const char *path, int mode) { return CALL3(NR(258, 34), AT_FDCWD, path, mode); }
static inline long sys_symlink(const char *to, const char *path) { return CALL3(NR(266, 36), to, AT_FDCWD, path); }
static inline long sys_unlink(const char *path, int flags) { return CALL3(NR(263, 35), AT_FDCWD, path, flags); }
static inline long sys_mount(const char *from, const char *at, const char *kind, long flags, const char *options)
{
    return CALL5(NR(165, 40), from, at, kind, flags, options);
}
static inline long sys_umount(const char *path, int flags) { return CALL3(NR(166, 39), path, flags, 0); }
/* Without a stack of its own, a child goes on where its parent is, as after a fork. */
static inline long sys_clone(long flags) { return CALL5(NR(56, 220), flags, 0, 0, 0, 0); }
static inline long sys_execve(const char *path, char **words, char **variables)
{
    return CALL3(NR(59, 221), path, words, variables);
}
static inline void __attribute__((noreturn)) sys_exit(int code)
{
    for (;;)
        CALL3(NR(231, 94), code, 0, 0);
}
static inline long sys_wait(long pid, int *status, int options) { return CALL5(NR(61, 260), pid, status, options, 0, 0); }
static inline long sys_kill(long pid, int signal) { return CALL3(NR(62, 129), pid, signal, 0); }
static inline long sys_prctl(long what, long a, long b) { return CALL5(NR(157, 167), what, a, b, 0, 0); }
static inline long sys_capset(void *head, void *sets) { return CALL3(NR(126, 91), head, sets, 0); }
static inline long sys_setsid(void) { return CALL3(NR(112, 157), 0, 0, 0); }
static inline long sys_chroot(const char *path) { return CALL3(NR(161, 51), path, 0, 0); }
static inline long sys_chdir(const char *path) { return CALL3(NR(80, 49), path, 0, 0); }
static inline long sys_fchdir(int fd) { return CALL3(NR(81, 50), fd, 0, 0); }
static inline long sys_dup(int from, int to) { return CALL3(NR(292, 24), from, to, 0); }
static inline long sys_fchown(int fd, long user, long group) { return CALL3(NR(93, 55), fd, user, group); }
static inline long sys_fchmod(int fd, int mode) { return CALL3(NR(91, 52), fd, mode, 0); }
static inline long sys_fstatfs(int fd, void *to) { return CALL3(NR(138, 44), fd, to, 0); }
static inline long sys_umask(int mask) { return CALL3(NR(95, 166), mask, 0, 0); }
static inline long sys_clock(struct timespec *to) { return CALL3(NR(228, 113), 1, to, 0); }
static inline long sys_poll(struct pollfd *fds, long count, struct timespec *most)
{
    return CALL5(NR(271, 73), fds, count, most, 0, 8);
}
static inline long sys_signalfd(unsigned long *signals)
{
    return CALL5(NR(289, 74), -1, signals, 8, O_CLOEXEC | 04000, 0);
}
static inline long sys_sigmask(int how, unsigned long *signals)
{
    return CALL5(NR(14, 135), how, signals, NULL, 8, 0);
}
static inline void *sys_shared(size_t size)
{
    long at = call(NR(9, 222), 0, (long)size, PROT_READ_WRITE, MAP_SHARED_ANONYMOUS, -1, 0);
    return at < 0 && at > -4096 ? NULL : (void *)at;
}
