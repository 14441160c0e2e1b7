/*
 * What all hosts of a daemon share and what outlives them: the values of
 * pm.state, and the newest picture of all clusters. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/view.h"

#define STORE_BYTES ((size_t)1 << 20) /* contract.md: pm.state holds 1 MiB in all */

struct shared;

/* A picture of all clusters; counted. */
struct board {
	atomic_uint references;
	struct view **views; /* one a cluster */
	size_t count;
};

struct shared *shared_new(void);
void shared_free(struct shared **shared);

/* Takes over `bytes` (malloc'ed) as the value of `key`; NULL removes it. False: no room. */
bool shared_set(struct shared *shared, const char *key, size_t key_len, char *bytes, size_t len);

/* A copy of the value of `key`, which the caller frees; NULL if there is none. */
char *shared_get(struct shared *shared, const char *key, size_t key_len, size_t *len);

/* The first key after `key` (NULL: from the beginning), which the caller frees; NULL at the end. */
char *shared_next(struct shared *shared, const char *key, size_t key_len, size_t *len);

/* Puts up a picture of the fleet as it is now. Monitor's thread. */
void shared_publish(struct shared *shared, const struct fleet *fleet);

/* The same of pictures that somebody made: takes references of its own. */
void shared_publish_views(struct shared *shared, struct view *const *views, size_t count);

/* The newest picture, NULL before the first; board_unref() it. */
struct board *shared_board(struct shared *shared);
void board_unref(struct board **board);
