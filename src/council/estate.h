/*
 * The estate is what a term takes over from the terms before it: the state as it was committed last, the values of
 * pm.state, and the kept events with the outcomes of their triggers. It is read when the term has begun, as nobody else
 * can write then, and once more when etcd was away for long.
 */
#pragma once

#include "core/saved.h"
#include "etcd/client.h"

/* A kept event, as etcd holds it. */
struct estate_event {
	unsigned long number;
	char *text; /* JSON */
};

struct estate {
	int64_t term;
	bool seeds; /* the term has to write its own state there, whatever the store holds (monitors seed) */
	struct saved *saved; /* NULL: nothing was ever committed */
	char *left_out;      /* which parts of the state could not be read, for the log; NULL: none */
	struct list values;  /* struct assignment *, of pm.state */
	char *strange;       /* the key of a value of pm.state that cannot be read, for the log; NULL: there is none */
	char *meta;          /* the value of `state/meta`; "{}": the key is not there */
	int64_t meta_revision; /* the mod_revision of `state/meta`; 0: the key is not there */
	struct list events;  /* struct estate_event *, in the order of their numbers */
};

struct estate_reader;

/*
 * Reads the estate, however long that takes. `done` is called once, never from inside this call: with the estate,
 * which the callee owns, or with NULL and why it cannot be read (the state has another format). Clerk's loop.
 */
struct estate_reader *estate_read(struct client *client, const char *prefix, int64_t term, int64_t timeout_ms,
				  void (*done)(void *data, struct estate *estate, const char *why), void *data);

/* Stops reading; `done` is not called any more. NULL allowed; clears the pointer. */
void estate_reader_free(struct estate_reader **reader);

/* NULL allowed; clears the pointer. */
void estate_free(struct estate **estate);
