#include "daemon/requests.h"

#include <string.h>

#include "core/cut_off.h"
#include "core/dispute.h"
#include "core/why.h"
#include "daemon/about.h"

static void add_error(struct json *json, const char *text)
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

/* ---- what each answers, into an open object; false: the answer follows ---- */

/* The board's pictures with all that is known, how triggers in Lua are, what plusmoin lacks; rendered once for all who ask while nothing changes. */
static bool answer_status(struct requests *requests, unsigned long client,
			  const struct request *request, struct json *json)
{
	const struct fleet *fleet = monitor_fleet(requests->monitor);

	(void)client;
	(void)request;
	add_ok(json);
	board_render_full(monitor_board(requests->monitor), json);
	jsonw_key(json, "isolated");
	if (fleet_is_cut_off(fleet))
		jsonw_seconds(json, fleet->cut_off_wall_ms);
	else
		jsonw_null(json);
	jsonw_key(json, "split_brain");
	dispute_render(fleet, json);
	jsonw_key(json, "lua");
	jsonw_begin_object(json);
	hosts_render(requests->hosts, json);
	jsonw_end_object(json);
	jsonw_key(json, "lacks");
	lacks_render(monitor_lacks(requests->monitor), json);
	return true;
}

static bool answer_reload(struct requests *requests, unsigned long client,
			  const struct request *request, struct json *json)
{
	const char *error = requests->reload(requests->data, client);

	(void)request;
	if (error != NULL)
		add_error(json, error);
	return error != NULL;
}

static bool answer_events(struct requests *requests, unsigned long client,
			  const struct request *request, struct json *json)
{
	(void)client;
	add_ok(json);
	recent_render(requests->recent, request->since, json);
	return true;
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

static void explain_one(const struct requests *requests, const char *name, struct json *json)
{
	const struct fleet *fleet = monitor_fleet(requests->monitor);
	size_t found;
	const struct node *node = find_node(fleet, name, &found);
	struct moment now = clock_now(requests->clock);

	if (found != 1) {
		add_error(json, found == 0 ? "no such node: \"host:port\", or its name"
					      : "several nodes have this name: \"host:port\" tells which");
		return;
	}
	add_ok(json);
	why_node(fleet, node, &now, json);
	recent_render_node(requests->recent, node->config->id, json);
}

/* Why a node is where it is, how an event came about, or (neither is asked for) who is not well. */
static bool answer_explain(struct requests *requests, unsigned long client,
			   const struct request *request, struct json *json)
{
	(void)client;
	if (request->node != NULL) {
		explain_one(requests, request->node, json);
	} else if (request->event == NULL) {
		add_ok(json);
		why_unwell(monitor_fleet(requests->monitor), json);
	} else if (!recent_has(requests->recent, request->event)) {
		add_error(json, "no such event among the last 1,000 of this daemon's");
	} else {
		add_ok(json);
		recent_explain(requests->recent, request->event, requests->dispatch, json);
	}
	return true;
}

static bool answer_about(struct requests *requests, unsigned long client,
			 const struct request *request, struct json *json)
{
	(void)client;
	(void)request;
	add_ok(json);
	about_render(requests->first, *requests->config, requests->foreground, json);
	return true;
}

/* ---- the table ---- */

static const struct known_request {
	const char *name;
	const char *arguments; /* which it takes, in words for people; "": none */
	bool (*answer)(struct requests *requests, unsigned long client,
		       const struct request *request, struct json *json);
} rows[] = {
	{ "about", "", answer_about },
	{ "status", "", answer_status },
	{ "events", "\"since\"", answer_events },
	{ "explain", "\"node\" or \"event\"", answer_explain },
	{ "reload", "", answer_reload },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Names all that there is. */
static void add_unknown(struct json *json)
{
	struct buf text = { 0 };

	buf_add_str(&text, "unknown request: ");
	for (size_t i = 0; i < ROWS; i++)
		buf_addf(&text, "%s\"%s\"%s%s", i == 0 ? "" : i + 1 < ROWS ? ", " : " and ",
			 rows[i].name, rows[i].arguments[0] != '\0' ? " with " : "", rows[i].arguments);
	buf_add_str(&text, " are what there is");
	add_error(json, buf_text(&text));
	buf_free(&text);
}

static const struct known_request *find_row(const char *name)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

/* The kept status, if it is still what the board shows. */
static struct shared_text *kept_status(struct requests *requests)
{
	const struct board *board = monitor_board(requests->monitor);
	const struct lacks *lacks = monitor_lacks(requests->monitor);
	const struct fleet *fleet = monitor_fleet(requests->monitor);

	if (requests->isolated_ms != fleet->cut_off_ms || requests->dispute_count != fleet->dispute_count ||
	    requests->status_generation != board->generation ||
	    requests->lacks_generation != lacks->generation ||
	    requests->hosts_generation != hosts_generation(requests->hosts))
		shared_text_unref(&requests->status);
	requests->isolated_ms = fleet->cut_off_ms;
	requests->dispute_count = fleet->dispute_count;
	requests->status_generation = board->generation;
	requests->hosts_generation = hosts_generation(requests->hosts);
	requests->lacks_generation = lacks->generation;
	return requests->status;
}

static bool is_status(const struct request *request)
{
	return request->wrong == NULL && strcmp(request->name, "status") == 0;
}

bool requests_answer(struct requests *requests, unsigned long client, const struct request *request,
		     struct shared_text **answer)
{
	const struct known_request *row = find_row(request->name);
	struct buf out = { 0 };
	struct json json = { .out = &out };
	bool now = true;

	if (is_status(request) && kept_status(requests) != NULL) {
		*answer = shared_text_ref(requests->status);
		return true;
	}
	jsonw_begin_object(&json);
	if (request->wrong != NULL)
		add_error(&json, "\"node\", \"event\" and \"since\" are texts");
	else if (row == NULL)
		add_unknown(&json);
	else
		now = row->answer(requests, client, request, &json);
	jsonw_end_object(&json);
	*answer = shared_text_take(&out);
	if (!now)
		shared_text_unref(answer);
	else if (is_status(request))
		requests->status = shared_text_ref(*answer);
	return now;
}

void requests_free(struct requests *requests)
{
	shared_text_unref(&requests->status);
}
