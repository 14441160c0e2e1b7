/*
 * The terms are the settings of `http` as the window's thread uses them. The monitor's thread makes them, and the
 * window's thread owns them afterwards.
 */
#pragma once

#include "base/buf.h"
#include "core/config.h"
#include "window/port.h"

struct terms {
	struct list ports; /* struct port *, a reference each */
	struct port *agent; /* where HAProxy's agent-check is answered; NULL: nowhere */
	char *token;        /* NULL: requests need none */
	size_t token_bytes;
	char **hosts; /* further names that the Host header may have; ends with NULL */
	bool isolated_fails; /* health checks get 503 while the monitor is isolated */
	int64_t stale_ms;    /* the monitor counts as dead when its loop has not turned for so long */
};

/* Makes the terms of a configuration, without ports: the caller adds those. */
struct terms *terms_new(const struct config *config);

/* Accepts NULL, and clears the pointer. */
void terms_free(struct terms **terms);

/* Returns whether a request may have this Host header ("name", "name:port"): one of `hosts`, or where we listen. */
bool terms_allow_host(const struct terms *terms, const char *host);

/*
 * Returns whether the Authorization header (NULL: none) has the token. The time it takes shows only the token's
 * length.
 */
bool terms_allow_bearer(const struct terms *terms, const char *authorization);

/* Returns whether both need the same token, or none. */
bool terms_same_token(const struct terms *a, const struct terms *b);
