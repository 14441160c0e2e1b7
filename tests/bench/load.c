/*
 * Asks an HTTP server for one path over kept connections and says how long that took:
 *
 *	load ADDRESS PORT PATH CONNECTIONS SECONDS RATE
 *
 * RATE > 0: so many requests a second, each at its own time, whether or not earlier ones were answered (open loop);
 * latency counts from that time, so that what a slow server makes others wait is not left out. RATE 0: each connection
 * asks again at once (closed loop). Prints name=value pairs; `late_us` is how late the client itself was at the median.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 1024
#define HEAD_BYTES 4096
#define READ_BYTES (256 * 1024)
#define BILLION INT64_C(1000000000)
#define GRACE_NS BILLION /* for what is under way at the end */

struct connection {
	int fd; /* -1: none */
	int64_t due_ns; /* of the request under way; 0: it is idle */
	size_t head_len;
	int64_t body_left; /* -1: the head is not whole yet */
	char head[HEAD_BYTES];
};

static struct {
	struct sockaddr_in address;
	char request[1024];
	size_t request_len;
	struct connection connections[MOST_CONNECTIONS];
	int count;
	int idle[MOST_CONNECTIONS]; /* a ring: who has been idle for longest is next */
	int idle_first;
	int idle_count;
	int poll;
	int timer;
	int64_t begin_ns, end_ns, gap_ns; /* gap 0: closed loop */
	int64_t due;   /* requests whose time has come */
	int64_t asked; /* requests sent */
	int64_t wrong, errors, bytes;
	uint32_t *latency_us;
	uint32_t *late_us;
	size_t answered, room;
} load;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * BILLION + now.tv_nsec;
}

static void add_idle(const struct connection *one)
{
	load.idle[(load.idle_first + load.idle_count++) % MOST_CONNECTIONS] = (int)(one - load.connections);
}

static struct connection *take_idle(void)
{
	struct connection *one = &load.connections[load.idle[load.idle_first]];

	load.idle_first = (load.idle_first + 1) % MOST_CONNECTIONS;
	load.idle_count--;
	return one;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void connect_one(struct connection *one)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)(one - load.connections) };
	int yes = 1;

	if (one->fd >= 0)
		close(one->fd);
	one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (one->fd < 0 || connect(one->fd, (struct sockaddr *)&load.address, sizeof(load.address)) != 0)
		die("connect");
	setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (fcntl(one->fd, F_SETFL, O_NONBLOCK) != 0 || epoll_ctl(load.poll, EPOLL_CTL_ADD, one->fd, &event) != 0)
		die("epoll_ctl");
	one->due_ns = 0;
	add_idle(one);
}

static void fail(struct connection *one)
{
	load.errors++;
	connect_one(one);
}

static void ask(int64_t due_ns)
{
	struct connection *one = take_idle();

	one->due_ns = due_ns;
	one->head_len = 0;
	one->body_left = -1;
	load.asked++;
	if (send(one->fd, load.request, load.request_len, MSG_NOSIGNAL) != (ssize_t)load.request_len)
		fail(one);
}

/* Sends what is due, as far as there are idle connections. */
static void ask_due(void)
{
	int64_t now = now_ns();

	if (load.gap_ns == 0) {
		while (load.idle_count > 0 && now < load.end_ns)
			ask(now_ns());
		return;
	}
	load.due = (now < load.end_ns ? now - load.begin_ns : load.end_ns - load.begin_ns - 1) / load.gap_ns + 1;
	while (load.asked < load.due && load.idle_count > 0) {
		int64_t due_ns = load.begin_ns + load.asked * load.gap_ns;

		if ((size_t)load.asked < load.room)
			load.late_us[load.asked] = (uint32_t)((now - due_ns) / 1000);
		ask(due_ns);
	}
}

static void note(struct connection *one)
{
	if (load.answered == load.room)
		return;
	load.latency_us[load.answered++] = (uint32_t)((now_ns() - one->due_ns) / 1000);
	one->due_ns = 0;
	add_idle(one);
}

/* What of the text, which has just come, belongs to the head is added to it; how many bytes that are, -1: it is none. */
static ssize_t take_head(struct connection *one, const char *text, size_t len)
{
	size_t before = one->head_len;
	size_t taken = len < HEAD_BYTES - 1 - before ? len : HEAD_BYTES - 1 - before;
	char *end, *length;

	memcpy(one->head + before, text, taken);
	one->head_len += taken;
	one->head[one->head_len] = '\0';
	end = strstr(one->head, "\r\n\r\n");
	if (end == NULL)
		return one->head_len == HEAD_BYTES - 1 ? -1 : (ssize_t)taken;
	length = strcasestr(one->head, "\r\nContent-Length:");
	if (length == NULL)
		return -1;
	one->body_left = strtoll(length + 17, NULL, 10);
	load.wrong += strncmp(one->head, "HTTP/1.1 200", 12) != 0;
	return (ssize_t)((size_t)(end + 4 - one->head) - before);
}

/* It was closed while it was idle. */
static void forget_idle(const struct connection *gone)
{
	for (int i = load.idle_count; i > 0; i--) {
		const struct connection *one = take_idle();

		if (one != gone)
			add_idle(one);
	}
}

static void read_one(struct connection *one)
{
	static char text[READ_BYTES];
	ssize_t got = recv(one->fd, text, sizeof(text), 0);
	ssize_t head = 0;

	if (got < 0 && errno == EAGAIN)
		return;
	if (got > 0 && one->due_ns != 0 && one->body_left < 0)
		head = take_head(one, text, (size_t)got);
	if (got <= 0 || one->due_ns == 0 || head < 0) {
		if (one->due_ns == 0)
			forget_idle(one);
		fail(one);
		return;
	}
	load.bytes += got;
	if (one->body_left >= 0)
		one->body_left -= got - head;
	if (one->body_left == 0)
		note(one);
}

static void set_up(char **argv)
{
	int64_t rate = atoll(argv[6]);
	double seconds = atof(argv[5]);
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = MOST_CONNECTIONS };
	struct itimerspec each = { 0 };

	load.address.sin_family = AF_INET;
	load.address.sin_port = htons((uint16_t)atoi(argv[2]));
	load.count = atoi(argv[4]);
	if (inet_pton(AF_INET, argv[1], &load.address.sin_addr) != 1 || load.count < 1 || load.count > MOST_CONNECTIONS)
		die(argv[1]);
	load.request_len = (size_t)snprintf(load.request, sizeof(load.request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[3]);
	load.poll = epoll_create1(EPOLL_CLOEXEC);
	load.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (load.poll < 0 || load.timer < 0 || epoll_ctl(load.poll, EPOLL_CTL_ADD, load.timer, &event) != 0)
		die("epoll");
	load.room = rate > 0 ? (size_t)((double)rate * seconds) + 1 : (size_t)(seconds * 1000000);
	load.latency_us = calloc(load.room, sizeof(uint32_t));
	load.late_us = calloc(load.room, sizeof(uint32_t));
	for (int i = 0; i < load.count; i++) {
		load.connections[i].fd = -1;
		connect_one(&load.connections[i]);
	}
	load.gap_ns = rate > 0 ? BILLION / rate : 0;
	load.begin_ns = now_ns();
	load.end_ns = load.begin_ns + (int64_t)(seconds * 1e9);
	each.it_interval.tv_nsec = each.it_value.tv_nsec = rate > 0 ? load.gap_ns % BILLION : BILLION / 10;
	timerfd_settime(load.timer, 0, &each, NULL);
}

static bool goes_on(void)
{
	int64_t now = now_ns();

	if (now < load.end_ns)
		return true;
	return now < load.end_ns + GRACE_NS && (load.idle_count < load.count || load.asked < load.due);
}

static void run(void)
{
	struct epoll_event events[64];

	while (goes_on()) {
		int count;

		ask_due();
		count = epoll_wait(load.poll, events, 64, 100);
		for (int i = 0; i < count; i++) {
			uint64_t ticks;

			if (events[i].data.u32 < MOST_CONNECTIONS)
				read_one(&load.connections[events[i].data.u32]);
			else if (read(load.timer, &ticks, sizeof(ticks)) < 0)
				continue;
		}
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return (one > other) - (one < other);
}

static uint32_t at(const uint32_t *sorted, size_t count, double part)
{
	return count > 0 ? sorted[(size_t)((double)(count - 1) * part)] : 0;
}

int main(int argc, char **argv)
{
	double seconds;

	if (argc != 7) {
		fprintf(stderr, "usage: load ADDRESS PORT PATH CONNECTIONS SECONDS RATE\n");
		return 2;
	}
	set_up(argv);
	run();
	seconds = (double)(load.end_ns - load.begin_ns) / 1e9;
	qsort(load.latency_us, load.answered, sizeof(uint32_t), compare);
	qsort(load.late_us, load.gap_ns > 0 ? load.answered : 0, sizeof(uint32_t), compare);
	printf("answered=%zu unanswered=%" PRId64 " wrong=%" PRId64 " errors=%" PRId64 " rate=%.0f bytes=%" PRId64
	       " p50_us=%u p99_us=%u p999_us=%u max_us=%u late_us=%u\n",
	       load.answered, (load.gap_ns > 0 && load.due > load.asked ? load.due : load.asked) - (int64_t)load.answered,
	       load.wrong, load.errors, (double)load.answered / seconds, load.bytes,
	       at(load.latency_us, load.answered, 0.5), at(load.latency_us, load.answered, 0.99),
	       at(load.latency_us, load.answered, 0.999), at(load.latency_us, load.answered, 1.0),
	       at(load.late_us, load.gap_ns > 0 ? load.answered : 0, 0.5));
	return 0;
}
