#include "window/window.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "system/thread.h"
#include "window/asking.h"
#include "window/server.h"
#include "window/terms.h"

#define END_MS 2000 /* that the thread has to end */

struct window {
	uv_async_t asked;   /* on the monitor's loop; the window's thread wakes it */
	window_asked *ask;
	const struct meters *meters;
	void *data;
	struct inbox inbox;
	struct server *server; /* NULL: the window was never open */
	pthread_t thread;
	bool has_thread;
	struct list ports;   /* those in force: struct port *, a reference each */
	bool is_open;
	struct terms *next;  /* what window_prepare() has prepared; NULL: nothing */
	bool next_is_open;
};

/* ---- the monitor's loop ---- */

static void on_asking(void *data, const struct asking *asking)
{
	struct window *window = data;

	window->ask(window->data, asking->number, asking->node);
}

static void on_asked(uv_async_t *async)
{
	struct window *window = async->data;

	asking_take_all(server_askings(window->server), on_asking, window);
}

static void wake_monitor(void *data)
{
	struct window *window = data;

	(void)uv_async_send(&window->asked);
}

struct window *window_new(uv_loop_t *loop, const struct meters *meters, window_asked *asked, void *data, int *error)
{
	struct window *window = mem_zalloc(1, sizeof(*window));

	window->ask = asked;
	window->meters = meters;
	window->data = data;
	window->asked.data = window;
	*error = uv_async_init(loop, &window->asked, on_asked);
	if (*error != 0) {
		free(window);
		return NULL;
	}
	return window;
}

/* ---- where it listens ---- */

static struct port *find_port(const struct window *window, const char *text)
{
	for (size_t i = 0; i < window->ports.count; i++) {
		struct port *port = window->ports.items[i];

		if (strcmp(port->text, text) == 0)
			return port;
	}
	return NULL;
}

/* Returns a port of ours of the same number that the configuration does not name any more; NULL: none. */
static const struct port *former_of(const struct window *window, const struct config_http *http, const char *text)
{
	for (size_t i = 0; i < window->ports.count; i++) {
		const struct port *port = window->ports.items[i];
		bool stays = http->agent != NULL && strcmp(http->agent, port->text) == 0;

		for (size_t j = 0; j < http->listen_count; j++)
			stays = stays || strcmp(http->listen[j], port->text) == 0;
		if (!stays && port_has_number_of(port, text))
			return port;
	}
	return NULL;
}

/* Returns a reference of the port; NULL: `*why` says why not, and the caller frees it. */
static struct port *listen_at(const struct window *window, const struct config_http *http, const char *text, const char *key,
			      char **why)
{
	struct port *port = find_port(window, text);
	int error = 0;

	if (port != NULL)
		return port_ref(port);
	port = port_new(text, former_of(window, http, text), &error);
	if (port == NULL)
		*why = mem_printf("%s: cannot listen at %s: %s", key, text, uv_strerror(error));
	return port;
}

char *window_prepare(struct window *window, const struct config *config)
{
	const struct config_http *http = &config->http;
	struct terms *terms = terms_new(config);
	char *why = NULL;

	terms_free(&window->next);
	for (size_t i = 0; why == NULL && i < http->listen_count; i++) {
		struct port *port = listen_at(window, http, http->listen[i], "http.listen", &why);

		if (port != NULL)
			list_add(&terms->ports, port);
	}
	if (why == NULL && http->agent != NULL)
		terms->agent = listen_at(window, http, http->agent, "http.agent", &why);
	if (why != NULL) {
		terms_free(&terms);
		return why;
	}
	window->next = terms;
	window->next_is_open = http->listen_count > 0 || http->agent != NULL;
	return NULL;
}

static void *run_thread(void *data)
{
	(void)pthread_setname_np(pthread_self(), "window"); /* the name in top -H and in debuggers */
	server_run(data);
	return NULL;
}

/* Starts the thread unless it runs. Returns false when it cannot start. */
static bool start_thread(struct window *window)
{
	const struct server_start start = {
		.inbox = &window->inbox,
		.meters = window->meters,
		.wake_monitor = wake_monitor,
		.data = window,
	};
	int error;

	if (window->has_thread)
		return true;
	window->server = server_new(&start, &error);
	if (window->server == NULL)
		return false;
	window->has_thread = thread_start(&window->thread, run_thread, window->server) == 0;
	if (!window->has_thread)
		server_free(&window->server);
	return window->has_thread;
}

static void drop_ports(struct window *window)
{
	struct port *port;

	while ((port = list_shift(&window->ports)) != NULL)
		port_unref(&port);
	list_free(&window->ports);
}

static void keep_ports(struct window *window, const struct terms *terms)
{
	drop_ports(window);
	for (size_t i = 0; i < terms->ports.count; i++)
		list_add(&window->ports, port_ref(terms->ports.items[i]));
	if (terms->agent != NULL)
		list_add(&window->ports, port_ref(terms->agent));
}

void window_take(struct window *window)
{
	struct note *note;

	if (window->next == NULL || (!window->next_is_open && !window->has_thread)) {
		terms_free(&window->next);
		return;
	}
	window->is_open = window->next_is_open && start_thread(window);
	if (!window->has_thread) {
		log_error("the window stays shut: its thread cannot start");
		terms_free(&window->next);
		return;
	}
	keep_ports(window, window->next);
	note = note_new(NOTE_TERMS);
	note->terms = window->next;
	window->next = NULL;
	inbox_add(&window->inbox, note);
	server_wake(window->server);
}

/* ---- what is shown ---- */

bool window_is_open(const struct window *window)
{
	return window != NULL && window->is_open;
}

void window_show(struct window *window, struct pane *pane)
{
	if (!window_is_open(window)) {
		pane_unref(&pane);
		return;
	}
	inbox_put_pane(&window->inbox, pane);
	server_wake(window->server);
}

void window_show_status(struct window *window, const char *text, size_t len)
{
	if (!window_is_open(window))
		return;
	inbox_put_status(&window->inbox, mem_strndup(text, len));
	server_wake(window->server);
}

static void post(struct window *window, struct note *note)
{
	inbox_add(&window->inbox, note);
	server_wake(window->server);
}

void window_tell(struct window *window, struct note *note)
{
	if (window_is_open(window))
		post(window, note);
	else
		note_free(&note);
}

void window_answer(struct window *window, unsigned long number, char *text)
{
	struct note *note = note_new(NOTE_ANSWER);

	note->number = number;
	note->text = text;
	post(window, note);
}

/* ---- its end ---- */

/*
 * Ends the thread. Returns false when it does not end, perhaps because a debugger holds it: the process ends without
 * it.
 */
static bool end_thread(struct window *window)
{
	if (!window->has_thread)
		return true;
	post(window, note_new(NOTE_END));
	return thread_join_within(window->thread, END_MS);
}

static void on_closed(uv_handle_t *handle)
{
	struct window *window = handle->data;

	if (handle == (uv_handle_t *)&window->asked)
		free(window);
}

bool window_free(struct window **window_p)
{
	struct window *window = *window_p;

	*window_p = NULL;
	if (window == NULL)
		return true;
	terms_free(&window->next);
	drop_ports(window);
	if (!end_thread(window))
		return false;
	server_free(&window->server);
	inbox_free(&window->inbox);
	uv_close((uv_handle_t *)&window->asked, on_closed);
	return true;
}
