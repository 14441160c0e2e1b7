#include "command/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "command/ask.h"

bool channel_open(struct channel *channel, const char *path)
{
	*channel = (struct channel){ .fd = ask_connect(path) };
	if (channel->fd >= 0) {
		channel->path = mem_strdup(path);
		return true;
	}
	if (errno == ENOENT || errno == ECONNREFUSED)
		(void)fprintf(stderr, "plusmoin: no daemon answers at %s\n", path);
	else
		(void)fprintf(stderr, "plusmoin: %s: %s\n", path, strerror(errno));
	return false;
}

void channel_close(struct channel *channel)
{
	if (channel->fd >= 0)
		close(channel->fd);
	free(channel->path);
	*channel = (struct channel){ .fd = -1 };
}

static bool lose(struct channel *channel)
{
	(void)fprintf(stderr, "plusmoin: the daemon at %s has closed the connection\n", channel->path);
	channel_close(channel);
	return false;
}

static bool send_all(int fd, const struct buf *request)
{
	size_t sent = 0;

	while (sent < request->len) {
		ssize_t n = send(fd, request->data + sent, request->len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		sent += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* Reads what has come. False: no more will come. A signal that `open` does not block ends the waiting. */
static bool read_some(int fd, const sigset_t *open, struct buf *answer)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	if (ppoll(&ready, 1, NULL, open) < 0)
		return errno == EINTR;
	n = read(fd, bytes, sizeof(bytes));
	if (n > 0)
		buf_add(answer, bytes, (size_t)n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static bool read_answer(const struct channel *channel, const sigset_t *open, struct buf *answer,
			const struct channel_stop *stop)
{
	while (answer->len == 0 || answer->data[answer->len - 1] != '\n') {
		/* its signal is blocked outside of ppoll(), so that none is missed */
		if (stop != NULL && *stop->wanted != 0) {
			*stop->wanted = 0;
			stop->stop(stop->data);
		}
		if (!read_some(channel->fd, open, answer))
			return false;
	}
	return true;
}

bool channel_ask(struct channel *channel, const struct buf *request, struct buf *answer, const struct channel_stop *stop)
{
	sigset_t interrupt;
	sigset_t open;
	bool answered;

	buf_clear(answer);
	(void)sigemptyset(&interrupt);
	(void)sigaddset(&interrupt, SIGINT);
	(void)sigprocmask(stop != NULL ? SIG_BLOCK : SIG_UNBLOCK, &interrupt, &open);
	answered = send_all(channel->fd, request) && read_answer(channel, &open, answer, stop);
	(void)sigprocmask(SIG_SETMASK, &open, NULL);
	return answered || lose(channel);
}
