#include "standin/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "standin/client.h"

#define BACKLOG 512

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

static void on_connection(uv_stream_t *listener, int status)
{
	if (status == 0)
		client_accept(listener->data);
}

static void shut(struct server *server)
{
	if (server->listener != NULL)
		uv_close((uv_handle_t *)server->listener, on_closed);
	server->listener = NULL;
}

static bool listen_at(struct server *server)
{
	int error;

	if (server->listener != NULL)
		return true;
	server->listener = mem_zalloc(1, sizeof(*server->listener));
	uv_tcp_init(server->loop, server->listener);
	server->listener->data = server;
	error = uv_tcp_bind(server->listener, (const struct sockaddr *)&server->address, 0);
	if (error == 0)
		error = uv_listen((uv_stream_t *)server->listener, BACKLOG, on_connection);
	if (error == 0)
		return true;
	(void)fprintf(stderr, "standin: %s cannot listen: %s\n", server->name, uv_strerror(error));
	shut(server);
	return false;
}

/* Each is another server than all others, until it is told otherwise. */
static int64_t made;

struct server *server_new(uv_loop_t *loop, const char *name, const struct sockaddr_in *address)
{
	struct server *server = mem_zalloc(1, sizeof(*server));

	server->loop = loop;
	text_copy(server->name, sizeof(server->name), name);
	server->address = *address;
	server->span = &server->own_span;
	server->model.system = server->model.started = ++made;
	server->model.timeline = 1;
	if (listen_at(server))
		return server;
	free(server);
	return NULL;
}

bool server_set_door(struct server *server, enum door door)
{
	bool was_silent = server->door == DOOR_SILENT;

	server->door = door;
	if (door == DOOR_REFUSES)
		shut(server);
	else if (!listen_at(server))
		return false;
	for (size_t i = server->clients.count; was_silent && i-- > 0;) {
		if (i < server->clients.count) /* one that went on may have closed */
			client_go_on(server->clients.items[i]);
	}
	return true;
}

void server_close_clients(struct server *server)
{
	while (server->clients.count > 0)
		client_close(server->clients.items[0]);
}

void server_die(struct server *server)
{
	(void)server_set_door(server, DOOR_REFUSES);
	server_close_clients(server);
}

void counts_add(struct counts *sum, struct counts more)
{
	sum->connections += more.connections;
	sum->sessions += more.sessions;
	sum->logins += more.logins;
	sum->statements += more.statements;
	sum->parses += more.parses;
	sum->unknown += more.unknown;
	sum->beats += more.beats;
	sum->syncs += more.syncs;
	sum->reads += more.reads;
	sum->bytes_in += more.bytes_in;
	sum->writes += more.writes;
	sum->bytes_out += more.bytes_out;
	sum->segments_in += more.segments_in;
	sum->segments_out += more.segments_out;
}

struct counts server_counts(const struct server *server)
{
	struct counts counts = server->counts;

	for (size_t i = 0; i < server->clients.count; i++) {
		counts.sessions += client_is_logged_in(server->clients.items[i]);
		client_add_segments(server->clients.items[i], &counts);
	}
	return counts;
}

void server_forget(struct server *server)
{
	for (size_t i = 0; i < server->clients.count; i++)
		client_forget(server->clients.items[i]);
}

void server_write(struct server *server, const char *master)
{
	struct row row = { .tstamp = (int64_t)time(NULL) * 1000 };

	text_copy(row.master, sizeof(row.master), master);
	model_make_table(&server->model);
	model_write(&server->model, &row, (int64_t)uv_now(server->loop));
}
