/*
 * The clerk's work, on the loop of its thread: the lease, our entry among the monitors, the election, the ledger, and what
 * follows for one from what another has come to. The thread itself, and how it is spoken to, are clerk.c's.
 */
#pragma once

#include <pthread.h>
#include <uv.h>

#include "council/away.h"
#include "council/ballot.h"
#include "council/clerk.h"
#include "council/election.h"
#include "council/keeper.h"
#include "council/ledger.h"
#include "council/reg.h"
#include "council/roll.h"
#include "etcd/feed.h"
#include "etcd/lease.h"
#include "loop/timer.h"
#include "script/mailbox.h"

struct clerk {
	uv_loop_t loop;
	pthread_t thread;
	struct mailbox *mailbox;
	struct client *client;
	char *prefix;
	char *name;
	char *instance;
	char *host;
	char *value;
	int64_t ttl_ms;
	const atomic_llong *turned_ms;
	struct sure *sure;
	void (*say)(void *data, struct missive *missive);
	void *data;
	struct lease *lease;
	struct reg *reg;
	struct election *election;
	struct ledger *ledger;
	struct ballot *ballot;
	struct keeper *keeper;
	struct missive *coming;   /* MISSIVE_TERM, until the silences were read that stood when it began; NULL: none */
	struct estate_reader *reader;
	struct feed *lead_feed;
	struct roll *roll;
	struct timer *again;      /* to ask for another lease */
	struct away away;
	bool seeds;               /* our state is to be written to the store, whatever it holds */
	bool rereads;             /* the state is asked for, when the ledger has written what waits */
	bool resigns;             /* the same with the term: it is handed back */
	bool ends;
};

/* Begins to work, and ends it; what is on the loop then closes when that runs. */
void office_open(struct clerk *clerk);
void office_close(struct clerk *clerk);

/* A missive of the council's, which it takes over. */
void office_take(struct clerk *clerk, struct missive *missive);

/* It is time to ask for another lease: `data` is the clerk. */
void office_again(void *data);
