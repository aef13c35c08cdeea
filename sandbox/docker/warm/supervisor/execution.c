#include "execution.h"

#include "text.h"

#define PR_SET_DUMPABLE 4
#define PR_CAPBSET_DROP 24
#define PR_SET_NO_NEW_PRIVS 38
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_CLEAR_ALL 4

static const char *const hidden[] = {"kcore",      "keys",        "kmsg", "latency_stats", "sched_debug",
                                     "timer_list", "timer_stats", "acpi", "asound",        "scsi"};
static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};

static void __attribute__((noreturn)) give_up(const char *what, long error)
{
    struct text said = {0};
    add(&said, "troop: ");
    add(&said, what);
    add(&said, ": error ");
    add_number(&said, -error);
    add(&said, "\n");
    say(2, &said);
    sys_exit(NOT_BUILT);
}

static void must(const char *what, long answer)
{
    if (answer < 0)
        give_up(what, answer);
}

int exit_code(int status)
{
    return status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}

static void lay_overlay(int layer, const char *writes)
{
    struct text options = {0};
    /* What is Troop's own lies above the patch, so that each place where something is mounted
       below is a folder or a file of ours, and no link. */
    add(&options, "lowerdir=job:base:");
    if (layer) {
        add(&options, "layers/");
        add_number(&options, layer);
        add(&options, "/u:");
    }
    add(&options, "/,upperdir=");
    add(&options, writes);
    add(&options, "/u,workdir=");
    add(&options, writes);
    add(&options, "/w");
    must("mounting the overlay", sys_mount("overlay", "root", "overlay", MS_NOSUID, options.as));
}

static void make_proc(void)
{
    long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    must("mounting /proc", sys_mount("proc", "root/proc", "proc", safe | MS_RDONLY, NULL));
    for (size_t n = 0; n < sizeof hidden / sizeof *hidden; n++) {
        struct text at = {0};
        add(&at, "root/proc/");
        add(&at, hidden[n]);
        long answer = sys_mount("empty", at.as, NULL, MS_BIND, NULL);
        if (answer == -ENOTDIR)
            answer = sys_mount("devices/null", at.as, NULL, MS_BIND, NULL);
        if (answer != -ENOENT)
            must("hiding parts of /proc", answer);
    }
}

/* `part` of `from`, to be seen at the place of the same name below `to`. */
static void bind(const char *from, const char *to, const char *part, int read_only)
{
    struct text source = {0}, target = {0};
    long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC;
    add(&source, from);
    add(&source, part);
    add(&target, to);
    add(&target, part);
    if (read_only)
        write_file(target.as, "");
    must("mounting devices", sys_mount(source.as, target.as, NULL, MS_BIND, NULL));
    if (read_only)
        must("mounting devices", sys_mount(NULL, target.as, NULL, flags, NULL));
}

void make_devices(void)
{
    /* Read-only, because the mode of a device would outlive the execution that changed it. A bind
       mount of a read-only one is read-only too. */
    must("mounting a folder", sys_mount("empty", "empty", NULL, MS_BIND, NULL));
    must("mounting a folder", sys_mount(NULL, "empty", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
    for (size_t n = 0; n < sizeof devices / sizeof *devices; n++)
        bind("/dev/", "devices/", devices[n], 1);
}

static void make_dev(void)
{
    for (size_t n = 0; n < sizeof devices / sizeof *devices; n++)
        bind("devices/", "root/dev/", devices[n], 0);
    must("mounting /dev/pts", sys_mount("devpts", "root/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                                        "newinstance,ptmxmode=0666,mode=620"));
}

static void reopen(int fd, const char *path)
{
    /* A description of its own, so that nobody can change the mode of ours. */
    long own = sys_open(path, O_WRONLY | O_CLOEXEC, 0);
    if (own >= 0)
        must("opening the output", sys_dup((int)own, fd));
}

static void give_up_rights(void)
{
    unsigned int head[2] = {0x20080522, 0}, none[6] = {0};
    must("no new privileges", sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0));
    for (int capability = 0; sys_prctl(PR_CAPBSET_DROP, capability, 0) >= 0; capability++)
        ;
    sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
    must("dropping capabilities", sys_capset(head, none));
}

static void __attribute__((noreturn)) script(char **variables)
{
    char *words[] = {"/bin/sh", "/troop/launch.sh", NULL};
    unsigned long no_signal = 0;
    /* In a session of its own: signals to one's process group reach beyond the namespace. */
    sys_setsid();
    must("chroot", sys_chroot("root"));
    must("chdir", sys_chdir("/"));
    give_up_rights();
    sys_sigmask(SIG_SETMASK, &no_signal);
    give_up("/bin/sh", sys_execve(words[0], words, variables));
}

void execution(int layer, const char *writes, const char *scratch, char **variables,
               struct told *told)
{
    long nothing = sys_open("devices/null", 0, 0), child, ended;
    int status = 0, throwaway = !writes;
    must("opening /dev/null", nothing);
    sys_dup((int)nothing, 0);
    sys_close((int)nothing);
    reopen(1, "/proc/self/fd/1");
    reopen(2, "/proc/self/fd/2");
    write_file("/proc/self/oom_score_adj", "1000");
    must("private mounts", sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    if (throwaway) {
        writes = "x";
        must("mounting a tmpfs", sys_mount("none", "x", "tmpfs", 0, scratch));
        must("a folder", sys_mkdir("x/u", 0755));
        must("a folder", sys_mkdir("x/w", 0755));
    }
    lay_overlay(layer, writes);
    make_proc();
    must("mounting /sys", sys_mount("/sys", "root/sys", NULL, MS_BIND | MS_REC, NULL));
    make_dev();
    /* Its memory and its descriptors are nobody else's, whatever its rights. */
    must("undumpable", sys_prctl(PR_SET_DUMPABLE, 0, 0));
    child = sys_clone(SIGCHLD);
    must("a process", child);
    if (child == 0)
        script(variables);
    do
        ended = sys_wait(-1, &status, 0);
    while (ended != child && (ended > 0 || ended == -EINTR));
    if (throwaway)
        told->full = write_file("x/end", "end\n") == -ENOSPC;
    sys_exit(exit_code(status));
}
