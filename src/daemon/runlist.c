#include "daemon/runlist.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

static void list(const struct daemon *daemon, size_t most, struct backlog *backlog)
{
	dispatch_list(daemon->dispatch, most, backlog);
	if (daemon->alone != NULL)
		dispatch_list(daemon->alone, most, backlog);
	backlog_sort(backlog, most);
}

/* ---- a row ---- */

static void add_text(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

static void add_number(struct json *json, const char *key, int64_t number)
{
	jsonw_key(json, key);
	jsonw_int(json, number);
}

/* Writes a moment of the steady clock in the time that people use. */
static void add_moment(struct json *json, const char *key, int64_t steady_ms, const struct clock *clock)
{
	jsonw_key(json, key);
	jsonw_seconds(json, steady_ms - clock->start_steady_ms + clock->start_wall_ms);
}

/* Where rows are written, and by which clock. */
struct page {
	struct json *json;
	const struct clock *clock;
};

/* What a row of the list says. Texts may be NULL: there is none. */
struct listed {
	const char *id;
	const char *state;
	int64_t since_ms; /* steady, as the next one */
	const char *waits_for;
	int64_t waits_since_ms;
	const char *behind;
	const char *trigger;
	const char *kind;
	int pid; /* 0: no process runs for it */
	const char *name;
	const char *event;
	int cluster_id;
	const char *node;
};

static void write_listed(const struct page *page, const struct listed *row)
{
	struct json *json = page->json;

	jsonw_begin_object(json);
	add_text(json, "id", row->id);
	add_text(json, "state", row->state);
	add_moment(json, "since", row->since_ms, page->clock);
	add_text(json, "waits_for", row->waits_for);
	if (row->waits_for != NULL)
		add_moment(json, "waits_since", row->waits_since_ms, page->clock);
	else
		add_text(json, "waits_since", NULL);
	add_text(json, "behind", row->behind);
	add_text(json, "trigger", row->trigger);
	add_text(json, "kind", row->kind);
	if (row->pid != 0)
		add_number(json, "pid", row->pid);
	else
		add_text(json, "pid", NULL);
	add_text(json, "name", row->name);
	add_text(json, "event", row->event);
	add_number(json, "cluster_id", row->cluster_id);
	add_text(json, "node", row->node);
	jsonw_end_object(json);
}

static void add_row(const struct page *page, const struct backlog_row *row)
{
	const struct event *event = row->run->event;
	const struct config_action *action = backlog_action(row);
	struct backlog_look look = backlog_look_at(row);

	write_listed(page, &(struct listed){
				 .id = look.id,
				 .state = look.state,
				 .since_ms = look.since_ms,
				 .waits_for = look.waits_for,
				 .waits_since_ms = look.waits_since_ms != 0 ? look.waits_since_ms : look.since_ms,
				 .behind = look.behind[0] != '\0' ? look.behind : NULL,
				 .trigger = action->path,
				 .kind = action_is_command(action) ? "command" : "lua",
				 .pid = look.pid,
				 .name = event_kind_name(event->kind),
				 .event = event->id,
				 .cluster_id = event->cluster_id,
				 .node = event->node != NULL ? event->node->name : NULL,
			 });
}

/* Writes code at a console: it belongs to no event. */
static void add_console(void *data, const struct console_run *run)
{
	write_listed(data, &(struct listed){
				 .id = run->id,
				 .state = "running",
				 .since_ms = run->since_ms,
				 .waits_for = run->waits_for,
				 .waits_since_ms = run->waits_since_ms,
				 .trigger = "console",
				 .kind = "lua",
				 .cluster_id = -1,
			 });
}

static void count_console(void *data, const struct console_run *run)
{
	(void)run;
	++*(size_t *)data;
}

static size_t consoles_count(const struct daemon *daemon)
{
	size_t count = 0;

	consoles_each(daemon->consoles, count_console, &count);
	return count;
}

static void name_console(void *data, const struct console_run *run)
{
	struct buf *text = data;

	buf_addf(text, "%s%s", buf_text(text)[text->len - 1] == ' ' ? "" : ", ", run->id);
}

/* ---- the answers ---- */

static void render(void *data, struct json *json)
{
	struct daemon *daemon = data;
	struct backlog backlog = { 0 };
	struct page page = { .json = json, .clock = &daemon->clock };

	list(daemon, RUNLIST_ROWS, &backlog);
	add_number(json, "running", (int64_t)(backlog.under_way + consoles_count(daemon)));
	add_number(json, "waiting", (int64_t)backlog.waiting);
	jsonw_key(json, "runs");
	jsonw_begin_array(json);
	consoles_each(daemon->consoles, add_console, &page);
	for (size_t i = 0; i < backlog.count; i++)
		add_row(&page, &backlog.rows[i]);
	jsonw_end_array(json);
	backlog_free(&backlog);
}

/* Says that there is no run of this id, and which ids there are; the caller frees it. */
static char *refuse(struct daemon *daemon, const char *id)
{
	struct council *council = shift_council(daemon->shift);
	struct backlog backlog = { 0 };
	struct buf text = { 0 };
	size_t count;
	char *words;

	list(daemon, RUNLIST_NAMED, &backlog);
	count = backlog.under_way + backlog.waiting;
	buf_addf(&text, "there is no run %s: ", id);
	if (count + consoles_count(daemon) > 0)
		buf_add_str(&text, "there are ");
	else
		buf_add_str(&text, "nothing runs, and nothing waits");
	consoles_each(daemon->consoles, name_console, &text);
	for (size_t i = 0; i < backlog.count; i++)
		buf_addf(&text, "%s%s", buf_text(&text)[text.len - 1] == ' ' ? "" : ", ",
			 backlog_look_at(&backlog.rows[i]).id);
	if (count > backlog.count)
		buf_addf(&text, " and %zu more", count - backlog.count);
	if (council != NULL) {
		words = council_words(council);
		buf_addf(&text, " (this monitor is %s)", words);
		free(words);
	}
	backlog_free(&backlog);
	return buf_steal(&text);
}

static void log_kill(const struct backlog_row *row, const char *by)
{
	struct log_about about = action_event_about(row->run->event);

	about.trigger = backlog_action(row)->path;
	log_line(LOG_LEVEL_INFO, &about, "%s ends this trigger", by);
}

/* Finds the run of that id, and returns the dispatch that has it; NULL: none has. */
static struct dispatch *find(const struct daemon *daemon, const char *id, struct backlog_row *row)
{
	if (dispatch_find(daemon->dispatch, id, row))
		return daemon->dispatch;
	return daemon->alone != NULL && dispatch_find(daemon->alone, id, row) ? daemon->alone : NULL;
}

/* Says in words who asks for an end; the caller frees them. */
static char *words_for(uid_t uid)
{
	if (uid == (uid_t)-1)
		return mem_strdup("`plusmoin runs kill` (of an unknown user)");
	return mem_printf("`plusmoin runs kill` (uid %lu)", (unsigned long)uid);
}

/* The run of a console that is looked for by its id. */
struct sought {
	struct page page;
	const char *id;
	bool found;
};

/* Writes the console's run as "run" if it is the one that is sought. */
static void add_sought(void *data, const struct console_run *run)
{
	struct sought *sought = data;

	if (strcmp(run->id, sought->id) != 0)
		return;
	sought->found = true;
	jsonw_key(sought->page.json, "run");
	add_console(&sought->page, run);
}

/* Ends the code at a console that the request names. False: it names none. */
static bool end_console(struct daemon *daemon, const struct request *request, struct json *json)
{
	struct sought sought = { .page = { .json = json, .clock = &daemon->clock }, .id = request->run };
	char *by;

	consoles_each(daemon->consoles, add_sought, &sought);
	if (!sought.found)
		return false;
	by = words_for(request->uid);
	log_info("%s ends %s", by, request->run);
	free(by);
	return consoles_kill(daemon->consoles, request->run);
}

static char *end_by_hand(void *data, const struct request *request, struct json *json)
{
	struct daemon *daemon = data;
	const struct page page = { .json = json, .clock = &daemon->clock };
	struct dispatch *dispatch;
	struct backlog_row row;
	char *by;

	if (request->run == NULL)
		return mem_strdup("\"run\" is missing: the id of one of the runs that {\"request\": \"runs\"} lists");
	if (end_console(daemon, request, json))
		return NULL;
	dispatch = find(daemon, request->run, &row);
	if (dispatch == NULL)
		return refuse(daemon, request->run);
	jsonw_key(json, "run");
	add_row(&page, &row);
	by = words_for(request->uid);
	log_kill(&row, by);
	dispatch_kill(dispatch, &row, by);
	free(by);
	return NULL;
}

void runlist_answers(struct requests *requests)
{
	requests->runs = render;
	requests->kill = end_by_hand;
}
