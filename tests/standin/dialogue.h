/*
 * What a client that is logged in says, as PostgreSQL takes it: prepared statements, named and unnamed, the unnamed
 * portal, pipelines. After an error all is skipped up to the Sync, and what was changed since the Sync before is
 * undone; what is changed shows to others from the Sync on. A value: zero-initialised is a new dialogue.
 */
#pragma once

#include "standin/answers.h"
#include "standin/server.h"

#define PARAMS_MOST 8

struct prepared;

struct dialogue {
	struct list prepared; /* struct prepared *; the unnamed one has the name "" */
	const struct prepared *portal; /* that was bound; NULL: none */
	struct buf words;     /* its parameters, each with its terminator */
	char *params[PARAMS_MOST]; /* in `words`; NULL: NULL */
	int param_count;
	bool failed;          /* all is skipped until Sync */
	struct transaction transaction;
};

/* Takes a message of `server`'s client, and appends what it gets to `out`. False: the client says that it ends. */
bool dialogue_take(struct dialogue *dialogue, struct server *server, struct buf *out, char type, const char *body,
		  size_t len);

/* Its prepared statements are gone, as after DISCARD ALL. */
void dialogue_forget(struct dialogue *dialogue);
void dialogue_free(struct dialogue *dialogue);
