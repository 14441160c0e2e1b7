/*
 * Many clients of the window at once, for the tests: crowd PLACE MODE ARG... PLACE is "ADDRESS:PORT" (IPv4) or the path
 * of a socket. Each mode ends with one line of "name=number" words on stdout.
 *
 * slow COUNT SECONDS [TEXT]: each sends TEXT (a request's beginning) and then a byte a second, until it is cut: "cut",
 *   of those "refused" (within 100 ms), and "longest_ms" of those that were cut; "left": who was not.
 * deaf COUNT PATH: each asks for PATH, 64 times at once, and never reads; says "open" in a line of its own, and lives
 *   until stdin ends.
 * streams COUNT PATH: each asks for PATH and reads what comes; says "open" when all have a status of 200, and "ended"
 *   in place of that when one got another or was closed; lives until stdin ends: "closed" of them, "bytes" in all.
 * gets MS PATH: one asks again and again on connections that it keeps for ten requests, until stdin ends, MS apart:
 *   "good" (200), "other" statuses, "failed" (no answer within 5 s), "worst_ms".
 * mutate COUNT SEED: requests of all kinds, broken in all ways; each answer must begin as an answer does: "sent",
 *   "answered", "closed" (without one), "silent" (for 50 ms), "wrong".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char *place;

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* -1: refused. `small`: with a receive buffer as small as can be. */
static int connect_to(int small)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *colon = strrchr(place, ':');
	char address[64];
	int is_path = place[0] == '/', size = 1, fd;

	fd = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (small)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (is_path) {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", place);
	} else {
		snprintf(address, sizeof(address), "%.*s", (int)(colon - place), place);
		in.sin_port = htons((unsigned short)atoi(colon + 1));
		inet_pton(AF_INET, address, &in.sin_addr);
	}
	if (connect(fd, is_path ? (void *)&un : (void *)&in, is_path ? sizeof(un) : sizeof(in)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int ask(int fd, const char *path)
{
	char text[4096];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, place[0] == '/' ? "localhost" : place);
	return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static int stdin_ended(int ms)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	char byte;

	return poll(&in, 1, ms) > 0 && read(0, &byte, 1) <= 0;
}

static void slow(int count, int seconds, const char *text)
{
	struct pollfd *fds = calloc((size_t)count, sizeof(*fds));
	long long *since = calloc((size_t)count, sizeof(*since));
	long long next = now_ms() + 1000, until = now_ms() + seconds * 1000LL, longest = 0;
	int left = 0, cut = 0, refused = 0;

	for (int i = 0; i < count; i++) {
		fds[i] = (struct pollfd){ .fd = connect_to(0), .events = POLLIN };
		since[i] = now_ms();
		if (fds[i].fd >= 0)
			(void)send(fds[i].fd, text, strlen(text), MSG_NOSIGNAL);
		left += fds[i].fd >= 0;
		cut += fds[i].fd < 0;
		refused += fds[i].fd < 0;
	}
	while (left > 0 && now_ms() < until) {
		(void)poll(fds, (nfds_t)count, 20);
		for (int i = 0; i < count; i++) {
			char bytes[1024];

			if (fds[i].fd < 0 || !fds[i].revents || recv(fds[i].fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
				continue;
			if (now_ms() - since[i] > longest)
				longest = now_ms() - since[i];
			refused += now_ms() - since[i] < 100;
			close(fds[i].fd);
			fds[i].fd = -1;
			cut++;
			left--;
		}
		if (now_ms() < next)
			continue;
		next += 1000;
		for (int i = 0; i < count; i++) {
			if (fds[i].fd >= 0)
				(void)send(fds[i].fd, "x", 1, MSG_NOSIGNAL);
		}
	}
	printf("cut=%d refused=%d left=%d longest_ms=%lld\n", cut, refused, left, longest);
}

static void deaf(int count, const char *path)
{
	for (int i = 0; i < count; i++) {
		int fd = connect_to(1);

		for (int k = 0; fd >= 0 && k < 64; k++) /* one answer would have room in the kernel's buffers */
			(void)ask(fd, path);
	}
	printf("open\n");
	fflush(stdout);
	while (!stdin_ended(1000))
		;
	printf("asked=%d\n", count);
}

static void streams(int count, const char *path)
{
	struct pollfd *fds = calloc((size_t)count + 1, sizeof(*fds));
	char *has_head = calloc((size_t)count, 1), bytes[65536];
	int open = 0, closed = 0, other = 0, said = 0;
	long long total = 0;

	for (int i = 0; i < count; i++) {
		fds[i] = (struct pollfd){ .fd = connect_to(0), .events = POLLIN };
		if (fds[i].fd < 0 || !ask(fds[i].fd, path))
			closed++;
	}
	fds[count] = (struct pollfd){ .fd = 0, .events = POLLIN };
	while (poll(fds, (nfds_t)count + 1, -1) >= 0) {
		if (fds[count].revents && read(0, bytes, 1) <= 0)
			break;
		for (int i = 0; i < count; i++) {
			ssize_t got;

			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			got = recv(fds[i].fd, bytes, sizeof(bytes), MSG_DONTWAIT);
			if (got > 0) {
				total += got;
				if (!has_head[i])
					*(strncmp(bytes, "HTTP/1.1 200", 12) == 0 ? &open : &other) += 1;
				has_head[i] = 1;
			} else if (got == 0 || errno != EAGAIN) {
				close(fds[i].fd);
				fds[i].fd = -1;
				closed++;
			}
		}
		if (!said && (open == count || closed + other > 0)) {
			printf("%s\n", open == count ? "open" : "ended");
			fflush(stdout);
			said = 1;
		}
	}
	printf("closed=%d bytes=%lld\n", closed, total);
}

/* The status of the answer, which is read whole; 0: none. */
static int read_answer(int fd, long long until)
{
	static char text[1 << 20];
	size_t len = 0;

	for (;;) {
		struct pollfd in = { .fd = fd, .events = POLLIN };
		long long left = until - now_ms();
		char *body, *length;
		ssize_t got;

		if (left <= 0 || poll(&in, 1, (int)left) <= 0)
			return 0;
		got = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		if (got <= 0)
			return 0;
		len += (size_t)got;
		text[len] = '\0';
		body = strstr(text, "\r\n\r\n");
		length = strcasestr(text, "\r\nContent-Length:");
		if (body && length && length < body && len - (size_t)(body + 4 - text) >= strtoul(length + 17, NULL, 10))
			return atoi(text + strlen("HTTP/1.1 "));
	}
}

static void gets_until_end(int ms, const char *path)
{
	long long good = 0, other = 0, failed = 0, worst = 0;
	int fd = -1;

	for (int i = 0; !stdin_ended(ms); i++) {
		long long began = now_ms();
		int status;

		if (i % 10 == 0 && fd >= 0) {
			close(fd);
			fd = -1;
		}
		if (fd < 0)
			fd = connect_to(0);
		status = fd >= 0 && ask(fd, path) ? read_answer(fd, began + 5000) : 0;
		good += status == 200;
		other += status != 200 && status != 0;
		failed += status == 0;
		if (now_ms() - began > worst)
			worst = now_ms() - began;
		if (status == 0 && fd >= 0) {
			close(fd);
			fd = -1;
		}
	}
	printf("good=%lld other=%lld failed=%lld worst_ms=%lld\n", good, other, failed, worst);
}

/* ---- broken requests ---- */

static const char *const seeds[] = {
	"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /status.json HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"0\"\r\n\r\n",
	"HEAD /nodes/n1/primary HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
	"OPTIONS /nodes/n1/replica?lag=10 HTTP/1.0\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /nodes/n1/explain HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /nodes/n1/replica?lag=1.5&lag=x&=&%00=%ff HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n",
	"GET /clusters/0/primary HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n",
	"GET /clusters/999999999999999999999 HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nAuthorization: Bearer abc\r\n\r\n",
	"GET /events?since=1 HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 1-1\r\n\r\n",
	"GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 99999999999999999999999\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
	"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
	"PUT /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
	"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /%2e%2e/%2e%2e/etc/passwd%00.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET http://localhost/ HTTP/1.1\r\nHost: [::1]:80\r\nCookie: a=b; c\r\nRange: bytes=0-1\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
};

#define SEEDS (sizeof(seeds) / sizeof(seeds[0]))
#define MOST 70000
#define AT_ONCE 32

static unsigned long long state;

static unsigned below(unsigned n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(state >> 33) % n;
}

static size_t insert(char *text, size_t len, size_t at, const char *what, size_t size)
{
	if (len + size > MOST)
		return len;
	memmove(text + at + size, text + at, len - at);
	memcpy(text + at, what, size);
	return len + size;
}

/* One change; the new length. */
static size_t change(char *text, size_t len)
{
	static const char *const words[] = { "\r\n", "\n", "\r", ":", " ", "\t", "%00", "%", "%zz", "/..", "//", "?", "&", "=",
		"\r\nHost: evil\r\n", "\r\nContent-Length: 0\r\n", "\r\nContent-Length: -1\r\n", "\r\nTransfer-Encoding: x\r\n",
		"\r\nExpect: 100-continue\r\n", "\r\nConnection: upgrade\r\n", "\r\n X: folded", "18446744073709551616", "\xff\xfe",
		"\r\nAuthorization: Bearer\r\n", "\r\nAuthorization: Basic Og==\r\n", "HTTP/1.1", "HTTP/9.9", "\r\n\r\n", ";q=0" };
	size_t at = below((unsigned)len + 1), size;
	const char *word;
	char run[4096];

	switch (below(8)) {
	case 0:
		if (at < len)
			text[at] = (char)below(256);
		return len;
	case 1: /* a piece goes */
		size = below(16) + 1;
		size = at + size > len ? len - at : size;
		memmove(text + at, text + at + size, len - at - size);
		return len - size;
	case 2: /* a piece comes twice */
		size = below(64) + 1;
		size = at + size > len ? len - at : size;
		size = size > sizeof(run) ? sizeof(run) : size;
		memcpy(run, text + at, size);
		return insert(text, len, at, run, size);
	case 3: /* a long run of one byte */
		size = below(sizeof(run)) + 1;
		memset(run, (int)below(256), size);
		for (unsigned i = 0; i <= below(16); i++)
			len = insert(text, len, at, run, size);
		return len;
	case 4: /* it ends early */
		return at;
	case 5: /* another request's beginning */
		word = seeds[below(SEEDS)];
		return insert(text, len, 0, word, below((unsigned)strlen(word) + 1));
	default:
		word = words[below(sizeof(words) / sizeof(words[0]))];
		return insert(text, len, at, word, strlen(word));
	}
}

/* 'a': answered, 'c': closed without an answer, 's': silent, 'w': something else than an answer came. */
static char hear(int fd, int ms)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	char bytes[4096];
	ssize_t got;

	if (poll(&in, 1, ms) <= 0)
		return 's';
	got = recv(fd, bytes, sizeof(bytes), 0);
	if (got <= 0)
		return 'c';
	return got >= 9 && strncmp(bytes, "HTTP/1.", 7) == 0 ? 'a' : 'w';
}

static int say_broken(void)
{
	static char text[MOST + 1];
	const char *from = seeds[below(SEEDS)];
	size_t len = strlen(from), sent;
	int fd = connect_to(0);

	if (fd < 0)
		return -1;
	memcpy(text, from, len);
	for (unsigned n = below(4) + 1; n > 0; n--)
		len = change(text, len);
	sent = below(4) == 0 ? below((unsigned)len + 1) : len; /* in two pieces */
	(void)send(fd, text, sent, MSG_NOSIGNAL);
	(void)send(fd, text + sent, len - sent, MSG_NOSIGNAL);
	if (below(4) == 0)
		(void)shutdown(fd, SHUT_WR);
	return fd;
}

static void mutate(int count, unsigned long long seed)
{
	int counts[256] = { 0 }, fds[AT_ONCE];

	state = seed;
	for (int i = 0; i < count; i += AT_ONCE) {
		int n = count - i < AT_ONCE ? count - i : AT_ONCE;
		long long until;

		for (int k = 0; k < n; k++)
			fds[k] = say_broken();
		until = now_ms() + 50;
		for (int k = 0; k < n; k++) {
			long long left = below(10) == 0 ? 0 : until - now_ms();

			if (fds[k] < 0)
				continue;
			counts[(unsigned char)hear(fds[k], left > 0 ? (int)left : 0)]++;
			counts[0]++;
			close(fds[k]);
		}
	}
	printf("sent=%d answered=%d closed=%d silent=%d wrong=%d\n", counts[0], counts['a'], counts['c'], counts['s'],
	       counts['w']);
}

int main(int argc, char **argv)
{
	struct rlimit files;
	const char *mode = argc > 4 ? argv[2] : "";
	int count = argc > 4 ? atoi(argv[3]) : 0;

	place = argv[1];
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (!strcmp(mode, "slow"))
		slow(count, atoi(argv[4]), argc > 5 ? argv[5] : "GET / HTTP/1.1\r\nX: ");
	else if (!strcmp(mode, "deaf"))
		deaf(count, argv[4]);
	else if (!strcmp(mode, "streams"))
		streams(count, argv[4]);
	else if (!strcmp(mode, "gets"))
		gets_until_end(count, argv[4]);
	else if (!strcmp(mode, "mutate"))
		mutate(count, strtoull(argv[4], NULL, 10));
	else
		return 2;
	return 0;
}
