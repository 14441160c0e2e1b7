/*
 * The control socket (contract.md): who is answered, who is closed, and what clients
 * that do not read cost. The loop is turned by the test, which is the clients as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/control.h"

#define SILENCE_MS 500
#define BIG_BYTES ((size_t)4 << 20) /* far more than a socket holds */
#define CROWD 200
#define PATIENCE_MS 20000 /* for what has to happen */
#define LONG_MS 10000     /* of silence, where nobody is to be closed for it */

static struct {
	uv_loop_t loop;
	char dir[40];
	char *path;
	struct control *control;
	struct shared_text *big;
	unsigned long asked; /* requests, the last one by: */
	unsigned long client;
} at;

/* "big": BIG_BYTES; "later": by control_answer(); all others are told their name. */
static bool on_request(void *data, unsigned long client, struct request *request, struct shared_text **answer)
{
	struct buf out = { 0 };

	(void)data;
	at.asked++;
	at.client = client;
	if (strcmp(request->name, "later") == 0)
		return false;
	if (strcmp(request->name, "big") == 0) {
		*answer = shared_text_ref(at.big);
		return true;
	}
	buf_addf(&out, "{%s}", request->name);
	*answer = shared_text_take(&out);
	return true;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Turns the loop once, or for so long. */
static void turn(int64_t ms)
{
	int64_t until = now_ms() + ms;

	do {
		uv_run(&at.loop, UV_RUN_NOWAIT);
		if (ms > 0)
			usleep(1000);
	} while (now_ms() < until);
}

static void open_control(int64_t silence_ms)
{
	int error;

	control_free(&at.control);
	at.control = control_new(&at.loop, at.path, silence_ms, on_request, NULL, &error);
	assert_non_null(at.control);
}

static int open_stage(void **state)
{
	struct buf text = { 0 };
	char *bytes = mem_alloc(BIG_BYTES);

	(void)state;
	memset(&at, 0, sizeof(at));
	memset(bytes, 'x', BIG_BYTES);
	buf_add(&text, bytes, BIG_BYTES);
	free(bytes);
	at.big = shared_text_take(&text);
	(void)snprintf(at.dir, sizeof(at.dir), "/tmp/plusmoin-rooms-XXXXXX");
	assert_non_null(mkdtemp(at.dir));
	at.path = mem_printf("%s/socket", at.dir);
	uv_loop_init(&at.loop);
	open_control(SILENCE_MS);
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	control_free(&at.control);
	uv_run(&at.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&at.loop), 0);
	assert_int_equal(at.big->references, 1); /* nobody has it any more */
	shared_text_unref(&at.big);
	assert_int_equal(rmdir(at.dir), 0); /* the socket file is gone */
	free(at.path);
	return 0;
}

static int connect_blocking(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, at.path, strlen(at.path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A client that has been let in, if there is room. */
static int join(void)
{
	int fd = connect_blocking();

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	turn(0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

#define ASK(name) "{\"request\": \"" name "\"}\n"

/* Reads until the socket is empty: bytes, or -1 when it is closed and nothing is left. */
static ssize_t take(int fd, struct buf *out, size_t most)
{
	static char bytes[65536];
	size_t taken = 0;

	while (taken < most) {
		ssize_t n = read(fd, bytes, most - taken < sizeof(bytes) ? most - taken : sizeof(bytes));

		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return taken > 0 ? (ssize_t)taken : -1;
		if (out != NULL)
			buf_add(out, bytes, (size_t)n);
		taken += (size_t)n;
	}
	return (ssize_t)taken;
}

static void assert_answer(int fd, const char *expected)
{
	int64_t until = now_ms() + PATIENCE_MS;
	struct buf got = { 0 };

	while (got.len < strlen(expected) && now_ms() < until) {
		turn(0);
		assert_true(take(fd, &got, SIZE_MAX) >= 0);
	}
	assert_string_equal(buf_text(&got), expected);
	buf_free(&got);
}

/* Reads all of a big answer, as fast as it comes. */
static void assert_big(int fd)
{
	int64_t until = now_ms() + PATIENCE_MS;
	size_t got = 0;

	while (got < BIG_BYTES + 1 && now_ms() < until) {
		ssize_t n;

		turn(0);
		n = take(fd, NULL, BIG_BYTES + 1 - got);
		assert_true(n >= 0);
		got += (size_t)n;
	}
	assert_int_equal(got, BIG_BYTES + 1);
}

static bool is_closed(int fd)
{
	struct pollfd peer = { .fd = fd, .events = POLLIN };

	return poll(&peer, 1, 0) > 0 && (peer.revents & POLLHUP) != 0;
}

static void wait_until_closed(int fd)
{
	int64_t until = now_ms() + PATIENCE_MS;

	while (!is_closed(fd) && now_ms() < until)
		turn(1);
	assert_true(is_closed(fd));
	turn(0); /* libuv from 1.45 on gives back what was to be sent to it in the turn after */
}

static void wait_until_asked(unsigned long count)
{
	int64_t until = now_ms() + PATIENCE_MS;

	while (at.asked < count && now_ms() < until)
		turn(0);
	assert_int_equal(at.asked, count);
}

static void test_a_line_gets_a_line(void **state)
{
	int fd = join();

	(void)state;
	say(fd, ASK("a") ASK("b") "{\"requ");
	assert_answer(fd, "{a}\n{b}\n");
	say(fd, "est\": \"c\"}\n\n");
	assert_answer(fd, "{c}\n{\"ok\":false,\"error\":\"not understood: a request is one line such"
			  " as {\\\"request\\\": \\\"status\\\"}\"}\n");
	close(fd);
}

static void test_who_has_closed_its_half_is_answered(void **state)
{
	int now = join();
	int later = join();
	struct buf text = { 0 };
	struct shared_text *answer;

	(void)state;
	say(now, ASK("big") ASK("a"));
	assert_int_equal(shutdown(now, SHUT_WR), 0);
	say(later, ASK("later") "half a li");
	assert_int_equal(shutdown(later, SHUT_WR), 0);
	assert_big(now);
	assert_answer(now, "{a}\n");
	wait_until_closed(now);
	wait_until_asked(3);
	assert_false(is_closed(later));
	buf_add_str(&text, "{at last}");
	answer = shared_text_take(&text);
	control_answer(at.control, at.client + 1, answer); /* nobody's */
	control_answer(at.control, at.client, answer);
	control_answer(at.control, at.client, answer); /* it waits for none any more */
	assert_answer(later, "{at last}\n");
	wait_until_closed(later);
	assert_int_equal(answer->references, 1);
	shared_text_unref(&answer);
	close(now);
	close(later);
}

static void test_a_line_has_an_end(void **state)
{
	int fits = join();
	int longer = join();
	char *line = mem_alloc(CONTROL_LINE_BYTES + 1);

	(void)state;
	memset(line, ' ', CONTROL_LINE_BYTES);
	memcpy(line + CONTROL_LINE_BYTES - strlen(ASK("a")), ASK("a"), strlen(ASK("a")) + 1);
	say(fits, line);
	assert_answer(fits, "{a}\n");
	memset(line, ' ', CONTROL_LINE_BYTES);
	say(longer, line);
	turn(10);
	assert_false(is_closed(longer));
	say(longer, " ");
	wait_until_closed(longer);
	free(line);
	close(fits);
	close(longer);
}

/* It sends on without reading: its requests wait in the socket, one answer is on its way. */
static void test_requests_behind_an_answer_wait(void **state)
{
	int64_t until = now_ms() + PATIENCE_MS;
	int fd = join();
	char line[4096];
	size_t sent = 0;
	size_t due = 0;
	struct buf got = { 0 };

	(void)state;
	memset(line, ' ', sizeof(line));
	memcpy(line + sizeof(line) - strlen(ASK("a")), ASK("a"), strlen(ASK("a")));
	say(fd, ASK("big"));
	wait_until_asked(1);
	for (int idle = 0; idle < 10; idle++) {
		while (send(fd, line, sizeof(line), MSG_NOSIGNAL) == sizeof(line)) {
			sent++;
			idle = 0;
		}
		turn(0);
	}
	assert_true(sent * sizeof(line) > 2 * (size_t)CONTROL_LINE_BYTES);
	assert_int_equal(at.asked, 1);
	due = BIG_BYTES + 1 + sent * strlen("{a}\n");
	while (got.len < due && now_ms() < until) {
		turn(0);
		assert_true(take(fd, &got, SIZE_MAX) >= 0);
	}
	assert_int_equal(got.len, due);
	assert_int_equal(at.asked, 1 + sent);
	buf_free(&got);
	close(fd);
}

static void test_who_reads_nothing_is_closed_in_time(void **state)
{
	int fd = join();
	int64_t began;

	(void)state;
	say(fd, ASK("big"));
	wait_until_asked(1);
	began = now_ms();
	wait_until_closed(fd);
	assert_true(now_ms() - began >= SILENCE_MS - SILENCE_MS / 10);
	assert_int_equal(at.big->references, 1);
	close(fd);
}

static void test_who_is_slow_to_begin_gets_all(void **state)
{
	int fd = join();

	(void)state;
	say(fd, ASK("big"));
	turn(SILENCE_MS / 2);
	assert_big(fd);
	close(fd);
}

static void test_who_reads_slowly_gets_all(void **state)
{
	int fd = join();
	int64_t began = now_ms();
	int64_t next = began;
	size_t got = 0;

	(void)state;
	say(fd, ASK("big"));
	while (got < BIG_BYTES + 1) {
		ssize_t n = 0;

		turn(1);
		if (now_ms() < next)
			continue;
		n = take(fd, NULL, BIG_BYTES / 16);
		assert_true(n >= 0);
		got += (size_t)n;
		next = now_ms() + SILENCE_MS / 4;
	}
	assert_true(now_ms() - began > 2 * SILENCE_MS);
	close(fd);
}

static void test_nobody_is_closed_for_a_loop_that_stood_still(void **state)
{
	int fd = join();

	(void)state;
	say(fd, ASK("big"));
	wait_until_asked(1);
	usleep(2 * SILENCE_MS * 1000);
	turn(0);
	turn(0);
	assert_big(fd);
	close(fd);
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

static void test_who_has_been_idle_longest_gives_way(void **state)
{
	int fds[CONTROL_CLIENTS];
	int another;

	(void)state;
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		fds[i] = join();
	say(fds[1], "{\"requ"); /* no request yet */
	turn(20);
	say(fds[0], ASK("a")); /* and is idle from now on */
	assert_answer(fds[0], "{a}\n");
	another = join();
	say(another, ASK("b"));
	assert_answer(another, "{b}\n");
	assert_true(is_closed(fds[1]));
	assert_false(is_closed(fds[0]));
	for (int i = 2; i < CONTROL_CLIENTS; i++)
		assert_false(is_closed(fds[i]));
	close_all(fds, CONTROL_CLIENTS);
	close(another);
}

/* All have an answer on its way: who has not read for longest. An idle one would go before. */
static void test_of_busy_ones_who_reads_least_gives_way(void **state)
{
	int fds[CONTROL_CLIENTS];
	int another;

	(void)state;
	open_control(LONG_MS);
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		fds[i] = join();
		say(fds[i], ASK("big"));
		wait_until_asked((unsigned long)i + 1);
		if (i == 0)
			turn(20);
	}
	assert_int_equal(at.big->references, 1 + CONTROL_CLIENTS);
	turn(LONG_MS / 10 * 3); /* none is lively any more */
	assert_true(take(fds[0], NULL, BIG_BYTES / 16) > 0);
	turn(20);
	another = join();
	say(another, ASK("a"));
	assert_answer(another, "{a}\n");
	assert_true(is_closed(fds[1]));
	assert_false(is_closed(fds[0]));
	for (int i = 2; i < CONTROL_CLIENTS; i++)
		assert_false(is_closed(fds[i]));
	assert_big(fds[CONTROL_CLIENTS - 1]);
	close_all(fds, CONTROL_CLIENTS);
	close(another);
}

static size_t memory_kib(const char *key)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	size_t kib = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, key, strlen(key)) == 0)
			kib = strtoul(line + strlen(key), NULL, 10);
	}
	if (file != NULL)
		(void)fclose(file);
	assert_true(kib > 0);
	return kib;
}

static void *ask_big(void *data)
{
	char bytes[16384];
	size_t *got = data;
	int fd = connect_blocking();
	ssize_t n;

	if (fd >= 0 && send(fd, ASK("big"), strlen(ASK("big")), MSG_NOSIGNAL) > 0) {
		while (*got < BIG_BYTES + 1 && (n = read(fd, bytes, sizeof(bytes))) > 0)
			*got += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* More than may be there at once: they wait for each other, and share what they get. */
static void test_a_crowd_is_answered_and_costs_one_answer(void **state)
{
	pthread_t threads[CROWD];
	size_t got[CROWD] = { 0 };
	size_t before_kib = memory_kib("VmRSS:");
	int64_t until = now_ms() + PATIENCE_MS;

	(void)state;
	open_control(LONG_MS); /* however slow the threads are */
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_big, &got[i]), 0);
	while (at.asked < CROWD && now_ms() < until)
		turn(0);
	assert_int_equal(at.asked, CROWD);
	for (int i = 0; i < CROWD; i++) {
		while (pthread_tryjoin_np(threads[i], NULL) == EBUSY)
			turn(0);
		assert_int_equal(got[i], BIG_BYTES + 1);
	}
	assert_true(memory_kib("VmHWM:") < before_kib + CONTROL_CLIENTS / 4 * BIG_BYTES / 1024);
	printf("a crowd of %d: from %zu to %zu KiB\n", CROWD, before_kib, memory_kib("VmHWM:"));
}

static void test_its_end_closes_all(void **state)
{
	int idle = join();
	int busy = join();
	int waits = join();

	(void)state;
	say(busy, ASK("big"));
	say(waits, ASK("later"));
	wait_until_asked(2);
	control_free(&at.control);
	turn(0);
	assert_true(is_closed(idle));
	assert_true(is_closed(busy));
	assert_true(is_closed(waits));
	close(idle);
	close(busy);
	close(waits);
}

static void test_its_file_is_nobody_elses(void **state)
{
	struct control *other;
	int error;

	(void)state;
	other = control_new(&at.loop, at.path, SILENCE_MS, on_request, NULL, &error);
	assert_null(other);
	assert_int_equal(error, UV_EADDRINUSE);
	assert_int_equal(unlink(at.path), 0);
	other = control_new(&at.loop, at.path, SILENCE_MS, on_request, NULL, &error);
	assert_non_null(other);
	control_free(&at.control); /* whose file is another one's by now */
	turn(0);
	assert_int_equal(access(at.path, F_OK), 0);
	at.control = other;
}

#define staged(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		staged(test_a_crowd_is_answered_and_costs_one_answer), /* first: VmHWM */
		staged(test_a_line_gets_a_line),
		staged(test_who_has_closed_its_half_is_answered),
		staged(test_a_line_has_an_end),
		staged(test_requests_behind_an_answer_wait),
		staged(test_who_reads_nothing_is_closed_in_time),
		staged(test_who_is_slow_to_begin_gets_all),
		staged(test_who_reads_slowly_gets_all),
		staged(test_nobody_is_closed_for_a_loop_that_stood_still),
		staged(test_who_has_been_idle_longest_gives_way),
		staged(test_of_busy_ones_who_reads_least_gives_way),
		staged(test_its_end_closes_all),
		staged(test_its_file_is_nobody_elses),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon: clients leave */
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
