#include "window/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"

#define BACKLOG 512
#define HOST_BYTES 64
#define NUMBER_MAX 65535

/* Returns the number behind the last colon; 0: there is none. */
static int number_of(const char *text)
{
	const char *colon = strrchr(text, ':');
	char *end;
	long number;

	if (text[0] == '/' || colon == NULL || colon[1] < '0' || colon[1] > '9')
		return 0;
	number = strtol(colon + 1, &end, 10);
	return *end == '\0' && number <= NUMBER_MAX ? (int)number : 0;
}

/* Parses "address:port" or "[address]:port". Returns 0 or UV_EINVAL. */
static int parse(const char *text, struct sockaddr_storage *address)
{
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[';
	char host[HOST_BYTES];
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;

	if (number_of(text) == 0 || len >= sizeof(host) || (brackets && (len < 2 || colon[-1] != ']')))
		return UV_EINVAL;
	memcpy(host, brackets ? text + 1 : text, brackets ? len - 2 : len);
	host[brackets ? len - 2 : len] = '\0';
	if (brackets)
		return uv_ip6_addr(host, number_of(text), (struct sockaddr_in6 *)address);
	return uv_ip4_addr(host, number_of(text), (struct sockaddr_in *)address);
}

static int set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)) == 0 ? 0 : -errno;
}

static int bind_and_listen(int fd, const struct sockaddr *address, socklen_t size)
{
	return bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0 ? 0 : -errno;
}

/*
 * Binds and listens beside a port of ours of the same number. The kernel allows that while both sockets have
 * SO_REUSEPORT, at bind() as at listen(). Both lose it afterwards, so that no other program of our user can share it.
 */
static int listen_beside(int fd, const struct sockaddr *address, socklen_t size, const struct port *former)
{
	int error = set(fd, SO_REUSEPORT, 1);

	if (error == 0)
		error = set(former->fd, SO_REUSEPORT, 1);
	if (error == 0)
		error = bind_and_listen(fd, address, size);
	(void)set(former->fd, SO_REUSEPORT, 0);
	(void)set(fd, SO_REUSEPORT, 0);
	return error;
}

static int listen_at(int fd, const struct sockaddr_storage *address, const struct port *former)
{
	bool is_v6 = address->ss_family == AF_INET6;
	socklen_t size = is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int one = 1;
	int error;

	(void)set(fd, SO_REUSEADDR, 1);
	if (is_v6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	error = bind_and_listen(fd, (const struct sockaddr *)address, size);
	if (error != UV_EADDRINUSE || former == NULL)
		return error;
	return listen_beside(fd, (const struct sockaddr *)address, size, former);
}

static int make_number(struct port *port, const struct port *former)
{
	struct sockaddr_storage address = { 0 };
	int error = parse(port->text, &address);

	if (error != 0)
		return error;
	port->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (port->fd < 0)
		return -errno;
	return listen_at(port->fd, &address, former);
}

struct port *port_new(const char *text, const struct port *former, int *error)
{
	struct port *port = mem_zalloc(1, sizeof(*port));

	atomic_init(&port->references, 1);
	port->text = mem_strdup(text);
	port->fd = -1;
	*error = text[0] == '/' ? socket_file_make(&port->file, text, &port->fd) : make_number(port, former);
	if (*error == 0 && text[0] == '/' && listen(port->fd, BACKLOG) != 0)
		*error = -errno;
	if (*error != 0)
		port_unref(&port);
	return port;
}

struct port *port_ref(struct port *port)
{
	atomic_fetch_add(&port->references, 1);
	return port;
}

void port_unref(struct port **port_p)
{
	struct port *port = *port_p;

	*port_p = NULL;
	if (port == NULL || atomic_fetch_sub(&port->references, 1) > 1)
		return;
	socket_file_remove(&port->file);
	if (port->fd >= 0)
		(void)close(port->fd);
	free(port->text);
	free(port);
}

bool port_has_number_of(const struct port *port, const char *text)
{
	return number_of(text) != 0 && number_of(port->text) == number_of(text);
}
