/* What a hostile image has in place of each of its programs: it notes its rights, then goes on.
 *
 * Built as each program (REAL is not set: it runs its own path with ".real") and as the dynamic
 * linker (REAL is the path of the real one).
 */
#include "text.h"

#define PR_READ_LINK NR(267, 78)

static void note(const char *who)
{
    char status[4096];
    long fd = sys_open("/proc/self/status", O_CLOEXEC, 0), got, log;
    struct text line = {0};
    if (fd < 0)
        return;
    got = sys_read((int)fd, status, sizeof status - 1);
    sys_close((int)fd);
    status[got > 0 ? got : 0] = 0;
    add(&line, who);
    for (char *at = status; *at; at++)
        if (at[0] == '\n' && (begins(at + 1, "CapEff:\t") || begins(at + 1, "CapPrm:\t"))) {
            char digits[17] = {0};
            for (int n = 0; n < 16 && at[9 + n]; n++)
                digits[n] = at[9 + n];
            add(&line, " ");
            add(&line, digits);
        }
    add(&line, "\n");
    log = sys_open("/tmp/rights", O_WRONLY | O_CREAT | 02000 | O_CLOEXEC, 0666);
    if (log >= 0)
        say((int)log, &line);
    sys_close((int)log);
}

void __attribute__((noreturn)) start(long *stack)
{
    long count = stack[0];
    char **words = (char **)(stack + 1), **variables = words + count + 1, path[512] = {0};
    CALL5(PR_READ_LINK, AT_FDCWD, "/proc/self/exe", path, sizeof path - 16, 0);
    note(path);
#ifdef REAL
    char *all[4096], **to = all;
    *to++ = REAL;
    *to++ = "--argv0";
    *to++ = words[0];
    *to++ = path;
    for (long n = 1; n <= count && n < 4000; n++)
        *to++ = words[n];
    sys_execve(REAL, all, variables);
#else
    struct text real = {0};
    add(&real, path);
    add(&real, ".real");
    sys_execve(real.as, words, variables);
#endif
    sys_exit(99);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall start\n");
#else
__asm__(".globl _start\n_start: mov x0, sp\nbl start\n");
#endif

void *memset(void *to, int with, size_t n)
{
    for (char *at = to; n--;)
        *at++ = (char)with;
    return to;
}

#ifdef PRELOADED
void __attribute__((constructor)) loaded(void)
{
    note("preloaded");
}
#endif
