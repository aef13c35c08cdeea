/* Texts, and what is said to the owner. */
#pragma once

#include "calls.h"

static inline size_t length(const char *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}

static inline int begins(const char *text, const char *with)
{
    while (*with)
        if (*text++ != *with++)
            return 0;
    return 1;
}

static inline int same(const char *one, const char *other)
{
    return length(one) == length(other) && begins(one, other);
}

/* A text that is put together; it ends the supervisor rather than be cut. */
struct text {
    size_t used;
    char as[512];
};

static inline void add(struct text *to, const char *part)
{
    for (; *part; part++) {
        if (to->used + 1 >= sizeof to->as)
            sys_exit(1);
        to->as[to->used++] = *part;
    }
    to->as[to->used] = 0;
}

static inline void add_number(struct text *to, long number)
{
    char digits[24], *at = digits + sizeof digits - 1;
    unsigned long left = number < 0 ? -(unsigned long)number : (unsigned long)number;
    *at = 0;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        *--at = '-';
    add(to, at);
}

static inline long number_of(const char *text)
{
    long number = 0;
    for (; *text >= '0' && *text <= '9' && number < (1L << 50); text++)
        number = number * 10 + (*text - '0');
    return number;
}

/* Whether all of it was written. */
static inline int write_all(int fd, const char *from, size_t left)
{
    while (left) {
        long done = sys_write(fd, from, left);
        if (done == -EINTR)
            continue;
        if (done <= 0)
            return 0;
        from += done, left -= (size_t)done;
    }
    return 1;
}

static inline void say(int fd, const struct text *what)
{
    write_all(fd, what->as, what->used);
}

/* Less than 0: the error. */
static inline long write_file(const char *path, const char *content)
{
    long fd = sys_open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), done;
    if (fd < 0)
        return fd;
    done = sys_write((int)fd, content, length(content));
    sys_close((int)fd);
    return done;
}
