/*
 * The office is the clerk's work on the loop of its thread: it owns the lease, our entry among the monitors, the
 * election and the ledger, and passes on to the others what one of them reports. clerk.c has the thread, and its
 * mailbox.
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
	struct missive *coming;   /* a MISSIVE_TERM that waits until the silences are read; NULL: none waits */
	struct estate_reader *reader;
	struct feed *lead_feed;
	struct roll *roll;
	struct timer *again;      /* until another lease is asked for */
	struct away away;
	bool seeds;               /* the next term writes our state to the store, whatever that holds */
	bool rereads;             /* the state is read again when the ledger has written its commits */
	bool resigns;             /* the term is handed back when the ledger has written its commits */
	bool ends;                /* the thread ends when the term is handed back */
};

/* Begin and end the work. After office_close() the loop has to run once more, to close the handles. */
void office_open(struct clerk *clerk);
void office_close(struct clerk *clerk);

/* Takes a missive of the council's, and owns it. */
void office_take(struct clerk *clerk, struct missive *missive);

/* Asks for another lease, if there is none. A timer's callback; `data` is the clerk. */
void office_again(void *data);
