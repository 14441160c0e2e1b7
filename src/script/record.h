/*
 * What a load of the configuration read from outside: the text of each file, or that there was none,
 * which files are there, variables of the environment, and how what it did to files ended. The load
 * keeps it, so that its script host can be made again without the disk (design.md, "Threads").
 *
 * Counted atomically. Any thread: it has a lock. A fact is never changed or removed: what
 * record_find() has found lives as long as the record.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define RECORD_FILE_BYTES ((size_t)32 << 20) /* of one file; bigger ones are not kept */
#define RECORD_BYTES ((size_t)64 << 20)      /* of all facts */

enum fact_kind {
	FACT_TEXT = 't',     /* of a file */
	FACT_SPECIAL = 's',  /* a directory or a device: it has no text */
	FACT_FILE = 'f',     /* whether there is one that can be read */
	FACT_VARIABLE = 'v', /* of the environment */
	FACT_DEED = 'd',     /* how it ended: what Lua makes of it */
	FACT_FOREIGN = 'o',  /* others than root can change the file whose text is kept */
};

struct fact {
	int error; /* errno: there is none; 0: there is */
	const char *bytes;
	size_t len;
};

struct record;

struct record *record_new(void);
struct record *record_ref(struct record *record);

/* NULL allowed; clears the pointer. */
void record_unref(struct record **record);

/* False: it has not been asked for. */
bool record_find(struct record *record, enum fact_kind kind, const char *name, struct fact *fact);

/* Keeps a copy of a fact; the first one of its kind and name stays. What has no room spoils the record. */
void record_keep(struct record *record, enum fact_kind kind, const char *name,
		 const struct fact *fact);

/* Something was read that is not kept: no host can be made of it. The first reason stays. */
void record_spoil(struct record *record, const char *why);

/* Why no host can be made of it, NULL: one can. The record's. */
const char *record_lack(struct record *record);
