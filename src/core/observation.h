/*
 * What was seen of a node: facts, never an opinion. Plain values without
 * pointers; pg/ makes them, the rules read them. Also the moment at which
 * something is judged, because the core has no clock of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/names.h"

#define NAME_BYTES 256    /* a master's name in a row is cut at 255 bytes (contract, JSON) */
#define MESSAGE_BYTES 512 /* a message of the server or of the system is cut to this */

/* The greatest tstamp that a row may have: the end of the year 9999. The least is 0. */
#define TSTAMP_MAX INT64_C(253402300799999)

struct moment {
	int64_t steady_ms; /* CLOCK_BOOTTIME, for every duration */
	int64_t stamp_ms;  /* wall clock at the monitor's start plus steady time since, for beats */
	int64_t wall_ms;   /* the wall clock as it is now, for people */
};

/* The row of the heartbeat table with the greatest tstamp (pg/tstamp.h: it may have been written in seconds). */
struct row {
	char master[NAME_BYTES];
	int64_t tstamp; /* ms */
};

enum row_state {
	ROW_NONE,  /* no table, or no row in it */
	ROW_SHOWN, /* `row` holds it */
	ROW_LOCKED /* not readable for a lock or our own statement timeout (55P03, 57014) */
};

/* Which server it is, as the server itself says. */
struct origin {
	int64_t system;     /* the system identifier, which its copies share; 0: not told */
	int64_t started_us; /* when its postmaster started, since the epoch; it tells servers of one system apart */
	int64_t up_since_ms; /* the same, steady, reckoned from the age that the server tells; 0: not told */
	uint32_t timeline;  /* the timeline on which a master writes; 0: it is a slave, or has not told it */
};

/* A beat to be written through a node. */
struct beat_order {
	int cluster_id;
	const char *master; /* the node's id; lives as long as the configuration */
	int64_t tstamp;     /* ms; at least this, see cluster-rules.md, "tstamp" */
};

enum beat_state {
	BEAT_NONE, /* no beat was tried, or it failed by our own fault, which says nothing of the node */
	BEAT_WRITTEN,
	BEAT_LOCKED, /* 55P03 or 57014: rule P5 */
	BEAT_FAILED
};

struct beat_result {
	enum beat_state state;
	int64_t tstamp; /* of a written beat, as RETURNING gave it */
	bool replaced;  /* the beat replaced a row */
	struct row before; /* the row that it replaced */
	enum reason reason; /* of a locked or failed beat */
	char message[MESSAGE_BYTES];
};

/* A fresh connection that failed while the kept one stood. */
struct shut_door {
	enum reason reason; /* REASON_NONE: the last fresh connection did not fail */
	int attempts;       /* fresh connections that have failed in a row */
	bool path;          /* the last one failed without any sign of the host, neither TCP nor a message */
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
	bool path;  /* of a failure: there was no sign of the host, neither TCP nor a message (P7) */
	bool harmless; /* of a failure: to look again leaves no error in the server's log */
	bool going; /* the server last said that it stops or starts (57P01, 57P02, 57P03: rule P2) */
	bool kept;  /* the kept connection stands */
	int64_t kept_ended_ms; /* steady, when the last kept connection ended; INT64_MIN: none has */
	struct shut_door door; /* of an answer over the kept connection: the fresh one that failed beside it */
	struct origin origin;  /* of an answer, as the server that gave it told it */
	int64_t asked_ms;      /* steady, when the question was sent, or a little earlier */
};

/* The part of an observation that the rules judge. */
struct sight {
	enum observation_kind kind; /* OBSERVED_NOTHING: nothing new was seen */
	enum row_state row_state;   /* of a slave */
	int64_t asked_ms;           /* as the observation's */
	struct row row;
};

/*
 * Makes an observation of nothing (kept_ended_ms: INT64_MIN) of one that was used before. It ends texts and does not
 * zero them, because it is called a thousand times a second. Any thread that owns the observation.
 */
void observation_clear(struct observation *seen);

/* The same for a beat's result: no beat was tried. */
void observation_clear_beat(struct beat_result *result);
