/*
 * What must hold after every round of the property run, whatever happened: of
 * the state of the fleet and of a round's changes. The run's state is here, as
 * one program alone includes this. A check that fails prints the seed, the
 * round and the last changes, and ends the program.
 */
#pragma once

#include <inttypes.h>

#include "support/world.h"

#define TRACE_LINES 60
#define MAX_IDS (1 << 22)

static struct {
	struct world world;
	struct config *config;
	struct fleet *fleet;
	struct board *board; /* brought up to date after each round */
	bool placed[WORLD_SERVERS]; /* was once in a cluster, in this run */
	unsigned char *used;	    /* cluster ids, in this run */
	long round;
	uint64_t seed;
	bool restless; /* answers come while beats are under way */
	long checks, events, restarts, calms, converged, disturbances;
	long rules[RULES];
	char *trace[TRACE_LINES];
	size_t traced;
} run;

static struct moment now(void)
{
	return kit_moment(run.world.steady_ms, run.world.base_ms);
}

__attribute__((format(printf, 1, 2))) static void trace(const char *format, ...)
{
	char **line = &run.trace[run.traced++ % TRACE_LINES];
	va_list args;

	free(*line);
	va_start(args, format);
	*line = mem_vprintf(format, args);
	va_end(args);
}

__attribute__((noreturn)) static void give_up(const char *what, const struct node *node)
{
	size_t first = run.traced > TRACE_LINES ? run.traced - TRACE_LINES : 0;

	for (size_t i = first; i < run.traced; i++)
		fprintf(stderr, "  %s\n", run.trace[i % TRACE_LINES]);
	fprintf(stderr, "property: round %ld, seed %" PRIu64 ": %s%s%s\n", run.round, run.seed, what,
		node != NULL ? ": " : "", node != NULL ? node->config->id : "");
	printf("%ld passed, 1 failed\n", run.checks);
	exit(1);
}

static void must(bool holds, const char *what, const struct node *node)
{
	run.checks++;
	if (!holds)
		give_up(what, node);
}

static int order_of(const struct node *node)
{
	return (int)node->order;
}

/* ---- what must hold of the state ---- */

static void check_cluster(const struct cluster *cluster, int *found)
{
	size_t masters = 0;

	must(cluster->members.count > 0, "an empty cluster was not dropped", NULL);
	for (size_t i = 0; i < cluster->members.count; i++) {
		const struct node *node = cluster->members.items[i];

		found[node->order]++;
		must(node->cluster == cluster, "a member points elsewhere", node);
		must(node->place != PLACE_CLUSTERLESS, "a member without a place", node);
		must(i == 0 || ((struct node *)cluster->members.items[i - 1])->order < node->order,
		     "members out of configured order", node);
		masters += node->place == PLACE_MASTER;
		must((node->place == PLACE_MASTER) == (cluster->seat == node),
		     "seat and place disagree", node);
	}
	must(masters <= 1, "two masters in a cluster", NULL);
	must(cluster->seat == NULL || cluster->sat_last == NULL, "a filled seat remembers", NULL);
}

static void check_view(const struct view *view, const struct list *nodes)
{
	must(view != NULL, "a cluster is not shown", NULL);
	must(view->masters + view->slaves + view->lost + view->clusterless == nodes->count,
	     "the board shows more nodes, or less", NULL);
	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *node = nodes->items[i];

		must(view_find(view, node->order) == node_view_of(node), "the board shows it as it was", node);
	}
}

/* What was touched was enough: the board shows all as it is. */
static void check_board(void)
{
	board_update(&run.board, run.fleet);
	must(run.board->cluster_count == run.fleet->clusters.count, "the board shows other clusters", NULL);
	for (size_t i = 0; i < run.fleet->clusters.count; i++) {
		const struct cluster *cluster = run.fleet->clusters.items[i];

		check_view(board_find(run.board, cluster->id), &cluster->members);
	}
	check_view(run.board->clusterless, &run.fleet->clusterless);
}

static void check_state(void)
{
	int found[WORLD_SERVERS] = { 0 };

	for (size_t i = 0; i < run.fleet->clusters.count; i++)
		check_cluster(run.fleet->clusters.items[i], found);
	for (size_t i = 0; i < run.fleet->node_count; i++) {
		const struct node *node = run.fleet->nodes[i];

		must(found[i] == (node->cluster != NULL), "a node is not in exactly one place",
		     node);
		must(node->cluster != NULL || node->place == PLACE_CLUSTERLESS,
		     "a clusterless node with a place", node);
		must(node->cluster != NULL || !run.placed[i], "clusterless again", node);
		run.placed[i] |= node->cluster != NULL;
	}
	check_board();
}

/* ---- what must hold of a round's changes ---- */

struct standing {
	const struct cluster *cluster;
	enum place place;
};

static void check_order(const struct round *round)
{
	for (size_t i = 1; i < round->changes.count; i++) {
		const struct change *before = &round->changes.items[i - 1];
		const struct change *change = &round->changes.items[i];

		if (change->event == EVENT_NONE)
			continue;
		must(before->event != EVENT_NONE && before->event <= change->event,
		     "T4: events out of order", change->node);
		must(before->event != change->event || before->node->order < change->node->order,
		     "T4: nodes out of order", change->node);
	}
}

static bool fired(const struct round *round, const struct node *node, enum event_kind kind)
{
	for (size_t i = 0; i < round->changes.count; i++) {
		if (round->changes.items[i].node == node && round->changes.items[i].event == kind)
			return true;
	}
	return false;
}

static void check_event(const struct round *round, const struct change *change,
			const struct standing *before)
{
	const struct node *node = change->node;

	run.events++;
	must(before->cluster != node->cluster || before->place != node->place,
	     "an event without a change of place", node);
	switch (change->event) {
	case EVENT_CLUSTER_CREATED:
		must(node->place == PLACE_MASTER && !fired(round, node, EVENT_MASTER_UP),
		     "T6: cluster_created", node);
		break;
	case EVENT_MASTER_DOWN:
		must(before->place == PLACE_MASTER && round->cluster->seat == NULL &&
			     !fired(round, node, EVENT_SLAVE_DOWN),
		     "T1, T5: master_down", node);
		break;
	case EVENT_MASTER_UP:
		must(round->cluster->seat == node && round->seat_before != node &&
			     !fired(round, node, EVENT_SLAVE_DOWN) &&
			     !fired(round, node, EVENT_SLAVE_UP),
		     "T2, T5: master_up", node);
		break;
	case EVENT_SLAVE_DOWN:
		must(before->place == PLACE_SLAVE && node->place == PLACE_LOST, "T3: slave_down",
		     node);
		break;
	case EVENT_SLAVE_UP:
		must(node->place == PLACE_SLAVE, "T3: slave_up", node);
		break;
	case EVENT_NONE:
	case EVENT_PLUSMOIN_UP:
	case EVENT_MASTER_UNREACHABLE:
	case EVENT_NODE_HELD:
	case EVENT_SPLIT_BRAIN:
	case EVENT_MONITOR_ISOLATED:
	case EVENT_MONITOR_RECONNECTED:
	case EVENT_HEARTBEAT:
	case EVENT_KINDS:
		must(false, "an event that no change fires", node);
	}
}

static void check_founded(const struct change *change)
{
	if (change->rule != RULE_U2 && change->rule != RULE_M6)
		return;
	must(change->to->id >= 0 && change->to->id < MAX_IDS && !run.used[change->to->id],
	     "a cluster's id was used before", change->node);
	run.used[change->to->id] = 1;
}

static void check_seat_events(const struct round *round)
{
	const struct node *seat = round->cluster != NULL ? round->cluster->seat : NULL;

	if (round->cluster == NULL)
		return;
	if (seat == NULL && round->seat_before != NULL)
		must(fired(round, round->seat_before, EVENT_MASTER_DOWN), "T1: no master_down",
		     round->seat_before);
	if (seat != NULL && seat != round->seat_before)
		must(fired(round, seat, EVENT_MASTER_UP), "T2: no master_up", seat);
}

static void check_changes(const struct round *round, const struct standing *before)
{
	for (size_t i = 0; i < round->changes.count; i++) {
		const struct change *change = &round->changes.items[i];

		trace("%ld t=%.3f %s %s: %s -> %s %d %s", run.round,
		      (double)run.world.steady_ms / 1000.0, rule_name(change->rule),
		      change->node->config->id, place_name(change->from_place),
		      place_name(change->to_place), change->to != NULL ? change->to->id : -1,
		      event_kind_name(change->event));
		run.rules[change->rule]++;
		check_founded(change);
		if (change->event != EVENT_NONE)
			check_event(round, change, &before[change->node->order]);
	}
	check_order(round);
	check_seat_events(round);
}
