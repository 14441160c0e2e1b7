#include "monitor/tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "loop/clock.h"

#define NAMES_TOLD 8 /* how many witnesses a line names */

struct log_about tell_node_about(const struct node *node)
{
	return (struct log_about){
		.node = node->config->name,
		.has_cluster = node->cluster != NULL,
		.cluster_id = node->cluster != NULL ? node->cluster->id : -1,
	};
}

/* Losses and their ends are logged at the seed's default level, all else is info. */
static enum log_level level_of(const struct change *change)
{
	if (change->event == EVENT_PLUSMOIN_UP)
		return LOG_LEVEL_INFO;
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
	case EVENT_PLUSMOIN_UP:
		return "a master that answered late at the start has its cluster";
	case EVENT_MASTER_UNREACHABLE:
	case EVENT_SPLIT_BRAIN:
	case EVENT_NODE_HELD:
	case EVENT_MONITOR_ISOLATED:
	case EVENT_MONITOR_RECONNECTED:
	case EVENT_HEARTBEAT:
	case EVENT_NONE:
	case EVENT_KINDS:
		break;
	}
	return "a node changes its place";
}

static struct log_about about_change(const struct change *change)
{
	const struct cluster *cluster = change->cluster != NULL ? change->cluster : change->from;

	return (struct log_about){
		.event = event_kind_name(change->event),
		.node = change->node->config->name,
		.rule = rule_name(change->rule),
		.reason = reason_name(change->reason),
		.has_cluster = cluster != NULL,
		.cluster_id = cluster != NULL ? cluster->id : -1,
	};
}

void tell_change(const struct change *change)
{
	struct log_about about = about_change(change);

	log_line(level_of(change), &about, "%s: %s -> %s%s%s", what_happened(change),
		 place_name(change->from_place), place_name(change->to_place),
		 change->message[0] != '\0' ? ": " : "", change->message);
}

struct change tell_held(struct node *node, enum reason reason, const char *message)
{
	struct change change = {
		.rule = RULE_P1,
		.node = node,
		.event = EVENT_NODE_HELD,
		.from = node->cluster,
		.cluster = node->cluster,
		.reason = reason,
	};
	struct log_about about = about_change(&change);

	text_copy(change.message, sizeof(change.message), message);
	log_line(LOG_LEVEL_ERROR, &about, "held in its place, the server is alive: %s",
		 change.message);
	return change;
}

/* "db2:5432, db3:5432 and 7 more" */
static void add_names(struct buf *out, const struct list *nodes)
{
	for (size_t i = 0; i < nodes->count && i < NAMES_TOLD; i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", ((const struct node *)nodes->items[i])->config->name);
	if (nodes->count > NAMES_TOLD)
		buf_addf(out, " and %zu more", nodes->count - NAMES_TOLD);
}

struct change tell_unreachable(struct node *node, const struct list *witnesses)
{
	struct change change = {
		.rule = RULE_P6,
		.node = node,
		.event = EVENT_MASTER_UNREACHABLE,
		.from = node->cluster,
		.cluster = node->cluster,
		.reason = node->failure.reason,
		.witnesses = witnesses,
	};
	struct log_about about = about_change(&change);
	struct buf names = { 0 };

	text_copy(change.message, sizeof(change.message), node->shown->failure);
	if (node->failure.others_see)
		buf_add_str(&names, "most of the other monitors");
	else
		add_names(&names, witnesses);
	log_line(LOG_LEVEL_ERROR, &about, "plusmoin alone has lost the way to the master, which keeps its seat: %s still"
		 " hear%s it: %s", names.data, witnesses->count == 1 && !node->failure.others_see ? "s" : "", change.message);
	buf_free(&names);
	return change;
}

static struct log_about about_vouched(const struct node *node)
{
	struct log_about about = tell_node_about(node);

	about.rule = rule_name(RULE_P6);
	return about;
}

void tell_reachable(const struct node *node)
{
	struct log_about about = about_vouched(node);

	log_line(LOG_LEVEL_ERROR, &about, "plusmoin hears the master again, after %.1f s",
		 (double)(clock_steady_ms() - node->failure.since_ms) / 1000.0);
}

void tell_unheard(const struct node *node)
{
	struct log_about about = about_vouched(node);

	log_line(LOG_LEVEL_ERROR, &about, "no slave vouches for the master any more: its failure counts");
}

void tell_seen_by_others(const struct node *node, bool still)
{
	struct log_about about = tell_node_about(node);

	about.rule = rule_name(node->place == PLACE_MASTER ? RULE_P6 : RULE_P8);
	about.reason = reason_name(node->failure.reason);
	if (still)
		log_line(LOG_LEVEL_ERROR, &about, "this monitor alone fails to see it: most of the others see the node, which"
			 " keeps its place (monitors.votes)");
	else
		log_line(LOG_LEVEL_ERROR, &about, "most of the monitors do not see it any more: its failure counts");
}

void tell_refused(const struct node *node, const struct beat_result *result)
{
	struct log_about about;

	if (node == NULL || (result->state != BEAT_FAILED && result->state != BEAT_LOCKED) ||
	    node->place == PLACE_SLAVE ||
	    (node->reason == result->reason && strcmp(node->shown->reason, result->message) == 0))
		return;
	about = tell_node_about(node);
	about.reason = reason_name(result->reason);
	log_line(LOG_LEVEL_ERROR, &about, "it says that it is master, but its beat is not written: %s",
		 result->message);
}

void tell_dropped(int cluster_id)
{
	struct log_about about = { .has_cluster = true, .cluster_id = cluster_id };

	log_line(LOG_LEVEL_INFO, &about, "all nodes have left: cluster dropped");
}

void tell_isolated(const struct fleet *fleet, bool fires)
{
	struct log_about about = { .event = event_kind_name(EVENT_MONITOR_ISOLATED), .rule = rule_name(RULE_P7) };

	if (fleet->config->isolation_grace_ms == ISOLATION_WITHOUT_END)
		log_line(LOG_LEVEL_ERROR, &about, "plusmoin is cut off: it hears no other host; no loss counts until it"
			 " hears one, and up to 64 nodes are asked each retry_interval%s", fires ? "" : " (within a minute of the last time: no event)");
	else
		log_line(LOG_LEVEL_ERROR, &about, "plusmoin is cut off: it hears no other host; no loss counts until it"
			 " hears one, or for isolation_grace, %g s; up to 64 nodes are asked each retry_interval%s", (double)fleet->config->isolation_grace_ms / 1000.0,
			 fires ? "" : " (within a minute of the last time: no event)");
}

void tell_reconnected(bool fires)
{
	struct log_about about = { .event = event_kind_name(EVENT_MONITOR_RECONNECTED), .rule = rule_name(RULE_P7) };

	log_line(LOG_LEVEL_ERROR, &about, "plusmoin hears other hosts again: all nodes are asked anew%s",
		 fires ? "" : " (no event, as its begin fired none)");
}

struct change tell_split(struct node *newer, struct node *older)
{
	struct change change = {
		.node = newer,
		.rival = older,
		.event = EVENT_SPLIT_BRAIN,
		.from = newer->cluster,
		.cluster = newer->cluster,
	};
	struct log_about about = about_change(&change);

	log_line(LOG_LEVEL_ERROR, &about, "two masters of one origin (system identifier %" PRIu64 "): this one on"
		 " timeline %" PRIu32 ", and %s on timeline %" PRIu32 "; what is written to the one is not in the other",
		 (uint64_t)newer->kin.origin.system, newer->kin.origin.timeline, older->config->name,
		 older->kin.origin.timeline);
	return change;
}

void tell_split_lasts(const struct node *newer, const struct node *older, size_t further)
{
	struct log_about about = tell_node_about(newer);

	if (further == 0)
		log_line(LOG_LEVEL_ERROR, &about, "still two masters of one origin: this one and %s", older->config->name);
	else
		log_line(LOG_LEVEL_ERROR, &about, "still two masters of one origin: this one and %s (and %zu more such"
			 " pairs)", older->config->name, further);
}

void tell_other_server(const struct node *node)
{
	struct log_about about = tell_node_about(node);

	log_line(LOG_LEVEL_ERROR, &about, "another server than before answers here: its system identifier is %" PRIu64
		 ", it was %" PRIu64 "; the node keeps its place", (uint64_t)node->kin.origin.system,
		 (uint64_t)node->kin.system_before);
}

/* Whether it is about the monitor itself: it shows no cluster and no node. */
static bool is_own(enum event_kind kind)
{
	return kind == EVENT_MONITOR_ISOLATED || kind == EVENT_MONITOR_RECONNECTED;
}

struct event *tell_event(struct teller *teller, enum event_kind kind, const struct cluster *cluster,
			 const struct change *change, bool restored, int64_t time_ms)
{
	struct view *none = NULL;
	struct view *view = NULL;
	struct view *others;
	struct event *event;
	char id[48];

	board_update(&teller->board, teller->fleet);
	others = teller->board->clusterless;
	if (cluster != NULL)
		view = board_find(teller->board, cluster->id);
	if (view == NULL)
		view = none = view_new_empty();
	if (is_own(kind))
		others = none;
	(void)snprintf(id, sizeof(id), "%" PRId64 "-%lu", teller->start_s, ++teller->event_count);
	event = event_new(kind, id, view, others, time_ms);
	view_unref(&none);
	event->restored = restored;
	if (is_own(kind))
		event->rule = RULE_P7;
	if (change == NULL)
		return event;
	event_set_node(event, change->node, change->rule, change->reason, change->message);
	if (change->witnesses != NULL)
		event_set_witnesses(event, change->witnesses);
	if (change->node->failure.attempts > 0)
		event_set_votes(event, change->node->votes);
	if (change->rival != NULL)
		event_set_rival(event, change->rival);
	if (change->from != NULL && change->from != cluster)
		event->came_from = change->from->id;
	return event;
}
