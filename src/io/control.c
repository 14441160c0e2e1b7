#include "io/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"

struct client {
	uv_pipe_t pipe;
	unsigned long id;
	bool waits; /* for the answer to a request; what it sends meanwhile comes after that */
	struct control *control; /* NULL: closing */
	struct buf input;
	char bytes[4096];
};

struct control {
	uv_loop_t *loop;
	uv_pipe_t *listener;
	char *path;
	struct stat made; /* the socket file as we made it */
	struct list clients;
	unsigned long last_id;
	control_answerer *answer;
	void *data;
};

static void on_client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;

	buf_free(&client->input);
	free(client);
}

static void close_client(struct client *client)
{
	if (client->control == NULL)
		return;
	list_remove(&client->control->clients, client);
	client->control = NULL;
	uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_written(uv_write_t *request, int status)
{
	struct client *client = request->handle->data;

	free(request->data);
	free(request);
	if (status < 0)
		close_client(client);
}

static void refuse(struct buf *out, const char *why)
{
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	jsonw_key(&json, "ok");
	jsonw_bool(&json, false);
	jsonw_key(&json, "error");
	jsonw_string(&json, why);
	jsonw_end_object(&json);
}

/* False: the answer comes later. */
static bool answer_line(struct client *client, const char *line, size_t len, struct buf *out)
{
	struct control *control = client->control;
	struct request request;
	bool now;

	if (!request_parse(line, len, &request)) {
		refuse(out, "not understood: a request is one line such as {\"request\": \"status\"}");
		return true;
	}
	now = control->answer(control->data, client->id, &request, out);
	request_free(&request);
	return now;
}

static void send_answer(struct client *client, struct buf *out)
{
	uv_write_t *request;
	uv_buf_t buf;

	buf_add_char(out, '\n');
	if (client->pipe.write_queue_size > CONTROL_CLIENT_BYTES) {
		buf_free(out);
		close_client(client);
		return;
	}
	request = mem_zalloc(1, sizeof(*request));
	buf = uv_buf_init(out->data, (unsigned)out->len);
	request->data = buf_steal(out);
	if (uv_write(request, (uv_stream_t *)&client->pipe, &buf, 1, on_written) != 0) {
		free(request->data);
		free(request);
		close_client(client);
	}
}

static void take_lines(struct client *client)
{
	char *end;

	while (client->control != NULL && !client->waits && client->input.len > 0 &&
	       (end = memchr(client->input.data, '\n', client->input.len)) != NULL) {
		struct buf out = { 0 };
		size_t len = (size_t)(end - client->input.data);

		client->waits = !answer_line(client, client->input.data, len, &out);
		buf_drop(&client->input, len + 1);
		if (client->waits)
			buf_free(&out);
		else
			send_answer(client, &out);
	}
	if (client->control != NULL && client->input.len > CONTROL_CLIENT_BYTES)
		close_client(client);
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
	if (n > 0) {
		buf_add(&client->input, buf->base, (size_t)n);
		take_lines(client);
	} else if (n < 0) {
		close_client(client);
	}
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *control = listener->data;
	struct client *client;

	if (status < 0 || control == NULL)
		return;
	client = mem_zalloc(1, sizeof(*client));
	uv_pipe_init(control->loop, &client->pipe, 0);
	client->pipe.data = client;
	client->control = control;
	client->id = ++control->last_id;
	list_add(&control->clients, client);
	if (uv_accept(listener, (uv_stream_t *)&client->pipe) != 0 ||
	    control->clients.count > CONTROL_CLIENTS ||
	    uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) != 0)
		close_client(client);
}

/* Removes a socket file that nobody listens on; EADDRINUSE when somebody does. */
static int clear_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	int error = 0;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return UV_ENAMETOOLONG;
	if (lstat(path, &st) != 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return UV_EEXIST;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN)
		error = UV_EADDRINUSE;
	else if (unlink(path) != 0)
		error = -errno;
	close(fd);
	return error;
}

/*
 * The socket of `path`, listening; 0 or a libuv error. Not uv_pipe_bind():
 * closing what that has made removes the path, whoever's it is by then.
 */
static int listen_at(struct control *control, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -errno;
	memcpy(address.sun_path, path, strlen(path) + 1);
	error = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
	if (error == 0) {
		control->path = mem_strdup(path);
		if (chmod(path, 0660) != 0 || lstat(path, &control->made) != 0)
			error = -errno;
	}
	if (error == 0)
		error = uv_pipe_open(control->listener, fd);
	if (error != 0) {
		close(fd);
		return error;
	}
	return uv_listen((uv_stream_t *)control->listener, CONTROL_CLIENTS, on_connection);
}

static void on_listener_closed(uv_handle_t *handle)
{
	free(handle);
}

void control_answer(struct control *control, unsigned long id, const char *text)
{
	for (size_t i = 0; i < control->clients.count; i++) {
		struct client *client = control->clients.items[i];
		struct buf out = { 0 };

		if (client->id != id || !client->waits)
			continue;
		client->waits = false;
		buf_add_str(&out, text);
		send_answer(client, &out);
		take_lines(client);
		return;
	}
}

struct control *control_new(uv_loop_t *loop, const char *path, control_answerer *answer,
			    void *data, int *error)
{
	struct control *control = mem_zalloc(1, sizeof(*control));

	control->loop = loop;
	control->answer = answer;
	control->data = data;
	control->listener = mem_zalloc(1, sizeof(*control->listener));
	uv_pipe_init(loop, control->listener, 0);
	control->listener->data = control;
	*error = clear_path(path);
	if (*error == 0)
		*error = listen_at(control, path);
	if (*error != 0)
		control_free(&control);
	return control;
}

void control_free(struct control **control_p)
{
	struct control *control = *control_p;
	struct stat now;

	*control_p = NULL;
	if (control == NULL)
		return;
	while (control->clients.count > 0)
		close_client(control->clients.items[0]);
	list_free(&control->clients);
	if (control->path != NULL && lstat(control->path, &now) == 0 &&
	    now.st_ino == control->made.st_ino && now.st_dev == control->made.st_dev)
		(void)unlink(control->path); /* another daemon's stays */
	control->listener->data = NULL;
	uv_close((uv_handle_t *)control->listener, on_listener_closed);
	free(control->path);
	free(control);
}
