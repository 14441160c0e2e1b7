/*
 * Gives memory back to the system that a start or a reload needed and the work after it does not: configurations,
 * logins and first answers of the whole fleet at once. Without this malloc would keep it for good. Monitor's loop.
 */
#pragma once

#include <uv.h>

struct tidy;

struct tidy *tidy_new(uv_loop_t *loop);

/*
 * Does so some seconds from now, when the fleet has settled, and every ten minutes then. With 5,000 nodes it takes 4
 * ms.
 */
void tidy_soon(struct tidy *tidy);

/* Clears the pointer. */
void tidy_free(struct tidy **tidy);
