#include "monitor/founding.h"

#include <stdlib.h>

#include "base/mem.h"
#include "loop/workers.h"
#include "monitor/tell.h"

#define STEPS_OF_MANY 4 /* so many steps of logins that take long are no single server's fault */

struct attempt {
	struct founding *founding;
	struct watch *watch;
	struct pass pass; /* for its first step */
	struct round round;
};

static struct moment now_of(const struct founding *founding)
{
	return clock_now(founding->watches->clock);
}

static bool is_unheard_of(const struct node *node)
{
	return !node->known && node->failure.attempts == 0;
}

static void count_unheard_of(struct founding *founding)
{
	founding->unheard_of = 0;
	for (size_t i = 0; i < founding->watches->count; i++)
		founding->unheard_of += is_unheard_of(founding->watches->by_order[i]->node);
}

static bool is_any_logging_in(const struct founding *founding)
{
	for (size_t i = 0; founding->unheard_of > 0 && i < founding->watches->count; i++) {
		if (watch_is_logging_in(founding->watches->by_order[i]))
			return true;
	}
	return false;
}

/* ---- masters found clusters ---- */

static void finish_attempt(struct founding *founding, struct attempt *attempt)
{
	struct changes changes = attempt->round.changes;

	attempt->round.changes = (struct changes){ 0 };
	founding->attempts[attempt->watch->node->order] = NULL;
	founding->attempt_count--;
	for (size_t i = 0; i < changes.count; i++) {
		if (changes.items[i].rule == RULE_U2)
			waits_add(&founding->waits, changes.items[i].to, founding->elapsed_ms);
	}
	round_end(&attempt->round);
	free(attempt);
	founding->events->founded(founding->data, &changes);
	changes_free(&changes);
	if (founding->attempt_count == 0)
		founding->events->all_founded(founding->data);
}

/* Does the next step of a founding. A master that is being asked again gets its beat when it has answered. */
static void step_attempt(struct founding *founding, struct attempt *attempt)
{
	struct moment now = now_of(founding);
	struct beat_order order;
	struct node *node;

	if (!round_step(&attempt->round, &now, &node, &order))
		finish_attempt(founding, attempt);
	else if (watch_is_busy(attempt->watch))
		round_repeat(&attempt->round);
	else
		watch_beat(attempt->watch, &order);
}

static struct attempt *attempt_of(const struct founding *founding, const struct watch *watch)
{
	return founding->attempt_count > 0 ? founding->attempts[watch->node->order] : NULL;
}

static void on_pass(void *data)
{
	struct attempt *attempt = data;

	step_attempt(attempt->founding, attempt);
}

/* Begins a master's founding. Its first step waits for a pass, so that only a few are done in a turn of the loop. */
static void begin_attempt(struct founding *founding, struct watch *watch)
{
	struct attempt *attempt = mem_zalloc(1, sizeof(*attempt));

	attempt->founding = founding;
	attempt->watch = watch;
	round_begin(&attempt->round, watch->all->fleet, NULL);
	attempt->round.starting = true;
	attempt->round.only = watch->node;
	founding->attempts[watch->node->order] = attempt;
	founding->attempt_count++;
	if (throttle_take(watch->all->throttle, &attempt->pass, PASS_QUESTION, on_pass, attempt))
		step_attempt(founding, attempt);
}

static void found_clusters(struct founding *founding)
{
	const struct watches *watches = founding->watches;

	founding->phase = FOUNDING_CLUSTERS;
	founding->watches->starts = false;
	founding->attempt_room = watches->count;
	founding->attempts = mem_zalloc(watches->count, sizeof(struct attempt *));
	for (size_t i = 0; i < watches->count; i++) {
		if (watches->by_order[i]->node->seen.kind == OBSERVED_MASTER)
			begin_attempt(founding, watches->by_order[i]);
	}
	founding->events->answered(founding->data);
}

bool founding_beaten(struct founding *founding, struct watch *watch,
		     const struct beat_result *result)
{
	struct attempt *attempt = attempt_of(founding, watch);
	struct moment now = now_of(founding);

	if (attempt == NULL)
		return false;
	tell_refused(attempt->round.trying, result);
	round_take_beat(&attempt->round, &now, result);
	step_attempt(founding, attempt);
	return true;
}

/* ---- the clock ---- */

/* Whether no node has been heard at all, and the monitor's network may be why: then the start waits (P7). */
static bool is_unheard(struct founding *founding)
{
	return founding->watches->count > 0 && founding->events->unheard(founding->data);
}

static void look_for_answers(struct founding *founding)
{
	if (founding->unheard_of > 0 &&
	    (founding->elapsed_ms < START_ANSWERS_MS ||
	     (founding->elapsed_ms < START_LOGINS_MS && is_any_logging_in(founding))))
		return;
	if (!is_unheard(founding))
		found_clusters(founding);
}

/* Forgets failures from before the first node was seen: the network may have come up just now. */
static void forget_failures(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->node_count; i++) {
		struct node *node = fleet->nodes[i];

		if (node->seen.kind != OBSERVED_FAILURE)
			continue;
		node_forget(node);
		node->failure = (struct failure){ 0 };
		node_touch(node);
	}
}

static void begin_rounds(struct founding *founding)
{
	founding->phase = FOUNDING_OVER;
	forget_failures(founding->watches->fleet);
	founding->events->sighted(founding->data);
}

static void look_all(const struct founding *founding)
{
	for (size_t i = 0; i < founding->watches->count; i++)
		watch_look(founding->watches->by_order[i]);
}

static void go_on(struct founding *founding)
{
	founding->phase = FOUNDING_SIGHT;
	founding->events->restored(founding->data);
	look_all(founding);
}

/*
 * Whether first logins wait for others, or for processors: no server is to blame. A few may have steps that never come
 * back (a server may ask for any number of SCRAM iterations); more of them are waited for as long as an answer is.
 */
static bool is_busy(struct founding *founding, int64_t passed_ms)
{
	if (throttle_waiting(founding->watches->throttle) > 0)
		return true;
	if (founding->unheard_of == 0 || !workers_are_behind(STEPS_OF_MANY, true) ||
	    founding->busy_ms >= founding->watches->config->query_timeout_ms)
		return false;
	founding->busy_ms += passed_ms;
	return true;
}

/* Counts a tick; a late one counts as one in time. While the machine is busy the time for first answers starts over. */
static void count_tick(struct founding *founding)
{
	int64_t now_ms = clock_steady_ms();
	int64_t passed_ms = now_ms - founding->ticked_ms;

	founding->ticked_ms = now_ms;
	if (founding->stands_still)
		return;
	founding->elapsed_ms += passed_ms < (int64_t)2 * FOUNDING_TICK_MS ? passed_ms : FOUNDING_TICK_MS;
	if (founding_is_blind(founding) && is_busy(founding, passed_ms))
		founding->elapsed_ms = 0;
}

static void on_tick(void *data)
{
	struct founding *founding = data;
	bool more = false;

	count_tick(founding);
	if (founding->stands_still) {
		timer_start(founding->tick, FOUNDING_TICK_MS);
		return;
	}
	switch (founding->phase) {
	case FOUNDING_RESTORED:
		go_on(founding);
		break;
	case FOUNDING_SIGHT:
		if (founding->sighted ||
		    (founding->elapsed_ms >= START_ANSWERS_MS + founding->watches->config->retry_interval_ms &&
		     !is_unheard(founding)))
			begin_rounds(founding);
		break;
	case FOUNDING_ANSWERS:
		look_for_answers(founding);
		break;
	case FOUNDING_CLUSTERS:
		more = waits_tick(&founding->waits, founding->elapsed_ms,
				  is_any_logging_in(founding), founding->events->up,
				  founding->data);
		break;
	case FOUNDING_OVER:
		break;
	}
	if (founding->phase == FOUNDING_CLUSTERS && founding->attempt_count == 0 &&
	    waits_are_over(&founding->waits))
		founding->phase = FOUNDING_OVER;
	if (founding->phase != FOUNDING_OVER)
		timer_start(founding->tick, more ? 1 : FOUNDING_TICK_MS); /* 0 would be the same turn */
}

bool founding_is_blind(const struct founding *founding)
{
	return founding->phase == FOUNDING_RESTORED || founding->phase == FOUNDING_SIGHT ||
	       founding->phase == FOUNDING_ANSWERS;
}

void founding_saw(struct founding *founding, struct watch *watch, bool first)
{
	struct attempt *attempt = attempt_of(founding, watch);

	if (first && founding->unheard_of > 0 && !is_unheard_of(watch->node))
		founding->unheard_of--;
	if (founding->phase == FOUNDING_SIGHT &&
	    (watch->node->seen.kind == OBSERVED_MASTER || watch->node->seen.kind == OBSERVED_SLAVE))
		founding->sighted = true;
	if (founding->sighted || (founding->phase == FOUNDING_ANSWERS && founding->unheard_of == 0))
		timer_start(founding->tick, 0);
	else if (attempt != NULL && attempt->round.trying == NULL && attempt->pass.state != PASS_WAITS)
		step_attempt(founding, attempt);
}

/* Asks all nodes, and waits for their first answers from now on. */
static void ask_first(struct founding *founding)
{
	struct watches *watches = founding->watches;

	founding->elapsed_ms = 0;
	watches->starts = true;
	count_unheard_of(founding);
	for (size_t i = 0; i < watches->count; i++)
		watches->by_order[i]->at_start = true;
	look_all(founding);
}

void founding_stand_still(struct founding *founding)
{
	founding->stands_still = true;
}

/* Forgets what was seen before: no node could answer while the monitor was isolated. */
static void forget_all(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->node_count; i++) {
		node_forget(fleet->nodes[i]);
		fleet->nodes[i]->failure = (struct failure){ 0 };
		node_touch(fleet->nodes[i]);
	}
}

void founding_go_on(struct founding *founding)
{
	founding->stands_still = false;
	if (founding_is_blind(founding))
		forget_all(founding->watches->fleet);
	if (founding->phase == FOUNDING_SIGHT)
		begin_rounds(founding);
	else if (founding->phase == FOUNDING_ANSWERS)
		ask_first(founding);
}

void founding_begin(struct founding *founding)
{
	const struct watches *watches = founding->watches;

	founding->waits.watches = founding->watches;
	founding->tick = timer_new(watches->loop, on_tick, founding);
	founding->ticked_ms = clock_steady_ms();
	founding->phase = FOUNDING_ANSWERS;
	timer_start(founding->tick, watches->count > 0 ? FOUNDING_TICK_MS : 0);
	if (watches->fleet->clusters.count > 0) {
		founding->phase = FOUNDING_RESTORED;
		timer_start(founding->tick, 0);
		return;
	}
	ask_first(founding);
}

/* ---- a reload, and the end ---- */

static void drop_attempt(struct attempt *attempt)
{
	throttle_leave(attempt->watch->all->throttle, &attempt->pass);
	round_end(&attempt->round);
	free(attempt);
}

void founding_forget(struct founding *founding, const struct watch *watch)
{
	struct attempt *attempt = attempt_of(founding, watch);

	waits_forget(&founding->waits, watch->node);
	if (attempt == NULL)
		return;
	founding->attempts[watch->node->order] = NULL;
	founding->attempt_count--;
	drop_attempt(attempt);
}

void founding_repeat(struct founding *founding, const struct watch *watch)
{
	struct attempt *attempt = attempt_of(founding, watch);

	if (attempt != NULL && attempt->round.trying != NULL)
		round_repeat(&attempt->round);
}

/* Puts the attempts into the present order of their nodes. */
static void order_attempts(struct founding *founding)
{
	size_t room = founding->watches->count;
	struct attempt **attempts = mem_zalloc(room, sizeof(struct attempt *));

	for (size_t i = 0; i < founding->attempt_room; i++) {
		struct attempt *attempt = founding->attempts[i];

		if (attempt != NULL)
			attempts[attempt->watch->node->order] = attempt;
	}
	free(founding->attempts);
	founding->attempts = attempts;
	founding->attempt_room = room;
}

void founding_resume(struct founding *founding)
{
	count_unheard_of(founding);
	waits_drop_empty(&founding->waits);
	if (founding->attempts == NULL)
		return;
	order_attempts(founding);
	for (size_t i = 0; i < founding->attempt_room; i++) {
		struct attempt *attempt = founding->attempts[i];

		if (attempt != NULL && attempt->round.trying == NULL && attempt->pass.state != PASS_WAITS)
			step_attempt(founding, attempt);
	}
}

void founding_end(struct founding *founding)
{
	timer_free(&founding->tick);
	for (size_t i = 0; i < founding->attempt_room; i++) {
		if (founding->attempts[i] != NULL)
			drop_attempt(founding->attempts[i]);
	}
	free(founding->attempts);
	waits_free(&founding->waits);
}
