/* What both programs need. */
#ifndef COMMON_H
#define COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* Say what failed, and why, and end the program. */
static inline void fail(const char *what)
{
    perror(what);
    exit(1);
}

static inline long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* For `epoll_pwait2`; a moment that is past is no time at all. */
static inline struct timespec until(long long moment_ns)
{
    long long left = moment_ns - now_ns();
    struct timespec wait = {0};
    if (left > 0)
        wait = (struct timespec){left / 1000000000, left % 1000000000};
    return wait;
}

/* Thousands of connections: the soft limit is often 1,024. */
static inline void raise_descriptor_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

#endif
