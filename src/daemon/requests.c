#include "daemon/requests.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/cut_off.h"
#include "core/dispute.h"
#include "core/why.h"
#include "daemon/about.h"
#include "daemon/response.h"
#include "daemon/target.h"

/* ---- the status, in parts ---- */

static struct status_mark mark_of(const struct requests *requests)
{
	const struct fleet *fleet = monitor_fleet(requests->monitor);

	return (struct status_mark){
		.board = monitor_board(requests->monitor)->generation,
		.hosts = hosts_generation(requests->hosts),
		.lacks = monitor_lacks(requests->monitor)->generation,
		.disputes = fleet->dispute_count,
		.isolated_ms = fleet->cut_off_ms,
		.monitors = requests->monitors_generation,
		.silences = quiet_generation(requests->quiet),
	};
}

static bool is_same_mark(const struct status_mark *a, const struct status_mark *b)
{
	return a->board == b->board && a->hosts == b->hosts && a->lacks == b->lacks && a->disputes == b->disputes &&
	       a->isolated_ms == b->isolated_ms && a->monitors == b->monitors && a->silences == b->silences;
}

/* Returns the kept status if nothing has changed since; else drops it, and returns NULL. */
static struct shared_text *kept_status(struct requests *requests)
{
	struct status_mark mark = mark_of(requests);

	if (!is_same_mark(&requests->status_mark, &mark))
		shared_text_unref(&requests->status);
	return requests->status;
}

/* Writes "monitors", where there are several. */
static void add_monitors(const struct requests *requests, struct json *json)
{
	if (requests->monitors_short == NULL)
		return;
	jsonw_key(json, "monitors");
	jsonw_begin_object(json);
	requests->monitors_short(requests->data, json);
	jsonw_end_object(json);
}

/* Writes what is about no single node, and follows behind the nodes. */
static void add_rest(const struct requests *requests, struct json *json)
{
	const struct fleet *fleet = monitor_fleet(requests->monitor);

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
	jsonw_key(json, "silences");
	silencing_render(requests->silencing, json);
	add_monitors(requests, json);
}

static void begin_status(struct requests *requests)
{
	struct buf rest = { 0 };
	struct json json = { .out = &rest, .comma = true };

	add_rest(requests, &json);
	requests->draft_mark = mark_of(requests);
	draft_begin(&requests->draft, monitor_board(requests->monitor), &rest);
}

/*
 * Renders the next part of the status; it is rendered once for all who ask while nothing changes. NULL: more parts
 * follow.
 */
static struct shared_text *render_status(struct requests *requests)
{
	struct shared_text *whole;

	if (!requests->draft.begun && kept_status(requests) != NULL)
		return shared_text_ref(requests->status);
	if (!requests->draft.begun)
		begin_status(requests);
	whole = draft_part(&requests->draft);
	if (whole == NULL)
		return NULL;
	shared_text_unref(&requests->status);
	requests->status = shared_text_ref(whole);
	requests->status_mark = requests->draft_mark;
	return whole;
}

/* ---- answers in one piece, into an open object ---- */

static void answer_events(const struct requests *requests, const struct request *request, struct json *json)
{
	response_add_ok(json);
	recent_render(requests->recent, request->since, json);
}

static void explain_one(const struct requests *requests, const char *name, struct json *json)
{
	const struct fleet *fleet = monitor_fleet(requests->monitor);
	size_t found;
	const struct node *node = target_find_node(fleet, name, &found);
	struct moment now = clock_now(requests->clock);

	if (found != 1) {
		response_add_error(json, found == 0 ? "no such node: name it by its \"host:port\" or its name"
					      : "several nodes have this name: \"host:port\" tells which");
		return;
	}
	response_add_ok(json);
	why_node(fleet, node, &now, json);
	recent_render_node(requests->recent, node->config->id, json);
}

/* Explains why a node is where it is, or how an event came about; where neither is named, who is not well. */
static void answer_explain(const struct requests *requests, const struct request *request, struct json *json)
{
	if (request->node != NULL) {
		explain_one(requests, request->node, json);
	} else if (request->event == NULL) {
		response_add_ok(json);
		why_unwell(monitor_fleet(requests->monitor), json);
	} else if (!recent_has(requests->recent, request->event)) {
		response_add_error(json, "no such event among the last 1,000 of this daemon's");
	} else {
		response_add_ok(json);
		recent_explain(requests->recent, request->event, requests->dispatch, json);
	}
}

static void answer_about(const struct requests *requests, const struct request *request, struct json *json)
{
	(void)request;
	response_add_ok(json);
	about_render(requests->first, *requests->config, requests->foreground, json);
}

#define ALONE "this monitor is alone: `monitors` is not set"

static void answer_monitors(const struct requests *requests, const struct request *request, struct json *json)
{
	(void)request;
	if (requests->monitors == NULL) {
		response_add_error(json, ALONE);
		return;
	}
	response_add_ok(json);
	requests->monitors(requests->data, json);
}

/* Obeys an order that concerns several monitors; `order` NULL: this monitor is alone. */
static void answer_order(const struct requests *requests, const char *(*order)(void *data), struct json *json)
{
	const char *error = order != NULL ? order(requests->data) : ALONE;

	if (error != NULL)
		response_add_error(json, error);
	else
		response_add_ok(json);
}

static void answer_seed(const struct requests *requests, const struct request *request, struct json *json)
{
	(void)request;
	answer_order(requests, requests->seed, json);
}

static void answer_resign(const struct requests *requests, const struct request *request, struct json *json)
{
	(void)request;
	answer_order(requests, requests->resign, json);
}

static void answer_silences(const struct requests *requests, const struct request *request, struct json *json)
{
	(void)request;
	response_add_ok(json);
	jsonw_key(json, "silences");
	silencing_render(requests->silencing, json);
}

static void answer_runs(const struct requests *requests, const struct request *request, struct json *json)
{
	(void)request;
	response_add_ok(json);
	add_monitors(requests, json);
	requests->runs(requests->data, json);
}

static void answer_kill(const struct requests *requests, const struct request *request, struct json *json)
{
	struct buf was = { 0 };
	struct json rest = { .out = &was, .comma = true };
	char *error = requests->kill(requests->data, request, &rest);

	if (error != NULL) {
		response_add_error(json, error);
	} else {
		response_add_ok(json);
		buf_add_str(json->out, buf_text(&was));
	}
	free(error);
	buf_free(&was);
}

static struct shared_text *begin_reload(struct requests *requests, unsigned long client, const struct request *request)
{
	const char *error = requests->reload(requests->data, client);

	(void)request;
	return error != NULL ? response_error(error) : NULL;
}

static struct shared_text *begin_console(struct requests *requests, unsigned long client,
					 const struct request *request)
{
	return consoles_take(requests->consoles, client, request);
}

static struct shared_text *stop_console(struct requests *requests, unsigned long client, const struct request *request)
{
	(void)client;
	return consoles_stop(requests->consoles, request);
}

static struct shared_text *begin_silence(struct requests *requests, unsigned long client, const struct request *request)
{
	return silencing_answer_set(requests->silencing, client, request);
}

static struct shared_text *end_silence(struct requests *requests, unsigned long client, const struct request *request)
{
	return silencing_answer_end(requests->silencing, client, request);
}

/* ---- the table ---- */

enum known_way {
	WAY_NOW,    /* answered at once, as the answer is short */
	WAY_PARTS,  /* the status, rendered in parts */
	WAY_PIECE,  /* rendered in one piece, when it is its turn */
	WAY_LATER,  /* answered when what it begins has ended, or at once with why it cannot begin */
};

static const struct known_request {
	const char *name;
	const char *arguments; /* which it takes, in words for people; "": none */
	enum known_way way;
	/* writes the answer into an open object; NULL for WAY_PARTS and WAY_LATER */
	void (*answer)(const struct requests *requests, const struct request *request, struct json *json);
	/* of WAY_LATER: begins and returns NULL, as the answer follows by control_answer(); or answers at once */
	struct shared_text *(*begin)(struct requests *requests, unsigned long client, const struct request *request);
} rows[] = {
	{ "about", "", WAY_NOW, answer_about, NULL },
	{ "status", "", WAY_PARTS, NULL, NULL },
	{ "events", "\"since\"", WAY_PIECE, answer_events, NULL },
	{ "explain", "\"node\" or \"event\"", WAY_PIECE, answer_explain, NULL },
	{ "silence", "\"target\", \"seconds\" and \"reason\"", WAY_LATER, NULL, begin_silence },
	{ "silence_end", "\"target\"", WAY_LATER, NULL, end_silence },
	{ "silences", "", WAY_PIECE, answer_silences, NULL },
	{ "monitors", "", WAY_NOW, answer_monitors, NULL },
	{ "resign", "", WAY_NOW, answer_resign, NULL },
	{ "seed", "", WAY_NOW, answer_seed, NULL },
	{ "runs", "", WAY_PIECE, answer_runs, NULL },
	{ "runs_kill", "\"run\"", WAY_PIECE, answer_kill, NULL },
	{ "console", "\"code\" and \"chunk\"", WAY_LATER, NULL, begin_console },
	{ "console_stop", "\"session\"", WAY_LATER, NULL, stop_console },
	{ "reload", "", WAY_LATER, NULL, begin_reload },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Names all requests that there are. */
static void add_unknown(struct json *json)
{
	struct buf text = { 0 };

	buf_add_str(&text, "unknown request; there are ");
	for (size_t i = 0; i < ROWS; i++)
		buf_addf(&text, "%s\"%s\"%s%s", i == 0 ? "" : i + 1 < ROWS ? ", " : " and ",
			 rows[i].name, rows[i].arguments[0] != '\0' ? " with " : "", rows[i].arguments);
	response_add_error(json, buf_text(&text));
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

/* Renders what the row's function writes; `row` NULL: there is none for the request. */
static struct shared_text *render_piece(const struct requests *requests, const struct request *request,
					const struct known_request *row)
{
	struct buf out = { 0 };
	struct json json = { .out = &out };

	jsonw_begin_object(&json);
	if (row == NULL)
		add_unknown(&json);
	else
		row->answer(requests, request, &json);
	jsonw_end_object(&json);
	return shared_text_take(&out);
}

static struct shared_text *on_part(void *data, const struct request *request)
{
	struct requests *requests = data;
	const struct known_request *row = find_row(request->name);

	return row->way == WAY_PARTS ? render_status(requests) : render_piece(requests, request, row);
}

void requests_begin(struct requests *requests, uv_loop_t *loop, struct control *control)
{
	requests->rendering = rendering_new(loop, control, on_part, requests);
}

static struct shared_text *refuse_kind(const struct request *request)
{
	char *error = mem_printf("\"%s\" must be a text", request->wrong);
	struct shared_text *answer = response_error(error);

	free(error);
	return answer;
}

/* Returns the answer if it is there at once; NULL: it follows. */
static struct shared_text *answer_now(struct requests *requests, unsigned long client, const struct request *request)
{
	const struct known_request *row = find_row(request->name);

	if (request->wrong != NULL)
		return refuse_kind(request);
	if (row == NULL || row->way == WAY_NOW)
		return render_piece(requests, request, row);
	if (row->way == WAY_PARTS && kept_status(requests) != NULL)
		return shared_text_ref(requests->status);
	return row->way == WAY_LATER ? row->begin(requests, client, request) : NULL;
}

bool requests_answer(struct requests *requests, unsigned long client, struct request *request,
		     struct shared_text **answer)
{
	const struct known_request *row = find_row(request->name);

	*answer = answer_now(requests, client, request);
	if (*answer == NULL && row->way != WAY_LATER)
		rendering_ask(requests->rendering, client, request);
	return *answer != NULL;
}

void requests_watch(struct requests *requests, struct monitor *monitor)
{
	requests->monitor = monitor;
	draft_drop(&requests->draft);
	shared_text_unref(&requests->status);
}

void requests_end(struct requests *requests)
{
	rendering_free(&requests->rendering);
	draft_drop(&requests->draft);
	shared_text_unref(&requests->status);
}
