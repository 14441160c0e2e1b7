/*
 * One scenario being played: its nodes, its time, what happened in the line
 * that was played last. scenarios.c reads the lines, stage.h plays them.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>

#include "core/awaited.h"
#include "support/kit.h"

#define PLAY_NODES 16
#define PLAY_BEATS 512
#define PLAY_FACTS 64

/* What one node does in a line. */
struct part {
	enum beat_state beat; /* of a master, sitting or candidate */
	enum reason beat_reason; /* of one that fails; REASON_NONE: the kit's */
	int64_t vouched_ms;   /* until when its slaves vouch for it from now on, steady; 0: not anew */
	bool others;          /* most of the other monitors see it */
	bool late;            /* it answered its first attempt late, but in time */
	bool has_over;        /* the row that a beat finds: */
	struct row over;
};

struct happening {
	enum event_kind kind;
	const struct node *node; /* NULL: plusmoin_up */
	enum rule rule;
	int cluster_id;
};

struct fact {
	const struct node *node;
	enum rule rule;
};

struct play {
	const char *path;
	int line;
	char error[1024]; /* the first, "" while all is well */
	struct config *config;
	struct fleet *fleet; /* NULL until `nodes` */
	int64_t steady_ms;
	int64_t base_ms;
	bool logging_in; /* in this line some first login is under way */
	struct part parts[PLAY_NODES];
	struct {
		const char *node;
		int64_t at_ms;
		int64_t tstamp;
	} beats[PLAY_BEATS];
	size_t beat_count;
	struct {
		int id;
		int64_t at_ms;
	} founded[PLAY_NODES];
	size_t founded_count;
	struct happening events[PLAY_FACTS]; /* of the last line */
	size_t event_count;
	struct fact facts[PLAY_FACTS];
	size_t fact_count;
};

__attribute__((format(printf, 2, 3))) static inline bool play_fail(struct play *play,
								    const char *format, ...)
{
	va_list args;
	int at;

	if (play->error[0] != '\0')
		return false;
	at = snprintf(play->error, sizeof(play->error), "%s:%d: ", play->path, play->line);
	va_start(args, format);
	vsnprintf(play->error + at, sizeof(play->error) - (size_t)at, format, args);
	va_end(args);
	return false;
}

static inline struct moment play_now(const struct play *play)
{
	return kit_moment(play->steady_ms, play->base_ms);
}

static inline void play_event(struct play *play, enum event_kind kind, const struct node *node,
			      enum rule rule, int cluster_id)
{
	if (play->event_count < PLAY_FACTS)
		play->events[play->event_count++] =
			(struct happening){ kind, node, rule, cluster_id };
}

static inline void play_fact(struct play *play, const struct node *node, enum rule rule)
{
	if (play->fact_count < PLAY_FACTS && rule != RULE_NONE)
		play->facts[play->fact_count++] = (struct fact){ node, rule };
}

/* The tstamp of `node`'s beat at `at_ms`; what its clock said then if it wrote none. */
static inline int64_t play_tstamp(const struct play *play, const char *node, int64_t at_ms)
{
	for (size_t i = play->beat_count; i > 0; i--) {
		if (play->beats[i - 1].at_ms == at_ms && strcmp(play->beats[i - 1].node, node) == 0)
			return play->beats[i - 1].tstamp;
	}
	return KIT_BASE_MS + at_ms;
}
