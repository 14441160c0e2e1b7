#include "monitor/seats.h"

#include <math.h>

#include "monitor/tell.h"

static void judge(struct group *group);
static void open_round(struct group *group, bool regular);

static int64_t heartbeat_ms(const struct group *group)
{
	return group->seats->watches->config->heartbeat_ms;
}

static struct moment now_of(const struct group *group)
{
	return clock_now(group->seats->watches->clock);
}

/* The nodes of the group, in configured order. */
static const struct list *nodes_of(const struct group *group)
{
	return group->cluster != NULL ? &group->cluster->members
				      : &group->seats->watches->fleet->clusterless;
}

/*
 * Where the group's regular rounds have their place in the heartbeat. Multiples of the golden section lie evenly in the
 * unit, however many there are, and a new one falls into the longest gap.
 */
static int64_t place_of(const struct group *group)
{
	const double golden = 0.6180339887498949;
	double at = group->cluster != NULL ? group->cluster->id * golden : 0;

	return (int64_t)((at - floor(at)) * (double)heartbeat_ms(group));
}

/* Has the next regular round begin at the group's next place after `after_ms` (steady). */
static void set_heartbeat(struct group *group, int64_t after_ms)
{
	int64_t beat_ms = heartbeat_ms(group);
	int64_t first_ms = group->seats->began_ms + place_of(group);
	int64_t past_ms = (after_ms - first_ms) % beat_ms;

	group->heartbeat_due_ms = after_ms - past_ms + (past_ms < 0 ? 0 : beat_ms);
	timer_start(group->heartbeat, group->heartbeat_due_ms - clock_steady_ms());
}

static void on_heartbeat(void *data)
{
	struct group *group = data;
	int64_t now_ms = clock_steady_ms();

	/* a timer may be early by a part of a millisecond: the round that begins now is not begun again */
	set_heartbeat(group, now_ms > group->heartbeat_due_ms ? now_ms : group->heartbeat_due_ms);
	if (group->cluster != NULL && group->cluster->starting) {
		if (group->cluster->seat != NULL)
			watch_look(watch_of(group->seats->watches, group->cluster->seat));
		return;
	}
	group_want_round(group, true);
}

static void on_early(void *data)
{
	struct group *group = data;

	group_want_round(group, group->again_regular); /* opens the round that had to wait */
}

void group_init(struct group *group, struct seats *seats, struct cluster *cluster)
{
	uv_loop_t *loop = seats->watches->loop;

	*group = (struct group){ .seats = seats, .cluster = cluster };
	group->heartbeat = timer_new(loop, on_heartbeat, group);
	group->early = timer_new(loop, on_early, group);
	for (size_t i = 0; i < EARLY_ROUNDS_A_SECOND; i++)
		group->early_at[i] = INT64_MIN / 2;
}

void group_clear(struct group *group)
{
	timer_free(&group->heartbeat);
	timer_free(&group->early);
	if (group->open)
		round_end(&group->round);
	group->open = false;
	if (group->born_in != NULL)
		list_remove(&group->born_in->born, group);
	list_free(&group->born);
}

void group_bear(struct group *group, struct group *born)
{
	born->born_in = group;
	born->restored = group->restored;
	list_add(&group->born, born);
}

void group_run(struct group *group)
{
	int64_t now_ms = clock_steady_ms();

	if (group->seats->began_ms == 0)
		group->seats->began_ms = now_ms;
	set_heartbeat(group, now_ms);
}

void group_reload(struct group *group, int64_t after_ms)
{
	if (timer_is_set(group->heartbeat))
		set_heartbeat(group, clock_steady_ms());
	timer_start(group->early, after_ms);
}

void group_pause(struct group *group, bool paused)
{
	group->paused = paused;
	if (!paused && group->again)
		timer_start(group->early, 0);
}

/* How many ms the next early round must wait: there are at most EARLY_ROUNDS_A_SECOND. */
static int64_t early_wait(const struct group *group)
{
	int64_t wait_ms = group->early_at[group->early_next] + 1000 - clock_steady_ms();

	return wait_ms > 0 ? wait_ms : 0;
}

static bool must_wait(const struct group *group)
{
	return group->open || group->paused || group->born_in != NULL || group->seats->blind;
}

void group_want_round(struct group *group, bool regular)
{
	int64_t wait_ms = regular ? 0 : early_wait(group);

	if (group->cluster != NULL && group->cluster->starting)
		return;
	if (must_wait(group)) {
		group->again = true;
		group->again_regular = group->again_regular || regular;
	} else if (wait_ms > 0) {
		if (!timer_is_set(group->early))
			timer_start(group->early, wait_ms);
	} else {
		open_round(group, regular);
	}
}

/* Whether a round waits for this node: it does not for lost, clusterless or failing ones, which may be silent. */
static bool is_worth_waiting(const struct node *node)
{
	return node_is_in_place(node) && !node_is_failing(node);
}

/* Whether a member has said that it is master, and waits for an answer of the holder. */
static bool has_waiting_rival(const struct node *holder)
{
	const struct cluster *cluster = holder->cluster;

	if (cluster == NULL || cluster->seat != holder)
		return false;
	for (size_t i = 0; i < cluster->members.count; i++) {
		const struct node *node = cluster->members.items[i];

		if (node != holder && node->seen.kind == OBSERVED_MASTER)
			return true;
	}
	return false;
}

static void ask(struct group *group, struct watch *watch)
{
	struct node *node = watch->node;
	struct moment now = now_of(group);
	bool decides; /* M6 needs the holder's answer */

	if (node->seen.kind == OBSERVED_MASTER ||
	    (node->seen.kind != OBSERVED_NOTHING && group->cluster != NULL))
		return; /* it answered between rounds, and that answer counts here */
	decides = has_waiting_rival(node) && holder_answers(node->fleet, node, &now);
	watch->awaited = is_worth_waiting(node) || decides;
	if (watch->awaited)
		group->awaited++;
	if (decides || !watch_is_left_alone(watch))
		watch_look(watch);
}

static void open_round(struct group *group, bool regular)
{
	struct watches *watches = group->seats->watches;
	const struct list *nodes = nodes_of(group);

	timer_stop(group->early);
	if (!regular) {
		group->early_at[group->early_next] = clock_steady_ms();
		group->early_next = (group->early_next + 1) % EARLY_ROUNDS_A_SECOND;
	}
	group->open = true;
	group->regular = regular;
	group->again = false;
	group->again_regular = false;
	group->awaited = 0;
	round_begin(&group->round, watches->fleet, group->cluster);
	for (size_t i = 0; i < nodes->count; i++)
		ask(group, watch_of(watches, nodes->items[i]));
	if (group->awaited == 0)
		judge(group);
}

/* Whether a node of it fails that may still be down, or is clusterless and has neither answered nor failed. */
static bool is_undecided(const struct group *group)
{
	const struct list *nodes = nodes_of(group);

	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *node = nodes->items[i];

		if (node_is_failing(node) ||
		    (node->cluster == NULL && !node->known && node->failure.attempts == 0))
			return true;
	}
	return false;
}

bool group_is_judging(const struct group *group)
{
	return (group->open && group->round.changes.count > 0) || group->born_in != NULL;
}

static void finish(struct group *group)
{
	struct changes changes;
	bool again = group->again;
	bool again_regular = group->again_regular;
	bool lives = group->cluster == NULL || group->cluster->members.count > 0;

	round_sort(&group->round);
	changes = group->round.changes;
	group->round.changes = (struct changes){ 0 };
	round_end(&group->round);
	group->open = false;
	if (group->cluster != NULL)
		counter_add(&group->cluster->meter->rounds, 1);
	group->seats->events->ended(group->seats->data, group, &changes, group->regular);
	changes_free(&changes);
	if (!lives)
		return; /* the cluster was dropped, and its group freed */
	if (group->restored)
		group->restored = is_undecided(group);
	if (again)
		group_want_round(group, again_regular);
}

static void judge(struct group *group)
{
	struct moment now = now_of(group);
	struct beat_order order;
	struct node *node;

	while (round_step(&group->round, &now, &node, &order)) {
		struct watch *watch = watch_of(group->seats->watches, node);

		if (!watch_is_busy(watch)) {
			watch_beat(watch, &order);
			return;
		}
		round_take_beat(&group->round, &now, &(struct beat_result){ .state = BEAT_NONE });
	}
	finish(group);
}

/* Reports the clusters that changes from `first` on have founded. */
static void report_founded(struct group *group, size_t first)
{
	for (size_t i = first; i < group->round.changes.count; i++) {
		const struct change *change = &group->round.changes.items[i];

		if (change->rule == RULE_M6 || change->rule == RULE_U2)
			group->seats->events->founded(group->seats->data, group, change->to);
	}
}

void group_beaten(struct group *group, const struct beat_result *result)
{
	struct moment now = now_of(group);
	size_t before = group->round.changes.count;

	if (!group->open)
		return;
	tell_refused(group->round.trying, result);
	round_take_beat(&group->round, &now, result);
	report_founded(group, before);
	judge(group);
}

void group_forget(struct group *group, const struct watch *watch)
{
	if (!group->open)
		return;
	if (watch->awaited && watch->node->cluster == group->cluster)
		group->awaited--;
	round_forget(&group->round, watch->node);
}

void group_repeat(struct group *group, const struct node *node)
{
	if (group->open && group->round.trying == node)
		round_repeat(&group->round);
}

void group_resume(struct group *group)
{
	if (group->open && group->awaited == 0 && group->round.trying == NULL)
		judge(group);
}

void group_saw(struct group *group, struct watch *watch)
{
	struct moment now = now_of(group);
	struct node *node = watch->node;
	bool awaited = watch->awaited;

	watch->awaited = false;
	if (group->open) {
		if (!awaited || group->awaited == 0)
			return;
		group->awaited--;
		if (group->awaited == 0)
			judge(group);
		return;
	}
	if (rules_would_move(node->fleet, node, &now) || has_waiting_rival(node))
		group_want_round(group, false);
	else if (node->cluster != NULL && !rules_wait_for_holder(node->fleet, node, &now))
		node_forget(node);
}
