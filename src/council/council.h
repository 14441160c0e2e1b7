/*
 * The council is what a monitor has to do with the other monitors of its fleet, of which one acts. It says who acts,
 * takes commits, and tells what becomes of them; the clerk (clerk.h) talks with etcd on a thread of its own. Monitor's
 * loop.
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
	/* This monitor acts from now on, and takes over this estate, which is valid for the call only. */
	void (*acts)(void *data, const struct estate *estate);
	/* etcd can be asked again after longer than a lease lasts: this is what it holds, valid for the call only. */
	void (*returned)(void *data, const struct estate *estate);
	/* The term is over, or was handed back: what runs must end, and nothing starts. */
	void (*stands_by)(void *data, const char *why);
	/* etcd has written the commits up to this number. */
	void (*committed)(void *data, unsigned long number);
	/* Another monitor acts, the entries of the monitors have changed, or etcd can be asked, or cannot, any more. */
	void (*changed)(void *data);
	/* Our entry was written among the monitors: the name is ours. */
	void (*in)(void *data);
	/* Another process, on that host, has our name: this one must not go on. */
	void (*taken)(void *data, const char *host);
};

struct council_start {
	uv_loop_t *loop;
	const struct config *config;
	const struct council_events *events;
	void *data;
	const struct polls_events *polls; /* what monitors ask each other */
	void *polls_data;
	const struct hush_events *hush; /* silences, which all monitors share */
	void *hush_data;
};

/* NULL: the clerk's thread cannot be started. */
struct council *council_new(const struct council_start *start);

/*
 * The term that is ours; 0: another monitor acts, or nobody. It may be over though we do not know it:
 * council_is_sure().
 */
int64_t council_term(const struct council *council);

/* Whether the term is ours for sure, so that something may be started. The caller asks just before each start. */
bool council_is_sure(const struct council *council);

/*
 * "acting", "standing by (NAME acts)" or "standing by (nobody is known to act)", and whether etcd is away. The
 * caller's.
 */
char *council_words(const struct council *council);

/* Whether etcd cannot be asked, so that nothing may be started. */
bool council_is_stuck(const struct council *council);

/*
 * Whether etcd could not be asked for longer than a lease lasts. When it can be asked again in our term, `returned`
 * follows.
 */
bool council_is_away_for_long(const struct council *council);

/*
 * Has the commit written in our term, after those before it; takes it over. Its number is higher than the one before.
 */
void council_commit(struct council *council, struct commit *commit);

/* Has our entry say how many nodes answer, and how many do not. */
void council_say(struct council *council, size_t answering, size_t not_answering);

/* Has our entry say the settings of a configuration that was reloaded, and compares them with those of the others. */
void council_reload(struct council *council, const struct config *config);

/* The object by which monitors ask each other what they see; the council's. */
struct polls *council_polls(struct council *council);

/* The object by which silences are set and ended for all monitors; the council's. */
const struct hush *council_hush(const struct council *council);

/* Hands the term back as soon as all commits are written. */
void council_resign(struct council *council);

/*
 * Accepts etcd's store though it is not the one it was, and has our next term write our state there. Returns NULL, or
 * why there is nothing to accept.
 */
const char *council_seed(struct council *council);

/* Write the control socket's answer to "monitors", and the part of it that "status" has, into an open object. */
void council_render(const struct council *council, struct json *json);
void council_render_short(const struct council *council, struct json *json);

/* Hands the lease back and ends the thread; false: that does not end in time. NULL allowed; clears the pointer. */
bool council_free(struct council **council);
