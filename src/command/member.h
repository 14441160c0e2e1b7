/*
 * One member of etcd, asked for `check`, one thing after the other, each for seconds at the most. Loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "etcd/client.h"
#include "net/http.h"

/* What it is asked, in this order. */
enum member_step {
	STEP_VERSION,
	STEP_HEALTH,
	STEP_LOGIN,
	STEP_STATUS,
	STEP_LEASE,
	STEP_READ,
	STEP_WRITE,
	STEP_DELETE,
	STEP_REVOKE,
	STEPS
};

struct member_heard {
	bool asked;
	const char *reason; /* a name of etcd/refusal.h's, or "unhealthy"; NULL: it was done */
	char *words;        /* NULL where it was done */
};

struct member {
	char *url;
	struct member_heard heard[STEPS];
	char *version; /* NULL: not known, as the other texts */
	bool has_clock;
	int64_t clock_ms;   /* so far ahead of ours, within a second */
	int64_t latency_us; /* of a read that the majority agrees to; 0: not known */
	bool has_leader;
	char *alarms;
	char *cluster;
	int64_t least_s; /* the smallest lease; 0: not known */

	/* member.c's own: */
	const struct config_monitors *monitors;
	struct http *http;
	struct client *client;
	struct client *bare; /* without a user: asks whether there is a login at all */
	struct http_call *page;
	struct client_call *call;
	enum member_step step; /* that is asked now; STEPS: it is through */
	uint64_t sent_ns;
	int64_t sent_wall_ms;
	int64_t lease;
	void (*done)(void *data);
	void *data;
};

/*
 * Asks the member at `url`; `member` is zero, and stays where it is. `done` is called once, never from inside the call.
 * `monitors` and `http` outlive member_stop().
 */
void member_ask(struct member *member, uv_loop_t *loop, struct http *http, const struct config_monitors *monitors,
		const char *url, void (*done)(void *data), void *data);

/* Whether it was asked that, and has done it. */
bool member_was_done(const struct member *member, enum member_step step);

/* It is not asked any more; before the loop is closed. */
void member_stop(struct member *member);
void member_clear(struct member *member);
