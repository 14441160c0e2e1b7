/*
 * What must have happened in a line: events in their order, rulings, places.
 * Each check names what it expected and what it got.
 */
#pragma once

#include "support/line.h"

static inline void expect_describe(struct buf *out, const struct happening *event)
{
	buf_addf(out, "%s", event_kind_name(event->kind));
	if (event->node != NULL)
		buf_addf(out, " %s %s", event->node->config->id, rule_name(event->rule));
	buf_addf(out, " in %d", event->cluster_id);
}

/* "master_up b M4 in 0": the next event; rule and cluster may be left out. */
static inline bool expect_event(struct play *play, size_t *next, enum event_kind kind,
				char **rest, enum rule *exercised)
{
	struct happening wanted = { .kind = kind, .cluster_id = -1 };
	const struct happening *got = &play->events[*next];
	struct buf text = { 0 };
	char *word;
	bool fits;

	if (kind == EVENT_PLUSMOIN_UP) {
		word = strtok_r(NULL, " \t", rest);
		wanted.cluster_id = word != NULL ? atoi(word) : 0;
	} else {
		word = strtok_r(NULL, " \t", rest);
		wanted.node = word != NULL ? kit_node(play->fleet, word) : NULL;
		if (wanted.node == NULL)
			return play_fail(play, "%s: of which node?", event_kind_name(kind));
	}
	while ((word = strtok_r(NULL, " \t", rest)) != NULL) {
		if (strcmp(word, "in") == 0 && (word = strtok_r(NULL, " \t", rest)) != NULL)
			wanted.cluster_id = atoi(word);
		else
			wanted.rule = line_rule(word != NULL ? word : "");
	}
	fits = *next < play->event_count && got->kind == kind && got->node == wanted.node &&
	       (wanted.rule == RULE_NONE || got->rule == wanted.rule) &&
	       (wanted.cluster_id < 0 || got->cluster_id == wanted.cluster_id);
	if (!fits) {
		expect_describe(&text, &wanted);
		buf_add_str(&text, ", got ");
		if (*next < play->event_count)
			expect_describe(&text, got);
		else
			buf_add_str(&text, "no further event");
		play_fail(play, "expected %s", buf_text(&text));
		buf_free(&text);
	}
	(*next)++;
	*exercised = wanted.rule;
	return fits;
}

static inline void expect_rules_of(const struct play *play, const struct node *node,
				   struct buf *out)
{
	for (size_t i = 0; i < play->fact_count; i++) {
		if (play->facts[i].node == node)
			buf_addf(out, " %s", rule_name(play->facts[i].rule));
	}
	if (out->len == 0)
		buf_add_str(out, " no rule");
}

/* "b S4": that rule spoke for b; "b none": none did. */
static inline bool expect_ruling(struct play *play, const char *name, const char *word,
				 enum rule *exercised)
{
	const struct node *node = kit_node(play->fleet, name);
	struct buf got = { 0 };
	bool fits = false;

	if (node == NULL || word == NULL)
		return play_fail(play, "'%s': an event, or a node and its rule", name);
	expect_rules_of(play, node, &got);
	*exercised = line_rule(word);
	if (strcmp(word, "none") == 0)
		fits = strcmp(buf_text(&got), " no rule") == 0;
	for (size_t i = 0; i < play->fact_count; i++)
		fits |= play->facts[i].node == node && play->facts[i].rule == *exercised &&
			*exercised != RULE_NONE;
	if (!fits)
		play_fail(play, "expected %s for %s, got%s", word, name, buf_text(&got));
	buf_free(&got);
	return fits;
}

static inline void expect_add_place(const struct play *play, const struct cluster *cluster,
				    enum place place, struct buf *out)
{
	size_t start = out->len;

	for (size_t i = 0; i < play->fleet->node_count; i++) {
		const struct node *node = play->fleet->nodes[i];

		if (node->cluster == cluster && node->place == place)
			buf_addf(out, "%s%s", out->len > start ? " " : "", node->config->id);
	}
	if (out->len == start)
		buf_add_char(out, '-');
}

/* The text of one bracket as it stands now: "0: a | b c | -", "0: gone", "none: e". */
static inline void expect_places_now(const struct play *play, const char *who, struct buf *out)
{
	const struct cluster *cluster = NULL;

	buf_addf(out, "%s: ", who);
	if (strcmp(who, "none") == 0) {
		expect_add_place(play, NULL, PLACE_CLUSTERLESS, out);
		return;
	}
	cluster = kit_cluster(play->fleet, atoi(who));
	if (cluster == NULL) {
		buf_add_str(out, "gone");
		return;
	}
	expect_add_place(play, cluster, PLACE_MASTER, out);
	buf_add_str(out, " | ");
	expect_add_place(play, cluster, PLACE_SLAVE, out);
	buf_add_str(out, " | ");
	expect_add_place(play, cluster, PLACE_LOST, out);
}

static inline bool expect_places(struct play *play, char *text)
{
	struct buf now = { 0 };
	char who[16] = "";
	size_t len = strcspn(text, ":");
	bool fits;

	text = line_trim(text);
	if (len < sizeof(who))
		memcpy(who, text, len);
	expect_places_now(play, who, &now);
	fits = strcmp(buf_text(&now), text) == 0;
	if (!fits)
		play_fail(play, "expected [%s], got [%s]", text, buf_text(&now));
	buf_free(&now);
	return fits;
}

static inline bool expect_no_more(struct play *play, size_t next)
{
	struct buf text = { 0 };

	if (next >= play->event_count)
		return true;
	expect_describe(&text, &play->events[next]);
	play_fail(play, "expected no further event, got %s", buf_text(&text));
	buf_free(&text);
	return false;
}
