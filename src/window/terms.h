/*
 * On which terms the window is open: the settings of `http` as its thread goes by them. The monitor's thread makes
 * them, the window's thread owns them afterwards.
 */
#pragma once

#include "base/buf.h"
#include "core/config.h"
#include "window/port.h"

struct terms {
	struct list ports; /* struct port *, a reference each */
	struct port *agent; /* HAProxy's agent-check; NULL: nowhere */
	char *token;        /* NULL: none is asked for */
	size_t token_bytes;
	char **hosts; /* that the Host header may name; NULL-terminated */
	bool isolated_fails;
	int64_t stale_ms; /* the monitor is taken for dead when its loop has not turned for so long */
};

/* All but the ports. */
struct terms *terms_new(const struct config *config);

/* NULL allowed; clears the pointer. */
void terms_free(struct terms **terms);

/* Whether a request may have this Host header ("name", "name:port"): by `hosts`, or since it is where we listen. */
bool terms_allow_host(const struct terms *terms, const char *host);

/* Whether the value of the Authorization header (NULL: there is none) bears the token. How long that takes tells its length alone. */
bool terms_allow_bearer(const struct terms *terms, const char *authorization);

/* Whether both ask for the same token, or for none. */
bool terms_same_token(const struct terms *a, const struct terms *b);
