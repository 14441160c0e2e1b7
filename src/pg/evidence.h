/*
 * From a server's or the system's words to a class of failure (contract,
 * "Reasons"): by SQLSTATE, else by libpq's message compared with this process's
 * own strerror() (libpq hands out no errno; the process never calls setlocale).
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/observation.h"

struct evidence {
	enum reason reason;
	char message[MESSAGE_BYTES];
	bool going;     /* the server has said that it stops or starts (57P01, 57P02, 57P03) */
	bool stops;     /* of a break: the server has said that it stops (57P01) */
	bool untold;    /* of a failed connect: 57P03 in words that do not tell a stop from a start */
	bool path;      /* nothing of its host was heard: the way to it failed, or the host is gone (P7) */
	bool own_fault; /* our own descriptors, memory or files: says nothing about the node */
	bool told;      /* the log tells it in one line for all nodes (login.h; of a file: monitor/lacks.h) */
	bool file;      /* it is a file that a login reads (certificate, key, passfile), or this machine's TLS */
};

/* Makes it evidence of nothing. Only the first byte of the message is overwritten. */
void evidence_clear(struct evidence *evidence);

/*
 * libpq's words on one line, its sentences and attempts joined by "; ", without its verbose LOCATION, its hint,
 * trailing blanks and our passwords. The caller frees them.
 */
char *evidence_words(const char *message);

/*
 * A failed connect: PQerrorMessage() with verbosity PQERRORS_VERBOSE. Of several attempts of libpq's (with and
 * without TLS) the last one counts, unless a file of ours has led to it.
 */
void evidence_of_connect(struct evidence *evidence, const char *message);

/* A connection that broke: what the server said before that; `sqlstate` NULL or "": libpq's `message` counts. */
void evidence_of_break(struct evidence *evidence, const char *sqlstate, const char *words,
		       const char *message);

/*
 * A node has not answered within `query_timeout_ms`: over its kept connection (`kept`), or while one was made and,
 * with `looking_up`, its host's name was still being looked up.
 */
struct evidence evidence_of_silence(bool kept, bool looking_up, int64_t query_timeout_ms);

/*
 * Notes that a fresh connection beside the kept one has failed, and why. The server's door is said to be shut then
 * (struct shut_door, made where it is NULL): the kept connection answers, but no new one is let in.
 */
void evidence_shut_door(const struct evidence *evidence, struct shut_door **door);

/* Frees it: a fresh connection was made, or none is kept any more. Clears the pointer. */
void evidence_open_door(struct shut_door **door);

/* Puts the failure of the fresh connection in place of silence, as it tells more, unless it was silence, too. */
void evidence_prefer_door(struct evidence *evidence, const struct shut_door *door);

/* The outcome of a look, or a beat, that failed so. From a fault of our own nothing is learned of the node. */
struct observation evidence_as_look(const struct evidence *evidence);
struct beat_result evidence_as_beat(const struct evidence *evidence);

/* The class of a statement that failed; with `of_table` of one about the beats' table. */
enum reason evidence_of_sqlstate(const char *sqlstate, bool of_table);

/* 55P03 and 57014: a lock or our own statement timeout. */
bool sqlstate_is_locked(const char *sqlstate);

/* 40001 and 40P01: worth asking again at once. */
bool sqlstate_is_transient(const char *sqlstate);

/* No connection was begun: of our `limit` of descriptors nothing but the reserve is left. */
struct evidence evidence_of_scarcity(size_t limit);
