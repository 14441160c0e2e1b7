/*
 * Rule P7: whether the monitor is cut off from the servers by its own network. It is a gate (gates.h) of what
 * is seen of nodes: a failure of the way to a host waits until other hosts were asked (doubt.h); while the
 * monitor is isolated nothing is taken in, and some nodes are asked all the time, until another host answers.
 * Monitor thread.
 */
#pragma once

#include "monitor/doubt.h"

#define ISOLATION_ASKED 64       /* nodes that are asked each retry_interval while it lasts */
#define ISOLATION_AGAIN_MS 60000 /* one that begins so soon after the end of the last one fires no event */

#define ISOLATION_WAYS 64        /* most nodes of a doubt whose own hosts are knocked at: each takes a descriptor */
#define ISOLATION_VOIDS 3        /* attempts in a row that may not count, as answers come late; the next one counts */

struct isolation_events {
	/*
	 * The monitor is isolated from now on; `fires`: an event tells it. Looks that wait for the doubt's verdict end
	 * next.
	 */
	void (*began)(void *data, bool fires);
	/* It lasts, but its grace has passed: losses count again. */
	void (*acts)(void *data);
	/* It is over: all is to be asked anew. */
	void (*ended)(void *data, bool fires);
};

struct isolation {
	struct watches *watches;
	const struct isolation_events *events;
	void *data;
	struct doubt doubt;
	struct timer *timer; /* asks the next nodes while it lasts */
	size_t cursor;
	bool acts;       /* the grace has passed */
	bool fires;      /* its begin was an event, so its end will be one */
	bool is_blind;   /* the start waits for first answers, and alone decides whether the monitor is isolated */
	bool heard;      /* somebody has been heard since the start */
	int64_t ended_ms; /* steady: when the last one ended; INT64_MIN: there was none */
};

/* Adds it to the watches as their first gate; to be called before the first look. */
void isolation_open(struct isolation *isolation, struct watches *watches, const struct isolation_events *events,
		    void *data);
void isolation_close(struct isolation *isolation);

/* Begins an isolation at the start, when no node was heard. */
void isolation_begin(struct isolation *isolation);

/* Whether the silence of all nodes can be an isolation: they are on two other hosts at least. */
bool isolation_is_possible(struct isolation *isolation);

/* Before a reload: ends an open doubt, and asks its nodes anew. */
void isolation_before_reload(struct isolation *isolation);

/* Whether it lasts and no loss counts. */
bool isolation_holds(const struct isolation *isolation);
