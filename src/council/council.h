/*
 * Several monitors of one fleet, of which one acts: the monitor's side. It says who acts, takes commits, and tells what
 * becomes of them; the clerk (clerk.h) does the talking on a thread of its own. Monitor's loop.
 */
#pragma once

#include <uv.h>

#include "core/config.h"
#include "council/commit.h"
#include "council/estate.h"
#include "council/hush.h"
#include "council/polls.h"

struct council;

/* Called on the monitor's loop, never from inside a call of the owner's. */
struct council_events {
	/* A term is ours: what it takes over, for the call only. */
	void (*acts)(void *data, const struct estate *estate);
	/* etcd was away for longer than a lease lasts, and takes commits again: what stands there; for the call only. */
	void (*returned)(void *data, const struct estate *estate);
	/* It is over, or was handed back: what runs must end, and nothing starts. */
	void (*stands_by)(void *data, const char *why);
	/* The commits up to this number stand. */
	void (*committed)(void *data, unsigned long number);
	/* Who acts, who there is, or whether etcd can be asked has changed. */
	void (*changed)(void *data);
	/* Our entry stands among the monitors: the name is ours. */
	void (*in)(void *data);
	/* Our name is another process's, which is on that host: this one must not go on. */
	void (*taken)(void *data, const char *host);
};

struct council_start {
	uv_loop_t *loop;
	const struct config *config;
	const struct council_events *events;
	void *data;
	const struct polls_events *polls; /* what monitors ask each other */
	void *polls_data;
	const struct hush_events *hush; /* silences that all share */
	void *hush_data;
};

/* NULL: there is no thread. */
struct council *council_new(const struct council_start *start);

/* The term that is ours, 0: another monitor acts, or nobody. It may be over without our knowing: council_is_sure(). */
int64_t council_term(const struct council *council);

/* Whether something may be started now: the term is ours, and that is sure. Looked at just before each start. */
bool council_is_sure(const struct council *council);

/* "acting", "standing by (NAME acts)", "standing by (nobody is known to act)"; with what etcd lacks. The caller's. */
char *council_words(const struct council *council);

/* For how long etcd has taken no commit, ms; 0: it does. */
int64_t council_stuck_ms(const struct council *council);

/* Writes it under the term, in its turn; takes it over. Its number is above that of the one before. */
void council_commit(struct council *council, struct commit *commit);

/* What our entry says: how many nodes answer, and how many do not. */
void council_say(struct council *council, size_t answering, size_t not_answering);

/* By which monitors ask each other what they see. */
struct polls *council_polls(struct council *council);

/* By which silences are set and ended for all monitors; the council's. */
const struct hush *council_hush(const struct council *council);

/* Hands the term back when all that waits is written. */
void council_resign(struct council *council);

/*
 * Takes etcd's store as it is, though it is another one than before, and has the next term write our state there. NULL: it
 * does; else why not: the store is the one it was.
 */
const char *council_seed(struct council *council);

/* The control socket's answer to "monitors", into an open object; and its part of "status". */
void council_render(const struct council *council, struct json *json);
void council_render_short(const struct council *council, struct json *json);

/* Hands all back and ends the thread; false: it does not end in time. NULL allowed, clears the pointer. */
bool council_free(struct council **council);
