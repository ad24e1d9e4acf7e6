/* The replies of the fake upstream, and which of them a request gets. */
#ifndef REPLIES_H
#define REPLIES_H

#include <stddef.h>

/* Sent piece by piece, with a pause before each when there are several. */
struct reply {
    const char **pieces;
    size_t *sizes;
    int count;
};

/* Read the replies that replies.py wrote; ends the program when one is missing. */
void load_replies(const char *folder);

/* The reply to a request; its head ends in a zero byte. */
const struct reply *choose_reply(const char *head, const char *body, size_t size);

#endif
