#include "monitor/founding.h"

#include <stdlib.h>

#include "base/mem.h"
#include "monitor/tell.h"

struct attempt {
	struct watch *watch;
	struct round round;
};

/* A cluster that waits for its slaves. */
struct wait {
	struct cluster *cluster;
	int64_t founded_ms;  /* when its first beat was written, by the founding's clock */
	bool has_looked;     /* its awaited nodes have been asked once more, */
	int64_t looked_ms;   /* at this time: the end */
	struct changes changes; /* of its slaves' places, until they are told */
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
		struct wait *wait;

		if (changes.items[i].rule != RULE_U2)
			continue;
		wait = mem_zalloc(1, sizeof(*wait));
		*wait = (struct wait){
			.cluster = changes.items[i].to, .founded_ms = founding->elapsed_ms,
		};
		list_add(&founding->waiting, wait);
	}
	round_end(&attempt->round);
	free(attempt);
	founding->events->founded(founding->data, &changes);
	changes_free(&changes);
	if (founding->attempt_count == 0)
		founding->events->all_founded(founding->data);
}

/* A master that is being asked again at that moment gets its beat when it has answered. */
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

static void begin_attempt(struct founding *founding, struct watch *watch)
{
	struct attempt *attempt = mem_zalloc(1, sizeof(*attempt));

	attempt->watch = watch;
	round_begin(&attempt->round, watch->all->fleet, NULL);
	attempt->round.starting = true;
	attempt->round.only = watch->node;
	founding->attempts[watch->node->order] = attempt;
	founding->attempt_count++;
	step_attempt(founding, attempt);
}

static void found_clusters(struct founding *founding)
{
	const struct watches *watches = founding->watches;

	founding->phase = FOUNDING_CLUSTERS;
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

/* ---- clusters wait for their slaves ---- */

static void ask_awaited(const struct founding *founding, const struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->awaited.count; i++) {
		const struct node *node = cluster->awaited.items[i];

		if (start_waits_for(node->fleet, cluster, node))
			watch_look(watch_of(founding->watches, node));
	}
}

static void ask_strangers(const struct founding *founding)
{
	const struct fleet *fleet = founding->watches->fleet;

	for (size_t i = 0; i < fleet->clusterless.count; i++) {
		const struct node *node = fleet->clusterless.items[i];

		if (start_is_stranger(fleet, node))
			watch_look(watch_of(founding->watches, node));
	}
}

/* The last look was asked for: whether all have answered it, or had the time to. */
static bool has_looked(const struct founding *founding, const struct wait *wait)
{
	if (founding->elapsed_ms - wait->looked_ms >= founding->watches->config->query_timeout_ms)
		return true;
	for (size_t i = 0; i < wait->cluster->awaited.count; i++) {
		if (watch_is_busy(watch_of(founding->watches, wait->cluster->awaited.items[i])))
			return false;
	}
	return true;
}

/* Whether the cluster's wait is over at this tick; asks whom it waits for. */
static bool is_over(const struct founding *founding, struct wait *wait,
		    const struct start_wait *situation)
{
	struct start_wait own = *situation;

	own.waited_ms = founding->elapsed_ms - wait->founded_ms;
	switch (start_is_over(founding->watches->fleet, wait->cluster, &own)) {
	case START_IS_OVER:
		return true;
	case START_LAST_LOOK:
		if (wait->has_looked)
			return has_looked(founding, wait);
		wait->has_looked = true;
		wait->looked_ms = founding->elapsed_ms;
		break;
	case START_WAITS:
		break;
	}
	ask_awaited(founding, wait->cluster);
	return false;
}

/*
 * Those whose wait is over at this tick: all are placed before the first of them is told of, so that
 * what is shown of the clusterless nodes changes once.
 */
static void place_slaves(struct founding *founding, const struct start_wait *situation)
{
	struct fleet *fleet = founding->watches->fleet;
	struct moment now = now_of(founding);
	size_t kept = 0;

	for (size_t i = 0; i < founding->waiting.count; i++) {
		struct wait *wait = founding->waiting.items[i];

		if (is_over(founding, wait, situation)) {
			start_place(fleet, wait->cluster, &now, &wait->changes);
			list_add(&founding->placed, wait);
		} else {
			founding->waiting.items[kept++] = wait;
		}
	}
	founding->waiting.count = kept;
}

static void look_at_waiting(struct founding *founding)
{
	struct moment now = now_of(founding);
	struct start_wait situation = {
		.strangers = start_look(founding->watches->fleet, &now),
		.logging_in = is_any_logging_in(founding),
	};

	place_slaves(founding, &situation);
	if (situation.strangers > 0 && founding->waiting.count > 0)
		ask_strangers(founding);
}

/* In the order in which they were placed. */
static void tell_placed(struct founding *founding)
{
	size_t count = founding->placed.count < FOUNDING_UPS ? founding->placed.count : FOUNDING_UPS;

	for (size_t i = 0; i < count; i++) {
		struct wait *wait = list_shift(&founding->placed);

		wait->cluster->starting = false;
		founding->events->up(founding->data, wait->cluster, &wait->changes);
		changes_free(&wait->changes);
		free(wait);
	}
}

/* ---- the clock ---- */

static void look_for_answers(struct founding *founding)
{
	if (founding->unheard_of > 0 &&
	    (founding->elapsed_ms < START_ANSWERS_MS ||
	     (founding->elapsed_ms < START_LOGINS_MS && is_any_logging_in(founding))))
		return;
	found_clusters(founding);
}

static void begin_rounds(struct founding *founding)
{
	founding->phase = FOUNDING_OVER;
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

/* A tick that comes late counts as one in time. */
static void count_tick(struct founding *founding)
{
	int64_t now_ms = clock_steady_ms();
	int64_t passed_ms = now_ms - founding->ticked_ms;

	founding->ticked_ms = now_ms;
	founding->elapsed_ms += passed_ms < 2 * FOUNDING_TICK_MS ? passed_ms : FOUNDING_TICK_MS;
}

static void on_tick(void *data)
{
	struct founding *founding = data;

	count_tick(founding);
	switch (founding->phase) {
	case FOUNDING_RESTORED:
		go_on(founding);
		break;
	case FOUNDING_SIGHT:
		if (founding->sighted ||
		    founding->elapsed_ms >= START_ANSWERS_MS + founding->watches->config->retry_interval_ms)
			begin_rounds(founding);
		break;
	case FOUNDING_ANSWERS:
		look_for_answers(founding);
		break;
	case FOUNDING_CLUSTERS:
		if (founding->placed.count == 0)
			look_at_waiting(founding);
		tell_placed(founding);
		break;
	case FOUNDING_OVER:
		break;
	}
	if (founding->phase == FOUNDING_CLUSTERS && founding->attempt_count == 0 &&
	    founding->waiting.count == 0 && founding->placed.count == 0)
		founding->phase = FOUNDING_OVER;
	if (founding->phase != FOUNDING_OVER)
		timer_start(founding->tick, founding->placed.count > 0 ? 0 : FOUNDING_TICK_MS);
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
	else if (attempt != NULL && attempt->round.trying == NULL)
		step_attempt(founding, attempt);
}

void founding_begin(struct founding *founding)
{
	const struct watches *watches = founding->watches;

	founding->tick = timer_new(watches->loop, NULL, on_tick, founding);
	founding->ticked_ms = clock_steady_ms();
	founding->phase = FOUNDING_ANSWERS;
	timer_start(founding->tick, watches->count > 0 ? FOUNDING_TICK_MS : 0);
	if (watches->fleet->clusters.count > 0) {
		founding->phase = FOUNDING_RESTORED;
		timer_start(founding->tick, 0);
		return;
	}
	count_unheard_of(founding);
	for (size_t i = 0; i < watches->count; i++)
		watches->by_order[i]->at_start = true;
	look_all(founding);
}

/* ---- a reload, and the end ---- */

static void drop_attempt(struct attempt *attempt)
{
	round_end(&attempt->round);
	free(attempt);
}

/* What was to be told of a node that leaves is not. */
static void forget_placed(struct founding *founding, const struct node *node)
{
	for (size_t i = 0; i < founding->placed.count; i++)
		changes_forget(&((struct wait *)founding->placed.items[i])->changes, node);
}

void founding_forget(struct founding *founding, const struct watch *watch)
{
	struct attempt *attempt = attempt_of(founding, watch);

	if (founding->placed.count > 0)
		forget_placed(founding, watch->node);
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

/* By the present orders. */
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

static void free_wait(struct wait *wait)
{
	changes_free(&wait->changes);
	free(wait);
}

/* Of clusters that nobody is in any more: they are about to be dropped. */
static void drop_empty(struct list *waits)
{
	size_t kept = 0;

	for (size_t i = 0; i < waits->count; i++) {
		struct wait *wait = waits->items[i];

		if (wait->cluster->members.count > 0)
			waits->items[kept++] = wait;
		else
			free_wait(wait);
	}
	waits->count = kept;
}

void founding_resume(struct founding *founding)
{
	count_unheard_of(founding);
	drop_empty(&founding->waiting);
	drop_empty(&founding->placed);
	if (founding->attempts == NULL)
		return;
	order_attempts(founding);
	for (size_t i = 0; i < founding->attempt_room; i++) {
		if (founding->attempts[i] != NULL && founding->attempts[i]->round.trying == NULL)
			step_attempt(founding, founding->attempts[i]);
	}
}

static void free_waits(struct list *waits)
{
	for (size_t i = 0; i < waits->count; i++)
		free_wait(waits->items[i]);
	list_free(waits);
}

void founding_end(struct founding *founding)
{
	timer_free(&founding->tick);
	for (size_t i = 0; i < founding->attempt_room; i++) {
		if (founding->attempts[i] != NULL)
			drop_attempt(founding->attempts[i]);
	}
	free(founding->attempts);
	free_waits(&founding->waiting);
	free_waits(&founding->placed);
}
