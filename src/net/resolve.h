/*
 * Looks names up, off the loop (uv_getaddrinfo). A name has one look-up at a time,
 * however many ask. The last good addresses of a name are kept: who asks waits for a
 * new answer for a while, its patience, and then gets the kept ones. Loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define RESOLVE_ADDRESSES 16
#define RESOLVE_PATIENCE_MS 100 /* the patience of a caller that is in a hurry */

struct addresses {
	char text[RESOLVE_ADDRESSES][INET6_ADDRSTRLEN + 1];
	size_t count;
};

/* Takes a host that is an address itself, and needs no look-up; false: it is none. */
bool addresses_take_numeric(struct addresses *addresses, const char *host);

/* Why a name has no addresses. */
struct lookup_failure {
	bool own_fault; /* we lack descriptors or memory, which says nothing about the name */
	char message[128];
};

struct resolver;
struct lookup;

struct resolver *resolver_new(uv_loop_t *loop);

/*
 * Frees the resolver. A look-up under way cannot be cancelled; its callback frees what it
 * uses. NULL allowed; clears the pointer. Returns true when nothing is under way.
 */
bool resolver_free(struct resolver **resolver);

/*
 * Looks `host` up. If it has kept addresses, it waits only `patience_ms` for new ones. `found` is
 * called once, never from inside this call, with addresses, or with NULL and why not; not at all
 * after lookup_cancel().
 */
struct lookup *lookup_start(struct resolver *resolver, const char *host, int64_t patience_ms,
			    void (*found)(void *data, const struct addresses *addresses,
					  const struct lookup_failure *failure),
			    void *data);

/* Sets its patience, from now on, to RESOLVE_PATIENCE_MS. NULL allowed. */
void lookup_hurry(struct lookup *lookup);

/* NULL allowed; clears the pointer. */
void lookup_cancel(struct lookup **lookup);
