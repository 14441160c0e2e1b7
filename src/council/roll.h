/*
 * The roll reads the entries of all monitors whenever one of them changes, and tells them. Clerk's loop.
 */
#pragma once

#include "etcd/client.h"

struct roll;

/*
 * `told` is called with a JSON list of the entries each time they were read; the list is valid for the call. `key`: the
 * prefix of the entries' keys; copied. `ttl_ms`: the time of a monitor's lease.
 */
struct roll *roll_new(struct client *client, const char *key, int64_t ttl_ms,
		      void (*told)(void *data, const char *list), void *data);

/* NULL allowed; clears the pointer. */
void roll_free(struct roll **roll);
