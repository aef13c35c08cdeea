/* One execution: its namespaces, its file system, and a process without any right in them. */
#pragma once

enum { NOT_BUILT = 210 }; /* as in sandbox/refusals.py */

/* What the first process of an execution tells, in memory that it shares with its parent. */
struct told {
    int full; /* whether the throwaway folder has no space left */
};

/* Becomes the first process of an execution, and ends with the script's exit code.
 *
 * `layer`: a patch's layer to see, 0 for none; `writes`: a folder for what is written, instead of a
 * throwaway one; `scratch`: the options of the throwaway one.
 */
void __attribute__((noreturn)) execution(int layer, const char *writes, const char *scratch,
                                         char **variables, struct told *told);

/* Prepares what all executions share, in the folder of Troop; none can change it. Once. */
void make_devices(void);

int exit_code(int status);
