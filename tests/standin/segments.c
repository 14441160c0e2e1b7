#include "standin/segments.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

void segments_add(int fd, unsigned long *in, unsigned long *out)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return;
	*in += info.tcpi_data_segs_in;
	*out += info.tcpi_data_segs_out;
}
