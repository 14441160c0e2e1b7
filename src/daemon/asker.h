/*
 * Who asks over the control socket, by name. The system's look-up of a user may ask servers, so it is made in a thread of
 * libuv's pool, one at a time; who has waited for ASKER_MS gets the number. Monitor's loop.
 */
#pragma once

#include <sys/types.h>
#include <uv.h>

#define ASKER_MS 1000

struct asker;

struct asker *asker_new(uv_loop_t *loop);

/* `found` is called once, and never from inside this call; the name lives for the call. Not after asker_free(). */
void asker_find(struct asker *asker, uid_t uid, void (*found)(void *data, const char *name), void *data);

/* Whoever waits is not told. NULL allowed; clears the pointer. A look-up under way ends by itself. */
void asker_free(struct asker **asker);
