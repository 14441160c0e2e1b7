/* What came of a round: log lines, events, groups for new clusters, dropped ones gone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "monitor/internal.h"

static bool is_restored(const struct monitor *monitor, const struct cluster *cluster)
{
	const struct group *group = cluster != NULL ? cluster->watch : &monitor->clusterless;

	return group != NULL && group->restored;
}

/* Whether what happens in its cluster, or where a node came from, is a difference to a state file. */
static bool is_difference(const struct monitor *monitor, const struct cluster *cluster,
			  const struct change *change)
{
	return is_restored(monitor, cluster) || (change != NULL && is_restored(monitor, change->from));
}

static struct event *make_event(struct monitor *monitor, enum event_kind kind,
				const struct cluster *cluster, const struct change *change)
{
	struct view *view = view_new(monitor->fleet, cluster);
	struct event *event;
	char id[48];

	(void)snprintf(id, sizeof(id), "%" PRId64 "-%lu", monitor->start_s,
		       ++monitor->event_count);
	event = event_new(kind, id, view, clock_wall_ms());
	view_unref(&view);
	event->restored = kind != EVENT_HEARTBEAT && is_difference(monitor, cluster, change);
	if (change != NULL) {
		event_set_node(event, change->node, change->rule, change->reason, change->message);
		if (change->from != NULL && change->from != cluster)
			event->came_from = change->from->id;
	}
	return event;
}

void monitor_fire(struct monitor *monitor, enum event_kind kind, const struct cluster *cluster,
		  const struct change *change)
{
	struct event *event;

	if (kind == EVENT_HEARTBEAT && monitor->config->triggers[kind].count == 0) {
		monitor->events.changed(monitor->data);
		return;
	}
	event = make_event(monitor, kind, cluster, change);
	monitor->events.fired(monitor->data, event);
	event_unref(&event);
	monitor->events.changed(monitor->data);
}

/* Losses and their ends are said at the seed's default level; the rest is info. */
static enum log_level level_of(const struct change *change)
{
	if (change->event != EVENT_NONE || change->rule == RULE_M2 || change->rule == RULE_M3 ||
	    change->rule == RULE_M4)
		return LOG_LEVEL_ERROR;
	return LOG_LEVEL_INFO;
}

static const char *what_happened(const struct change *change)
{
	switch (change->event) {
	case EVENT_MASTER_DOWN:
		return "the master is down";
	case EVENT_MASTER_UP:
		return "a new master sits in the seat";
	case EVENT_SLAVE_DOWN:
		return "a slave is down";
	case EVENT_SLAVE_UP:
		return "a slave is up";
	case EVENT_CLUSTER_CREATED:
		return "a cluster was founded";
	case EVENT_NODE_HELD:
	case EVENT_PLUSMOIN_UP:
	case EVENT_HEARTBEAT:
	case EVENT_NONE:
	case EVENT_KINDS:
		break;
	}
	return "a node changes its place";
}

static void log_change(const struct change *change)
{
	const struct cluster *cluster = change->cluster != NULL ? change->cluster : change->from;
	struct log_about about = {
		.event = event_kind_name(change->event),
		.node = change->node->config->name,
		.rule = rule_name(change->rule),
		.reason = reason_name(change->reason),
		.has_cluster = cluster != NULL,
		.cluster_id = cluster != NULL ? cluster->id : -1,
	};

	log_line(level_of(change), &about, "%s: %s -> %s%s%s", what_happened(change),
		 place_name(change->from_place), place_name(change->to_place),
		 change->message[0] != '\0' ? ": " : "", change->message);
}

void monitor_adopt(struct group *group)
{
	struct monitor *monitor = group->monitor;

	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		struct cluster *cluster = monitor->fleet->clusters.items[i];

		if (cluster->watch == NULL) {
			struct group *born = group_new(monitor, cluster);

			born->born_in = group;
			born->restored = group->restored;
		}
	}
}

/* Clusters whose founding has been told, or is that of the start, begin their life. */
static void begin_clusters(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		struct cluster *cluster = monitor->fleet->clusters.items[i];
		struct group *group = cluster->watch;

		if (group == NULL) {
			(void)group_new(monitor, cluster);
		} else if (group->born_in != NULL && !group->born_in->open) {
			group->born_in = NULL;
			group_run(group);
			if (group->again)
				timer_start(group->early, 0);
		}
	}
}

static void drop_clusters(struct monitor *monitor)
{
	for (size_t i = monitor->fleet->clusters.count; i-- > 0;) {
		struct cluster *cluster = monitor->fleet->clusters.items[i];
		struct group *group = cluster->watch;

		if (cluster->members.count == 0 && !group->open) {
			struct log_about about = { .has_cluster = true, .cluster_id = cluster->id };

			log_line(LOG_LEVEL_INFO, &about, "all nodes have left: cluster dropped");
			group_clear(group);
			free(group);
			fleet_drop_cluster(monitor->fleet, cluster);
		}
	}
}

void monitor_publish(struct monitor *monitor, struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		struct change *change = &changes->items[i];

		log_change(change);
		if (change->event != EVENT_NONE)
			monitor_fire(monitor, change->event, change->cluster, change);
	}
	begin_clusters(monitor);
	drop_clusters(monitor);
	for (size_t i = 0; i < changes->count; i++)
		watch_plan(changes->items[i].node->watch);
	monitor->events.changed(monitor->data);
}
