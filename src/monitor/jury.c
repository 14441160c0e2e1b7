#include "monitor/jury.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/aliases.h"
#include "core/cut_off.h"
#include "core/vouch.h"
#include "monitor/gates.h"
#include "monitor/juror.h"
#include "monitor/tell.h"

#define ASKED_ISOLATED 8 /* nodes that others are asked about, to learn whether they are isolated, too */

static const struct watch_gate gate;

/* ---- as the one that acts ---- */

static int need(const struct jury *jury)
{
	return jury->watches->config->monitors.votes;
}

static bool has_waiting(const struct watch *watch)
{
	return watch->aside != NULL && watch->aside_of == &gate;
}

/* Whether there is somebody to be asked. */
static bool has_peers(const struct jury *jury)
{
	return jury->acts && jury->live.count > 0 && need(jury) != VOTES_ANY;
}

/* Whether a failure of the node that comes now is put to the vote. */
static bool is_voted_on(const struct jury *jury, const struct watch *watch, enum reason reason)
{
	struct moment now;

	if (!has_peers(jury))
		return false;
	now = clock_now(watch->all->clock);
	return node_would_fall(watch->all->fleet, watch->node, reason, &now);
}

static void ask(struct question *question)
{
	struct jury *jury = question->jury;
	const struct watch *watch = question->watch;

	votes_free(&question->votes);
	question->votes = votes_new();
	votes_add(question->votes, jury->name, VOTE_OPEN, REASON_NONE);
	for (size_t i = 0; i < jury->live.count; i++)
		votes_add(question->votes, jury->live.items[i], VOTE_OPEN, REASON_NONE);
	free(question->missing);
	question->missing = mem_zalloc(question->votes->count, sizeof(*question->missing));
	question->number = ++jury->number;
	question->asked_ms = clock_steady_ms();
	question->is_over = false;
	deadline_start(&question->timer, watch->all->config->query_timeout_ms + JURY_WAIT_MS);
	jury->peers->ask(jury->data, watch->node->config->id, question->number);
}

/* Withdraws the question. */
static void withdraw(struct question *question)
{
	if (question->number == 0)
		return;
	question->number = 0;
	deadline_stop(&question->timer);
	question->jury->peers->ask(question->jury->data, question->watch->node->config->id, 0);
}

/* Whether the question is about the attempt that is under way or has just ended, not about an earlier one. */
static bool is_present(const struct question *question)
{
	return question != NULL && question->number != 0 && question->asked_ms >= question->watch->asked_ms;
}

/* Whether most of the others that have said what they see miss fewer nodes than this one (`missing`). */
static bool is_behind(const struct question *question, size_t missing)
{
	const struct votes *votes = question->votes;
	size_t more = 0;
	size_t said = 0;

	for (size_t i = 1; i < votes->count; i++) {
		if (votes->items[i].says != VOTE_ANSWERS && votes->items[i].says != VOTE_FAILS)
			continue;
		said++;
		more += question->missing[i] < missing;
	}
	return more * 2 > said;
}

/* Tells once a term that another monitor should act. */
static void fall_behind(struct jury *jury, size_t missing)
{
	if (jury->is_behind)
		return;
	jury->is_behind = true;
	jury->peers->behind(jury->data, missing);
}

/* Others see a node that this one does not: another one should act if they see more nodes for JURY_BEHIND_MS. */
static void stand_back(const struct question *question)
{
	struct jury *jury = question->jury;
	int64_t now_ms = clock_steady_ms();
	size_t missing = juror_missing(jury);

	if (!is_behind(question, missing)) {
		jury->behind_ms = 0;
		return;
	}
	if (jury->behind_ms == 0)
		jury->behind_ms = now_ms;
	if (now_ms - jury->behind_ms < JURY_BEHIND_MS)
		return;
	fall_behind(jury, missing);
}

/* Keeps the verdict with the node, and tells what changes by it. */
static void conclude(struct question *question, enum votes_verdict verdict)
{
	struct node *node = question->watch->node;

	bool was_seen = node->failure.others_see;

	node_take_votes(node, question->votes, verdict == VOTES_SEEN);
	if (was_seen != node->failure.others_see && (was_seen || node->place == PLACE_SLAVE))
		tell_seen_by_others(node, !was_seen); /* kept.c tells the begin of a master's */
	if (verdict == VOTES_SEEN) {
		stand_back(question);
	} else {
		question->jury->behind_ms = 0;
		withdraw(question);
	}
}

/* Whether the failure may be taken in now. */
static bool judge(struct question *question)
{
	enum votes_verdict verdict = votes_judge(question->votes, need(question->jury), question->is_over);

	if (verdict == VOTES_OPEN)
		return false;
	conclude(question, verdict);
	return true;
}

/* Takes in the failure that waits, if the votes suffice by now; ends it as nothing if the monitor is isolated. */
static void take_up(struct question *question)
{
	struct watch *watch = question->watch;
	const struct fleet *fleet = watch->all->fleet;
	struct moment now = clock_now(watch->all->clock);

	if (!has_waiting(watch))
		return;
	if (fleet_is_cut_off(fleet) && !fleet_acts_cut_off(fleet, &now)) {
		withdraw(question);
		watch_take_nothing(watch, watch->aside);
	} else if (judge(question)) {
		watch_take_aside(watch);
	}
}

/* Takes in the failure that waits without a vote. */
static void let_go(struct question *question)
{
	withdraw(question);
	if (!has_waiting(question->watch))
		return;
	node_take_votes(question->watch->node, NULL, false);
	watch_take_aside(question->watch);
}

static bool admits_failure(struct jury *jury, struct watch *watch, const struct observation *seen)
{
	struct question *question = watch->question;
	bool is_going = seen->going && watch->node->failure.attempts == 0 && watch->all->config->restart_grace_ms > 0;

	if (is_going || !is_voted_on(jury, watch, seen->reason)) {
		if (question != NULL)
			withdraw(question);
		if (node_is_in_place(watch->node))
			node_take_votes(watch->node, NULL, false);
		return true;
	}
	question = juror_question(jury, watch);
	if (!is_present(question))
		ask(question);
	(void)votes_take(question->votes, jury->name, VOTE_FAILS, seen->reason);
	if (judge(question))
		return true;
	watch_put_aside(watch, seen);
	return false;
}

void jury_told(struct jury *jury, const char *node, unsigned long number, const struct vote *vote, size_t missing)
{
	const struct node *found = jury->watches != NULL ? fleet_named(jury->watches->fleet, NULL, node) : NULL;
	struct question *question = found != NULL ? watch_of(jury->watches, found)->question : NULL;

	if (question == NULL || question->number == 0 || question->number != number)
		return;
	for (size_t i = 0; i < question->votes->count; i++) {
		if (strcmp(question->votes->items[i].monitor, vote->monitor) == 0)
			question->missing[i] = missing;
	}
	if (!votes_take(question->votes, vote->monitor, vote->says, vote->reason))
		return;
	if (fleet_is_cut_off(jury->watches->fleet) && vote->says == VOTE_ANSWERS)
		fall_behind(jury, 0);
	take_up(question);
}

void jury_cut_off(struct jury *jury)
{
	size_t asked = 0;

	if (jury == NULL)
		return;
	juror_cut_off(jury);
	for (size_t i = 0; i < jury->watches->count && asked < ASKED_ISOLATED; i++) {
		struct watch *watch = jury->watches->by_order[i];

		if (!has_peers(jury) || !node_is_in_place(watch->node) || watch->aside != NULL)
			continue;
		ask(juror_question(jury, watch));
		asked++;
	}
}

/* ---- what comes in ---- */

static void on_over(struct question *question)
{
	const struct watch *watch = question->watch;

	if (fleet_is_cut_off(watch->all->fleet) && watch->aside == NULL && has_peers(question->jury)) {
		ask(question);
		return;
	}
	question->is_over = true;
	take_up(question);
}

static void on_late(void *data, struct watch *watch)
{
	struct jury *jury = data;

	if (is_voted_on(jury, watch, REASON_TIMEOUT) && !is_present(watch->question))
		ask(juror_question(jury, watch));
}

static bool on_seen(void *data, struct watch *watch, const struct observation *seen)
{
	struct jury *jury = data;
	struct question *question = watch->question;

	if (question != NULL)
		juror_saw(question, seen);
	if (seen->kind == OBSERVED_FAILURE)
		return admits_failure(jury, watch, seen);
	if (seen->kind == OBSERVED_NOTHING || question == NULL)
		return true;
	if (watch->node->failure.others_see && watch->node->place == PLACE_MASTER)
		tell_reachable(watch->node);
	withdraw(question);
	return true;
}

static void on_left(void *data, struct watch *watch)
{
	struct question *question = watch->question;

	(void)data;
	if (question == NULL)
		return;
	withdraw(question);
	deadline_stop(&question->timer);
	votes_free(&question->votes);
	free(question->missing);
	free(question);
	watch->question = NULL;
}

/* ---- begin and end ---- */

static const struct watch_gate gate = { .late = on_late, .admits = on_seen, .left = on_left };

void jury_act(struct jury *jury, bool acts)
{
	if (jury->acts == acts)
		return;
	jury->acts = acts;
	jury->behind_ms = 0;
	jury->is_behind = false;
	for (size_t i = 0; !acts && jury->watches != NULL && i < jury->watches->count; i++) {
		if (jury->watches->by_order[i]->question != NULL)
			let_go(jury->watches->by_order[i]->question);
	}
}

static bool is_live(const struct jury *jury, const char *name)
{
	if (strcmp(jury->name, name) == 0)
		return true;
	for (size_t i = 0; i < jury->live.count; i++) {
		if (strcmp(jury->live.items[i], name) == 0)
			return true;
	}
	return false;
}

/* Waits no longer for monitors that have gone. */
static void drop_gone(struct question *question)
{
	for (size_t i = 0; i < question->votes->count; i++) {
		struct vote *vote = &question->votes->items[i];

		if (vote->says == VOTE_OPEN && !is_live(question->jury, vote->monitor))
			vote->says = VOTE_CANNOT;
	}
	take_up(question);
}

static void forget_live(struct jury *jury)
{
	for (size_t i = 0; i < jury->live.count; i++)
		free(jury->live.items[i]);
	list_free(&jury->live);
	jury->live = (struct list){ 0 };
}

void jury_live(struct jury *jury, const char *const *names, size_t count)
{
	forget_live(jury);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], jury->name) != 0)
			list_add(&jury->live, mem_strdup(names[i]));
	}
	for (size_t i = 0; jury->watches != NULL && i < jury->watches->count; i++) {
		struct question *question = jury->watches->by_order[i]->question;

		if (question != NULL && question->number != 0)
			drop_gone(question);
	}
}

struct jury *jury_open(struct jury *jury, struct watches *watches)
{
	if (jury == NULL)
		return NULL;
	jury->watches = watches;
	jury->over = on_over;
	jury->counted_ms = 0;
	watches_add_gate(watches, &gate, jury);
	return jury;
}

void jury_close(struct jury *jury)
{
	if (jury == NULL)
		return;
	for (size_t i = 0; i < jury->watches->count; i++)
		on_left(jury, jury->watches->by_order[i]);
	jury->watches = NULL;
}

void jury_init(struct jury *jury, const char *name, const struct jury_peers *peers, void *data)
{
	*jury = (struct jury){
		.peers = peers,
		.data = data,
		.name = mem_strdup(name),
		.number = (unsigned long)clock_wall_ms() * 1000, /* no other process has used, or uses, the same */
	};
}

void jury_clear(struct jury *jury)
{
	forget_live(jury);
	free(jury->name);
	jury->name = NULL;
}
