/*
 * What a term takes over from those before it: the state as it was committed last, and the events that are kept, with what
 * their triggers came to. Read once, when the term has begun, when nobody else can write.
 */
#pragma once

#include "core/saved.h"
#include "etcd/client.h"

/* A kept event, as it stands in etcd. */
struct estate_event {
	unsigned long number;
	char *text; /* JSON */
};

struct estate {
	int64_t term;
	bool seeds; /* the store is another one, and what we have is to be written there, whatever it holds */
	struct saved *saved; /* NULL: nothing was ever committed */
	char *left_out;      /* what of it could not be read, for the log; NULL: nothing */
	char *meta;          /* what stands at `state/meta`; "{}": nothing */
	int64_t meta_revision;
	struct list events;  /* struct estate_event *, by their numbers */
};

struct estate_reader;

/*
 * `done` is called once, never from inside this call, however long it takes: with what there is, the callee's, or (NULL)
 * why it cannot be taken: another format. Clerk's loop.
 */
struct estate_reader *estate_read(struct client *client, const char *prefix, int64_t term, int64_t timeout_ms,
				  void (*done)(void *data, struct estate *estate, const char *why), void *data);

/* Reads no more. NULL allowed; clears the pointer. */
void estate_reader_free(struct estate_reader **reader);

/* NULL allowed; clears the pointer. */
void estate_free(struct estate **estate);
