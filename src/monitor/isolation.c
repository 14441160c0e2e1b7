#include "monitor/isolation.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/cut_off.h"
#include "monitor/door.h"
#include "monitor/gates.h"

static bool lasts(const struct isolation *isolation)
{
	return fleet_is_cut_off(isolation->watches->fleet);
}

bool isolation_holds(const struct isolation *isolation)
{
	return lasts(isolation) && !isolation->acts;
}

static bool is_answer(const struct observation *seen)
{
	return seen->kind == OBSERVED_MASTER || seen->kind == OBSERVED_SLAVE;
}

/* Whether it is a sign of life of another machine: an answer, or any word or silence behind a TCP that answers. */
static bool is_sign(struct isolation *isolation, const struct watch *watch, const struct observation *seen)
{
	return seen->kind != OBSERVED_NOTHING && !(seen->kind == OBSERVED_FAILURE && seen->path) &&
	       doubt_is_away(&isolation->doubt, watch);
}

/* Ends the knock at the watch's own host. */
static void leave_way(struct watch *watch)
{
	watch->all->prober->knock_end(watch->way);
	watch->way = NULL;
}

static void ask_anew(struct watch *watch)
{
	leave_way(watch);
	watch_drop_aside(watch);
	watch->all->prober->dial_anew(watch->probe);
	watch_look(watch);
}

/* ---- while it lasts ---- */

static void end(struct isolation *isolation)
{
	struct watches *watches = isolation->watches;
	struct moment now = clock_now(watches->clock);

	timer_stop(isolation->timer);
	isolation->acts = false;
	isolation->ended_ms = now.steady_ms;
	watches->quiet = false;
	fleet_reconnect(watches->fleet, &now);
	for (size_t i = 0; i < watches->count; i++) {
		struct watch *watch = watches->by_order[i];

		leave_way(watch);
		watch_drop_aside(watch);
		watches->prober->dial_anew(watch->probe);
		watch->voids = 0;
		watch->is_void = watch_is_busy(watch); /* a look that began while it lasted */
	}
	isolation->events->ended(isolation->data, isolation->fires);
}

static void begin_to_act(struct isolation *isolation)
{
	isolation->acts = true;
	isolation->watches->quiet = false;
	log_error("isolation_grace has passed, and the monitor is still isolated: losses count again from now on");
	isolation->events->acts(isolation->data);
}

/* Asks the next nodes, round and round. Returns whether one may be on another machine. */
static bool ask_some(struct isolation *isolation)
{
	struct watches *watches = isolation->watches;
	size_t most = watches->count < ISOLATION_ASKED ? watches->count : ISOLATION_ASKED;
	bool any = watches->count > most;

	for (size_t i = 0; i < most; i++) {
		struct watch *watch = watches->by_order[isolation->cursor++ % watches->count];

		any = any || doubt_is_away(&isolation->doubt, watch);
		if (!watch_is_busy(watch))
			ask_anew(watch);
	}
	return any;
}

static void on_time(void *data)
{
	struct isolation *isolation = data;
	struct moment now = clock_now(isolation->watches->clock);

	if (!isolation->acts && fleet_acts_cut_off(isolation->watches->fleet, &now))
		begin_to_act(isolation);
	if (!isolation->acts && !ask_some(isolation)) { /* a reload has removed all nodes on other machines */
		end(isolation);
		return;
	}
	timer_start(isolation->timer, isolation->watches->config->retry_interval_ms);
}

void isolation_begin(struct isolation *isolation)
{
	struct watches *watches = isolation->watches;
	struct moment now = clock_now(watches->clock);

	isolation->fires = isolation->ended_ms == INT64_MIN ||
			   now.steady_ms - isolation->ended_ms >= ISOLATION_AGAIN_MS;
	isolation->acts = false;
	watches->quiet = true;
	fleet_cut_off(watches->fleet, &now);
	timer_start(isolation->timer, watches->config->retry_interval_ms);
	isolation->events->began(isolation->data, isolation->fires);
}

bool isolation_is_possible(struct isolation *isolation)
{
	return doubt_has_two_hosts(&isolation->doubt);
}

/* ---- what a doubt has come to ---- */

static void let_go(struct watch *watch, enum doubt_verdict verdict)
{
	switch (verdict) {
	case DOUBT_COUNTS:
		if (watch->aside != NULL)
			leave_way(watch);
		watch_take_aside(watch);
		break;
	case DOUBT_LATE:
		watch->voids++;
		if (watch->aside != NULL)
			ask_anew(watch);
		else
			watch->is_void = watch_is_busy(watch);
		break;
	case DOUBT_CUT_OFF:
		if (watch->aside == NULL)
			break; /* its look is still under way */
		watch_take_nothing(watch, watch->aside);
		break;
	}
}

static void on_doubt(void *data, enum doubt_verdict verdict)
{
	struct isolation *isolation = data;
	struct list about = isolation->doubt.about;

	isolation->doubt.about = (struct list){ 0 };
	for (size_t i = 0; i < about.count; i++)
		((struct watch *)about.items[i])->is_doubted = false;
	if (verdict == DOUBT_CUT_OFF)
		isolation_begin(isolation);
	for (size_t i = 0; i < about.count; i++)
		let_go(about.items[i], verdict);
	list_free(&about);
}

/* ---- its own host ---- */

/* The watch's own host answers: its attempt may have failed while the monitor was cut off, and does not count. */
static void on_way_answer(void *data, enum knock_answer answer)
{
	struct watch *watch = data;

	watch->way = NULL;
	if (answer != KNOCK_ANSWERED)
		return;
	watch->voids++;
	if (watch->aside != NULL)
		ask_anew(watch);
	else
		watch->is_void = watch_is_busy(watch);
}

static bool raise_doubt(struct isolation *isolation, struct watch *watch)
{
	if (!doubt_raise(&isolation->doubt, watch))
		return false;
	if (watch->way == NULL && watch->voids < ISOLATION_VOIDS && isolation->doubt.about.count <= ISOLATION_WAYS)
		watch->way = watch->all->prober->knock(watch->all->probes, doubt_host(watch),
						       watch->node->config->port, on_way_answer, watch);
	return true;
}

/* ---- what comes in ---- */

/* Whether a failure of the way to the node is to be doubted: it has a place to lose, and is on another machine. */
static bool is_doubtful(struct isolation *isolation, const struct watch *watch)
{
	return !isolation->is_blind && !lasts(isolation) && node_is_in_place(watch->node) &&
	       doubt_is_away(&isolation->doubt, watch);
}

static void on_late(void *data, struct watch *watch)
{
	struct isolation *isolation = data;

	if (!is_doubtful(isolation, watch))
		return;
	watch->late_ms = clock_steady_ms();
	if (!doubt_is_settled(&isolation->doubt, watch->late_ms))
		(void)raise_doubt(isolation, watch);
}

/* Whether nothing was heard in time: no word of the server's, no refusal. */
static bool is_silence(const struct observation *seen)
{
	return seen->kind == OBSERVED_FAILURE && seen->reason != REASON_REFUSED && !reason_is_said(seen->reason);
}

/*
 * Whether a silence counts: the way to the node's host has failed, or had failed while it was asked. By the end of the
 * time TCP may answer again, with the server's answer still on its way.
 */
static bool admits_silence(struct isolation *isolation, struct watch *watch, const struct observation *seen)
{
	int64_t since_ms = watch->late_ms != INT64_MIN ? watch->late_ms : clock_steady_ms();

	if (watch->voids >= ISOLATION_VOIDS) {
		leave_way(watch);
		doubt_forget(&isolation->doubt, watch);
		return true;
	}
	if (watch->is_void || (!seen->path && watch->late_ms != INT64_MIN)) { /* the way may have come back meanwhile */
		watch->voids += !watch->is_void;
		doubt_forget(&isolation->doubt, watch);
		ask_anew(watch);
		return false;
	}
	if (!seen->path)
		return true;
	if (doubt_is_settled(&isolation->doubt, since_ms) || !raise_doubt(isolation, watch)) {
		leave_way(watch);
		return true;
	}
	watch_put_aside(watch, seen);
	return false;
}

static bool on_seen(void *data, struct watch *watch, const struct observation *seen)
{
	struct isolation *isolation = data;
	/* while all is well nobody needs to know this */
	bool sign = (lasts(isolation) || isolation->doubt.about.count > 0 || !isolation->heard) &&
		    is_sign(isolation, watch, seen);

	isolation->heard = isolation->heard || sign || is_answer(seen);
	if (isolation_holds(isolation) || (lasts(isolation) && sign)) {
		watch_take_nothing(watch, seen);
		if (sign)
			end(isolation);
		return false;
	}
	if (is_silence(seen) && is_doubtful(isolation, watch))
		return admits_silence(isolation, watch, seen);
	watch->voids = 0;
	leave_way(watch);
	doubt_forget(&isolation->doubt, watch);
	if (sign)
		doubt_hear(&isolation->doubt, watch->asked_ms);
	return true;
}

/* ---- doors ---- */

static void on_door_answer(void *data, enum knock_answer answer)
{
	struct watch *watch = data;

	watch->knock = NULL;
	if (answer != KNOCK_ANSWERED || watch->door == REASON_NONE)
		return;
	watch->door_way = DOOR_TRIED;
	watch->all->prober->refresh(watch->probe);
}

static void on_door(void *data, struct watch *watch)
{
	struct isolation *isolation = data;
	const struct prober *prober = isolation->watches->prober;
	const struct watch *other = doubt_is_away(&isolation->doubt, watch) ? doubt_other(&isolation->doubt, watch)
									    : NULL;

	prober->knock_end(watch->knock);
	watch->knock = NULL;
	if (other == NULL || watch->door_way == DOOR_TRIED) {
		watch->door_way = DOOR_OWN;
		watch->all->events->worth_a_look(watch->all->data, watch);
	} else {
		watch->knock = prober->knock(isolation->watches->probes, doubt_host(other),
					     other->node->config->port, on_door_answer, watch);
	}
}

/* ---- as it comes and goes ---- */

static const struct watch_gate gate = { .late = on_late, .admits = on_seen, .door_of_path = on_door };

void isolation_before_reload(struct isolation *isolation)
{
	doubt_call_off(&isolation->doubt);
	on_doubt(isolation, DOUBT_LATE);
}

void isolation_open(struct isolation *isolation, struct watches *watches, const struct isolation_events *events,
		    void *data)
{
	*isolation = (struct isolation){
		.watches = watches,
		.events = events,
		.data = data,
		.is_blind = true,
		.ended_ms = INT64_MIN,
	};
	watches_add_gate(watches, &gate, isolation);
	doubt_open(&isolation->doubt, watches, on_doubt, isolation);
	isolation->timer = timer_new(watches->loop, on_time, isolation);
}

void isolation_close(struct isolation *isolation)
{
	doubt_close(&isolation->doubt);
	timer_free(&isolation->timer);
}
