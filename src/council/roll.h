/*
 * Who there is: the entries of all monitors, read whenever one of them changes. Clerk's loop.
 */
#pragma once

#include "etcd/client.h"

struct roll;

/*
 * `told` is called with a JSON list of the entries each time they were read. `key`: what their keys begin with; copied.
 * `ttl_ms`: of a monitor's lease.
 */
struct roll *roll_new(struct client *client, const char *key, int64_t ttl_ms,
		      void (*told)(void *data, const char *list), void *data);

/* NULL allowed; clears the pointer. */
void roll_free(struct roll **roll);
