/* A fake upstream: one thread, epoll, and replies prepared beforehand (replies.py writes them).
 *
 * Usage: upstream FOLDER PAUSE_MS. Listens on a free port of 127.0.0.1 and prints its number. A
 * reply of several pieces is sent a piece every PAUSE_MS, the first PAUSE_MS after the request.
 */
#define _GNU_SOURCE
#include "common.h"
#include "replies.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 64 * 1024, MOST = 8 * 1024 * 1024, EVENTS = 256 };

struct caller {
    int fd;
    char *in; /* what was read and not yet answered; one spare byte follows it */
    size_t used, room;
    const struct reply *reply; /* the one under way, or NULL */
    int piece;
    int blocked, queued; /* it waits for its socket, for its time */
    size_t sent;
    long long due; /* of a paced piece, nanoseconds */
    struct caller *next;
};

static int poller;
static long long pause_ns;
/* They wait for their next piece. All pauses are equal, so who came first is due first. */
static struct caller *first, *last;

static void queue(struct caller *c, long long due)
{
    c->due = due;
    c->queued = 1;
    c->next = NULL;
    if (first)
        last->next = c;
    else
        first = c;
    last = c;
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
    const struct reply *reply = choose_reply(c->in, end + 4, size);
    c->used -= total;
    memmove(c->in, c->in + total, c->used);
    return reply;
}

static int watch(struct caller *c, unsigned events)
{
    struct epoll_event wait = {.events = events, .data.ptr = c};
    return !epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &wait);
}

/* Send the rest of a piece, and see to the next; false when the caller is gone. */
static int send_piece(struct caller *c)
{
    size_t size = c->reply->sizes[c->piece];
    while (c->sent < size) {
        ssize_t n = send(c->fd, c->reply->pieces[c->piece] + c->sent, size - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return c->blocked = 1, watch(c, EPOLLOUT);
        if (n < 0)
            return 0;
        c->sent += (size_t)n;
    }
    c->sent = 0;
    if (++c->piece == c->reply->count)
        c->reply = NULL;
    else
        queue(c, c->due + pause_ns); /* by the clock: one late piece makes no other late */
    return 1;
}

static int answer(struct caller *c)
{
    while (!c->reply && (c->reply = take_request(c))) {
        c->piece = 0;
        c->due = now_ns();
        if (c->reply->count > 1)
            queue(c, c->due + pause_ns);
        else if (!send_piece(c))
            return 0;
    }
    return 1;
}

/* Read what came and answer what is whole; false when the caller is gone or sends too much. */
static int serve(struct caller *c, unsigned events)
{
    if (c->blocked) {
        if (!(events & EPOLLOUT))
            return 0;
        c->blocked = 0;
        return watch(c, EPOLLIN) && send_piece(c) && answer(c);
    }
    if (c->room - c->used < ROOM) {
        c->room = c->room ? 2 * c->room : 2 * ROOM;
        if (c->room > MOST || !(c->in = realloc(c->in, c->room + 1)))
            return 0;
    }
    ssize_t n = recv(c->fd, c->in + c->used, c->room - c->used, 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    c->used += (size_t)n;
    return answer(c);
}

/* Whoever waits in the queue is freed when its turn comes. */
static void leave(struct caller *c)
{
    if (c->fd >= 0)
        close(c->fd); /* also takes it out of the poller */
    c->fd = -1;
    if (c->queued)
        return;
    free(c->in);
    free(c);
}

static void send_due(void)
{
    long long now = now_ns();
    while (first && first->due <= now) {
        struct caller *c = first;
        first = c->next;
        c->queued = 0;
        if (c->fd < 0 || !send_piece(c))
            leave(c);
    }
}

static void let_in(int door)
{
    int on = 1, fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct caller *c = fd < 0 ? NULL : calloc(1, sizeof *c);
    if (!c)
        return; /* the caller will see that nothing comes */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->fd = fd;
    struct epoll_event wait = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &wait);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return fprintf(stderr, "usage: %s FOLDER PAUSE_MS\n", argv[0]), 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the benchmark */
    load_replies(argv[1]);
    pause_ns = atoll(argv[2]) * 1000000LL;
    raise_descriptor_limit();

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ready[EVENTS], knock = {.events = EPOLLIN, .data.ptr = NULL};
    if (door < 0 || bind(door, (struct sockaddr *)&address, size) || listen(door, 4096) ||
        getsockname(door, (struct sockaddr *)&address, &size) ||
        epoll_ctl(poller, EPOLL_CTL_ADD, door, &knock))
        fail("cannot listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    for (;;) {
        struct timespec wait = until(first ? first->due : 0);
        int count = epoll_pwait2(poller, ready, EVENTS, first ? &wait : NULL, NULL);
        for (int i = 0; i < count; i++) {
            struct caller *c = ready[i].data.ptr;
            if (!c)
                let_in(door);
            else if (!serve(c, ready[i].events))
                leave(c);
        }
        send_due();
    }
}
