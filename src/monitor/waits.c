#include "monitor/waits.h"

#include <stdlib.h>

#include "base/mem.h"

#define ASKED_AGAIN 4 /* after this part (a fourth) of the time since the founding */

struct wait {
	struct cluster *cluster;
	int64_t founded_ms;  /* by the founding's clock: when its first beat was written */
	int64_t founded_at_ms; /* the same by the steady clock */
	bool has_looked;     /* its awaited nodes were asked once more, at the end of the wait */
	int64_t looked_ms;   /* by the founding's clock: when they were */
	struct changes changes; /* of its slaves' places, until they are told */
};

static void free_wait(struct wait *wait)
{
	changes_free(&wait->changes);
	free(wait);
}

/*
 * Asks the node again, the later the less often: thousands that are asked at each tick would leave no time for
 * anything else. And once more when strangers have had their time.
 */
static void ask_again(const struct waits *waits, const struct node *node, const struct wait *wait)
{
	struct watch *watch = watch_of(waits->watches, node);
	int64_t now_ms = clock_steady_ms();
	int64_t over_ms = wait->founded_at_ms + awaited_strangers_ms(node->fleet);

	if (now_ms - watch->asked_ms >= (now_ms - wait->founded_at_ms) / ASKED_AGAIN ||
	    (now_ms >= over_ms && watch->asked_ms < over_ms))
		watch_look(watch);
}

static void ask_awaited(const struct waits *waits, const struct wait *wait)
{
	const struct cluster *cluster = wait->cluster;

	for (size_t i = 0; i < cluster->awaited.count; i++) {
		const struct node *node = cluster->awaited.items[i];

		if (awaited_is_late(node->fleet, cluster, node))
			ask_again(waits, node, wait);
	}
}

/* Asks the nodes that are late once more, at the end of the wait. */
static void look_at_late(const struct waits *waits, const struct wait *wait)
{
	for (size_t i = 0; i < wait->cluster->awaited.count; i++) {
		const struct node *node = wait->cluster->awaited.items[i];

		if (awaited_is_late(node->fleet, wait->cluster, node))
			watch_look(watch_of(waits->watches, node));
	}
}

static void ask_strangers(const struct waits *waits)
{
	const struct fleet *fleet = waits->watches->fleet;

	for (size_t i = 0; i < fleet->clusterless.count; i++) {
		const struct node *node = fleet->clusterless.items[i];

		if (awaited_is_stranger(fleet, node))
			ask_again(waits, node, waits->waiting.items[waits->waiting.count - 1]);
	}
}

/* Whether all have answered that last look, or had the time to. */
static bool has_looked(const struct waits *waits, const struct wait *wait, int64_t elapsed_ms)
{
	if (elapsed_ms - wait->looked_ms >= waits->watches->config->query_timeout_ms)
		return true;
	for (size_t i = 0; i < wait->cluster->awaited.count; i++) {
		if (watch_is_busy(watch_of(waits->watches, wait->cluster->awaited.items[i])))
			return false;
	}
	return true;
}

/* Whether the cluster's wait is over at this tick; asks whom it waits for. */
static bool is_over(const struct waits *waits, struct wait *wait,
		    const struct awaited_situation *situation, int64_t elapsed_ms)
{
	struct fleet *fleet = waits->watches->fleet;
	struct awaited_situation own = *situation;

	own.strangers_asked = waits->strangers_asked_ms >= wait->founded_at_ms + awaited_strangers_ms(fleet);
	own.waited_ms = elapsed_ms - wait->founded_ms;
	switch (awaited_is_over(fleet, wait->cluster, &own)) {
	case AWAITED_NO_MORE:
		return true;
	case AWAITED_LAST_LOOK:
		if (wait->has_looked)
			return has_looked(waits, wait, elapsed_ms);
		wait->has_looked = true;
		wait->looked_ms = elapsed_ms;
		look_at_late(waits, wait);
		return false;
	case AWAITED_YET:
		break;
	}
	ask_awaited(waits, wait);
	return false;
}

/*
 * Places the slaves of clusters whose wait is over at this tick, of all before the first is told of, so
 * that what is shown of the clusterless nodes changes once.
 */
static void place_slaves(struct waits *waits, const struct awaited_situation *situation,
			 int64_t elapsed_ms)
{
	struct fleet *fleet = waits->watches->fleet;
	struct moment now = clock_now(waits->watches->clock);
	size_t kept = 0;

	for (size_t i = 0; i < waits->waiting.count; i++) {
		struct wait *wait = waits->waiting.items[i];

		if (is_over(waits, wait, situation, elapsed_ms)) {
			awaited_place(fleet, wait->cluster, &now, &wait->changes);
			list_add(&waits->placed, wait);
		} else {
			waits->waiting.items[kept++] = wait;
		}
	}
	waits->waiting.count = kept;
}

static void look(struct waits *waits, int64_t elapsed_ms, bool logging_in)
{
	struct moment now = clock_now(waits->watches->clock);
	struct awaited_situation situation = {
		.strangers = awaited_look(waits->watches->fleet, &now),
		.logging_in = logging_in,
	};

	waits->strangers_asked_ms = awaited_strangers_asked(waits->watches->fleet);
	place_slaves(waits, &situation, elapsed_ms);
	if (situation.strangers > 0 && waits->waiting.count > 0)
		ask_strangers(waits);
}

/* Tells of a few clusters, in the order in which they were placed. */
static void tell_placed(struct waits *waits, waits_up *up, void *data)
{
	size_t count = waits->placed.count < WAITS_TOLD_A_TURN ? waits->placed.count
							       : WAITS_TOLD_A_TURN;

	for (size_t i = 0; i < count; i++) {
		struct wait *wait = list_shift(&waits->placed);

		wait->cluster->starting = false;
		up(data, wait->cluster, &wait->changes);
		free_wait(wait);
	}
}

bool waits_tick(struct waits *waits, int64_t elapsed_ms, bool logging_in, waits_up *up, void *data)
{
	if (waits->placed.count == 0)
		look(waits, elapsed_ms, logging_in);
	tell_placed(waits, up, data);
	return waits->placed.count > 0;
}

bool waits_are_over(const struct waits *waits)
{
	return waits->waiting.count == 0 && waits->placed.count == 0;
}

void waits_add(struct waits *waits, struct cluster *cluster, int64_t founded_ms)
{
	struct wait *wait = mem_zalloc(1, sizeof(*wait));

	*wait = (struct wait){ .cluster = cluster, .founded_ms = founded_ms, .founded_at_ms = clock_steady_ms() };
	list_add(&waits->waiting, wait);
}

void waits_forget(struct waits *waits, const struct node *node)
{
	for (size_t i = 0; i < waits->placed.count; i++)
		changes_forget(&((struct wait *)waits->placed.items[i])->changes, node);
}

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

void waits_drop_empty(struct waits *waits)
{
	drop_empty(&waits->waiting);
	drop_empty(&waits->placed);
}

static void free_all(struct list *waits)
{
	for (size_t i = 0; i < waits->count; i++)
		free_wait(waits->items[i]);
	list_free(waits);
}

void waits_free(struct waits *waits)
{
	free_all(&waits->waiting);
	free_all(&waits->placed);
}
