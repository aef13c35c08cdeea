/* The supervisor: the first process of a warm container.
 *
 * It holds the container's capabilities, so it is a program of Troop's own and not of the image,
 * and uses nothing of the image: no library, no interpreter, no file. It reads orders from standard
 * input. Standard output carries what scripts print and, once all their processes are gone, the
 * mark that ends it; standard error carries all else. It ends with its input, and the container
 * with it.
 *
 * An order is a line:
 *
 *   hello MARK OPTIONS       prepare /troop; OPTIONS are those of an execution's tmpfs
 *   file SIZE NAME           write the SIZE bytes that follow where the next execution finds them
 *   gone NAME                remove such a file
 *   patch MARK N SECONDS     run what lays a patch; what it writes becomes the layer N
 *   forget N                 remove a layer
 *   run MARK N SECONDS       execute what was written, on the layer N (0: on none)
 *
 * Those with a MARK are answered. SECONDS: after them, the container ends.
 */

#include "execution.h"
#include "text.h"

#define PR_SET_NAME 15

static struct told *told; /* shared with the first process of an execution */
static char scratch[256];
static char **variables;
static int out, err, signals, broken;

/* Orders */

static char buffer[1 << 16];
static size_t next, until;

static int fill(void)
{
    long got;
    do
        got = sys_read(0, buffer, sizeof buffer);
    while (got == -EINTR);
    next = 0, until = got > 0 ? (size_t)got : 0;
    return until > 0;
}

static int read_line(char *line, size_t room)
{
    for (size_t used = 0; used < room; used++) {
        if (next == until && !fill())
            return 0;
        line[used] = buffer[next++];
        if (line[used] == '\n') {
            line[used] = 0;
            return 1;
        }
    }
    return 0;
}

/* Ends `line` at its next space, and returns what follows it. */
static char *rest_of(char *line)
{
    while (*line && *line != ' ')
        line++;
    if (*line)
        *line++ = 0;
    return line;
}

/* Answers */

static void over(const char *mark, long code, const char *note)
{
    struct text last = {0}, end = {0};
    add(&last, "\036");
    add(&last, mark);
    add(&end, last.as);
    add(&end, " ");
    add_number(&end, code);
    add(&end, " ");
    add(&end, note);
    add(&end, "\n");
    add(&last, "\n");
    say(out, &end);
    say(err, &last);
}

static void __attribute__((noreturn)) lacks(const char *mark, const char *what)
{
    struct text said = {0};
    add(&said, "\036");
    add(&said, mark);
    add(&said, " lacks ");
    add(&said, what);
    add(&said, "\n\036");
    say(out, &said);
    said.used = 0;
    add(&said, "\036");
    add(&said, mark);
    add(&said, "\n");
    say(err, &said);
    sys_exit(1);
}

/* Files */

static const char *place_of(struct text *path, const char *name)
{
    for (const char *at = name; *at; at++)
        if (*at == '/')
            sys_exit(1);
    add(path, "job/troop/");
    add(path, name);
    return path->as;
}

static void file(char *words)
{
    char *name = rest_of(words);
    size_t left = (size_t)number_of(words);
    struct text path = {0};
    long fd = sys_open(place_of(&path, name), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    int whole = fd >= 0;
    while (left) {
        if (next == until && !fill())
            sys_exit(0);
        size_t piece = until - next < left ? until - next : left;
        whole = whole && write_all((int)fd, buffer + next, piece);
        next += piece, left -= piece;
    }
    if (fd >= 0)
        sys_close((int)fd);
    broken |= !whole;
}

/* Executions */

static long processes_killed(void)
{
    static const char *const events[] = {"/sys/fs/cgroup/memory.events",
                                         "/sys/fs/cgroup/memory/memory.oom_control"};
    for (int n = 0; n < 2; n++) {
        char text[1024];
        long fd = sys_open(events[n], O_CLOEXEC, 0), got;
        if (fd < 0)
            continue;
        got = sys_read((int)fd, text, sizeof text - 1);
        sys_close((int)fd);
        text[got > 0 ? got : 0] = 0;
        for (char *at = text; *at; at++)
            if ((at == text || at[-1] == '\n') && begins(at, "oom_kill "))
                return number_of(at + length("oom_kill "));
    }
    return 0;
}

static void __attribute__((noreturn)) end_all(void)
{
    sys_kill(-1, SIGKILL);
    sys_exit(1);
}

/* The exit code of `pid`. If the owner is gone, or the time, all processes end. */
static int wait_for(long pid, long seconds)
{
    struct timespec now;
    sys_clock(&now);
    for (long last = now.seconds + seconds;; sys_clock(&now)) {
        int status = 0;
        long ended = sys_wait(pid, &status, WNOHANG);
        struct pollfd fds[] = {{signals, POLLIN, 0}, {0, 0, 0}};
        struct timespec left = {last - now.seconds, 0};
        char told_by[128];
        if (ended == pid)
            return exit_code(status);
        if (left.seconds < 0 || (ended < 0 && ended != -EINTR))
            end_all();
        sys_poll(fds, 2, &left);
        if (fds[1].revents & (POLLHUP | POLLERR))
            end_all();
        while (sys_read(signals, told_by, sizeof told_by) > 0)
            ;
    }
}

static void enter(char *words, int is_patch)
{
    char *mark = words, *layer = rest_of(mark), *seconds = rest_of(layer);
    struct text path = {0};
    long number = number_of(layer), before = processes_killed(), code;
    if (is_patch) {
        add(&path, "layers/");
        add_number(&path, number);
        sys_mkdir(path.as, 0755);
        /* A file system of its own, so that it can be removed at once. */
        broken |= sys_mount("none", path.as, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=512m") < 0;
        sys_chdir(path.as);
        broken |= sys_mkdir("u", 0755) < 0 || sys_mkdir("w", 0755) < 0;
        sys_chdir("/troop");
    }
    told->full = 0;
    if (broken) {
        broken = 0;
        over(mark, NOT_BUILT, "full");
        return;
    }
    code = sys_clone(SIGCHLD | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS);
    if (code == 0) {
        if (is_patch)
            sys_dup(2, 1);
        execution(is_patch ? 0 : (int)number, is_patch ? path.as : NULL, scratch, variables, told);
    }
    code = code < 0 ? NOT_BUILT : wait_for(code, number_of(seconds));
    over(mark, code, told->full ? "full" : processes_killed() != before ? "oom" : "-");
}

static void forget(const char *layer)
{
    struct text path = {0};
    add(&path, "layers/");
    add_number(&path, number_of(layer));
    sys_umount(path.as, MNT_DETACH);
    sys_unlink(path.as, AT_REMOVEDIR);
}

/* The beginning */

static void make_base(void)
{
    static const char *const folders[] = {"root", "x", "empty", "layers", "job", "job/troop", "devices", "base", "base/dev",
                                          "base/dev/pts", "base/dev/shm", "base/etc", "base/proc",
                                          "base/sys", "base/tmp"};
    static const char *const links[][2] = {{"pts/ptmx", "base/dev/ptmx"},
                                           {"/proc/self/fd", "base/dev/fd"},
                                           {"/proc/self/fd/0", "base/dev/stdin"},
                                           {"/proc/self/fd/1", "base/dev/stdout"},
                                           {"/proc/self/fd/2", "base/dev/stderr"}};
    static const char *const files[][2] = {
        {"base/etc/hosts", "127.0.0.1\tlocalhost sandbox\n::1\tlocalhost ip6-localhost\n"},
        {"base/etc/hostname", "sandbox\n"},
        {"base/etc/resolv.conf", ""},
        {"base/dev/null", ""},
        {"base/dev/zero", ""},
        {"base/dev/full", ""},
        {"base/dev/random", ""},
        {"base/dev/urandom", ""},
        {"base/dev/tty", ""}};
    sys_umask(0);
    for (size_t n = 0; n < sizeof folders / sizeof *folders; n++)
        sys_mkdir(folders[n], same(folders[n], "base/tmp") || same(folders[n], "base/dev/shm") ? 01777 : 0755);
    sys_umask(022);
    for (size_t n = 0; n < sizeof links / sizeof *links; n++)
        sys_symlink(links[n][0], links[n][1]);
    for (size_t n = 0; n < sizeof files / sizeof *files; n++)
        write_file(files[n][0], files[n][1]);
    make_devices();
}

/* Whether /troop is a folder of its own, and no link of the image's to another. */
static int own_folder(void)
{
    long about[32] = {0}, fd = sys_open("/troop", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    return fd >= 0 && sys_fstatfs((int)fd, about) >= 0 && about[0] == TMPFS_MAGIC && sys_fchdir((int)fd) >= 0;
}

/* What a description of its own needs: that all may write to the pipe, but none may read from it
 * or change its mode. */
static int own_description(int fd, const char *path)
{
    long own;
    sys_fchmod(fd, 0222);
    sys_fchown(fd, 65534, -1);
    own = sys_open(path, O_WRONLY | O_CLOEXEC, 0);
    return own < 0 ? fd : (int)own;
}

static void hello(char *words)
{
    char *mark = words, *options = rest_of(words);
    if (length(options) >= sizeof scratch)
        sys_exit(1);
    for (size_t n = 0; n <= length(options); n++)
        scratch[n] = options[n];
    out = own_description(1, "/proc/self/fd/1");
    err = own_description(2, "/proc/self/fd/2");
    if (!own_folder())
        lacks(mark, "a folder /troop that is not a link");
    make_base();
    over(mark, 0, "-");
}

static void obey(char *line)
{
    char *words = rest_of(line);
    if (same(line, "hello"))
        hello(words);
    else if (same(line, "file"))
        file(words);
    else if (same(line, "gone")) {
        struct text path = {0};
        sys_unlink(place_of(&path, words), 0);
    } else if (same(line, "patch"))
        enter(words, 1);
    else if (same(line, "forget"))
        forget(words);
    else if (same(line, "run"))
        enter(words, 0);
    else
        sys_exit(1);
}

/* The environment of executions: that of the container, without what changes how a shell starts. */
static void choose_variables(char **all)
{
    static const char *const left_out[] = {"LD_", "ENV=", "BASH_ENV="};
    char **kept = all;
    for (char **each = all; *each; each++) {
        int keep = 1;
        if (begins(*each, "PATH="))
            *each = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
        for (size_t n = 0; n < sizeof left_out / sizeof *left_out; n++)
            keep = keep && !begins(*each, left_out[n]);
        if (keep)
            *kept++ = *each;
    }
    *kept = NULL;
    variables = all;
}

void __attribute__((noreturn)) supervise(long *stack)
{
    char **words = (char **)(stack + 1), line[4096], *name = words[0];
    unsigned long child_ended = 1UL << (SIGCHLD - 1);
    sys_unlink(name, 0); /* scripts need not find it, nor its name */
    for (const char *shown = "troop"; *name; name++)
        *name = *shown ? *shown++ : 0;
    sys_prctl(PR_SET_NAME, (long)words[0], 0);
    choose_variables(words + stack[0] + 1);
    sys_sigmask(SIG_BLOCK, &child_ended);
    signals = (int)sys_signalfd(&child_ended);
    told = sys_shared(sizeof *told);
    if (!told)
        sys_exit(1);
    while (read_line(line, sizeof line))
        obey(line);
    sys_exit(0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall supervise\n");
#else
__asm__(".globl _start\n_start: mov x0, sp\nbl supervise\n");
#endif

/* The compiler asks for these. */
void *memset(void *to, int with, size_t n)
{
    for (char *at = to; n--;)
        *at++ = (char)with;
    return to;
}

void *memcpy(void *to, const void *of, size_t n)
{
    const char *each = of;
    for (char *at = to; n--;)
        *at++ = *each++;
    return to;
}
