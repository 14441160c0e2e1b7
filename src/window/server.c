#include "window/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "window/agent.h"
#include "window/checks.h"
#include "window/entrances.h"
#include "window/gatekeeper.h"
#include "window/stream.h"
#include "window/visitors.h"

#define SPARE_PLACES 16 /* connections beyond VISITORS_MOST: one that is sent away is closed a moment later */
#define IDLE_S 60       /* libmicrohttpd's limit without a byte; ours (visitors.h) are shorter, except for streams */
#define MEMORY_BYTES 16384 /* of a connection; longer headers get 431, a longer path 414 */
#define RUN_MS 1000     /* between two runs: at its connection limit libmicrohttpd names no timeout (http-notes.md) */
#define SWEEP_MS 250

struct server {
	uv_loop_t loop;
	uv_async_t wake;
	struct MHD_Daemon *mhd;
	uv_poll_t *mhd_poll; /* watches libmicrohttpd's descriptor; NULL: libmicrohttpd does not run */
	uv_timer_t mhd_timer;
	uv_idle_t mhd_more;
	uv_timer_t sweep;
	int added; /* connections that were added since libmicrohttpd ran last */
	struct inbox *inbox;
	struct desk desk;
	struct visitors visitors;
	struct entrances entrances;
	struct agent *agent;
	bool ends;
};

/* ---- libmicrohttpd on the loop ---- */

static void run_mhd(struct server *server);

static void on_mhd_time(uv_timer_t *timer)
{
	run_mhd(timer->data);
}

static void on_mhd_more(uv_idle_t *idle)
{
	run_mhd(idle->data);
}

static void on_mhd_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run_mhd(poll->data);
}

static void run_mhd(struct server *server)
{
	MHD_UNSIGNED_LONG_LONG ms = RUN_MS;

	server->added = 0;
	(void)MHD_run(server->mhd);
	if (MHD_get_timeout(server->mhd, &ms) != MHD_YES || ms > RUN_MS)
		ms = RUN_MS;
	if (ms == 0) { /* a timer of 0 ms would keep libuv from all other handles */
		(void)uv_idle_start(&server->mhd_more, on_mhd_more);
		return;
	}
	(void)uv_idle_stop(&server->mhd_more);
	(void)uv_timer_start(&server->mhd_timer, on_mhd_time, ms, 0);
}

static void on_mhd_line(void *data, const char *format, va_list args)
{
	char line[256];

	(void)data;
	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	(void)vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("libmicrohttpd: %s", line);
}

/*
 * Unescapes a path or an argument. A text with %00 stays as it is, so that no page has its name: the NUL would end the
 * text early, and a request for one thing would get another.
 */
static size_t unescape(void *data, struct MHD_Connection *connection, char *text)
{
	(void)data;
	(void)connection;
	return strstr(text, "%00") != NULL ? strlen(text) : MHD_http_unescape(text);
}

static bool start_mhd(struct server *server)
{
	const union MHD_DaemonInfo *info;
	uv_poll_t *poll;

	server->mhd = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0,
		NULL, NULL, gatekeeper_request, &server->desk,
		MHD_OPTION_EXTERNAL_LOGGER, on_mhd_line, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)(VISITORS_MOST + SPARE_PLACES),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, visitors_notified, &server->visitors,
		MHD_OPTION_NOTIFY_COMPLETED, gatekeeper_completed, &server->visitors,
		MHD_OPTION_END);
	if (server->mhd == NULL)
		return false;
	info = MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	poll = mem_zalloc(1, sizeof(*poll));
	poll->data = server;
	if (info == NULL || uv_poll_init(&server->loop, poll, info->epoll_fd) != 0) {
		free(poll);
		MHD_stop_daemon(server->mhd);
		server->mhd = NULL;
		return false;
	}
	server->mhd_poll = poll;
	(void)uv_poll_start(poll, UV_READABLE, on_mhd_ready);
	run_mhd(server);
	return true;
}

static bool is_wanted(const struct server *server)
{
	return server->desk.facts.terms != NULL && server->desk.facts.terms->ports.count > 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

/*
 * Stops libmicrohttpd. It ends the process when a connection is suspended then (http-notes.md). So all connections are
 * resumed and end in a last run. Requests that are only read in that run are refused.
 */
static void stop_mhd(struct server *server)
{
	if (server->mhd == NULL)
		return;
	server->desk.shuts = true;
	waiting_sweep(&server->desk.waiting, true);
	streams_end(&server->desk.streams);
	(void)MHD_run(server->mhd);
	(void)uv_poll_stop(server->mhd_poll);
	uv_close((uv_handle_t *)server->mhd_poll, on_poll_closed);
	server->mhd_poll = NULL;
	(void)uv_timer_stop(&server->mhd_timer);
	(void)uv_idle_stop(&server->mhd_more);
	MHD_stop_daemon(server->mhd);
	server->mhd = NULL;
	server->desk.shuts = false;
}

/* ---- who comes ---- */

static void on_visitor(void *data, int fd, const struct sockaddr *address, socklen_t size)
{
	struct server *server = data;

	if (server->mhd == NULL || !visitors_make_room(&server->visitors, fd)) {
		(void)close(fd);
		return;
	}
	(void)MHD_add_connection(server->mhd, fd, address, size); /* libmicrohttpd owns `fd`, also when this fails */
	if (++server->added == SPARE_PLACES) /* not one run for each: a run works on all connections */
		run_mhd(server);
}

static void on_sweep(uv_timer_t *timer)
{
	struct server *server = timer->data;

	visitors_sweep(&server->visitors);
	waiting_sweep(&server->desk.waiting, false);
	streams_sweep(&server->desk.streams);
	if (server->mhd != NULL)
		run_mhd(server);
	else if (is_wanted(server))
		(void)start_mhd(server); /* it failed before, perhaps for lack of a descriptor */
}

/* Finds a node for HAProxy's agent-check. Where no health check could be answered, this one is not answered either. */
static bool on_agent(void *data, const char *name, const struct node_view **node)
{
	struct server *server = data;
	struct facts *facts = &server->desk.facts;
	char *lack = checks_lack(facts);
	bool can_tell = lack == NULL;
	bool several;

	free(lack);
	if (can_tell)
		*node = finder_find(&facts->finder, facts->pane->board, name, &several);
	return can_tell;
}

/* ---- what the monitor says ---- */

/* Listens by the new terms. A port may pass between agent and pages, so the one that has it stops first. */
static void move_in(struct server *server, const struct port *former)
{
	const struct terms *terms = server->desk.facts.terms;

	if (terms->agent != former)
		agent_listen(server->agent, -1);
	entrances_take(&server->entrances, terms);
	agent_listen(server->agent, terms->agent != NULL ? terms->agent->fd : -1);
}

static void take_terms(struct server *server, struct note *note)
{
	struct terms *old = server->desk.facts.terms;

	server->desk.facts.terms = note->terms;
	note->terms = NULL;
	move_in(server, old != NULL ? old->agent : NULL);
	if (old != NULL && !terms_same_token(old, server->desk.facts.terms))
		streams_end(&server->desk.streams); /* their clients come back with the right token */
	if (!is_wanted(server))
		stop_mhd(server);
	else if (server->mhd == NULL && !start_mhd(server))
		log_error("the window is shut, until libmicrohttpd can start: %s", strerror(errno));
	terms_free(&old);
}

static void begin_end(struct server *server)
{
	server->ends = true;
	entrances_take(&server->entrances, NULL);
	agent_listen(server->agent, -1);
	uv_stop(&server->loop);
}

static void take_note(struct server *server, struct note *note)
{
	switch (note->kind) {
	case NOTE_EVENT:
	case NOTE_STARTED:
	case NOTE_ENDED:
	case NOTE_MISSED:
		diary_add(&server->desk.facts.diary, note);
		return;
	case NOTE_ANSWER:
		waiting_answer(&server->desk.waiting, note->number, note->text);
		note->text = NULL;
		break;
	case NOTE_TERMS:
		take_terms(server, note);
		break;
	case NOTE_END:
		begin_end(server);
		break;
	}
	note_free(&note);
}

/* Adds an entry to the diary that shows readers of /events where events were dropped. */
static void note_lost(struct diary *diary)
{
	struct note *note = note_new(NOTE_MISSED);

	note->name = STREAM_MISSED;
	note->text = mem_strdup("{\"message\":\"the window's thread stood still, and events were dropped\"}");
	diary_add(diary, note);
}

static void take_shown(struct server *server)
{
	struct pane *pane = inbox_take_pane(server->inbox);
	char *status = inbox_take_status(server->inbox);

	if (pane != NULL) {
		pane_unref(&server->desk.facts.pane);
		server->desk.facts.pane = pane;
	}
	if (status != NULL)
		facts_take_status(&server->desk.facts, status);
}

/*
 * The pane is taken after the notes: the monitor gives it before its event, so a client that gets the event finds it.
 */
static void on_wake(uv_async_t *wake)
{
	struct server *server = wake->data;
	struct diary *diary = &server->desk.facts.diary;
	unsigned long told = diary->last;
	bool lost;
	struct note *note = inbox_take_notes(server->inbox, &lost);

	take_shown(server);
	while (note != NULL) {
		struct note *next = note_next(note);

		take_note(server, note);
		note = next;
	}
	if (lost)
		note_lost(diary);
	if (diary->last != told)
		streams_wake(&server->desk.streams);
	if (server->mhd != NULL)
		run_mhd(server);
}

/* ---- its life ---- */

struct server *server_new(const struct server_start *start, int *error)
{
	struct server *server = mem_zalloc(1, sizeof(*server));

	server->inbox = start->inbox;
	server->desk.facts.meters = start->meters;
	server->desk.wake_monitor = start->wake_monitor;
	server->desk.data = start->data;
	(void)snprintf(server->desk.facts.start, sizeof(server->desk.facts.start), "%lld",
		       (long long)(clock_wall_ms() / 1000));
	TAILQ_INIT(&server->desk.streams.list);
	visitors_init(&server->visitors);
	server->desk.visitors = &server->visitors;
	*error = uv_loop_init(&server->loop);
	if (*error != 0) {
		free(server);
		return NULL;
	}
	server->wake.data = server;
	server->mhd_timer.data = server;
	server->mhd_more.data = server;
	server->sweep.data = server;
	*error = uv_async_init(&server->loop, &server->wake, on_wake);
	(void)uv_timer_init(&server->loop, &server->mhd_timer);
	(void)uv_idle_init(&server->loop, &server->mhd_more);
	(void)uv_timer_init(&server->loop, &server->sweep);
	entrances_open(&server->entrances, &server->loop, on_visitor, server);
	server->agent = agent_new(&server->loop, on_agent, server);
	if (*error != 0)
		server_free(&server);
	return server;
}

void server_wake(struct server *server)
{
	(void)uv_async_send(&server->wake);
}

struct chain *server_askings(struct server *server)
{
	return &server->desk.askings;
}

void server_run(struct server *server)
{
	(void)uv_timer_start(&server->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	on_wake(&server->wake); /* takes what came before the loop ran */
	if (!server->ends)
		(void)uv_run(&server->loop, UV_RUN_DEFAULT);
	stop_mhd(server);
}

static void on_handle(uv_handle_t *handle, void *data)
{
	(void)data;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void server_free(struct server **server_p)
{
	struct server *server = *server_p;

	*server_p = NULL;
	if (server == NULL)
		return;
	entrances_take(&server->entrances, NULL);
	agent_free(&server->agent);
	uv_walk(&server->loop, on_handle, NULL);
	(void)uv_run(&server->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&server->loop);
	asking_take_all(&server->desk.askings, NULL, NULL);
	facts_free(&server->desk.facts);
	free(server);
}
