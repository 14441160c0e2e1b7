#include "answer.h"

#include <string.h>

#include "core/explain.h"
#include "core/view.h"

void answer_error(struct json *json, const char *text)
{
	jsonw_key(json, "ok");
	jsonw_bool(json, false);
	jsonw_key(json, "error");
	jsonw_string(json, text);
}

static void add_ok(struct json *json)
{
	jsonw_key(json, "ok");
	jsonw_bool(json, true);
}

struct shared_text *answer_status(const struct board *board)
{
	struct buf out = { 0 };
	struct json json = { .out = &out };

	jsonw_begin_object(&json);
	add_ok(&json);
	board_render_full(board, &json);
	jsonw_end_object(&json);
	return shared_text_take(&out);
}

/* By its "host:port", else by its name; `*found`: how many have that. */
static const struct node *find_node(const struct fleet *fleet, const char *name, size_t *found)
{
	const struct config_node *of_id = config_find_node(fleet->config, name);
	const struct node *node = NULL;

	*found = 1;
	if (of_id != NULL)
		return fleet->nodes[of_id - fleet->config->nodes];
	*found = 0;
	for (size_t i = 0; i < fleet->node_count; i++) {
		if (strcmp(fleet->nodes[i]->config->name, name) == 0) {
			node = fleet->nodes[i];
			++*found;
		}
	}
	return node;
}

static void explain_one(const struct fleet *fleet, const char *name, const struct clock *clock,
			const struct recent *recent, struct json *json)
{
	size_t found;
	const struct node *node = find_node(fleet, name, &found);
	struct moment now = clock_now(clock);

	if (found != 1) {
		answer_error(json, found == 0 ? "no such node: \"host:port\", or its name"
					      : "several nodes have this name: \"host:port\" tells which");
		return;
	}
	add_ok(json);
	explain_node(fleet, node, &now, json);
	recent_render_node(recent, node->config->id, json);
}

void answer_explain(const struct request *request, const struct fleet *fleet,
		    const struct clock *clock, const struct recent *recent,
		    const struct dispatch *dispatch, struct json *json)
{
	if (request->node != NULL) {
		explain_one(fleet, request->node, clock, recent, json);
	} else if (request->event == NULL) {
		add_ok(json);
		explain_unwell(fleet, json);
	} else if (!recent_has(recent, request->event)) {
		answer_error(json, "no such event among the last 1,000 of this daemon's");
	} else {
		add_ok(json);
		recent_explain(recent, request->event, dispatch, json);
	}
}
