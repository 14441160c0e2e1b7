#include "command/ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "command/receive.h"
#include "loop/clock.h"
#include "system/peer.h"

#define ANSWER_MAX ((size_t)256 << 20)

int ask_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = ASK_MS / 1000 };
	int fd;

	errno = ENOENT;
	if (path == NULL || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* connect() waits while a daemon that hangs has a full backlog */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static bool is_whole(const struct buf *answer)
{
	return answer->len > 0 && answer->data[answer->len - 1] == '\n';
}

static void read_answer(int fd, int64_t ms, struct buf *answer)
{
	int64_t end_ms = clock_steady_ms() + ms;

	while (!is_whole(answer) && answer->len < ANSWER_MAX && receive_more(fd, end_ms, answer))
		;
}

enum ask_outcome ask_whom(const char *path, const char *request, int64_t ms, struct buf *answer, struct peer *peer)
{
	size_t len = strlen(request);
	int fd = ask_connect(path);

	if (fd < 0)
		return errno == ENOENT || errno == ECONNREFUSED ? ASK_NOBODY
		       : errno == EAGAIN			? ASK_SILENT
								: ASK_REFUSED;
	if (peer != NULL)
		*peer = peer_of(fd);
	if (send(fd, request, len, MSG_NOSIGNAL) == (ssize_t)len)
		read_answer(fd, ms, answer);
	close(fd);
	return is_whole(answer) ? ASK_ANSWERED : ASK_SILENT;
}

enum ask_outcome ask(const char *path, const char *request, int64_t ms, struct buf *answer)
{
	return ask_whom(path, request, ms, answer, NULL);
}
