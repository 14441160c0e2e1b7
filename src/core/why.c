#include "core/why.h"
#include "core/cut_off.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/condition.h"
#include "core/dispute.h"
#include "core/rulebook.h"
#include "core/verdict.h"
#include "core/vouch.h"
#include "core/view.h"

static double seconds(int64_t ms)
{
	return (double)ms / 1000.0;
}

/* Writes one sentence, and frees `text`. */
static void say(struct json *json, char *text)
{
	jsonw_string(json, text);
	free(text);
}

static void add_text(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text != NULL && text[0] != '\0' ? text : NULL);
}

/* Writes a rule's id and its sentence. */
static void add_rule(struct json *json, const char *key, const char *sentence_key, enum rule rule)
{
	add_text(json, key, rule_name(rule));
	add_text(json, sentence_key, rule_row(rule)->sentence);
}

static const char *what_was_seen(enum observation_kind kind)
{
	switch (kind) {
	case OBSERVED_MASTER:
		return "master";
	case OBSERVED_SLAVE:
		return "slave";
	case OBSERVED_NOTHING:
		return "not asked";
	case OBSERVED_FAILURE:
		break;
	}
	return "failure";
}

static const char *row_of(const struct look *look)
{
	if (look->kind != OBSERVED_SLAVE)
		return NULL;
	if (look->row_state == ROW_LOCKED)
		return "locked";
	return look->row_state == ROW_NONE ? "none" : look->master;
}

void why_seen(const struct node *node, size_t most, struct json *json)
{
	jsonw_begin_array(json);
	for (size_t back = most; back-- > 0;) {
		const struct look *look = shown_look(node->shown, back);

		if (look == NULL)
			continue;
		jsonw_begin_object(json);
		jsonw_key(json, "from");
		jsonw_seconds(json, look->from_ms);
		jsonw_key(json, "to");
		jsonw_seconds(json, look->to_ms);
		jsonw_key(json, "count");
		jsonw_int(json, look->count);
		add_text(json, "what", what_was_seen(look->kind));
		add_text(json, "row", row_of(look));
		add_text(json, "reason", reason_name(look->reason));
		add_text(json, "fresh", reason_name(look->door));
		add_text(json, "message", look->message);
		add_text(json, "fresh_message", look->shut);
		jsonw_end_object(json);
	}
	jsonw_end_array(json);
}

static void add_failing(const struct fleet *fleet, const struct node *node,
			const struct moment *now, struct json *json)
{
	int64_t ends_ms;
	enum rule rule = node_kept_by(fleet, node, now, &ends_ms);

	jsonw_key(json, "failing");
	if (!node_is_failing(node)) {
		jsonw_null(json);
		return;
	}
	jsonw_begin_object(json);
	add_rule(json, "rule", "sentence", rule);
	add_text(json, "reason", reason_name(node->failure.reason));
	add_text(json, "message", node->shown->failure);
	jsonw_key(json, "attempts");
	jsonw_int(json, node->failure.attempts);
	jsonw_key(json, "for");
	jsonw_seconds(json, now->steady_ms - node->failure.since_ms);
	jsonw_key(json, "ends_in");
	if (ends_ms == INT64_MAX || ends_ms == INT64_MIN)
		jsonw_null(json);
	else
		jsonw_seconds(json, ends_ms - now->steady_ms);
	jsonw_end_object(json);
}

static const char *end_of_failure(const struct node *node)
{
	if (node->failure.reason == REASON_SAME_SERVER)
		return "one of the two entries removed from nodes, or another server at its address";
	if (node->failure.reason == REASON_NO_NEW_CONNECTIONS)
		return "a fresh connection that succeeds"; /* answers of the kept one do not count */
	if (node->failure.answered)
		return "a beat that is written";
	return "an answer";
}

static void needs_of_failing(const struct fleet *fleet, const struct node *node,
			     const struct moment *now, struct json *json)
{
	const char *down = node->place == PLACE_MASTER ? "leaves the seat (M2, master_down)"
						       : "is lost (S1, slave_down)";
	int left = fleet->config->down_after - node->failure.attempts;
	const char *attempts = left == 1 ? "attempt has" : "attempts have";
	int64_t ends_ms;
	enum rule rule;

	rule = node_kept_by(fleet, node, now, &ends_ms);
	say(json, mem_printf("%s ends the failure", end_of_failure(node)));
	if (node->failure.others_see)
		say(json, mem_printf("%zu of the %zu monitors that can say see it (%s, monitors.votes): as soon as most do"
				     " not, it %s", votes_count(node->votes, VOTE_ANSWERS),
				     votes_count(node->votes, VOTE_ANSWERS) + votes_count(node->votes, VOTE_FAILS),
				     rule_name(rule), down));
	else if (rule == RULE_P6)
		say(json, mem_printf("%d of its slaves still hear it (P6, second_opinion): as soon as none has heard it for"
				     " %g s (query_timeout), it %s", node->failure.witnesses,
				     seconds(fleet->config->query_timeout_ms), down));
	else if (rule == RULE_P7 && ends_ms == INT64_MAX)
		say(json, mem_strdup("held while plusmoin is cut off (P7, isolation_grace): when a host answers again it is"
				     " asked anew, and that attempt alone counts"));
	else if (ends_ms == INT64_MAX)
		say(json, mem_strdup("held (P1) as long as its kept connection answers"));
	else if (ends_ms != INT64_MIN && left > 0)
		say(json, mem_printf("in %.1f s, and when %d more %s failed, it %s",
				     seconds(ends_ms - now->steady_ms), left, attempts, down));
	else if (ends_ms != INT64_MIN)
		say(json, mem_printf("in %.1f s, if it fails still, it %s",
				     seconds(ends_ms - now->steady_ms), down));
	else if (left > 0)
		say(json, mem_printf("when %d more %s failed it %s", left, attempts, down));
	else
		say(json, mem_printf("when it is judged next, if it fails still, it %s", down));
	if (node->place == PLACE_MASTER && !holder_answers(fleet, node, now))
		say(json, mem_strdup("a slave that says that it is master and takes a beat takes the seat at"
				     " once (M4, master_up)"));
}

/* Says when a slave takes the seat, if nobody sits there or the sitting master does not answer. */
static void needs_of_promotion(const struct fleet *fleet, const struct node *node,
			       const struct moment *now, struct json *json)
{
	const struct node *seat = node->cluster->seat;

	if (seat == NULL)
		say(json, mem_strdup("the seat is empty: it takes the seat when it says that it is master and"
				     " takes a beat (M4, master_up)"));
	else if (!holder_answers(fleet, seat, now))
		say(json, mem_strdup("the sitting master is failing: this slave takes the seat when it says that"
				     " it is master and takes a beat (M4, master_up)"));
}

static void needs_of_slave(const struct fleet *fleet, const struct node *node,
			   const struct moment *now, struct json *json)
{
	int64_t lag_ms;

	if (!node_lag(node, &lag_ms))
		say(json, mem_strdup("it is lost when it fails (S1), or when its row shows no beat of this"
				     " cluster (S2)"));
	else
		say(json, mem_printf("it is lost when it fails (S1), or when its lag, now %.1f s, is over"
				     " max_sync_delay, %g s%s (S2)", seconds(lag_ms),
				     seconds(config_max_sync_delay_ms(fleet->config, node->config)),
				     node->config->max_sync_delay_ms > 0 ? ", its own" : ""));
	needs_of_promotion(fleet, node, now, json);
}

static void needs_of_lost(const struct fleet *fleet, const struct node *node, struct json *json)
{
	double limit = seconds(config_recover_sync_delay_ms(fleet->config, node->config));
	const struct node *seat = node->cluster->seat;
	int64_t lag_ms;

	if (node->failure.attempts > 0)
		say(json, mem_strdup(end_of_failure(node)));
	else if (!node->is_slave && seat != NULL)
		say(json, mem_printf("as master a beat that is written, while the sitting master answers"
				     " (M6, cluster_created)%s%s",
				     node->reason != REASON_NONE ? ": " : "",
				     node->reason != REASON_NONE ? node->shown->reason : ""));
	else if (!node->is_slave)
		say(json, mem_strdup("it says that it is master, but its beat is refused"));
	if (seat == NULL)
		say(json, mem_strdup("the seat is empty: as master it takes it when its beat is written (M4,"
				     " master_up)"));
	if (node->failure.attempts == 0 && node->is_slave && !node_lag(node, &lag_ms))
		say(json, mem_printf("as slave a beat of this cluster in its row, no more than %g s old"
				     " (recover_sync_delay: L4, slave_up); it has shown none", limit));
	else if (node->failure.attempts == 0 && node->is_slave)
		say(json, mem_printf("as slave a lag of at most %g s (recover_sync_delay: L4, slave_up); it"
				     " is %.1f s", limit, seconds(lag_ms)));
	else
		say(json, mem_printf("as slave a lag of at most %g s (recover_sync_delay: L4, slave_up)",
				     limit));
}

static void needs_of_clusterless(const struct node *node, struct json *json)
{
	if (node->failure.attempts > 0)
		say(json, mem_strdup(end_of_failure(node)));
	else if (!node->known)
		say(json, mem_strdup("a first answer"));
	else if (!node->is_slave)
		say(json, mem_printf("as master a beat that is written (U2, cluster_created)%s%s",
				     node->shown->reason[0] != '\0' ? ": " : "", node->shown->reason));
	else if (node->master_name[0] == '\0')
		say(json, mem_strdup("as slave a beat in its row: it has shown none"));
	else
		say(json, mem_printf("as slave a row that names a cluster's master (U3); it names %s, which"
				     " is not one", node->master_name));
}

/* Says how long the monitor has been isolated and what ends that: it comes first, as no loss counts before. */
static void needs_of_isolated(const struct fleet *fleet, const struct moment *now, struct json *json)
{
	double lasted = seconds(now->steady_ms - fleet->cut_off_ms);
	int64_t ends_ms = fleet_cut_off_ends(fleet);

	if (fleet_acts_cut_off(fleet, now))
		say(json, mem_printf("plusmoin has been isolated (P7) for %.1f s, and isolation_grace has passed: losses"
				     " count", lasted));
	else if (ends_ms == INT64_MAX)
		say(json, mem_printf("plusmoin has been isolated (P7) for %.1f s: no loss counts until another host"
				     " answers it", lasted));
	else
		say(json, mem_printf("plusmoin has been isolated (P7) for %.1f s: no loss counts until another host"
				     " answers it, or isolation_grace has passed, in %.1f s", lasted,
				     seconds(ends_ms - now->steady_ms)));
}

static void needs_of_rivals(const struct node *node, struct json *json)
{
	for (size_t i = 0; i < node->kin.disputes.count; i++)
		say(json, mem_printf("two masters of one origin: it and %s (split_brain), until one of them says slave",
				     dispute_rival(node->kin.disputes.items[i], node)->config->name));
}

static void add_needs(const struct fleet *fleet, const struct node *node, const struct moment *now,
		      struct json *json)
{
	jsonw_key(json, "needs");
	jsonw_begin_array(json);
	if (fleet_is_cut_off(fleet))
		needs_of_isolated(fleet, now, json);
	if (node->door != REASON_NONE && node_condition(node) == CONDITION_HELD)
		say(json, mem_strdup("a fresh connection that succeeds: until then it is held (P1)"));
	needs_of_rivals(node, json);
	if (node_is_failing(node))
		needs_of_failing(fleet, node, now, json);
	else if (node->place == PLACE_MASTER)
		say(json, mem_strdup("it leaves the seat when it fails, or its beat cannot be written (M2), or it"
				     " says that it is slave (M3)"));
	else if (node->place == PLACE_SLAVE)
		needs_of_slave(fleet, node, now, json);
	else if (node->place == PLACE_LOST)
		needs_of_lost(fleet, node, json);
	else
		needs_of_clusterless(node, json);
	jsonw_end_array(json);
}

void why_node(const struct fleet *fleet, const struct node *node, const struct moment *now,
		  struct json *json)
{
	jsonw_key(json, "node");
	node_view_render(node_view_of(node), true, json);
	add_text(json, "placed_by", rule_name(node->placed_by));
	add_rule(json, "rule", "rule_sentence", node->ruled);
	jsonw_key(json, "rule_since");
	if (node->ruled != RULE_NONE)
		jsonw_seconds(json, node->ruled_ms);
	else
		jsonw_null(json);
	add_failing(fleet, node, now, json);
	if (node->votes != NULL) {
		jsonw_key(json, "votes");
		votes_render(node->votes, json);
	}
	jsonw_key(json, "seen");
	why_seen(node, NODE_PAST, json);
	add_needs(fleet, node, now, json);
}

static bool was_asked(const struct node *node)
{
	const struct look *last = shown_look(node->shown, 0);

	return last == NULL || last->kind != OBSERVED_NOTHING;
}

static bool is_well(const struct node *node)
{
	return was_asked(node) && node_is_in_place(node) && node_condition(node) == CONDITION_WELL &&
	       node->kin.disputes.count == 0;
}

void why_unwell(const struct fleet *fleet, struct json *json)
{
	jsonw_key(json, "nodes");
	jsonw_int(json, (int64_t)fleet->node_count);
	jsonw_key(json, "unwell");
	jsonw_begin_array(json);
	for (size_t i = 0; i < fleet->node_count; i++) {
		if (!is_well(fleet->nodes[i]))
			jsonw_string(json, fleet->nodes[i]->config->id);
	}
	jsonw_end_array(json);
	jsonw_key(json, "isolated");
	if (fleet_is_cut_off(fleet))
		jsonw_seconds(json, fleet->cut_off_wall_ms);
	else
		jsonw_null(json);
	jsonw_key(json, "no_master");
	jsonw_begin_array(json);
	for (size_t i = 0; i < fleet->clusters.count; i++) {
		const struct cluster *cluster = fleet->clusters.items[i];

		if (cluster->seat == NULL && cluster->members.count > 0)
			jsonw_int(json, cluster->id);
	}
	jsonw_end_array(json);
}
