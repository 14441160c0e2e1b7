#include "system/peer.h"

#include <poll.h>
#include <sys/socket.h>

struct peer peer_of(int fd)
{
	struct ucred ucred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(ucred);

	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &len);
	return (struct peer){ .pid = ucred.pid, .uid = ucred.uid };
}

bool peer_has_hung_up(int fd)
{
	struct pollfd end = { .fd = fd };

	return poll(&end, 1, 0) > 0 && (end.revents & POLLHUP) != 0;
}
