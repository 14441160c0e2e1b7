#include "standin/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "standin/messages.h"
#include "standin/segments.h"
#include "standin/dialogue.h"
#include "standin/wakeful.h"

#define CODE_PROTOCOL 196608
#define CODE_SSL 80877103
#define CODE_GSS 80877104
#define MESSAGE_MOST 1000000

enum phase {
	PHASE_STARTUP,
	PHASE_PASSWORD,    /* the next message ends the login */
	PHASE_SCRAM_FIRST, /* the client's nonce is to come */
	PHASE_READY,
	PHASE_ENDS,        /* when all has been said */
};

struct client {
	uv_tcp_t tcp;
	uv_timer_t drip; /* what could not be said at once, or may not be */
	int open;        /* handles */
	struct server *server; /* NULL: it closes */
	enum phase phase;
	enum door met; /* the door as it was when it came */
	struct buf in;
	struct buf out;
	struct dialogue dialogue;
};

static void say(struct client *client);

static void on_handle_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;

	if (--client->open > 0)
		return;
	buf_free(&client->in);
	buf_free(&client->out);
	dialogue_free(&client->dialogue);
	free(client);
}

/* Its handles close; `reset`: with RST. */
static void end(struct client *client, bool reset)
{
	if (client->server == NULL)
		return;
	client_add_segments(client, &client->server->counts);
	list_remove(&client->server->clients, client);
	client->server = NULL;
	if (!reset || uv_tcp_close_reset(&client->tcp, on_handle_closed) != 0)
		uv_close((uv_handle_t *)&client->tcp, on_handle_closed);
	uv_close((uv_handle_t *)&client->drip, on_handle_closed);
}

void client_add_segments(const struct client *client, struct counts *counts)
{
	uv_os_fd_t fd;

	if (uv_fileno((const uv_handle_t *)&client->tcp, &fd) == 0)
		segments_add(fd, &counts->segments_in, &counts->segments_out);
}

void client_forget(struct client *client)
{
	dialogue_forget(&client->dialogue);
}

void client_close(struct client *client)
{
	end(client, false);
}

bool client_is_logged_in(const struct client *client)
{
	return client->phase == PHASE_READY;
}

static void on_drip(uv_timer_t *timer)
{
	say(timer->data);
}

/* As much as may be said now. */
static void say(struct client *client)
{
	int64_t pause_ms = client->server->trickle_ms;
	size_t len = pause_ms > 0 && client->out.len > 1 ? 1 : client->out.len;
	uv_buf_t bytes = uv_buf_init(client->out.data, (unsigned)len);
	int said = len > 0 ? uv_try_write((uv_stream_t *)&client->tcp, &bytes, 1) : 0;

	if (said > 0) {
		client->server->counts.writes++;
		client->server->counts.bytes_out += (unsigned long)said;
		buf_drop(&client->out, (size_t)said);
	}
	if ((said < 0 && said != UV_EAGAIN) || (client->out.len == 0 && client->phase == PHASE_ENDS))
		end(client, false);
	else if (client->out.len > 0)
		(void)uv_timer_start(&client->drip, on_drip, pause_ms > 0 ? (uint64_t)pause_ms : 1, 0);
}

/* ---- the login ---- */

static void add_status(struct buf *out, const char *name, const char *value)
{
	struct buf body = { 0 };

	add_text(&body, name);
	add_text(&body, value);
	message_add(out, 'S', body.data, body.len);
	buf_free(&body);
}

static void add_authentication(struct buf *out, uint32_t code, const void *rest, size_t len)
{
	struct buf body = { 0 };

	add_int32(&body, code);
	buf_add(&body, rest, len);
	message_add(out, 'R', body.data, body.len);
	buf_free(&body);
}

static void let_in(struct client *client)
{
	struct buf *out = &client->out;

	client->phase = PHASE_READY;
	client->server->counts.logins++;
	add_authentication(out, 0, NULL, 0);
	add_status(out, "server_version", "15.0");
	add_status(out, "server_encoding", "UTF8");
	add_status(out, "client_encoding", "UTF8");
	add_status(out, "standard_conforming_strings", "on");
	message_add(out, 'K', "\0\0\0\1\0\0\0\1", 8);
	message_add(out, 'Z', "I", 1);
}

static void ask_for_password(struct client *client)
{
	switch (client->server->lock) {
	case LOCK_TRUST:
		let_in(client);
		break;
	case LOCK_PASSWORD:
		client->phase = PHASE_PASSWORD;
		add_authentication(&client->out, 3, NULL, 0);
		break;
	case LOCK_SCRAM:
		client->phase = PHASE_SCRAM_FIRST;
		add_authentication(&client->out, 10, "SCRAM-SHA-256\0", 15);
		break;
	}
}

/* server-first-message: all that a client computes with. Its proof is not looked at. */
static void ask_for_proof(struct client *client, const char *body, size_t len)
{
	char *first = mem_strndup(len > 18 ? body + 18 : "", len > 18 ? len - 18 : 0); /* behind mechanism and length */
	const char *nonce = strstr(first, "r=");
	struct buf text = { 0 };

	buf_addf(&text, "r=%s+standin,s=c3RhbmRpbnNhbHQ=,i=%u", nonce != NULL ? nonce + 2 : "",
		 client->server->iterations);
	client->phase = PHASE_PASSWORD;
	add_authentication(&client->out, 11, text.data, text.len);
	buf_free(&text);
	free(first);
}

static void add_garbage(struct buf *out)
{
	for (unsigned i = 0; i < 64; i++)
		buf_add_char(out, (char)(i * 37 + 11));
}

/* The first message has come, of this code. */
static void start_up(struct client *client, uint32_t code)
{
	if (client->met == DOOR_CLOSES || client->met == DOOR_RESETS) {
		end(client, client->met == DOOR_RESETS);
	} else if (client->met == DOOR_GARBAGE) {
		add_garbage(&client->out);
		client->phase = PHASE_ENDS;
	} else if (code == CODE_SSL && client->met == DOOR_TLS) {
		buf_add_char(&client->out, 'S');
	} else if (code == CODE_SSL || code == CODE_GSS) {
		buf_add_char(&client->out, 'N');
	} else if (code == CODE_PROTOCOL && client->met == DOOR_FATAL) {
		message_add_error(&client->out, "FATAL", client->server->fatal, "a stand-in lets nobody in");
		client->phase = PHASE_ENDS;
	} else if (code == CODE_PROTOCOL) {
		ask_for_password(client);
	} else {
		end(client, false);
	}
}

/* ---- what comes ---- */

static void take_message(struct client *client, char type, const char *body, size_t len)
{
	switch (client->phase) {
	case PHASE_STARTUP:
		start_up(client, int_at(body, len, 0, 4));
		break;
	case PHASE_SCRAM_FIRST:
		ask_for_proof(client, body, len);
		break;
	case PHASE_PASSWORD:
		let_in(client);
		break;
	case PHASE_READY:
		if (!dialogue_take(&client->dialogue, client->server, &client->out, type, body, len))
			end(client, false);
		break;
	case PHASE_ENDS:
		break;
	}
}

/* Takes the first whole message behind `at`, and moves that; false: there is none, or all has ended. */
static bool take_next(struct client *client, size_t *at)
{
	size_t head = client->phase == PHASE_STARTUP ? 0 : 1; /* its type */
	const char *message = client->in.data + *at;
	size_t there = client->in.len - *at;
	uint32_t size = int_at(message, there, head, 4);

	if (there < head + 4)
		return false;
	if (size < 4 || size > MESSAGE_MOST) {
		end(client, false);
		return false;
	}
	if (there < head + size)
		return false;
	*at += head + size;
	take_message(client, message[0], message + head + 4, size - 4);
	return client->server != NULL;
}

void client_go_on(struct client *client)
{
	size_t at = 0;

	if (client->server->door == DOOR_SILENT)
		return;
	if (client->met == DOOR_SILENT)
		client->met = client->server->door;
	while (take_next(client, &at))
		;
	buf_drop(&client->in, at);
	if (client->server != NULL && !uv_is_active((uv_handle_t *)&client->drip))
		say(client);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	static char bytes[65536];

	(void)handle;
	(void)wanted;
	*buf = uv_buf_init(bytes, sizeof(bytes));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *client = stream->data;

	if (n < 0) {
		end(client, false);
		return;
	}
	wakeful_note(client->server->loop);
	span_come(client->server->span);
	client->server->counts.reads++;
	client->server->counts.bytes_in += (unsigned long)n;
	buf_add(&client->in, buf->base, (size_t)n);
	client_go_on(client);
	if (client->server != NULL)
		span_answered(client->server->span);
}

void client_accept(struct server *server)
{
	struct client *client = mem_zalloc(1, sizeof(*client));

	uv_tcp_init(server->loop, &client->tcp);
	uv_timer_init(server->loop, &client->drip);
	client->tcp.data = client;
	client->drip.data = client;
	client->open = 2;
	client->server = server;
	client->met = server->door;
	server->counts.connections++;
	list_add(&server->clients, client);
	if (uv_accept((uv_stream_t *)server->listener, (uv_stream_t *)&client->tcp) != 0)
		end(client, false);
	else
		(void)uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read);
}
