#include "command/receive.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "loop/clock.h"

bool receive_more(int fd, int64_t end_ms, struct buf *in)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int64_t left = end_ms - clock_steady_ms();
	char bytes[4096];
	ssize_t n;

	if (left <= 0)
		return false;
	if (poll(&ready, 1, (int)left) <= 0)
		return true; /* interrupted, or the time is up: the next call says which */
	n = read(fd, bytes, sizeof(bytes));
	if (n > 0)
		buf_add(in, bytes, (size_t)n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}
