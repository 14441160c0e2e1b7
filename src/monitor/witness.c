#include "monitor/witness.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/cut_off.h"
#include "core/verdict.h"
#include "monitor/tell.h"

enum asked {
	ASKED_NOT,
	ASKED_SOON, /* when its look has ended */
	ASKED_NOW,
	ASKED_LATE  /* in a look that is over: its answer says nothing */
};

/* A slave, as it speaks of its master. */
struct listener {
	struct hearer hearer;
	enum asked asked;
};

enum opinion_state {
	OPINION_NONE,  /* nobody is asked */
	OPINION_MUTE,  /* nobody has had one at the first look: the failure counts */
	OPINION_FIRST, /* the first look was begun; the verdict may wait for the second */
	OPINION_SECOND,
	OPINION_VOUCHED
};

/* What the slaves of a sitting master say of it. */
struct opinion {
	struct watch *watch; /* the master's */
	struct timer *timer;
	enum opinion_state state;
	bool is_open;     /* a look is under way */
	size_t awaited;   /* who has not answered in it */
	int64_t first_ms; /* steady: when the first look began, */
	int64_t look_ms;  /* and the last one */
	uint64_t highest; /* LSN of all slaves in the looks before */
};

static const struct watch_gate gate;
static void on_time(void *data);

static struct opinion *opinion_of(struct watch *watch)
{
	if (watch->opinion == NULL) {
		watch->opinion = mem_zalloc(1, sizeof(*watch->opinion));
		watch->opinion->watch = watch;
		watch->opinion->timer = timer_new(watch->all->loop, NULL, on_time, watch->opinion);
	}
	return watch->opinion;
}

static struct listener *listener_of(struct watch *watch)
{
	if (watch->listener == NULL)
		watch->listener = mem_zalloc(1, sizeof(*watch->listener));
	return watch->listener;
}

static void end(struct opinion *opinion)
{
	opinion->state = OPINION_NONE;
	opinion->is_open = false;
	timer_stop(opinion->timer);
}

/* The next slave of the cluster from `*at` on; NULL: there is none. */
static struct watch *next_slave(const struct opinion *opinion, size_t *at)
{
	const struct cluster *cluster = opinion->watch->node->cluster;

	while (cluster != NULL && *at < cluster->members.count) {
		const struct node *node = cluster->members.items[(*at)++];

		if (node->place == PLACE_SLAVE)
			return watch_of(opinion->watch->all, node);
	}
	return NULL;
}

/* ---- a look ---- */

/* Whether it is asked, at once or soon. */
static bool ask(struct watch *watch)
{
	struct listener *listener = listener_of(watch);

	if (watch->all->prober->hear(watch->probe))
		listener->asked = ASKED_NOW;
	else if (watch_is_busy(watch))
		listener->asked = ASKED_SOON;
	return listener->asked == ASKED_NOW || listener->asked == ASKED_SOON;
}

static void begin_look(struct opinion *opinion)
{
	struct watch *slave;
	size_t at = 0;

	opinion->look_ms = clock_steady_ms();
	opinion->is_open = true;
	opinion->awaited = 0;
	while ((slave = next_slave(opinion, &at)) != NULL) {
		struct hearer *hearer = &listener_of(slave)->hearer;

		hearer->has_now = false;
		hearer->has_base = hearer->has_base && opinion->state != OPINION_FIRST;
		opinion->awaited += ask(slave);
	}
	timer_start(opinion->timer, opinion->awaited > 0 ? WITNESS_PATIENCE_MS : 0);
}

static void begin_first(struct opinion *opinion)
{
	opinion->state = OPINION_FIRST;
	opinion->highest = 0;
	begin_look(opinion);
	opinion->first_ms = opinion->look_ms;
}

/* What those who have answered say: how many vouch; `*is_blind`: none of them knows whom it hears. */
static int count_vouches(struct opinion *opinion, bool *is_blind)
{
	struct watch *slave;
	size_t at = 0;
	int count = 0;

	*is_blind = true;
	while ((slave = next_slave(opinion, &at)) != NULL) {
		struct hearer *hearer = &listener_of(slave)->hearer;
		enum vouch vouch = hearer_vouches(hearer, opinion->highest, slave->node);

		hearer->vouches = vouch != VOUCH_NONE;
		count += hearer->vouches;
		*is_blind = *is_blind && vouch != VOUCH_SURE;
	}
	return count;
}

/* It is over; whether somebody has said something to compare the next one with. */
static bool settle(struct opinion *opinion)
{
	struct watch *slave;
	size_t at = 0;
	bool any = false;

	opinion->is_open = false;
	while ((slave = next_slave(opinion, &at)) != NULL) {
		struct listener *listener = listener_of(slave);

		if (listener->asked != ASKED_NOT)
			listener->asked = listener->asked == ASKED_SOON ? ASKED_NOT : ASKED_LATE;
		hearer_settle(&listener->hearer, &opinion->highest);
		any = any || (listener->hearer.has_base &&
			      (listener->hearer.base.has_lsn || listener->hearer.base.is_told));
	}
	return any;
}

/* ---- what follows ---- */

/* Whether the failure waits for its slaves, and not for anything else. */
static bool has_waiting(const struct watch *watch)
{
	return watch->aside != NULL && watch->aside_of == &gate;
}

/* The failure that waits counts as it stands, unless the monitor is isolated by now. */
static void let_go(struct opinion *opinion)
{
	struct watch *watch = opinion->watch;
	struct moment now = clock_now(watch->all->clock);
	const struct fleet *fleet = watch->all->fleet;

	if (!has_waiting(watch))
		return;
	if (fleet_is_cut_off(fleet) && !fleet_acts_cut_off(fleet, &now))
		watch_take_nothing(watch, watch->aside);
	else
		watch_take_aside(watch);
}

static void plan_second(struct opinion *opinion)
{
	int64_t wait_ms = opinion->first_ms + WITNESS_APART_MS - clock_steady_ms();

	timer_start(opinion->timer, wait_ms > 0 ? wait_ms : 0);
}

static void plan_next(struct opinion *opinion)
{
	int64_t pace_ms = opinion->watch->all->config->query_timeout_ms / WITNESS_PACE;
	int64_t next_ms;

	if (pace_ms < WITNESS_SOONEST_MS)
		pace_ms = WITNESS_SOONEST_MS;
	if (pace_ms > WITNESS_LATEST_MS)
		pace_ms = WITNESS_LATEST_MS;
	next_ms = opinion->look_ms + pace_ms;
	if (next_ms > opinion->watch->node->failure.vouched_ms)
		next_ms = opinion->watch->node->failure.vouched_ms;
	next_ms -= clock_steady_ms();
	timer_start(opinion->timer, next_ms > 0 ? next_ms : 0);
}

/* New growth gives the vouch anew; whether it holds. */
static bool renew(struct opinion *opinion, bool is_blind, int witnesses)
{
	struct node *node = opinion->watch->node;
	int64_t until_ms = witnesses > 0 ? vouch_until(node->fleet, node->cluster, opinion->look_ms, is_blind) : 0;

	if (until_ms != 0 && until_ms > node->failure.vouched_ms)
		node_vouch(node, until_ms, witnesses);
	return until_ms != 0;
}

static void end_first(struct opinion *opinion)
{
	if (!settle(opinion)) {
		end(opinion);
		opinion->state = OPINION_MUTE;
		let_go(opinion);
	} else if (has_waiting(opinion->watch)) {
		plan_second(opinion);
	}
}

static void end_second(struct opinion *opinion)
{
	bool is_blind;
	int witnesses = count_vouches(opinion, &is_blind);
	bool waits = has_waiting(opinion->watch);

	(void)settle(opinion);
	if (!waits || !renew(opinion, is_blind, witnesses)) {
		end(opinion);
	} else {
		opinion->state = OPINION_VOUCHED;
		plan_next(opinion);
	}
	let_go(opinion);
}

static void end_next(struct opinion *opinion)
{
	bool is_blind;
	int witnesses = count_vouches(opinion, &is_blind);

	(void)settle(opinion);
	(void)renew(opinion, is_blind, witnesses);
	plan_next(opinion);
}

/* Nobody vouches any more: what was seen of the master last counts now. */
static void lapse(struct opinion *opinion)
{
	struct watch *watch = opinion->watch;

	end(opinion);
	tell_unheard(watch->node);
	node_vouch_lapses(watch->node);
	watch->all->events->grace_ended(watch->all->data, watch);
}

static void go_on_vouching(struct opinion *opinion)
{
	const struct watches *all = opinion->watch->all;
	const struct node *node = opinion->watch->node;

	if (node->place != PLACE_MASTER || node->failure.attempts == 0 || node->failure.vouched_ms == 0)
		end(opinion);
	else if (!all->config->second_opinion || clock_steady_ms() >= node->failure.vouched_ms)
		lapse(opinion);
	else
		begin_look(opinion);
}

static void on_time(void *data)
{
	struct opinion *opinion = data;

	switch (opinion->state) {
	case OPINION_NONE:
	case OPINION_MUTE:
		break;
	case OPINION_FIRST:
		if (opinion->is_open) {
			end_first(opinion);
		} else {
			opinion->state = OPINION_SECOND;
			begin_look(opinion);
		}
		break;
	case OPINION_SECOND:
		end_second(opinion);
		break;
	case OPINION_VOUCHED:
		if (opinion->is_open)
			end_next(opinion);
		else
			go_on_vouching(opinion);
		break;
	}
}

/* ---- what comes in ---- */

/* Of the slave's master; NULL: it has none, or there is none. */
static struct opinion *opinion_on_master(const struct watch *slave)
{
	const struct node *node = slave->node;

	if (node->place != PLACE_SLAVE || node->cluster->seat == NULL)
		return NULL;
	return watch_of(slave->all, node->cluster->seat)->opinion;
}

static void take_answer(struct opinion *opinion, struct watch *slave, const struct heard *heard)
{
	struct listener *listener = slave->listener;

	listener->asked = ASKED_NOT;
	listener->hearer.now = *heard;
	listener->hearer.has_now = true;
	if (opinion->awaited > 0 && --opinion->awaited == 0) /* not from inside the slave's answer */
		timer_start(opinion->timer, 0);
}

static void on_heard(void *data, struct watch *watch, const struct hearing *hearing)
{
	struct opinion *opinion = opinion_on_master(watch);
	struct moment now = clock_now(watch->all->clock);
	struct heard heard;

	(void)data;
	if (watch->listener == NULL && !hearing->is_told)
		return; /* nothing to keep, as of a master */
	if (listener_of(watch)->asked == ASKED_NOT) {
		heard = heard_of(hearing, NULL, "");
		hearer_note_usual(&watch->listener->hearer, &heard, watch->node, &now);
	} else if (watch->listener->asked == ASKED_LATE || opinion == NULL || !opinion->is_open) {
		watch->listener->asked = ASKED_NOT;
	} else {
		heard = heard_of(hearing, opinion->watch->node, watch->all->prober->address(opinion->watch->probe));
		take_answer(opinion, watch, &heard);
	}
}

static void on_late(void *data, struct watch *watch)
{
	struct moment now = clock_now(watch->all->clock);

	(void)data;
	if (watch->opinion != NULL && watch->opinion->state == OPINION_VOUCHED)
		return;
	if (node_wants_opinion(watch->all->fleet, watch->node, REASON_TIMEOUT, &now))
		begin_first(opinion_of(watch));
}

/* A slave whose look was under way may be asked now. */
static void ask_busy(struct watch *slave)
{
	const struct opinion *opinion = opinion_on_master(slave);

	if (slave->listener != NULL && slave->listener->asked == ASKED_SOON && opinion != NULL && opinion->is_open)
		(void)ask(slave);
}

/* Whether the failure of the way to a sitting master counts now. */
static bool admits_failure(struct watch *watch, const struct observation *seen)
{
	struct moment now = clock_now(watch->all->clock);
	struct opinion *opinion;

	if (!node_wants_opinion(watch->all->fleet, watch->node, seen->reason, &now)) {
		if (watch->opinion != NULL)
			end(watch->opinion);
		return true;
	}
	opinion = opinion_of(watch);
	if (opinion->state == OPINION_MUTE) {
		end(opinion);
		return true;
	}
	if (opinion->state == OPINION_NONE)
		begin_first(opinion);
	else if (opinion->state == OPINION_FIRST && !opinion->is_open)
		plan_second(opinion);
	watch_put_aside(watch, seen);
	return false;
}

static bool on_seen(void *data, struct watch *watch, const struct observation *seen)
{
	struct opinion *opinion = watch->opinion;
	bool is_of_path = seen->kind == OBSERVED_FAILURE && seen->path;
	bool is_vouched = opinion != NULL && opinion->state == OPINION_VOUCHED;

	(void)data;
	ask_busy(watch);
	if (seen->kind == OBSERVED_NOTHING || (is_of_path && is_vouched))
		return true;
	if (is_of_path)
		return admits_failure(watch, seen);
	if (is_vouched && seen->kind != OBSERVED_FAILURE)
		tell_reachable(watch->node);
	if (opinion != NULL)
		end(opinion);
	return true;
}

static void on_left(void *data, struct watch *watch)
{
	(void)data;
	if (watch->opinion != NULL)
		timer_free(&watch->opinion->timer);
	free(watch->opinion);
	free(watch->listener);
}

static const struct watch_gate gate = {
	.late = on_late,
	.admits = on_seen,
	.heard = on_heard,
	.left = on_left,
};

void witness_open(struct watches *watches)
{
	watches_add_gate(watches, &gate, NULL);
}

void witness_list(const struct watch *watch, struct list *witnesses)
{
	struct watch *slave;
	size_t at = 0;

	while (watch->opinion != NULL && (slave = next_slave(watch->opinion, &at)) != NULL) {
		if (slave->listener != NULL && slave->listener->hearer.vouches)
			list_add(witnesses, slave->node);
	}
}
