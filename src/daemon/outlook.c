#include "daemon/outlook.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/cut_off.h"
#include "core/why.h"
#include "daemon/measured.h"
#include "daemon/supervised.h"
#include "loop/timer.h"
#include "records/records.h"

#define STATUS_DELAY_MS 20   /* contract.md, "JSON": changes within that time make one write */
#define STATUS_COST_TIMES 10 /* changes wait so many times what the last write cost, if that is longer */

struct outlook {
	uv_loop_t *loop;
	struct config *config; /* a reference */
	struct shared *shared;
	const struct clock *clock;
	const struct recent *recent;
	struct meters *meters;
	const struct hosts *hosts;
	struct monitor *monitor; /* NULL: it has not begun, or has ended */
	struct records *records;
	struct supervised *supervised;
	struct window *window;
	char *stand; /* whether this monitor acts, in words; NULL: it is alone */
	struct timer *soon;
	struct timer *beat;
	int64_t cost_ns; /* what it took on this loop to publish last */
	bool has_lua;    /* some trigger is a Lua function */
	bool has_console; /* somebody has used the console */
	bool is_settled; /* outlook_settle() was called */
	bool has_held;   /* something was to be written before */
};

/* Publishes what pm.cluster() sees, where functions or the console could ask. */
static void publish(struct outlook *outlook)
{
	if ((outlook->has_lua || outlook->has_console) && outlook->monitor != NULL)
		shared_publish(outlook->shared, monitor_board(outlook->monitor));
}

void outlook_serve_console(struct outlook *outlook)
{
	if (outlook->has_console)
		return;
	outlook->has_console = true;
	publish(outlook);
}

/* Writes the status file and the state file, unless they may yet be another process's. */
static void write_files(struct outlook *outlook, bool force)
{
	if (outlook->is_settled)
		records_write(outlook->records, outlook->monitor, force);
	else
		outlook->has_held = true;
}

/* ---- the window ---- */

static void show(struct outlook *outlook)
{
	const struct fleet *fleet;
	struct pane *pane;

	if (outlook->monitor == NULL || !window_is_open(outlook->window))
		return;
	fleet = monitor_fleet(outlook->monitor);
	pane = pane_new(monitor_board(outlook->monitor));
	pane->has_started = monitor_has_started(outlook->monitor);
	pane->is_isolated = fleet_is_cut_off(fleet);
	pane->isolated_ms = fleet->cut_off_wall_ms;
	pane->stand = mem_strdup(outlook->stand);
	window_show(outlook->window, pane);
}

static void on_status_text(void *data, const char *text, size_t len)
{
	struct outlook *outlook = data;

	window_show_status(outlook->window, text, len);
}

static void on_asked(void *data, unsigned long number, const char *id)
{
	struct outlook *outlook = data;
	const struct fleet *fleet = outlook->monitor != NULL ? monitor_fleet(outlook->monitor) : NULL;
	const struct config_node *known = fleet != NULL ? config_find_node(fleet->config, id) : NULL;
	struct moment now = clock_now(outlook->clock);
	struct buf text = { 0 };
	struct json json = { .out = &text };

	if (known == NULL) {
		window_answer(outlook->window, number, NULL);
		return;
	}
	jsonw_begin_object(&json);
	why_node(fleet, fleet->nodes[known - fleet->config->nodes], &now, &json);
	recent_render_node(outlook->recent, id, &json);
	jsonw_end_object(&json);
	window_answer(outlook->window, number, buf_steal(&text));
}

static struct note *note_of(const struct event *event, enum note_kind kind)
{
	struct note *note = note_new(kind);

	note->name = kind == NOTE_EVENT ? event_kind_name(event->kind)
					: (kind == NOTE_STARTED ? "trigger_started" : "trigger_ended");
	note->id = mem_strdup(event->id);
	note->time_ms = event->time_ms;
	note->cluster_id = event->cluster_id;
	if (event->node != NULL)
		note->node = mem_printf("%s:%d", event->node->host, event->node->port);
	return note;
}

static void tell_run(struct outlook *outlook, const struct event *event, enum note_kind kind, const char *path,
		     const char *how)
{
	struct note *note;
	struct buf text = { 0 };
	struct json json = { .out = &text };

	if (event->kind == EVENT_HEARTBEAT || !window_is_open(outlook->window))
		return;
	note = note_of(event, kind);
	note->time_ms = clock_wall_ms();
	jsonw_begin_object(&json);
	jsonw_key(&json, "event");
	jsonw_string(&json, event->id);
	jsonw_key(&json, "time");
	jsonw_seconds(&json, note->time_ms);
	jsonw_key(&json, "trigger");
	jsonw_string(&json, path);
	if (kind == NOTE_ENDED) {
		jsonw_key(&json, "outcome");
		jsonw_string(&json, how);
	}
	jsonw_end_object(&json);
	note->text = buf_steal(&text);
	window_tell(outlook->window, note);
}

void outlook_started(struct outlook *outlook, const struct event *event, const char *path)
{
	tell_run(outlook, event, NOTE_STARTED, path, NULL);
}

void outlook_told(struct outlook *outlook, const struct event *event, const char *path, const char *how)
{
	tell_run(outlook, event, NOTE_ENDED, path, how);
}

/* ---- what has changed ---- */

static void on_soon(void *data)
{
	struct outlook *outlook = data;
	uint64_t begin_ns = uv_hrtime();

	show(outlook);
	publish(outlook);
	write_files(outlook, false);
	supervised_tell(outlook->supervised, outlook->monitor, outlook->stand);
	outlook->cost_ns = (int64_t)(uv_hrtime() - begin_ns);
}

static void on_beat(void *data)
{
	struct outlook *outlook = data;

	write_files(outlook, true);
	measured_beat(outlook->meters, outlook->hosts);
	/* the end of a split brain changes no board */
	supervised_tell(outlook->supervised, outlook->monitor, outlook->stand);
	timer_start(outlook->beat, outlook->config->heartbeat_ms);
}

void outlook_changed(struct outlook *outlook)
{
	int64_t delay_ms = outlook->cost_ns * STATUS_COST_TIMES / 1000000;

	if (outlook->monitor != NULL && !timer_is_set(outlook->soon))
		timer_start(outlook->soon, delay_ms > STATUS_DELAY_MS ? delay_ms : STATUS_DELAY_MS);
}

void outlook_silence(struct outlook *outlook, const struct silences *silences)
{
	records_silence(outlook->records, silences);
	outlook_changed(outlook);
}

void outlook_fired(struct outlook *outlook, const struct event *event)
{
	struct note *note;
	struct buf text = { 0 };
	struct json json = { .out = &text };

	if (config_has_lua(outlook->config, event->kind))
		publish(outlook);
	if (event->kind == EVENT_HEARTBEAT || !window_is_open(outlook->window))
		return;
	show(outlook);
	recent_render_newest(outlook->recent, &json);
	note = note_of(event, NOTE_EVENT);
	note->text = buf_steal(&text);
	window_tell(outlook->window, note);
}

/* ---- start and end ---- */

static void take_config(struct outlook *outlook, struct config *config)
{
	struct config *old = outlook->config;

	outlook->config = config_ref(config);
	config_unref(&old);
	outlook->has_lua = config_has_any_lua(config);
}

struct outlook *outlook_new(const struct outlook_start *start)
{
	struct outlook *outlook = mem_zalloc(1, sizeof(*outlook));
	char *why;
	int error;

	take_config(outlook, start->config);
	outlook->loop = start->loop;
	outlook->shared = start->shared;
	outlook->clock = start->clock;
	outlook->recent = start->recent;
	outlook->meters = start->meters;
	outlook->hosts = start->hosts;
	outlook->window = window_new(start->loop, start->meters, on_asked, outlook, &error);
	why = outlook->window != NULL ? outlook_prepare(outlook, start->config)
				      : mem_printf("the window cannot be made: %s", uv_strerror(error));
	if (why != NULL) {
		(void)fprintf(stderr, "plusmoin: %s\n", why);
		free(why);
		(void)window_free(&outlook->window);
		config_unref(&outlook->config);
		free(outlook);
		return NULL;
	}
	outlook->records = records_new(start->loop, start->config);
	outlook->soon = timer_new(start->loop, on_soon, outlook);
	outlook->beat = timer_new(start->loop, on_beat, outlook);
	return outlook;
}

void outlook_begin(struct outlook *outlook, struct monitor *monitor)
{
	outlook->monitor = monitor;
	records_tell(outlook->records, on_status_text, outlook);
	window_take(outlook->window);
	timer_start(outlook->beat, outlook->config->heartbeat_ms);
	outlook->supervised = supervised_new(outlook->loop);
}

void outlook_settle(struct outlook *outlook)
{
	outlook->is_settled = true;
	if (outlook->has_held)
		outlook_changed(outlook);
	outlook->has_held = false;
}

char *outlook_prepare(struct outlook *outlook, const struct config *config)
{
	return window_prepare(outlook->window, config);
}

void outlook_take(struct outlook *outlook, struct config *config)
{
	take_config(outlook, config);
	records_move(outlook->records, config);
	window_take(outlook->window);
	if (outlook->monitor != NULL)
		on_beat(outlook); /* writes now, and sets its timer by the new heartbeat */
	publish(outlook);
	show(outlook);
}

void outlook_watch(struct outlook *outlook, struct monitor *monitor)
{
	outlook->monitor = monitor;
	records_forget(outlook->records);
	if (monitor != NULL)
		outlook_changed(outlook);
}

void outlook_stand(struct outlook *outlook, char *words)
{
	free(outlook->stand);
	outlook->stand = words;
	outlook_changed(outlook);
}

void outlook_tell_systemd(struct outlook *outlook)
{
	supervised_tell(outlook->supervised, outlook->monitor, outlook->stand);
}

bool outlook_end(struct outlook *outlook)
{
	timer_stop(outlook->soon);
	timer_stop(outlook->beat);
	write_files(outlook, false);
	outlook->monitor = NULL;
	return window_free(&outlook->window);
}

void outlook_free(struct outlook **outlook_p)
{
	struct outlook *outlook = *outlook_p;

	*outlook_p = NULL;
	if (outlook == NULL)
		return;
	supervised_free(&outlook->supervised);
	timer_free(&outlook->soon);
	timer_free(&outlook->beat);
	records_free(&outlook->records);
	config_unref(&outlook->config);
	free(outlook->stand);
	free(outlook);
}
