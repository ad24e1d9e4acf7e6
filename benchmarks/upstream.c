/* A fake upstream: one thread, epoll, and replies prepared beforehand (replies.py writes them).
 *
 * Usage: upstream FOLDER. Listens on a free port of 127.0.0.1 and writes its number to stdout.
 * It looks at no more of a request than choosing takes, and sends the reply in one write.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 64 * 1024, MOST = 8 * 1024 * 1024, EVENTS = 256 };

struct reply {
    char *bytes;
    size_t size;
};

struct caller {
    int fd;
    char *in; /* what was read and not yet answered; one spare byte follows it */
    size_t used, room;
    const struct reply *out; /* the reply whose rest waits for the socket, or NULL */
    size_t sent;
};

static struct reply whole, stream, stream_usage, models, missing;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct reply load(const char *folder, const char *name)
{
    char path[4096];
    struct reply reply = {0};
    snprintf(path, sizeof path, "%s/%s.http", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail(path);
    reply.size = (size_t)ftell(file);
    rewind(file);
    reply.bytes = malloc(reply.size);
    if (!reply.bytes || fread(reply.bytes, 1, reply.size, file) != reply.size)
        fail(path);
    fclose(file);
    return reply;
}

/* Whether the body says `"stream": true`, with any space around the colon. */
static int wants_stream(const char *body, size_t size)
{
    const char *end = body + size, *at = body;
    while ((at = memmem(at, (size_t)(end - at), "\"stream\"", 8))) {
        at += 8;
        while (at < end && isspace((unsigned char)*at))
            at++;
        if (at == end || *at++ != ':')
            continue;
        while (at < end && isspace((unsigned char)*at))
            at++;
        if (end - at >= 4 && !memcmp(at, "true", 4))
            return 1;
    }
    return 0;
}

static const struct reply *choose(const char *head, const char *body, size_t size)
{
    size_t line = strcspn(head, "\r");
    if (!strncmp(head, "POST ", 5) && memmem(head, line, "/chat/completions", 17)) {
        if (!wants_stream(body, size))
            return &whole;
        return memmem(body, size, "include_usage", 13) ? &stream_usage : &stream;
    }
    return !strncmp(head, "GET ", 4) && memmem(head, line, "/models", 7) ? &models : &missing;
}

/* Take the first whole request out of the buffer: its reply, or NULL while some of it is missing. */
static const struct reply *take_request(struct caller *c)
{
    char *end = memmem(c->in, c->used, "\r\n\r\n", 4);
    if (!end)
        return NULL;
    *end = 0; /* the head becomes a string for a moment */
    const char *length = strcasestr(c->in, "\r\ncontent-length:");
    size_t size = length ? strtoul(length + 17, NULL, 10) : 0;
    size_t total = (size_t)(end - c->in) + 4 + size;
    if (c->used < total) {
        *end = '\r';
        return NULL;
    }
    const struct reply *reply = choose(c->in, end + 4, size);
    c->used -= total;
    memmove(c->in, c->in + total, c->used);
    return reply;
}

/* Send the rest of a reply; false when the caller is gone. */
static int send_rest(int poller, struct caller *c)
{
    while (c->sent < c->out->size) {
        ssize_t n = send(c->fd, c->out->bytes + c->sent, c->out->size - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            struct epoll_event wait = {.events = EPOLLOUT, .data.ptr = c};
            return !epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &wait);
        }
        if (n < 0)
            return 0;
        c->sent += (size_t)n;
    }
    c->out = NULL;
    return 1;
}

/* Read what came and answer what is whole; false when the caller is gone or sends too much. */
static int serve(int poller, struct caller *c, unsigned events)
{
    if (events & EPOLLOUT) {
        if (!send_rest(poller, c))
            return 0;
        if (c->out)
            return 1;
        struct epoll_event wait = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &wait);
    } else {
        if (c->room - c->used < ROOM) {
            c->room = c->room ? 2 * c->room : 2 * ROOM;
            if (c->room > MOST || !(c->in = realloc(c->in, c->room + 1)))
                return 0;
        }
        ssize_t n = recv(c->fd, c->in + c->used, c->room - c->used, 0);
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        c->used += (size_t)n;
    }
    while (!c->out && (c->out = take_request(c))) {
        c->sent = 0;
        if (!send_rest(poller, c))
            return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return fprintf(stderr, "usage: %s FOLDER\n", argv[0]), 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the benchmark */
    whole = load(argv[1], "whole");
    stream = load(argv[1], "stream");
    stream_usage = load(argv[1], "stream_usage");
    models = load(argv[1], "models");
    missing = load(argv[1], "missing");

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int on = 1, door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ready[EVENTS], first = {.events = EPOLLIN, .data.ptr = NULL};
    if (door < 0 || bind(door, (struct sockaddr *)&address, size) || listen(door, 4096) ||
        getsockname(door, (struct sockaddr *)&address, &size) ||
        epoll_ctl(poller, EPOLL_CTL_ADD, door, &first))
        fail("cannot listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    for (;;) {
        int count = epoll_wait(poller, ready, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct caller *c = ready[i].data.ptr;
            if (c) {
                if (serve(poller, c, ready[i].events))
                    continue;
                close(c->fd); /* also takes it out of the poller */
                free(c->in);
                free(c);
                continue;
            }
            int fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0 || !(c = calloc(1, sizeof *c)))
                continue;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            c->fd = fd;
            first.data.ptr = c;
            epoll_ctl(poller, EPOLL_CTL_ADD, fd, &first);
        }
    }
}
