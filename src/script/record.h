/*
 * The record keeps the facts that a load of the configuration has read from outside: the text of each file, or that
 * there was none, which files are there, variables of the environment, and how its own acts on files ended. So its
 * script host can be made again without the disk (design.md, "Threads").
 *
 * Its references are counted atomically. Any thread: it has a lock. A fact is never changed or removed, so that what
 * record_find() has found lives as long as the record.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define RECORD_FILE_BYTES ((size_t)32 << 20) /* of one file; the text of a bigger one is not kept */
#define RECORD_BYTES ((size_t)64 << 20)      /* of all facts */

enum fact_kind {
	FACT_TEXT = 't',     /* of a file */
	FACT_SPECIAL = 's',  /* a directory or a device: it has no text */
	FACT_FILE = 'f',     /* whether there is a file of that name that can be read */
	FACT_VARIABLE = 'v', /* a variable of the environment */
	FACT_DEED = 'd',     /* how an act of the load on a file ended; Lua makes the name and the text */
	FACT_FOREIGN = 'o',  /* others than root can change the file whose text is kept */
};

struct fact {
	int error; /* 0: it exists; else the errno that says why not */
	const char *bytes;
	size_t len;
};

struct record;

struct record *record_new(void);
struct record *record_ref(struct record *record);

/* NULL allowed; clears the pointer. */
void record_unref(struct record **record);

/* Looks a fact up; false: the record does not have it. */
bool record_find(struct record *record, enum fact_kind kind, const char *name, struct fact *fact);

/*
 * Keeps a copy of a fact, unless it has one of this kind and name. A fact for which there is no room spoils the
 * record.
 */
void record_keep(struct record *record, enum fact_kind kind, const char *name,
		 const struct fact *fact);

/*
 * Notes that something was read which is not kept, so that no host can be made of the record. The first reason stays.
 */
void record_spoil(struct record *record, const char *why);

/* Why no host can be made of the record; NULL: one can. The record's. */
const char *record_lack(struct record *record);
