#include "monitor/witness.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/cut_off.h"
#include "core/verdict.h"
#include "monitor/gates.h"
#include "monitor/listener.h"
#include "monitor/tell.h"

enum opinion_state {
	OPINION_NONE,  /* nobody is asked */
	OPINION_MUTE,  /* no slave has said anything in the first look: the failure counts */
	OPINION_FIRST, /* the first look was begun; the verdict may wait for the second */
	OPINION_SECOND,
	OPINION_VOUCHED,
	OPINION_LAPSED /* the last vouch has lapsed: the failure counts, unless the monitor is isolated */
};

/* What the slaves of a sitting master say of it. */
struct opinion {
	struct watch *watch; /* the master's */
	struct deadline timer;
	enum opinion_state state;
	bool is_open;     /* a look is under way */
	size_t awaited;   /* how many slaves have not answered in it */
	int64_t first_ms; /* steady: when the first look began */
	int64_t look_ms;  /* steady: when the last look began */
	uint64_t highest; /* the highest LSN of all slaves in the looks before */
};

static const struct watch_gate gate;
static void on_time(void *data);

static struct opinion *opinion_of(struct watch *watch)
{
	if (watch->opinion == NULL) {
		watch->opinion = mem_zalloc(1, sizeof(*watch->opinion));
		watch->opinion->watch = watch;
		deadline_init(&watch->opinion->timer, watch->all->deadlines, on_time, watch->opinion);
	}
	return watch->opinion;
}

static void end(struct opinion *opinion)
{
	opinion->state = OPINION_NONE;
	opinion->is_open = false;
	deadline_stop(&opinion->timer);
}

/* ---- a look ---- */

static void begin_look(struct opinion *opinion)
{
	opinion->look_ms = clock_steady_ms();
	opinion->is_open = true;
	opinion->awaited = listeners_ask(opinion->watch, opinion->first_ms);
	deadline_start(&opinion->timer, opinion->awaited > 0 ? WITNESS_PATIENCE_MS : 0);
}

static void begin_first(struct opinion *opinion)
{
	opinion->state = OPINION_FIRST;
	opinion->highest = 0;
	opinion->first_ms = clock_steady_ms();
	begin_look(opinion);
}

/* Ends the look. Returns whether a slave has said something to compare the next one with. */
static bool settle(struct opinion *opinion)
{
	opinion->is_open = false;
	return listeners_settle(opinion->watch, &opinion->highest);
}

/* ---- what follows ---- */

/* Whether the master's failure waits here, and not at another gate. */
static bool has_waiting(const struct watch *watch)
{
	return watch->aside != NULL && watch->aside_of == &gate;
}

/* Takes in the failure that waits, or nothing in its place if the monitor is isolated by now. */
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

	deadline_start(&opinion->timer, wait_ms > 0 ? wait_ms : 0);
}

/*
 * The time from one look to the next, ms: of many slaves one a millisecond is asked, but each twice in a vouch's time.
 */
static int64_t pace(const struct opinion *opinion)
{
	int64_t holds_ms = opinion->watch->all->config->query_timeout_ms;
	int64_t members = (int64_t)opinion->watch->node->cluster->members.count;
	int64_t pace_ms = holds_ms / WITNESS_PACE;

	if (pace_ms < WITNESS_SOONEST_MS)
		pace_ms = WITNESS_SOONEST_MS;
	if (pace_ms > WITNESS_LATEST_MS)
		pace_ms = WITNESS_LATEST_MS;
	if (pace_ms < members)
		pace_ms = members < holds_ms / 2 ? members : holds_ms / 2;
	return pace_ms;
}

static void plan_next(struct opinion *opinion)
{
	int64_t next_ms = opinion->look_ms + pace(opinion);

	if (next_ms > opinion->watch->node->failure.vouched_ms)
		next_ms = opinion->watch->node->failure.vouched_ms;
	next_ms -= clock_steady_ms();
	deadline_start(&opinion->timer, next_ms > 0 ? next_ms : 0);
}

/* Gives a new vouch if `witnesses` slaves vouch for the master. Returns whether they do, and suffice. */
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
	int witnesses = listeners_count(opinion->watch, opinion->highest, &is_blind);
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
	int witnesses = listeners_count(opinion->watch, opinion->highest, &is_blind);

	(void)settle(opinion);
	(void)renew(opinion, is_blind, witnesses);
	plan_next(opinion);
}

/*
 * The vouch has lapsed, and the master's last failure is to count. It passes the gates anew, as the monitor may be
 * isolated, and hear no slave for that reason.
 */
static void lapse(struct opinion *opinion)
{
	struct watch *watch = opinion->watch;
	const struct node *node = watch->node;
	struct observation seen = {
		.kind = OBSERVED_FAILURE, .reason = node->failure.reason, .path = true,
		.kept = node->kept, .kept_ended_ms = node->stood_ms,
	};

	end(opinion);
	opinion->state = OPINION_LAPSED;
	opinion->first_ms = clock_steady_ms();
	text_copy(seen.message, sizeof(seen.message), node->shown->failure);
	watch_saw(watch, &seen);
}

static void go_on_vouching(struct opinion *opinion)
{
	const struct watches *all = opinion->watch->all;
	const struct node *node = opinion->watch->node;

	if (node->place != PLACE_MASTER || node->failure.attempts == 0 || node->failure.vouched_ms == 0 ||
	    fleet_is_cut_off(all->fleet))
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
	case OPINION_LAPSED:
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

/* The opinion on the slave's master; NULL: it has no master, or that one's slaves were never asked. */
static struct opinion *opinion_on_master(const struct watch *slave)
{
	const struct node *node = slave->node;

	if (node->place != PLACE_SLAVE || node->cluster->seat == NULL)
		return NULL;
	return watch_of(slave->all, node->cluster->seat)->opinion;
}

static void on_heard(void *data, struct watch *watch, const struct hearing *hearing)
{
	struct opinion *opinion = opinion_on_master(watch);
	bool is_open = opinion != NULL && opinion->is_open;
	bool counts = listener_heard(watch, is_open ? opinion->watch : NULL, hearing);

	(void)data;
	if (!counts || !is_open || opinion->awaited == 0)
		return;
	opinion->awaited--;
	if (opinion->awaited == 0)
		deadline_start(&opinion->timer, 0); /* not from inside the slave's answer */
}

/* Whether it was formed in an earlier attempt than the one that is under way or has just ended. */
static bool is_old(const struct opinion *opinion)
{
	return opinion->first_ms < opinion->watch->asked_ms;
}

static void on_late(void *data, struct watch *watch)
{
	const struct opinion *opinion = watch->opinion;
	struct moment now = clock_now(watch->all->clock);

	(void)data;
	if (opinion != NULL && (opinion->state == OPINION_VOUCHED ||
				(opinion->state == OPINION_LAPSED && !is_old(opinion))))
		return;
	if (node_wants_opinion(watch->all->fleet, watch->node, REASON_TIMEOUT, &now))
		begin_first(opinion_of(watch));
}

/* Asks a slave now that could not be asked while its own look was under way. */
static void ask_busy(struct watch *slave)
{
	const struct opinion *opinion = opinion_on_master(slave);

	if (opinion != NULL && opinion->is_open)
		listener_is_free(slave);
}

/* Whether the failure of the way to a sitting master counts now. */
static bool admits_failure(struct watch *watch, const struct observation *seen)
{
	struct moment now = clock_now(watch->all->clock);
	struct opinion *opinion;

	if (!node_wants_opinion(watch->all->fleet, watch->node, seen->reason, &now)) {
		if (watch->opinion != NULL)
			end(watch->opinion);
		node_vouch(watch->node, 0, 0);
		return true;
	}
	opinion = opinion_of(watch);
	if (!is_old(opinion) && (opinion->state == OPINION_LAPSED || opinion->state == OPINION_MUTE)) {
		if (opinion->state == OPINION_LAPSED)
			tell_unheard(watch->node);
		end(opinion);
		node_vouch(watch->node, 0, 0);
		return true;
	}
	if (is_old(opinion) || opinion->state == OPINION_NONE)
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
		deadline_stop(&watch->opinion->timer);
	free(watch->opinion);
	listener_free(watch);
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
