/* One member of etcd, asked for `check` by one request after another, each of which may take seconds. Loop's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "etcd/client.h"
#include "net/http.h"

/* What the member is asked, in this order. */
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
	const char *reason; /* a name of etcd/refusal.h's, or "unhealthy"; NULL: the member has done it */
	char *words;        /* why not, in words; NULL: the member has done it */
};

struct member {
	char *url;
	struct member_heard heard[STEPS];
	char *version; /* NULL: not known */
	bool has_clock;
	int64_t clock_ms;   /* how far its clock is ahead of ours, within a second */
	int64_t latency_us; /* how long a read took that the majority agrees to; 0: not known */
	bool has_leader;
	char *alarms;  /* NULL: not known */
	char *cluster; /* NULL: not known */
	int64_t least_s; /* the smallest lease; 0: not known */

	/* member.c's own: */
	const struct config_monitors *monitors;
	struct http *http;
	struct client *client;
	struct client *bare; /* without a user, to ask whether there is a login at all */
	struct http_call *page;
	struct client_call *call;
	enum member_step step; /* what is asked now; STEPS: nothing more */
	uint64_t sent_ns;
	int64_t sent_wall_ms;
	int64_t lease;
	void (*done)(void *data);
	void *data;
};

/*
 * Asks the member at `url`. `member` must be zero, and must not be moved. `done` is called once, never from inside
 * this call. `monitors` and `http` outlive member_stop().
 */
void member_ask(struct member *member, uv_loop_t *loop, struct http *http, const struct config_monitors *monitors,
		const char *url, void (*done)(void *data), void *data);

/* Whether the member was asked that, and has done it. */
bool member_was_done(const struct member *member, enum member_step step);

/* Ends the asking; before the loop is closed. */
void member_stop(struct member *member);
void member_clear(struct member *member);
