#include "window/families.h"

#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "system/descriptors.h"
#include "window/sample.h"

static void one(struct buf *out, const char *name, int64_t value)
{
	sample_begin(out, name, "");
	sample_end_int(out, value);
}

static void labelled(struct buf *out, const char *name, const char *key, const char *label, int64_t value)
{
	sample_begin(out, name, "");
	sample_label(out, key, label);
	sample_end_int(out, value);
}

/* Returns how many seconds ago the steady time `then_ms` was; NaN for 0, which means never. */
static double age_of(const struct families_source *source, int64_t then_ms)
{
	if (then_ms == 0)
		return NAN;
	return then_ms < source->now_ms ? (double)(source->now_ms - then_ms) / 1000.0 : 0;
}

/* ---- the daemon and the fleet ---- */

static void write_build_info(const struct families_source *source, const char *name, struct buf *out)
{
	(void)source;
	labelled(out, name, "version", PLUSMOIN_VERSION, 1);
}

static void write_ready(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, source->pane->has_started);
}

static void write_isolated(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, source->pane->is_isolated);
}

/* One that is alone has no samples of what follows, so that an alert on them is about monitors that share etcd. */
static void one_of_several(const struct families_source *source, const char *name, const struct gauge *gauge,
			   struct buf *out)
{
	if (gauge_read(&source->meters->has_others) != 0)
		one(out, name, gauge_read(gauge));
}

static void write_acting(const struct families_source *source, const char *name, struct buf *out)
{
	one_of_several(source, name, &source->meters->acts, out);
}

static void write_term(const struct families_source *source, const char *name, struct buf *out)
{
	one_of_several(source, name, &source->meters->term, out);
}

static void write_etcd_away(const struct families_source *source, const char *name, struct buf *out)
{
	one_of_several(source, name, &source->meters->etcd_away, out);
}

static void write_clusters(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, (int64_t)source->pane->board->cluster_count);
}

static void write_nodes(const struct families_source *source, const char *name, struct buf *out)
{
	const struct board *board = source->pane->board;
	const struct view *view = NULL;
	size_t count = view_size(board->clusterless);

	while ((view = board_next(board, view != NULL ? view->cluster_id : -1)) != NULL)
		count += view_size(view);
	one(out, name, (int64_t)count);
}

static void write_splits(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, gauge_read(&source->meters->splits));
}

static void write_observation(const struct families_source *source, const char *name, struct buf *out)
{
	sample_histogram(out, name, NULL, NULL, &source->meters->observation);
}

static void write_connects(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, (int64_t)counter_read(&source->meters->connects));
}

static void write_failures(const struct families_source *source, const char *name, struct buf *out)
{
	for (int reason = REASON_NONE + 1; reason < REASONS; reason++) {
		if (failure_class_of((enum reason)reason) < FAILURE_CLASSES)
			labelled(out, name, "reason", reason_name((enum reason)reason),
				 (int64_t)counter_read(&source->meters->failures[reason]));
	}
}

/* ---- triggers ---- */

static void write_detection(const struct families_source *source, const char *name, struct buf *out)
{
	sample_histogram(out, name, NULL, NULL, &source->meters->detection);
}

static void write_runs(const struct families_source *source, const char *name, struct buf *out)
{
	labelled(out, name, "outcome", "done", (int64_t)counter_read(&source->meters->runs_done));
	labelled(out, name, "outcome", "failed", (int64_t)counter_read(&source->meters->runs_failed));
	labelled(out, name, "outcome", "timed_out", (int64_t)counter_read(&source->meters->runs_timed_out));
}

static void write_run(const struct families_source *source, const char *name, struct buf *out)
{
	sample_histogram(out, name, NULL, NULL, &source->meters->run);
}

static void write_running(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, gauge_read(&source->meters->running));
}

static void write_drops(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, (int64_t)counter_read(&source->meters->drops));
}

static void write_silences(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, gauge_read(&source->meters->silences));
}

static void write_silenced(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, (int64_t)counter_read(&source->meters->silenced));
}

static void write_queue(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, gauge_read(&source->meters->queue_length));
}

static void write_oldest(const struct families_source *source, const char *name, struct buf *out)
{
	int64_t queued_ms = gauge_read(&source->meters->queued_ms);

	sample_begin(out, name, "");
	sample_end_number(out, queued_ms != 0 ? age_of(source, queued_ms) : 0);
}

/* ---- the process ---- */

static void write_lateness(const struct families_source *source, const char *name, struct buf *out)
{
	sample_histogram(out, name, NULL, NULL, &source->meters->lateness);
}

static void write_silence(const struct families_source *source, const char *name, struct buf *out)
{
	sample_begin(out, name, "");
	sample_end_number(out, age_of(source, gauge_read(&source->meters->turned_ms)));
}

static void write_lost(const struct families_source *source, const char *name, struct buf *out)
{
	(void)source;
	one(out, name, (int64_t)log_lost());
}

static void write_loads(const struct families_source *source, const char *name, struct buf *out)
{
	labelled(out, name, "outcome", "taken", (int64_t)counter_read(&source->meters->loads_good));
	labelled(out, name, "outcome", "refused", (int64_t)counter_read(&source->meters->loads_bad));
}

static void write_load_good(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, gauge_read(&source->meters->load_failed) == 0);
}

static void write_loaded(const struct families_source *source, const char *name, struct buf *out)
{
	sample_begin(out, name, "");
	sample_end_ms(out, gauge_read(&source->meters->loaded_ms));
}

static void write_descriptors(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, (int64_t)source->descriptors);
}

static void write_limit(const struct families_source *source, const char *name, struct buf *out)
{
	(void)source;
	one(out, name, (int64_t)descriptors_limit());
}

static void write_script(const struct families_source *source, const char *name, struct buf *out)
{
	one(out, name, gauge_read(&source->meters->script_bytes));
}

/* ---- clusters ---- */

/* A cluster's id as the text of a label. */
struct id_text {
	char text[16];
};

static struct id_text id_of(const struct view *view)
{
	struct id_text id;

	(void)snprintf(id.text, sizeof(id.text), "%d", view->cluster_id);
	return id;
}

static void write_has_master(const struct view *view, const char *name, struct buf *out)
{
	labelled(out, name, "cluster", id_of(view).text, (int64_t)view->masters);
}

static void write_cluster_slaves(const struct view *view, const char *name, struct buf *out)
{
	labelled(out, name, "cluster", id_of(view).text, (int64_t)view->slaves);
}

static void write_cluster_lost(const struct view *view, const char *name, struct buf *out)
{
	labelled(out, name, "cluster", id_of(view).text, (int64_t)view->lost);
}

static void write_rounds(const struct view *view, const char *name, struct buf *out)
{
	labelled(out, name, "cluster", id_of(view).text, (int64_t)counter_read(&view->meter->rounds));
}

static void write_cluster_connects(const struct view *view, const char *name, struct buf *out)
{
	labelled(out, name, "cluster", id_of(view).text, (int64_t)counter_read(&view->meter->connects));
}

static void write_cluster_failures(const struct view *view, const char *name, struct buf *out)
{
	for (int class = 0; class < FAILURE_CLASSES; class++) {
		sample_begin(out, name, "");
		sample_label(out, "cluster", id_of(view).text);
		sample_label(out, "class", failure_class_name((enum failure_class)class));
		sample_end_int(out, (int64_t)counter_read(&view->meter->failures[class]));
	}
}

static void write_cluster_observation(const struct view *view, const char *name, struct buf *out)
{
	sample_histogram(out, name, "cluster", id_of(view).text, &view->meter->observation);
}

/* ---- nodes ---- */

static void begin_node(const struct node_view *node, const char *name, struct buf *out)
{
	sample_begin(out, name, "");
	sample_label_address(out, "node", node->host, node->port);
	sample_label(out, "name", node->name);
}

/* Whether the node's server answers, or says why it lets nobody in. */
static bool is_up(const struct node_view *node)
{
	switch (node->condition) {
	case CONDITION_WELL:
	case CONDITION_HELD:
	case CONDITION_LATE:
		return true;
	case CONDITION_FAILING:
	case CONDITION_VOUCHED_FOR:
	case CONDITION_ISOLATED:
	case CONDITION_DOWN:
	case CONDITION_UNKNOWN:
		break;
	}
	return false;
}

static void write_up(const struct families_source *source, const struct node_view *node, const char *name,
		     struct buf *out)
{
	(void)source;
	begin_node(node, name, out);
	sample_end_int(out, is_up(node));
}

static void write_place(const struct families_source *source, const struct node_view *node, const char *name,
			struct buf *out)
{
	static const enum place places[] = { PLACE_MASTER, PLACE_SLAVE, PLACE_LOST, PLACE_CLUSTERLESS };

	(void)source;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		begin_node(node, name, out);
		sample_label(out, "place", place_name(places[i]));
		sample_end_int(out, node->state == places[i]);
	}
}

static void write_condition(const struct families_source *source, const struct node_view *node, const char *name,
			    struct buf *out)
{
	(void)source;
	begin_node(node, name, out);
	sample_end_int(out, (int64_t)node->condition);
}

static void write_lag(const struct families_source *source, const struct node_view *node, const char *name,
		      struct buf *out)
{
	(void)source;
	begin_node(node, name, out);
	sample_end_number(out, node->has_lag ? (double)node->lag_ms / 1000.0 : NAN);
}

static void write_age(const struct families_source *source, const struct node_view *node, const char *name,
		      struct buf *out)
{
	begin_node(node, name, out);
	sample_end_number(out, node->meter != NULL ? age_of(source, gauge_read(&node->meter->answered_ms)) : NAN);
}

const struct family families_all[] = {
	{ "build_info", "gauge", "1; its label is the version.", FAMILY_FLEET, .fleet = write_build_info },
	{ "ready", "gauge", "1: the first rounds are over.", FAMILY_FLEET, .fleet = write_ready },
	{ "isolated", "gauge", "1: the monitor hears no other host, and what it knows of nodes is old (P7).",
	  FAMILY_FLEET, .fleet = write_isolated },
	{ "acting", "gauge", "1: of several monitors this one acts; 0: it stands by.", FAMILY_FLEET, .fleet = write_acting },
	{ "term", "gauge", "The term in which this one of several monitors acts; 0: it stands by.",
	  FAMILY_FLEET, .fleet = write_term },
	{ "etcd_away", "gauge", "1: etcd cannot be asked, so that no trigger starts (of several monitors).",
	  FAMILY_FLEET, .fleet = write_etcd_away },
	{ "nodes", "gauge", "Configured nodes.", FAMILY_FLEET, .fleet = write_nodes },
	{ "clusters", "gauge", "Clusters.", FAMILY_FLEET, .fleet = write_clusters },
	{ "split_brain_pairs", "gauge", "Pairs of masters of one origin.", FAMILY_FLEET, .fleet = write_splits },
	{ "observation_seconds", "histogram", "How long looks at nodes took, also those that failed.",
	  FAMILY_FLEET, .fleet = write_observation },
	{ "connects_total", "counter", "Connections to nodes that were tried.", FAMILY_FLEET, .fleet = write_connects },
	{ "failures_total", "counter", "Looks at nodes and beats that failed, by reason.",
	  FAMILY_FLEET, .fleet = write_failures },
	{ "detection_seconds", "histogram",
	  "From the first failed look at a node to the start of the first trigger of its master_down or slave_down.",
	  FAMILY_FLEET, .fleet = write_detection },
	{ "trigger_runs_total", "counter", "Triggers that have ended, by outcome.", FAMILY_FLEET, .fleet = write_runs },
	{ "trigger_seconds", "histogram", "How long triggers ran.", FAMILY_FLEET, .fleet = write_run },
	{ "triggers_running", "gauge", "Triggers that run now.", FAMILY_FLEET, .fleet = write_running },
	{ "trigger_drops_total", "counter",
	  "Events whose triggers were dropped, for a full queue or an end, and waiting actions taken out by hand.",
	  FAMILY_FLEET, .fleet = write_drops },
	{ "silences", "gauge", "Silences in force: of their events no trigger runs.", FAMILY_FLEET, .fleet = write_silences },
	{ "trigger_silenced_total", "counter", "Events whose triggers did not run for a silence.",
	  FAMILY_FLEET, .fleet = write_silenced },
	{ "queue_length", "gauge", "Events of which no trigger has begun.", FAMILY_FLEET, .fleet = write_queue },
	{ "queue_oldest_seconds", "gauge", "How long the oldest of them has waited; 0: none waits.",
	  FAMILY_FLEET, .fleet = write_oldest },
	{ "loop_lateness_seconds", "histogram", "How late a timer of the monitor fires, which it sets each 0.2 s.",
	  FAMILY_FLEET, .fleet = write_lateness },
	{ "loop_silence_seconds", "gauge", "How long ago that timer fired last: more than seconds is a stuck monitor.",
	  FAMILY_FLEET, .fleet = write_silence },
	{ "log_lines_dropped_total", "counter", "Lines of the log that were lost: nobody read them fast enough, or the disk is full.",
	  FAMILY_FLEET, .fleet = write_lost },
	{ "config_loads_total", "counter", "Loads of the configuration, by outcome.", FAMILY_FLEET, .fleet = write_loads },
	{ "config_last_load_successful", "gauge", "0: the last load was refused, and all stayed as it was.",
	  FAMILY_FLEET, .fleet = write_load_good },
	{ "config_loaded_timestamp_seconds", "gauge", "When the present configuration was taken.",
	  FAMILY_FLEET, .fleet = write_loaded },
	{ "descriptors", "gauge", "File descriptors in use.", FAMILY_FLEET, .fleet = write_descriptors },
	{ "descriptors_limit", "gauge", "How many there may be.", FAMILY_FLEET, .fleet = write_limit },
	{ "script_memory_bytes", "gauge", "Memory of the script host, which runs functions in Lua.",
	  FAMILY_FLEET, .fleet = write_script },
	{ "cluster_has_master", "gauge", "1: its seat is filled.", FAMILY_CLUSTER, .cluster = write_has_master },
	{ "cluster_slaves", "gauge", "Its slaves.", FAMILY_CLUSTER, .cluster = write_cluster_slaves },
	{ "cluster_lost", "gauge", "Its lost nodes.", FAMILY_CLUSTER, .cluster = write_cluster_lost },
	{ "cluster_rounds_total", "counter", "Its rounds that have ended.", FAMILY_CLUSTER, .cluster = write_rounds },
	{ "cluster_connects_total", "counter", "Connections to its nodes that were tried.",
	  FAMILY_CLUSTER, .cluster = write_cluster_connects },
	{ "cluster_failures_total", "counter", "Looks at its nodes and beats that failed, by class.",
	  FAMILY_CLUSTER, .cluster = write_cluster_failures },
	{ "cluster_observation_seconds", "histogram", "How long looks at its nodes took.",
	  FAMILY_CLUSTER, .cluster = write_cluster_observation },
	{ "node_up", "gauge", "1: its server shows signs of life (it is well, late or held).",
	  FAMILY_NODE, .node = write_up },
	{ "node_place", "gauge", "1 for the place where it is, else 0.", FAMILY_NODE, .node = write_place },
	{ "node_condition", "gauge",
	  "0 well, 1 failing, 2 held, 3 vouched_for, 4 isolated, 5 late, 6 down, 7 unknown.",
	  FAMILY_NODE, .node = write_condition },
	{ "node_lag_seconds", "gauge", "Its lag behind its master; NaN: it has none that is known.",
	  FAMILY_NODE, .node = write_lag },
	{ "node_last_answer_age_seconds", "gauge", "How long ago it answered last; NaN: it never has.",
	  FAMILY_NODE, .node = write_age },
	{ .name = NULL },
};
