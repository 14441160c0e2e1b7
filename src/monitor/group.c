/* Rounds of a cluster or of the clusterless nodes. */
#include <stdlib.h>

#include "base/mem.h"
#include "monitor/internal.h"

static void judge(struct group *group);
static void open_round(struct group *group, bool regular);

static void on_heartbeat(void *data)
{
	struct group *group = data;
	int64_t beat_ms = group->monitor->config->heartbeat_ms;
	int64_t now_ms = clock_steady_ms();

	group->heartbeat_due_ms += beat_ms;
	if (group->heartbeat_due_ms <= now_ms)
		group->heartbeat_due_ms = now_ms + beat_ms;
	timer_start(group->heartbeat, group->heartbeat_due_ms - now_ms);
	if (group->cluster != NULL && group->cluster->starting) {
		if (group->cluster->seat != NULL)
			watch_look(group->cluster->seat->watch);
		return;
	}
	group_want_round(group, true);
}

static void on_early(void *data)
{
	struct group *group = data;

	group_want_round(group, group->again_regular); /* one that had to wait */
}

void group_init(struct group *group, struct monitor *monitor, struct cluster *cluster)
{
	*group = (struct group){ .monitor = monitor, .cluster = cluster };
	group->heartbeat = timer_new(monitor->loop, NULL, on_heartbeat, group);
	group->early = timer_new(monitor->loop, NULL, on_early, group);
	group->founded_ms = clock_steady_ms();
	for (size_t i = 0; i < EARLY_ROUNDS_A_SECOND; i++)
		group->early_at[i] = INT64_MIN / 2;
	if (cluster != NULL)
		cluster->watch = group;
}

struct group *group_new(struct monitor *monitor, struct cluster *cluster)
{
	struct group *group = mem_zalloc(1, sizeof(*group));

	group_init(group, monitor, cluster);
	return group;
}

void group_clear(struct group *group)
{
	timer_free(&group->heartbeat);
	timer_free(&group->early);
	if (group->open)
		round_end(&group->round);
	group->open = false;
}

void group_run(struct group *group)
{
	group->heartbeat_due_ms = clock_steady_ms() + group->monitor->config->heartbeat_ms;
	timer_start(group->heartbeat, group->monitor->config->heartbeat_ms);
}

void group_reload(struct group *group)
{
	int64_t now_ms = clock_steady_ms();
	int64_t due_ms = now_ms + group->monitor->config->heartbeat_ms;

	if (timer_is_set(group->heartbeat)) {
		if (group->heartbeat_due_ms > due_ms)
			group->heartbeat_due_ms = due_ms;
		timer_start(group->heartbeat, group->heartbeat_due_ms - now_ms);
	}
	timer_start(group->early, 0);
}

struct group *group_of(struct monitor *monitor, const struct node *node)
{
	return node->cluster != NULL ? node->cluster->watch : &monitor->clusterless;
}

/* At most EARLY_ROUNDS_A_SECOND: how long the next must wait, in ms. */
static int64_t early_wait(const struct group *group)
{
	int64_t wait_ms = group->early_at[group->early_next] + 1000 - clock_steady_ms();

	return wait_ms > 0 ? wait_ms : 0;
}

/* A founding of the start may not be tried by a second round. */
static bool must_wait(const struct group *group)
{
	return group->open || group->born_in != NULL || start_is_blind(group->monitor) ||
	       (group->cluster == NULL && group->monitor->founding.count > 0);
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

/* Whether a round waits for this node: what is lost, clusterless or failing may be silent. */
static bool is_worth_waiting(const struct node *node)
{
	return node_is_in_place(node) && !node_is_failing(node);
}

/* A node whose door is shut is asked by its own timer alone. */
static bool is_to_be_asked(const struct watch *watch)
{
	return !(watch->refused.count > 0 && timer_is_set(watch->retry)) ||
	       node_is_in_place(watch->node);
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
	struct moment now = monitor_now(group->monitor);

	if (node->seen.kind == OBSERVED_MASTER ||
	    (node->seen.kind != OBSERVED_NOTHING && group->cluster != NULL))
		return; /* it answered late, and that counts here */
	watch->awaited = is_worth_waiting(node) || /* or M6 needs to see it */
			 (has_waiting_rival(node) && holder_answers(group->monitor->fleet, node, &now));
	if (watch->awaited)
		group->awaited++;
	if (is_to_be_asked(watch))
		watch_look(watch);
}

static void open_round(struct group *group, bool regular)
{
	struct monitor *monitor = group->monitor;

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
	round_begin(&group->round, monitor->fleet, group->cluster);
	for (size_t i = 0; i < monitor->fleet->node_count; i++) {
		if (monitor->fleet->nodes[i]->cluster == group->cluster)
			ask(group, monitor->fleet->nodes[i]->watch);
	}
	if (group->awaited == 0)
		judge(group);
}

/* Whether a node of it fails that may still be down, or is clusterless and has neither answered nor failed. */
static bool is_undecided(const struct group *group)
{
	const struct fleet *fleet = group->monitor->fleet;

	for (size_t i = 0; i < fleet->node_count; i++) {
		const struct node *node = fleet->nodes[i];

		if (node->cluster == group->cluster &&
		    (node_is_failing(node) ||
		     (node->cluster == NULL && !node->known && node->failure.attempts == 0)))
			return true;
	}
	return false;
}

bool group_is_judging(const struct group *group)
{
	return (group->open && group->round.changes.count > 0) || group->born_in != NULL;
}

/* What could not be told while nodes had moved. */
static void tell_doors(const struct group *group)
{
	struct moment now = monitor_now(group->monitor);

	for (size_t i = 0; i < group->cluster->members.count; i++)
		door_tell(((struct node *)group->cluster->members.items[i])->watch, &now);
}

static void finish(struct group *group)
{
	struct monitor *monitor = group->monitor;
	struct cluster *cluster = group->cluster;
	struct changes changes;
	bool again = group->again;
	bool again_regular = group->again_regular;
	bool regular = group->regular;
	bool lives;

	round_sort(&group->round);
	changes = group->round.changes;
	group->round.changes = (struct changes){ 0 };
	round_end(&group->round);
	group->open = false;
	lives = cluster == NULL || cluster->members.count > 0;
	if (lives && cluster != NULL)
		watch_plan_cluster(cluster);
	monitor_publish(monitor, &changes);
	changes_free(&changes);
	if (!lives)
		return; /* dropped, and this group with it */
	if (cluster != NULL)
		tell_doors(group);
	group->restored = group->restored && is_undecided(group);
	if (regular && cluster != NULL)
		monitor_fire(monitor, EVENT_HEARTBEAT, cluster, NULL);
	if (again)
		group_want_round(group, again_regular);
}

static void judge(struct group *group)
{
	struct moment now = monitor_now(group->monitor);
	struct beat_order order;
	struct node *node;

	while (round_step(&group->round, &now, &node, &order)) {
		struct watch *watch = node->watch;

		if (!probe_is_busy(watch->probe)) {
			probe_beat(watch->probe, &order);
			return;
		}
		round_take_beat(&group->round, &now, &(struct beat_result){ .state = BEAT_NONE });
	}
	finish(group);
}

void group_beaten(struct group *group, const struct beat_result *result)
{
	struct moment now = monitor_now(group->monitor);

	if (!group->open)
		return;
	watch_log_refused(group->round.trying, result);
	round_take_beat(&group->round, &now, result);
	monitor_adopt(group);
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

bool group_resume(struct group *group)
{
	if (!group->open || group->awaited > 0 || group->round.trying != NULL)
		return false;
	judge(group);
	return true;
}

void group_saw(struct group *group, struct watch *watch)
{
	struct moment now = monitor_now(group->monitor);
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
	if (rules_would_move(group->monitor->fleet, node, &now) || has_waiting_rival(node))
		group_want_round(group, false);
	else if (node->cluster != NULL && !rules_wait_for_holder(group->monitor->fleet, node, &now))
		node_forget(node);
}
