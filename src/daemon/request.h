/* A line of the control socket: {"request": "...", "since": "...", "node": "...", "event": "..."}. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct request {
	char *name;
	char *since; /* an event's id; NULL: not given, as the others */
	char *node;  /* its "host:port", or its name */
	char *event; /* an event's id */
	const char *wrong; /* a key whose value is no text; NULL: none */
};

/* False, and nothing to free, when the line is no JSON object with a `request`. */
bool request_parse(const char *line, size_t len, struct request *request);
void request_free(struct request *request);

/* Whether both ask for the same. */
bool request_same(const struct request *a, const struct request *b);
