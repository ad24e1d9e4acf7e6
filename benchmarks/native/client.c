/* Callers that take the time of each answer: one thread, epoll, no work but reading.
 *
 * Usage: client PORT REQUEST EXPECT CALLERS RAMP_MS EACH STOP_MS GIVE_UP_MS
 *
 * CALLERS connections begin evenly over RAMP_MS, and each sends the file REQUEST as it stands EACH
 * times, the next when the answer before is whole, and none after STOP_MS. Every line of the file
 * EXPECT must be in an answer, in that order. What is not whole after GIVE_UP_MS has failed. A line
 * a request comes out: microseconds until the first line of EXPECT was there, until the answer was
 * whole, and 1 where it was right. The last line has the microseconds of all.
 */
#define _GNU_SOURCE
#include "common.h"
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, EVENTS = 256 };

struct caller {
    int fd, left; /* requests it still has to make */
    long long sent_at, first_at;
    struct answer answer;
    int found; /* of the lines of EXPECT */
    size_t at; /* in the body, where the next is looked for */
};

static char *request, **marks;
static size_t request_size;
static int mark_count, poller, open_callers;
static long long stop_ns;
static struct sockaddr_in server;

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail(path);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = calloc(*size + 1, 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size)
        fail(path);
    fclose(file);
    return bytes;
}

static void read_marks(const char *path)
{
    size_t size;
    char *rest = read_file(path, &size);
    marks = calloc(size + 1, sizeof *marks);
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line)
            marks[mark_count++] = line;
}

static void report(struct caller *c, int right)
{
    long long now = now_ns(), first = c->first_at ? c->first_at : now;
    printf("%lld %lld %d\n", (first - c->sent_at) / 1000, (now - c->sent_at) / 1000, right);
    if (!right)
        fprintf(stderr, "%d of %d, %.*s\n", c->found, mark_count,
                (int)(c->answer.used < 200 ? c->answer.used : 200), c->answer.bytes);
}

static void hang_up(struct caller *c)
{
    if (c->fd < 0)
        return;
    close(c->fd);
    c->fd = -1;
    open_callers--;
}

static int send_request(struct caller *c)
{
    reset_answer(&c->answer);
    c->found = 0;
    c->at = 0;
    c->first_at = 0;
    c->sent_at = now_ns();
    return send(c->fd, request, request_size, MSG_NOSIGNAL) == (ssize_t)request_size;
}

static void call(struct caller *c)
{
    int on = 1;
    c->sent_at = now_ns();
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof server))
        fail("cannot connect");
    open_callers++;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event wait = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &wait);
    if (!send_request(c)) {
        report(c, 0);
        hang_up(c);
    }
}

static void look_for_marks(struct caller *c)
{
    const struct answer *a = &c->answer;
    while (c->found < mark_count) {
        const char *mark = marks[c->found];
        const char *seen = memmem(a->body + c->at, a->size - c->at, mark, strlen(mark));
        if (!seen)
            return;
        c->at = (size_t)(seen - a->body) + strlen(mark);
        if (!c->found++)
            c->first_at = now_ns();
    }
}

static void listen_to(struct caller *c)
{
    static char piece[PIECE];
    ssize_t n = recv(c->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    int state = n < 0 ? BROKEN : take_in(&c->answer, piece, (size_t)n);
    look_for_marks(c);
    if (state == UNDER_WAY)
        return;
    int right = state == WHOLE && c->answer.status == 200 && c->found == mark_count;
    report(c, right);
    if (right && --c->left > 0 && now_ns() < stop_ns && send_request(c))
        return;
    hang_up(c);
}

int main(int argc, char **argv)
{
    if (argc != 9)
        return fprintf(stderr, "usage: see client.c\n"), 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the benchmark */
    raise_descriptor_limit();
    request = read_file(argv[2], &request_size);
    read_marks(argv[3]);
    int count = atoi(argv[4]), begun = 0;
    long long start = now_ns(), ramp = atoll(argv[5]) * 1000000;
    long long end = start + atoll(argv[8]) * 1000000;
    stop_ns = start + atoll(argv[7]) * 1000000;
    struct caller *callers = calloc((size_t)count, sizeof *callers);
    struct epoll_event ready[EVENTS];
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!callers || poller < 0)
        fail("cannot begin");
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    while ((begun < count || open_callers) && now_ns() < end) {
        long long next = begun < count ? start + ramp * begun / count : end;
        if (begun < count && next <= now_ns()) {
            callers[begun].left = atoi(argv[6]);
            call(&callers[begun++]);
        }
        struct timespec wait = until(next < end ? next : end);
        int found = epoll_pwait2(poller, ready, EVENTS, &wait, NULL);
        for (int i = 0; i < found; i++)
            listen_to(ready[i].data.ptr);
    }
    for (int i = 0; i < begun; i++)
        if (callers[i].fd >= 0)
            report(&callers[i], 0);
    printf("%lld\n", (now_ns() - start) / 1000);
    return 0;
}
