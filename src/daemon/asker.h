/*
 * Finds the user name of who asks over the control socket. The system's look-up of a user may ask servers, so it is
 * made in a thread of libuv's pool, one at a time. Who has waited for ASKER_MS is given the number in place of the
 * name. Monitor's loop.
 */
#pragma once

#include <sys/types.h>
#include <uv.h>

#define ASKER_MS 1000

struct asker;

struct asker *asker_new(uv_loop_t *loop);

/*
 * Calls `found` once with the user's name, or the number, never from inside this call, and not after asker_free().
 * The name lives for the call.
 */
void asker_find(struct asker *asker, uid_t uid, void (*found)(void *data, const char *name), void *data);

/* Drops the questions unanswered; a look-up under way ends by itself. NULL allowed; clears the pointer. */
void asker_free(struct asker **asker);
