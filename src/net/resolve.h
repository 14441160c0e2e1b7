/*
 * Names to addresses, off the loop (uv_getaddrinfo). One look-up a name at a
 * time, however many ask. The last good addresses of a name are kept: who asks
 * waits for a new answer, as long as it has patience, and then gets those. Loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define RESOLVE_ADDRESSES 16
#define RESOLVE_PATIENCE_MS 100 /* of those who are in a hurry */

struct addresses {
	char text[RESOLVE_ADDRESSES][INET6_ADDRSTRLEN + 1];
	size_t count;
};

/* A host that is an address itself needs no look-up; false if it is none. */
bool addresses_take_numeric(struct addresses *addresses, const char *host);

/* Why a name has no addresses. */
struct lookup_failure {
	bool own_fault; /* our own descriptors or memory: says nothing about the name */
	char message[128];
};

struct resolver;
struct lookup;

struct resolver *resolver_new(uv_loop_t *loop);

/*
 * Frees what is idle. A look-up under way cannot be cancelled: its callback
 * finds nobody. NULL allowed; clears the pointer. True when nothing is under way.
 */
bool resolver_free(struct resolver **resolver);

/*
 * Asks for `host`, and waits `patience_ms` where there are good addresses. `found` is called
 * once, never from inside this call, with addresses, or with NULL and why not; not at all after
 * lookup_cancel().
 */
struct lookup *lookup_start(struct resolver *resolver, const char *host, int64_t patience_ms,
			    void (*found)(void *data, const struct addresses *addresses,
					  const struct lookup_failure *failure),
			    void *data);

/* From now on its patience is RESOLVE_PATIENCE_MS. NULL allowed. */
void lookup_hurry(struct lookup *lookup);

/* NULL allowed; clears the pointer. */
void lookup_cancel(struct lookup **lookup);
