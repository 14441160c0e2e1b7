/*
 * HAProxy's agent-check (window/agent.h): who is answered, who is closed, and what it does when there are no descriptors.
 * The loop is turned by the test, which is the clients as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "window/agent.h"

#define PATIENCE_MS 20000 /* for what has to happen */

static struct {
	uv_loop_t loop;
	struct agent *agent;
	int listener;
	struct sockaddr_in address;
	struct node_view node;
	bool is_silent;
	unsigned long found; /* how often it was looked for a node */
} at;

static bool find(void *data, const char *name, const struct node_view **node)
{
	(void)data;
	at.found++;
	*node = strcmp(name, at.node.name) == 0 ? &at.node : NULL;
	return !at.is_silent;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int listen_anywhere(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*address);

	*address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
	assert_int_equal(listen(fd, 512), 0);
	return fd;
}

static int set_up(void **state)
{
	(void)state;
	memset(&at, 0, sizeof(at));
	at.node = (struct node_view){ .name = "db1:5432", .state = PLACE_SLAVE };
	uv_loop_init(&at.loop);
	at.listener = listen_anywhere(&at.address);
	at.agent = agent_new(&at.loop, find, NULL);
	agent_listen(at.agent, at.listener);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	agent_free(&at.agent);
	close(at.listener);
	uv_run(&at.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&at.loop), 0);
	return 0;
}

static int join(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(connect(fd, (struct sockaddr *)&at.address, sizeof(at.address)) == 0 || errno == EINPROGRESS);
	return fd;
}

static void say(int fd, const char *text)
{
	int64_t until = now_ms() + PATIENCE_MS;

	while (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text) && now_ms() < until)
		uv_run(&at.loop, UV_RUN_NOWAIT);
}

/* What it sends until it closes; the caller's socket is closed. */
static const char *hear(int fd)
{
	static char text[2048];
	int64_t until = now_ms() + PATIENCE_MS;
	size_t len = 0;
	ssize_t got = -1;

	while (now_ms() < until) {
		uv_run(&at.loop, UV_RUN_NOWAIT);
		got = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			break;
		len += got > 0 ? (size_t)got : 0;
		if (got < 0)
			usleep(500);
	}
	if (now_ms() >= until)
		fail_msg("it does not close");
	text[len] = '\0';
	close(fd);
	return text;
}

static const char *ask(const char *line)
{
	int fd = join();

	say(fd, line);
	return hear(fd);
}

static void test_a_line_gets_a_line(void **state)
{
	(void)state;
	assert_string_equal(ask("db1:5432 replica\n"), "up ready 100%\n");
	assert_string_equal(ask("db1:5432 primary\r\nand more"), "up drain\n");
	assert_string_equal(ask("db9:5432 primary\n"), "fail #plusmoin watches no node of this name, or several have it\n");
	assert_non_null(strstr(ask("db1:5432\n"), "fail #agent-send has to be"));
}

static void test_a_line_in_pieces(void **state)
{
	int fd = join();

	(void)state;
	for (const char *at_char = "db1:5432 replica lag=1\n"; *at_char != '\0'; at_char++) {
		const char piece[] = { *at_char, '\0' };

		say(fd, piece);
		uv_run(&at.loop, UV_RUN_NOWAIT);
	}
	assert_string_equal(hear(fd), "up ready 100%\n");
}

static void test_a_long_line(void **state)
{
	char line[AGENT_CLIENTS * 2];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[255] = '\n'; /* the last one that counts */
	line[256] = '\0';
	memcpy(line, "db1:5432", 8);
	memset(line + 8, ' ', 255 - 8 - 7);
	memcpy(line + 255 - 7, "replica", 7);
	assert_string_equal(ask(line), "up ready 100%\n");
	memset(line, 'x', 256);
	assert_string_equal(ask(line), "fail #the line is too long\n");
	assert_int_equal(at.found, 1);
}

/* Nothing can be said: HAProxy keeps what it has. */
static void test_silence(void **state)
{
	(void)state;
	at.is_silent = true;
	assert_string_equal(ask("db1:5432 replica\n"), "");
	assert_string_equal(ask("db9:5432 replica\n"), "");
	assert_non_null(strstr(ask("nonsense\n"), "fail #agent-send"));
}

static void test_who_asks_nothing(void **state)
{
	int64_t began = now_ms();
	int fd = join();

	(void)state;
	assert_non_null(strstr(hear(fd), "fail #nothing was asked"));
	assert_in_range(now_ms() - began, AGENT_LINE_MS - 300, AGENT_LINE_MS + 5000);
}

/* A crowd that says nothing, or a byte now and then, takes no place from who asks. */
static void test_a_crowd(void **state)
{
	int fds[AGENT_CLIENTS * 2];

	(void)state;
	for (int i = 0; i < AGENT_CLIENTS * 2; i++) {
		fds[i] = join();
		say(fds[i], "x");
		uv_run(&at.loop, UV_RUN_NOWAIT);
	}
	assert_string_equal(ask("db1:5432 replica\n"), "up ready 100%\n");
	for (int i = 0; i < AGENT_CLIENTS * 2; i++)
		close(fds[i]);
	assert_string_equal(ask("db1:5432 replica\n"), "up ready 100%\n");
}

/* Lets nobody have another descriptor. */
static void forbid(rlim_t most, struct rlimit *before)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
	limit = *before;
	limit.rlim_cur = most;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_no_descriptors(void **state)
{
	struct rlimit before;
	int fd = join();
	clock_t began;
	int64_t until;

	(void)state;
	say(fd, "db1:5432 replica\n");
	forbid(3, &before);
	began = clock();
	until = now_ms() + 1000;
	while (now_ms() < until) {
		uv_run(&at.loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_int_equal(at.found, 0);
	assert_int_equal(uv_loop_alive(&at.loop), 1);
	assert_in_range((clock() - began) * 1000 / CLOCKS_PER_SEC, 0, 400);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_string_equal(hear(fd), "up ready 100%\n");
}

/* Who asks is answered, and who only sits there takes no more than one of the last descriptors. */
static void test_the_last_descriptors(void **state)
{
	struct rlimit before;
	int fds[64];
	int count = 0;
	int waiting[8];

	(void)state;
	forbid(64, &before);
	while (count == 0 || fds[count - 1] < 64 * 3 / 4)
		fds[count++] = dup(at.listener);
	for (int i = 0; i < 7; i++) { /* 15 are left: for eight at this end and one or two at the other, not for eight there */
		waiting[i] = join();
		for (int turn = 0; turn < 10; turn++)
			uv_run(&at.loop, UV_RUN_NOWAIT);
	}
	assert_string_equal(ask("db1:5432 replica\n"), "up ready 100%\n");
	for (int i = 0; i < 7; i++)
		assert_string_equal(hear(waiting[i]), "");
	while (count > 0)
		close(fds[--count]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* In this turn of the loop nobody waits at the door: it sleeps, in place of being woken again and again. */
static void test_it_sleeps_without_descriptors(void **state)
{
	struct rlimit before;
	int fd = join();
	int turns = 0;
	int64_t until = now_ms() + 1000;

	(void)state;
	say(fd, "db1:5432 replica\n");
	forbid(3, &before);
	for (; now_ms() < until; turns++)
		uv_run(&at.loop, UV_RUN_ONCE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_in_range(turns, 1, 20);
	assert_string_equal(hear(fd), "up ready 100%\n");
}

/* Another address: who is connected stays. */
static void test_it_moves(void **state)
{
	struct sockaddr_in next;
	int other = listen_anywhere(&next);
	int fd = join();

	(void)state;
	say(fd, "db1:5432 ");
	for (int i = 0; i < 10; i++)
		uv_run(&at.loop, UV_RUN_NOWAIT);
	agent_listen(at.agent, other);
	close(at.listener);
	at.listener = other;
	say(fd, "replica\n");
	assert_string_equal(hear(fd), "up ready 100%\n");
	at.address = next;
	assert_string_equal(ask("db1:5432 replica\n"), "up ready 100%\n");
	agent_listen(at.agent, -1);
	fd = join();
	say(fd, "db1:5432 replica\n");
	uv_run(&at.loop, UV_RUN_NOWAIT);
	assert_int_equal(at.found, 2);
	close(fd);
}

static void test_its_end_closes_all(void **state)
{
	int fd = join();

	(void)state;
	say(fd, "db1");
	for (int i = 0; i < 10; i++)
		uv_run(&at.loop, UV_RUN_NOWAIT);
	agent_free(&at.agent);
	assert_string_equal(hear(fd), "");
}

#define staged(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		staged(test_a_line_gets_a_line),
		staged(test_a_line_in_pieces),
		staged(test_a_long_line),
		staged(test_silence),
		staged(test_who_asks_nothing),
		staged(test_a_crowd),
		staged(test_no_descriptors),
		staged(test_the_last_descriptors),
		staged(test_it_sleeps_without_descriptors),
		staged(test_it_moves),
		staged(test_its_end_closes_all),
	};

	return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
