#include "window/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/agent_line.h"
#include "loop/timer.h"
#include "system/descriptors.h"

#define LOOK_MS 250   /* between two looks for late clients, and for free descriptors */
#define AT_ONCE 64    /* clients that are accepted before the loop goes on to other handles */

struct agent_client {
	TAILQ_ENTRY(agent_client) in_list;
	uv_poll_t poll;
	struct agent *agent;
	int fd;
	uint64_t since_ms;
	size_t len;
	char line[AGENT_LINE_BYTES + 1];
};

TAILQ_HEAD(agent_clients, agent_client);

/* A socket at which the agent listens. libuv closes its handle later than the agent asks for it. */
struct doorway {
	uv_poll_t poll;
	struct agent *agent;
};

struct agent {
	uv_loop_t *loop;
	agent_finder *find;
	void *data;
	struct doorway *doorway; /* NULL: it listens nowhere */
	int fd;
	bool rests; /* it accepts no client until the next look, because no descriptor is free */
	struct agent_clients clients; /* the first one has been connected for longest */
	size_t count;
	struct timer *look_timer;
};

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_client_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_client(struct agent_client *client)
{
	struct agent *agent = client->agent;

	TAILQ_REMOVE(&agent->clients, client, in_list);
	agent->count--;
	uv_close((uv_handle_t *)&client->poll, on_client_closed); /* libuv does not watch the socket any more */
	(void)close(client->fd);
}

/* ---- one client ---- */

static void answer(struct agent_client *client, struct buf *out)
{
	struct agent *agent = client->agent;
	struct agent_line asked;
	const struct node_view *node = NULL;
	const char *wrong = agent_line_parse(client->line, &asked);

	if (wrong != NULL)
		agent_line_refuse(wrong, out);
	else if (agent->find(agent->data, asked.name, &node))
		agent_line_answer(&asked, node, out);
}

/* Sends the line at once or not at all: the buffer of a new socket has room for it. */
static void send_line(const struct agent_client *client, const struct buf *line)
{
	if (line->len > 0 && send(client->fd, line->data, line->len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		(void)shutdown(client->fd, SHUT_WR);
}

static void refuse(const struct agent_client *client, const char *why)
{
	struct buf out = { 0 };

	agent_line_refuse(why, &out);
	send_line(client, &out);
	buf_free(&out);
}

/* Answers the line that ends at `end`, and closes the connection. */
static void take_line(struct agent_client *client, char *end)
{
	struct buf out = { 0 };

	*end = '\0';
	answer(client, &out);
	send_line(client, &out);
	buf_free(&out);
	close_client(client);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct agent_client *client = poll->data;
	ssize_t got = status < 0 ? 0 : recv(client->fd, client->line + client->len, AGENT_LINE_BYTES - client->len, 0);
	char *end;

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		close_client(client);
		return;
	}
	client->len += (size_t)got;
	end = memchr(client->line, '\n', client->len);
	if (end != NULL) {
		take_line(client, end);
	} else if (client->len == AGENT_LINE_BYTES) {
		refuse(client, "the line is too long");
		close_client(client);
	}
}

/* ---- who comes ---- */

static void on_look_time(void *data)
{
	struct agent *agent = data;
	struct agent_client *client;

	while ((client = TAILQ_FIRST(&agent->clients)) != NULL &&
	       uv_now(agent->loop) - client->since_ms >= AGENT_LINE_MS) {
		refuse(client, "nothing was asked: agent-send \"NODE primary\\n\" is missing");
		close_client(client);
	}
	if (agent->rests && agent->doorway != NULL)
		(void)uv_poll_start(&agent->doorway->poll, UV_READABLE, on_connection);
	agent->rests = false;
	if (agent->count > 0)
		timer_start(agent->look_timer, LOOK_MS);
}

static void look_later(struct agent *agent)
{
	if (!timer_is_set(agent->look_timer))
		timer_start(agent->look_timer, LOOK_MS);
}

/*
 * Ends the clients that have been there longest, until there is room for one more with this socket. While descriptors
 * are scarce, there is room for one client.
 */
static void make_room(struct agent *agent, int fd)
{
	size_t most = descriptors_is_last(fd) ? 1 : AGENT_CLIENTS;

	while (agent->count >= most)
		close_client(TAILQ_FIRST(&agent->clients));
}

/* Takes over the socket. */
static void add_client(struct agent *agent, int fd)
{
	struct agent_client *client = mem_zalloc(1, sizeof(*client));

	client->agent = agent;
	client->fd = fd;
	client->since_ms = uv_now(agent->loop);
	if (uv_poll_init(agent->loop, &client->poll, fd) != 0) {
		(void)close(fd);
		free(client);
		return;
	}
	client->poll.data = client;
	make_room(agent, fd);
	TAILQ_INSERT_TAIL(&agent->clients, client, in_list);
	agent->count++;
	if (uv_poll_start(&client->poll, UV_READABLE, on_readable) != 0)
		close_client(client);
	look_later(agent);
}

/* Accepts no client while no descriptor is free, because the waiting client would wake the loop again and again. */
static void rest(struct agent *agent)
{
	agent->rests = true;
	(void)uv_poll_stop(&agent->doorway->poll);
	look_later(agent);
}

static bool lacks_something(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct doorway *doorway = poll->data;
	struct agent *agent = doorway->agent;

	(void)events;
	if (status < 0) {
		rest(agent);
		return;
	}
	for (int i = 0; i < AT_ONCE; i++) {
		int fd = accept4(agent->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			add_client(agent, fd);
		else if (lacks_something(errno))
			rest(agent);
		if (fd < 0)
			return;
	}
}

static void on_doorway_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void agent_listen(struct agent *agent, int fd)
{
	if (fd == agent->fd)
		return;
	if (agent->doorway != NULL)
		uv_close((uv_handle_t *)&agent->doorway->poll, on_doorway_closed);
	agent->doorway = NULL;
	agent->rests = false;
	agent->fd = fd;
	if (fd < 0)
		return;
	agent->doorway = mem_zalloc(1, sizeof(*agent->doorway));
	agent->doorway->agent = agent;
	agent->doorway->poll.data = agent->doorway;
	if (uv_poll_init(agent->loop, &agent->doorway->poll, fd) != 0) {
		free(agent->doorway);
		agent->doorway = NULL;
		return;
	}
	if (uv_poll_start(&agent->doorway->poll, UV_READABLE, on_connection) != 0)
		rest(agent);
}

struct agent *agent_new(uv_loop_t *loop, agent_finder *find, void *data)
{
	struct agent *agent = mem_zalloc(1, sizeof(*agent));

	agent->loop = loop;
	agent->find = find;
	agent->data = data;
	agent->fd = -1;
	TAILQ_INIT(&agent->clients);
	agent->look_timer = timer_new(loop, on_look_time, agent);
	return agent;
}

void agent_free(struct agent **agent_p)
{
	struct agent *agent = *agent_p;

	*agent_p = NULL;
	if (agent == NULL)
		return;
	agent_listen(agent, -1);
	while (!TAILQ_EMPTY(&agent->clients))
		close_client(TAILQ_FIRST(&agent->clients));
	timer_free(&agent->look_timer);
	free(agent);
}
