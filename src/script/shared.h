/*
 * What all script hosts of a daemon share, and what outlives them: the values of
 * pm.state, and the newest board (core/board.h) with all clusters. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/board.h"

#define STORE_BYTES ((size_t)1 << 20) /* contract.md: pm.state holds 1 MiB in all */

struct shared;

struct shared *shared_new(void);
void shared_free(struct shared **shared);

/* Makes `bytes` (malloc'ed), which it takes over, the value of `key`; NULL removes it. False: there is no room. */
bool shared_set(struct shared *shared, const char *key, size_t key_len, char *bytes, size_t len);

/* A copy of the value of `key`, which the caller frees; NULL if there is none. */
char *shared_get(struct shared *shared, const char *key, size_t key_len, size_t *len);

/* The first key after `key` (NULL: from the beginning), which the caller frees; NULL at the end. */
char *shared_next(struct shared *shared, const char *key, size_t key_len, size_t *len);

/* Makes this board the newest one; takes a reference. The monitor's thread. */
void shared_publish(struct shared *shared, struct board *board);

/* The newest board, which the caller board_unref()s; NULL before the first. */
struct board *shared_board(struct shared *shared);
