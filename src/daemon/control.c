#include "daemon/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/response.h"
#include "loop/timer.h"
#include "system/peer.h"
#include "system/socket_file.h"

/*
 * The control looks SILENCE_LOOKS times within silence_ms at what the clients have read. It counts looks, not time,
 * so that no client is closed because the loop stood still.
 */
#define SILENCE_LOOKS 10
#define LIVELY_LOOKS 3   /* a client that did something since the last so many looks is not closed for another one */
#define KNOCK_MS 50      /* how often a client that waits for room is looked at again */
#define BACKLOG 512      /* connections that wait in the kernel meanwhile */

enum client_state {
	CLIENT_LISTENS, /* no request is under way */
	CLIENT_WAITS,   /* a request is under way, and its answer is not there yet */
	CLIENT_IS_SENT, /* its answer is on its way */
};

struct client {
	uv_pipe_t pipe;
	unsigned long id;
	uid_t uid; /* the user that it belongs to; (uid_t)-1: the kernel does not know */
	struct control *control; /* NULL: closing */
	enum client_state state;
	uint64_t since_ms;   /* when its state changed last, or it was last seen to read */
	unsigned since_look; /* how many looks there had been at `since_ms` */
	bool ended;        /* it sends no more, and may still read */
	struct buf input;
	struct shared_text *answer;
	uv_write_t write;
	size_t queued; /* bytes of the answer that were not yet written at the last look */
	int unread;    /* bytes of the answer that the kernel held at the last look */
	char bytes[4096];
};

struct control {
	uv_loop_t *loop;
	uv_pipe_t *listener;
	struct socket_file file;
	struct list clients; /* in the order in which they came */
	unsigned long last_id;
	bool knocks; /* a client waits to be accepted */
	struct timer *knock_timer;
	struct timer *look_timer;
	unsigned looks;
	int64_t silence_ms;
	control_answerer *answer;
	void (*gone)(void *data, unsigned long client); /* NULL: nobody is told */
	void *data;
};

static void admit(struct control *control);
static void take_line(struct client *client);

static void on_client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;

	buf_free(&client->input);
	free(client);
}

static void drop_client(struct client *client)
{
	struct control *control = client->control;

	list_remove(&control->clients, client);
	client->control = NULL;
	if (control->gone != NULL)
		control->gone(control->data, client->id);
	uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void close_client(struct client *client)
{
	struct control *control = client->control;

	if (control == NULL)
		return;
	drop_client(client);
	admit(control);
}

static void note_sign(struct client *client)
{
	client->since_ms = uv_now(client->control->loop);
	client->since_look = client->control->looks;
}

static void set_state(struct client *client, enum client_state state)
{
	client->state = state;
	note_sign(client);
}

static int fd_of(const struct client *client)
{
	uv_os_fd_t fd = -1;

	(void)uv_fileno((const uv_handle_t *)&client->pipe, &fd);
	return fd;
}

/* Returns how many bytes wait in the client's socket for us (FIONREAD), or for the client (SIOCOUTQ). */
static int socket_bytes(const struct client *client, unsigned long which)
{
	int count = 0;

	return ioctl(fd_of(client), which, &count) == 0 ? count : 0;
}

/* Notes whether the client has read something since we looked last. */
static void look_at(struct client *client)
{
	size_t queued = client->pipe.write_queue_size;
	int unread = socket_bytes(client, SIOCOUTQ);

	if (queued < client->queued || unread < client->unread)
		note_sign(client);
	client->queued = queued;
	client->unread = unread;
}

static void on_look_time(void *data)
{
	struct control *control = data;

	control->looks++;
	for (size_t i = control->clients.count; i-- > 0;) {
		struct client *client = control->clients.items[i];

		if (client->state != CLIENT_IS_SENT)
			continue;
		look_at(client);
		if (control->looks - client->since_look > SILENCE_LOOKS)
			drop_client(client);
	}
	admit(control);
	if (control->clients.count > 0)
		timer_start(control->look_timer, control->silence_ms / SILENCE_LOOKS);
}

static void on_written(uv_write_t *request, int status)
{
	struct client *client = request->handle->data;

	shared_text_unref(&client->answer);
	if (client->control == NULL)
		return;
	set_state(client, CLIENT_LISTENS);
	if (status < 0)
		close_client(client);
	else
		take_line(client);
}

/* Sends the answer; takes over the reference. */
static void send_answer(struct client *client, struct shared_text *answer)
{
	static char end[] = "\n";
	uv_buf_t parts[] = { uv_buf_init(answer->data, (unsigned)answer->len),
			     uv_buf_init(end, 1) };

	client->answer = answer;
	set_state(client, CLIENT_IS_SENT);
	if (uv_write(&client->write, (uv_stream_t *)&client->pipe, parts, 2, on_written) != 0) {
		shared_text_unref(&client->answer);
		close_client(client);
		return;
	}
	look_at(client);
}

/* False: the answer comes later. */
static bool answer_line(const struct client *client, const char *line, size_t len,
			struct shared_text **answer)
{
	const struct control *control = client->control;
	struct request request;
	bool now;

	if (!request_parse(line, len, &request)) {
		*answer = response_error("not understood: a request is one line such as"
				 " {\"request\": \"status\"}");
		return true;
	}
	request.uid = client->uid;
	now = control->answer(control->data, client->id, &request, answer);
	request_free(&request);
	return now;
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct client *client = handle->data;

	(void)wanted;
	*buf = uv_buf_init(client->bytes, sizeof(client->bytes));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *client = stream->data;

	if (client->control == NULL)
		return;
	if (n < 0 && n != UV_EOF) {
		close_client(client);
		return;
	}
	if (n == UV_EOF && peer_has_hung_up(fd_of(client))) {
		close_client(client);
		return;
	}
	client->ended = n == UV_EOF;
	if (n > 0)
		buf_add(&client->input, buf->base, (size_t)n);
	if (client->state == CLIENT_LISTENS)
		take_line(client);
	else if (client->input.len > CONTROL_LINE_BYTES)
		(void)uv_read_stop(stream); /* take_line() reads on when the answer has gone out */
}

/* Answers the next request of a client that listens, or reads more of it. */
static void take_line(struct client *client)
{
	const char *line = buf_text(&client->input);
	const char *end = memchr(line, '\n', client->input.len);
	struct shared_text *answer;
	bool now;
	int error;

	if (end == NULL && (client->ended || client->input.len > CONTROL_LINE_BYTES)) {
		close_client(client);
		return;
	}
	if (end == NULL) {
		error = uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read);
		if (error != 0 && error != UV_EALREADY)
			close_client(client);
		return;
	}
	set_state(client, CLIENT_WAITS);
	now = answer_line(client, line, (size_t)(end - line), &answer);
	buf_drop(&client->input, (size_t)(end - line) + 1);
	if (now)
		send_answer(client, answer);
}

/* The client of that id, if it waits for an answer; else NULL. */
static struct client *find_waiting(const struct control *control, unsigned long id)
{
	for (size_t i = 0; i < control->clients.count; i++) {
		struct client *client = control->clients.items[i];

		if (client->id == id)
			return client->state == CLIENT_WAITS ? client : NULL;
	}
	return NULL;
}

bool control_waits(const struct control *control, unsigned long id)
{
	return find_waiting(control, id) != NULL;
}

void control_answer(struct control *control, unsigned long id, struct shared_text *text)
{
	struct client *client = find_waiting(control, id);

	if (client != NULL)
		send_answer(client, shared_text_ref(text));
}

/*
 * Finds the client to be closed for another one: the one that did nothing for longest, of those that ask nothing
 * where there are such, else of all. NULL: each of them did something lately.
 */
static struct client *find_stale(const struct control *control)
{
	struct client *stale = NULL;
	bool stale_asks = true;

	for (size_t i = 0; i < control->clients.count; i++) {
		struct client *client = control->clients.items[i];
		bool asks = client->state != CLIENT_LISTENS || socket_bytes(client, FIONREAD) > 0;

		if (client->state == CLIENT_IS_SENT)
			look_at(client);
		if (control->looks - client->since_look < LIVELY_LOOKS || (asks && !stale_asks))
			continue;
		if (stale == NULL || asks != stale_asks || client->since_ms < stale->since_ms) {
			stale = client;
			stale_asks = asks;
		}
	}
	return stale;
}

static void add_client(struct control *control)
{
	struct client *client = mem_zalloc(1, sizeof(*client));

	uv_pipe_init(control->loop, &client->pipe, 0);
	client->pipe.data = client;
	client->control = control;
	client->id = ++control->last_id;
	set_state(client, CLIENT_LISTENS);
	list_add(&control->clients, client);
	if (!timer_is_set(control->look_timer))
		timer_start(control->look_timer, control->silence_ms / SILENCE_LOOKS);
	if (uv_accept((uv_stream_t *)control->listener, (uv_stream_t *)&client->pipe) != 0) {
		drop_client(client);
		return;
	}
	client->uid = peer_of(fd_of(client)).uid;
	take_line(client);
}

/*
 * Accepts the client that waits, if there is room. While there is none libuv takes no other connection from the
 * kernel.
 */
static void admit(struct control *control)
{
	struct client *stale;

	if (!control->knocks)
		return;
	if (control->clients.count >= CONTROL_CLIENTS) {
		stale = find_stale(control);
		if (stale == NULL) {
			timer_start(control->knock_timer, KNOCK_MS);
			return;
		}
		drop_client(stale);
	}
	control->knocks = false;
	timer_stop(control->knock_timer);
	add_client(control);
}

static void on_knock_time(void *data)
{
	admit(data);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *control = listener->data;

	if (status < 0 || control == NULL)
		return;
	control->knocks = true;
	admit(control);
}

static void on_listener_closed(uv_handle_t *handle)
{
	free(handle);
}

static int listen_at(struct control *control, const char *path)
{
	int fd;
	int error = socket_file_make(&control->file, path, &fd);

	if (error != 0)
		return error;
	error = uv_pipe_open(control->listener, fd);
	if (error != 0) {
		close(fd);
		return error;
	}
	return uv_listen((uv_stream_t *)control->listener, BACKLOG, on_connection);
}

struct control *control_new(uv_loop_t *loop, const char *path, int64_t silence_ms,
			    control_answerer *answer, void *data, int *error)
{
	struct control *control = mem_zalloc(1, sizeof(*control));

	control->loop = loop;
	control->silence_ms = silence_ms;
	control->answer = answer;
	control->data = data;
	control->knock_timer = timer_new(loop, on_knock_time, control);
	control->look_timer = timer_new(loop, on_look_time, control);
	control->listener = mem_zalloc(1, sizeof(*control->listener));
	uv_pipe_init(loop, control->listener, 0);
	control->listener->data = control;
	*error = listen_at(control, path);
	if (*error != 0)
		control_free(&control);
	return control;
}

void control_tell_gone(struct control *control, void (*gone)(void *data, unsigned long client))
{
	control->gone = gone;
}

void control_free(struct control **control_p)
{
	struct control *control = *control_p;

	*control_p = NULL;
	if (control == NULL)
		return;
	while (control->clients.count > 0)
		drop_client(control->clients.items[0]);
	list_free(&control->clients);
	timer_free(&control->knock_timer);
	timer_free(&control->look_timer);
	socket_file_remove(&control->file);
	control->listener->data = NULL;
	uv_close((uv_handle_t *)control->listener, on_listener_closed);
	free(control);
}
