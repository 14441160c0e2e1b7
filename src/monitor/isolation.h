/*
 * Rule P7: whether the monitor is cut off from the servers by its own network. It looks at what comes in
 * before it is taken in: a failure of the way to a host waits until other hosts were asked (doubt.h); while
 * the monitor is isolated nothing is taken in, and some nodes are asked all the time, until another host
 * answers. Monitor thread.
 */
#pragma once

#include "monitor/doubt.h"

#define ISOLATION_ASKED 64       /* nodes, each retry_interval, while it lasts */
#define ISOLATION_AGAIN_MS 60000 /* one that begins within that time of the last one's end fires nothing more */

#define ISOLATION_WAYS 64        /* of the nodes of one doubt so many are knocked at themselves: each takes a descriptor */
#define ISOLATION_VOIDS 3        /* attempts in a row may be for nothing, as signs come late; the next one counts */

struct isolation_events {
	/* The monitor is isolated from now on; `fires`: an event tells it. Before what waited is let go. */
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
	struct timer *timer; /* while it lasts: the next nodes are asked */
	size_t cursor;
	bool acts;       /* the grace has passed */
	bool fires;      /* its begin was an event: so will be its end */
	bool is_blind;   /* the start waits for first answers: it alone concludes */
	bool heard;      /* somebody has been heard since the start */
	int64_t ended_ms; /* steady: when the last one ended; INT64_MIN: there was none */
};

/* It becomes a gate of the watches', the first one; before the first of them looks. */
void isolation_open(struct isolation *isolation, struct watches *watches, const struct isolation_events *events,
		    void *data);
void isolation_close(struct isolation *isolation);

/* Begins it: at the start nobody was heard. */
void isolation_begin(struct isolation *isolation);

/* Whether it would be an isolation that nobody is heard: two other hosts are configured. */
bool isolation_is_possible(struct isolation *isolation);

/* Before a reload: who waits is asked anew. */
void isolation_before_reload(struct isolation *isolation);

/* Whether it lasts and no loss counts. */
bool isolation_holds(const struct isolation *isolation);
