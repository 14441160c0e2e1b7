/*
 * A line of the control socket: an object whose values are texts, such as {"request": "explain", "node": "a:5432"}.
 * The rows in requests.c say which keys a request takes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A text is NULL where its key was not given. */
struct request {
	char *name;
	char *since;   /* an event's id */
	char *node;    /* a node's "host:port" or name */
	char *event;   /* an event's id */
	char *code;    /* Lua, for a console's session */
	char *chunk;   /* what Lua calls that code in its errors */
	char *session; /* the name of a console's session */
	char *run;     /* the id of a run that waits or is under way */
	char *target;  /* what a silence is about: a node's "host:port" or name, a cluster's id, or "all" */
	char *seconds; /* how long the silence lasts */
	char *reason;  /* why there is to be a silence, in the words of who asks */
	uid_t uid;     /* who asks, as the kernel says; (uid_t)-1: it does not know */
	const char *wrong; /* a key whose value is no text; NULL: none */
};

/* False, and nothing to free, when the line is no JSON object with a `request`. */
bool request_parse(const char *line, size_t len, struct request *request);

void request_free(struct request *request);

/* Whether both ask for the same, whoever asks. */
bool request_same(const struct request *a, const struct request *b);
