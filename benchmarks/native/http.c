/* See http.h. */
#define _GNU_SOURCE
#include "http.h"
#include "common.h"

#include <string.h>

void reset_answer(struct answer *a)
{
    char *bytes = a->bytes;
    size_t room = a->room;
    *a = (struct answer){.bytes = bytes, .room = room, .length = -1};
}

/* Read the head once it is there; 0 while it is not. */
static int read_head(struct answer *a)
{
    char *end = memmem(a->bytes, a->used, "\r\n\r\n", 4);
    if (!end)
        return 0;
    *end = 0; /* the head becomes a string */
    if (sscanf(a->bytes, "HTTP/1.%*d %d", &a->status) != 1)
        a->status = -1;
    const char *length = strcasestr(a->bytes, "\r\ncontent-length:");
    a->length = length ? atoll(length + 17) : -1;
    a->chunked = strcasestr(a->bytes, "\r\ntransfer-encoding: chunked") != NULL;
    if (a->chunked)
        a->length = 0;
    a->body = end + 4;
    a->at = (size_t)(a->body - a->bytes);
    return 1;
}

/* Move what came of chunks to the end of the body. */
static int read_chunks(struct answer *a)
{
    for (;;) {
        if (a->length > 0) {
            size_t here = a->used - a->at, wanted = (size_t)a->length;
            size_t size = here < wanted ? here : wanted;
            memmove(a->body + a->size, a->bytes + a->at, size);
            a->size += size;
            a->at += size;
            a->length -= (long long)size;
            if (a->length > 0)
                return UNDER_WAY;
        }
        /* The line end behind the last chunk, if there was one, and the size of the next. */
        char *line = a->bytes + a->at, *stop = a->bytes + a->used;
        if (a->size)
            line += 2;
        char *end = line < stop ? memmem(line, (size_t)(stop - line), "\r\n", 2) : NULL;
        if (!end)
            return UNDER_WAY;
        char *read;
        a->length = strtoll(line, &read, 16);
        if (read == line)
            return BROKEN;
        if (!a->length) /* an empty line follows, which must not be taken for the next answer */
            return stop - end >= 4 ? WHOLE : UNDER_WAY;
        a->at = (size_t)(end + 2 - a->bytes);
    }
}

int take_in(struct answer *a, const char *piece, size_t size)
{
    if (a->room < a->used + size) {
        size_t body = a->body ? (size_t)(a->body - a->bytes) : 0;
        a->room = 2 * (a->used + size);
        a->bytes = realloc(a->bytes, a->room + 1);
        if (!a->bytes)
            fail("memory");
        if (a->body)
            a->body = a->bytes + body;
    }
    memcpy(a->bytes + a->used, piece, size);
    a->used += size;
    a->bytes[a->used] = 0;
    if (!a->status && !read_head(a))
        return size ? UNDER_WAY : BROKEN;
    if (a->chunked)
        return size ? read_chunks(a) : BROKEN;
    a->size = a->used - (size_t)(a->body - a->bytes);
    if (a->length < 0)
        return size ? UNDER_WAY : WHOLE;
    if (a->size >= (size_t)a->length)
        return WHOLE;
    return size ? UNDER_WAY : BROKEN;
}
