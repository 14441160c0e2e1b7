/* The monitor's start: cluster-rules.md, "Start". */
#include <stdlib.h>

#include "base/mem.h"
#include "monitor/internal.h"

/* A master's founding round at the start: a round of one clusterless node. */
struct founding {
	struct watch *watch;
	struct round round;
};

static void found_clusters(struct monitor *monitor);
static void go_on(struct monitor *monitor);
static void begin_rounds(struct monitor *monitor);
static void step_foundings(struct monitor *monitor, const struct watch *watch);

static void on_start_timer(void *data)
{
	struct monitor *monitor = data;

	if (monitor->phase == START_RESTORED) {
		go_on(monitor);
		return;
	}
	if (monitor->phase == START_SIGHT) {
		begin_rounds(monitor);
		return;
	}
	if (monitor->phase == START_ANSWERS) {
		found_clusters(monitor);
		return;
	}
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		const struct cluster *cluster = monitor->fleet->clusters.items[i];

		for (size_t n = 0; cluster->starting && n < monitor->fleet->node_count; n++) {
			if (start_waits_for(monitor->fleet, cluster, monitor->fleet->nodes[n]))
				watch_look(monitor->fleet->nodes[n]->watch);
		}
	}
	start_saw(monitor, NULL);
	if (monitor->phase == START_CLUSTERS)
		timer_start(monitor->start_timer, START_LOOK_MS);
}

/*
 * What a state file held goes on: plusmoin_up, then rounds, whose changes are the
 * differences. They wait until one node has answered: a machine that has just
 * started may have no network yet.
 */
static void go_on(struct monitor *monitor)
{
	monitor->phase = START_SIGHT;
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		struct cluster *cluster = monitor->fleet->clusters.items[i];
		struct group *group = group_new(monitor, cluster);

		group->restored = true;
		monitor_fire(monitor, EVENT_PLUSMOIN_UP, cluster, NULL);
	}
	monitor->clusterless.restored = true;
	for (size_t i = 0; i < monitor->fleet->node_count; i++)
		watch_look(monitor->fleet->nodes[i]->watch);
	timer_start(monitor->start_timer, START_ANSWERS_MS + monitor->config->retry_interval_ms);
}

/* Somebody answers, or nobody will: rounds begin, and failures from before count for nothing. */
static void begin_rounds(struct monitor *monitor)
{
	monitor->phase = START_OVER;
	timer_stop(monitor->start_timer);
	for (size_t i = 0; i < monitor->fleet->node_count; i++) {
		struct node *node = monitor->fleet->nodes[i];

		if (node->seen.kind == OBSERVED_FAILURE) {
			node_forget(node);
			node->failure = (struct failure){ 0 };
		}
	}
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		const struct cluster *cluster = monitor->fleet->clusters.items[i];

		group_run(cluster->watch);
		group_want_round(cluster->watch, false);
	}
	group_run(&monitor->clusterless);
	group_want_round(&monitor->clusterless, false);
	for (size_t i = 0; i < monitor->fleet->node_count; i++)
		watch_plan(monitor->fleet->nodes[i]->watch);
}

bool start_is_blind(const struct monitor *monitor)
{
	return monitor->phase == START_RESTORED || monitor->phase == START_SIGHT ||
	       monitor->phase == START_ANSWERS;
}

void start_begin(struct monitor *monitor)
{
	monitor->phase = START_ANSWERS;
	monitor->start_timer = timer_new(monitor->loop, NULL, on_start_timer, monitor);
	if (monitor->fleet->clusters.count > 0) {
		monitor->phase = START_RESTORED;
		timer_start(monitor->start_timer, 0);
		return;
	}
	timer_start(monitor->start_timer, START_ANSWERS_MS);
	for (size_t i = 0; i < monitor->fleet->node_count; i++)
		watch_look(monitor->fleet->nodes[i]->watch);
	if (monitor->fleet->node_count == 0)
		timer_start(monitor->start_timer, 0);
}

static bool all_have_answered(const struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->fleet->node_count; i++) {
		const struct node *node = monitor->fleet->nodes[i];

		if (!node->known && node->failure.attempts == 0)
			return false;
	}
	return true;
}

static void end_cluster_start(struct monitor *monitor, struct cluster *cluster)
{
	struct moment now = monitor_now(monitor);
	struct changes changes = { 0 };
	struct group *group = cluster->watch;

	start_place(monitor->fleet, cluster, &now, &changes);
	monitor_publish(monitor, &changes);
	changes_free(&changes);
	monitor_fire(monitor, EVENT_PLUSMOIN_UP, cluster, NULL);
	group_run(group);
	watch_plan_cluster(cluster);
	if (cluster->seat != NULL && cluster->seat->failure.attempts == 0)
		node_forget(cluster->seat); /* the rounds ask it anew */
	if (cluster->seat != NULL && cluster->seat->failure.attempts > 0)
		group_want_round(group, false);
}

void start_saw(struct monitor *monitor, struct watch *watch)
{
	struct moment now = monitor_now(monitor);
	bool waits;

	if (monitor->phase == START_SIGHT) {
		if (watch != NULL && watch->node->failure.attempts == 0)
			timer_start(monitor->start_timer, 0);
		return;
	}
	if (monitor->phase == START_ANSWERS) {
		if (all_have_answered(monitor))
			timer_start(monitor->start_timer, 0);
		return;
	}
	if (watch != NULL)
		step_foundings(monitor, watch);
	waits = monitor->founding.count > 0;
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		struct cluster *cluster = monitor->fleet->clusters.items[i];
		const struct group *group = cluster->watch;

		if (!cluster->starting)
			continue;
		if (start_is_over(monitor->fleet, cluster, group->founded_ms, &now))
			end_cluster_start(monitor, cluster);
		else
			waits = true;
	}
	if (!waits) {
		monitor->phase = START_OVER;
		timer_stop(monitor->start_timer);
	}
}

static void finish_founding(struct monitor *monitor, struct founding *founding)
{
	struct changes changes = founding->round.changes;

	founding->round.changes = (struct changes){ 0 };
	list_remove(&monitor->founding, founding);
	round_end(&founding->round);
	free(founding);
	monitor_publish(monitor, &changes);
	for (size_t i = 0; i < changes.count; i++) {
		if (changes.items[i].to != NULL)
			group_run(changes.items[i].to->watch); /* its beats while it waits */
	}
	changes_free(&changes);
	if (monitor->founding.count == 0 && monitor->clusterless.again)
		timer_start(monitor->clusterless.early, 0);
}

/* A master that is being asked again at that moment gets its beat when it has answered. */
static void step_founding(struct monitor *monitor, struct founding *founding)
{
	struct moment now = monitor_now(monitor);
	struct beat_order order;
	struct node *node;

	if (!round_step(&founding->round, &now, &node, &order))
		finish_founding(monitor, founding);
	else if (probe_is_busy(founding->watch->probe))
		round_repeat(&founding->round);
	else
		probe_beat(founding->watch->probe, &order);
}

/* Those that got no beat yet; of one watch, or of all where it is NULL. */
static void step_foundings(struct monitor *monitor, const struct watch *watch)
{
	for (size_t i = monitor->founding.count; i-- > 0;) {
		struct founding *founding = monitor->founding.items[i];

		if (founding->round.trying == NULL && (watch == NULL || founding->watch == watch))
			step_founding(monitor, founding);
	}
}

static void found_clusters(struct monitor *monitor)
{
	monitor->phase = START_CLUSTERS;
	for (size_t i = 0; i < monitor->fleet->node_count; i++) {
		struct founding *founding;

		if (monitor->fleet->nodes[i]->seen.kind != OBSERVED_MASTER)
			continue;
		founding = mem_zalloc(1, sizeof(*founding));
		founding->watch = monitor->fleet->nodes[i]->watch;
		round_begin(&founding->round, monitor->fleet, NULL);
		founding->round.starting = true;
		founding->round.only = monitor->fleet->nodes[i];
		list_add(&monitor->founding, founding);
		step_founding(monitor, founding);
	}
	for (size_t i = 0; i < monitor->fleet->node_count; i++)
		watch_plan(monitor->fleet->nodes[i]->watch);
	group_run(&monitor->clusterless);
	timer_start(monitor->start_timer, START_LOOK_MS);
	monitor->events.changed(monitor->data);
}

bool start_beaten(struct monitor *monitor, struct watch *watch, const struct beat_result *result)
{
	struct moment now = monitor_now(monitor);

	for (size_t i = 0; i < monitor->founding.count; i++) {
		struct founding *founding = monitor->founding.items[i];

		if (founding->watch != watch)
			continue;
		watch_log_refused(founding->round.trying, result);
		round_take_beat(&founding->round, &now, result);
		step_founding(monitor, founding);
		return true;
	}
	return false;
}

void start_forget(struct monitor *monitor, const struct watch *watch)
{
	for (size_t i = monitor->founding.count; i-- > 0;) {
		struct founding *founding = monitor->founding.items[i];

		if (founding->watch != watch)
			continue;
		list_remove(&monitor->founding, founding);
		round_end(&founding->round);
		free(founding);
	}
}

void start_repeat(struct monitor *monitor, const struct node *node)
{
	for (size_t i = 0; i < monitor->founding.count; i++) {
		struct founding *founding = monitor->founding.items[i];

		if (founding->round.trying == node)
			round_repeat(&founding->round);
	}
}

void start_resume(struct monitor *monitor)
{
	step_foundings(monitor, NULL);
	if (monitor->phase == START_ANSWERS && all_have_answered(monitor))
		timer_start(monitor->start_timer, 0);
}

void start_end(struct monitor *monitor)
{
	timer_free(&monitor->start_timer);
	for (size_t i = 0; i < monitor->founding.count; i++) {
		struct founding *founding = monitor->founding.items[i];

		round_end(&founding->round);
		free(founding);
	}
	list_free(&monitor->founding);
}
