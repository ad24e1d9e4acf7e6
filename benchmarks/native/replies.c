/* See replies.h. It looks at no more of a request than choosing takes. */
#define _GNU_SOURCE
#include "replies.h"
#include "common.h"

#include <ctype.h>
#include <string.h>

static struct reply whole, stream, stream_usage, paced, paced_usage, models, missing;

/* Pieces lie behind each other with a zero byte between them, which no reply has in it. */
static struct reply split(const char *bytes, size_t size)
{
    struct reply reply = {0};
    const char *end = bytes + size;
    while (bytes < end) {
        const char *zero = memchr(bytes, 0, (size_t)(end - bytes));
        const char *stop = zero ? zero : end;
        size_t count = (size_t)reply.count + 1;
        reply.pieces = realloc(reply.pieces, count * sizeof *reply.pieces);
        reply.sizes = realloc(reply.sizes, count * sizeof *reply.sizes);
        if (!reply.pieces || !reply.sizes)
            fail("memory");
        reply.pieces[reply.count] = bytes;
        reply.sizes[reply.count++] = (size_t)(stop - bytes);
        bytes = stop + 1;
    }
    return reply;
}

static struct reply load(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.http", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail(path);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(size);
    if (!bytes || fread(bytes, 1, size, file) != size)
        fail(path);
    fclose(file);
    return split(bytes, size);
}

void load_replies(const char *folder)
{
    whole = load(folder, "whole");
    stream = load(folder, "stream");
    stream_usage = load(folder, "stream_usage");
    paced = load(folder, "paced");
    paced_usage = load(folder, "paced_usage");
    models = load(folder, "models");
    missing = load(folder, "missing");
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

const struct reply *choose_reply(const char *head, const char *body, size_t size)
{
    size_t line = strcspn(head, "\r");
    if (!strncmp(head, "POST ", 5) && memmem(head, line, "/chat/completions", 17)) {
        if (!wants_stream(body, size))
            return &whole;
        int usage = memmem(body, size, "include_usage", 13) != NULL;
        if (memmem(body, size, "Slowly, please.", 15)) /* replies.py asks so for a paced one */
            return usage ? &paced_usage : &paced;
        return usage ? &stream_usage : &stream;
    }
    return !strncmp(head, "GET ", 4) && memmem(head, line, "/models", 7) ? &models : &missing;
}
