/*
 * The settings that a session of ours does not leave to others: what ALTER ROLE, ALTER DATABASE, ALTER ROLE
 * IN DATABASE and ALTER SYSTEM say of them would make statements fail, end sessions, or change what answers
 * look like. A row each (pinned.c). Those that each supported version knows are libpq's `options` of the
 * startup packet, which win over all four for as long as the session lasts; an unknown one would be FATAL
 * there, so younger ones are set after connecting. Pure.
 *
 * Left alone: default_transaction_read_only, which is evidence; search_path and role, which say where the
 * table is and who we are there.
 */
#pragma once

#include <stdbool.h>

enum pinned_for {
	PINNED_FOR_US,    /* lanes and surveys: our own statements, and is_slave_statement */
	PINNED_FOR_OTHERS /* sessions (pm.query): what must not make a statement fail or mean another thing */
};

#define PINNED_OPTIONS 640

/* As libpq's `options`; what follows them there wins over them. */
void pinned_options(enum pinned_for whose, char out[PINNED_OPTIONS]);

/*
 * Sets the names $1 to the values $2 for the rest of the session (text[] both), if $3 is the pid of the process
 * that serves it. One row: whether it is, and how many were set. Behind a connection pool it is not, and
 * nothing is set: it would stay there for other clients of the pool.
 */
extern const char pinned_sql[];

/* The same for the rest of the transaction alone, whoever serves it; without $3. */
extern const char pinned_local_sql[];

/* The parameters of pinned_sql. */
struct pinned_words {
	char names[128];
	char values[96];
	char pid[16];
};

/* Takes the settings that a server of this version knows beside the options; false: none. `pid`: conn_backend_pid(). */
bool pinned_younger(enum pinned_for whose, int server_version, int pid, struct pinned_words *out);

/* Adds a setting to what pinned_younger() has filled in; neither text may need quotes in an array. */
void pinned_add(struct pinned_words *words, const char *name, const char *value);
