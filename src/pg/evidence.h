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
	bool going;     /* its word was that it is going or coming (57P01, 57P02, 57P03) */
	bool stops;     /* of a break: that it is going (57P01) */
	bool untold;    /* of a connect: 57P03 in words that do not tell going from coming */
	bool path;      /* nothing of its host was heard: the way to it failed, or the host is gone (P7) */
	bool own_fault; /* our own descriptors, memory or files: says nothing about the node */
	bool told;      /* of that the log is told for all nodes at once (login.h; of a file: monitor/lacks.h) */
	bool file;      /* it is a file that a login reads (certificate, key, passfile), or this machine's TLS */
};

/* Makes it evidence of nothing, in place: the message is ended, not overwritten. */
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

/* A connection that broke: the words that came before (sqlstate and text, or NULL). */
void evidence_of_break(struct evidence *evidence, const char *sqlstate, const char *words,
		       const char *message);

/*
 * No answer within `query_timeout_ms`: `kept`, over a connection that stands; else while one is
 * made, `looking_up` its host's name.
 */
struct evidence evidence_of_silence(bool kept, bool looking_up, int64_t query_timeout_ms);

/* A fresh connection beside the kept one has failed once more: the door, made if there is none, is shut, and why. */
void evidence_shut_door(const struct evidence *evidence, struct shut_door **door);

/* The door is open: there is none that is shut. Clears the pointer. */
void evidence_open_door(struct shut_door **door);

/* What a shut door says tells more than silence, but for more silence. */
void evidence_prefer_door(struct evidence *evidence, const struct shut_door *door);

/* A look, or a beat, of which nothing was learned but this; of a fault of our own not even that. */
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
