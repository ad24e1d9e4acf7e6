/* As much of HTTP/1.1 as it takes to read an answer: a length, chunks, or the connection's end. */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>

enum { UNDER_WAY, WHOLE, BROKEN };

struct answer {
    char *bytes; /* all that came, the head first */
    size_t used, room;
    char *body; /* behind the head; of chunks only what was in them */
    size_t size;
    size_t at; /* in `bytes`: where the next chunk begins, or goes on */
    int status, chunked;
    long long length; /* of the body, or of what is missing of a chunk; -1: not known */
};

/* Forget an answer; its memory serves for the next one. */
void reset_answer(struct answer *a);

/* Take in what one `recv` brought, 0 bytes at the connection's end. */
int take_in(struct answer *a, const char *piece, size_t size);

#endif
