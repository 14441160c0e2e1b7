/*
 * What was seen of a node: facts, never an opinion. Plain values without
 * pointers; pg/probe makes them, the rules read them. And the moment at which
 * something is judged: the core knows no clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/names.h"

#define NAME_BYTES 256    /* a master's name in a row is cut at 255 bytes (contract, JSON) */
#define MESSAGE_BYTES 512 /* a server's or the system's own words, cut */

/* A tstamp of a row: from 0 to the end of the year 9999, whatever a server says. */
#define TSTAMP_MAX INT64_C(253402300799999)

struct moment {
	int64_t steady_ms; /* CLOCK_BOOTTIME: for every duration */
	int64_t stamp_ms;  /* wall clock at the monitor's start plus steady time since: beats */
	int64_t wall_ms;   /* the wall clock as it is now: what people are shown */
};

/* The row of the heartbeat table with the greatest tstamp (pg/tstamp.h: it may have been written in seconds). */
struct row {
	char master[NAME_BYTES];
	int64_t tstamp; /* ms */
};

enum row_state {
	ROW_NONE,  /* no table, or no row in it */
	ROW_SHOWN, /* `row` is it */
	ROW_LOCKED /* not readable for a lock or our own statement timeout (55P03, 57014) */
};

/* Which server it is, by its own words. */
struct origin {
	int64_t system;     /* the system identifier that its copies share; 0: not told */
	int64_t started_us; /* since the epoch, when its postmaster started: no two servers in the same microsecond */
	int64_t up_since_ms; /* the same, steady, by its age as the server's own clock has it; 0: not told */
	uint32_t timeline;  /* that a master writes; 0: of a slave, or not told */
};

/* A beat to be written through a node. */
struct beat_order {
	int cluster_id;
	const char *master; /* the node's id; lives as long as the configuration */
	int64_t tstamp;     /* ms; at least this, see cluster-rules.md, "tstamp" */
};

enum beat_state {
	BEAT_NONE, /* not tried, or the attempt says nothing (our own fault) */
	BEAT_WRITTEN,
	BEAT_LOCKED, /* 55P03 or 57014: rule P5 */
	BEAT_FAILED
};

struct beat_result {
	enum beat_state state;
	int64_t tstamp; /* what RETURNING said, when written */
	bool replaced;  /* a row was there before: */
	struct row before;
	enum reason reason; /* LOCKED and FAILED */
	char message[MESSAGE_BYTES];
};

/* A fresh connection that failed while the kept one stood. */
struct shut_door {
	enum reason reason; /* REASON_NONE: the last one did not fail */
	int attempts;       /* that have failed in a row */
	bool path;          /* nothing of its host was heard at the last one */
	char message[MESSAGE_BYTES];
};

enum observation_kind { OBSERVED_NOTHING, OBSERVED_MASTER, OBSERVED_SLAVE, OBSERVED_FAILURE };

struct observation {
	enum observation_kind kind;
	int server_version;      /* as PQserverVersion; 0 if not known */
	enum row_state row_state; /* of a slave */
	struct row row;
	struct beat_result beat; /* of a master that was sent one */
	enum reason reason;      /* of a failure */
	char message[MESSAGE_BYTES];
	bool path;  /* of a failure: nothing of its host was heard, neither TCP nor a word (P7) */
	bool harmless; /* of a failure: to look again leaves no error in the server's log */
	bool going; /* its last word was that it is going or coming (rule P2) */
	bool kept;  /* the connection that it came over stands */
	int64_t kept_ended_ms; /* steady: when the last kept one ended; INT64_MIN: none has */
	struct shut_door door; /* of an answer over the kept connection */
	struct origin origin;  /* of an answer, as the server at the other end of its connection told it */
	int64_t asked_ms;      /* steady: no later than when the question was put */
};

/* What of an observation the rules judge. */
struct sight {
	enum observation_kind kind; /* OBSERVED_NOTHING: nothing new was seen */
	enum row_state row_state;   /* of a slave */
	int64_t asked_ms;           /* as the observation's */
	struct row row;
};

/*
 * Makes an observation of nothing, in place: texts are ended, not overwritten, for a look is made of one that was used
 * before, a thousand times a second. kept_ended_ms: INT64_MIN. Any thread that owns it.
 */
void observation_clear(struct observation *seen);

/* The same of a beat's result: none was tried. */
void observation_clear_beat(struct beat_result *result);
