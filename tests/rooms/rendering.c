/*
 * Answers that take time (daemon/rendering.h): how long they hold the loop, who shares one, and what becomes of those
 * whom nobody waits for. The loop is turned by the test, which is the clients as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/draft.h"
#include "daemon/rendering.h"
#include "support/fed.h"

#define NODES 20000
#define CLIENTS 20
#define GONE 400
#define SILENCE_MS 500 /* who waits gives way to another one after three tenths of it */
#define PATIENCE_MS 20000

static struct {
	uv_loop_t loop;
	char dir[40];
	char *path;
	struct control *control;
	struct rendering *rendering;
	struct board *board; /* NULL: no fleet */
	struct draft draft;
	struct buf text;
	unsigned long asked;
	unsigned parts; /* so many until an answer is whole; UINT_MAX: it never is */
	unsigned done;  /* of the answer under way */
	char names[4 * GONE]; /* of those that were begun, a letter each */
	size_t begun;
	size_t whole;
} at;

static bool on_request(void *data, unsigned long client, struct request *request, struct shared_text **answer)
{
	(void)data;
	(void)answer;
	at.asked++;
	rendering_ask(at.rendering, client, request);
	return false;
}

/* "{<name>}", after so many parts as the test says. */
static struct shared_text *on_part(void *data, const struct request *request)
{
	(void)data;
	if (at.done == 0)
		at.names[at.begun++] = request->name[0];
	assert_int_equal(at.names[at.begun - 1], request->name[0]); /* no other one in between */
	if (at.parts == UINT_MAX || ++at.done < at.parts) {
		at.done = at.done > 0 ? at.done : 1;
		return NULL;
	}
	at.done = 0;
	at.whole++;
	buf_addf(&at.text, "{%s}", request->name);
	return shared_text_take(&at.text);
}

/* The status of a fleet. */
static struct shared_text *on_status(void *data, const struct request *request)
{
	(void)data;
	(void)request;
	if (!at.draft.begun)
		draft_begin(&at.draft, at.board, &at.text);
	return draft_part(&at.draft);
}

static void begin(rendering_part *part)
{
	int error;

	at.control = control_new(&at.loop, at.path, SILENCE_MS, on_request, NULL, &error);
	assert_non_null(at.control);
	at.rendering = rendering_new(&at.loop, at.control, part, NULL);
}

static int open_stage(void **state)
{
	(void)state;
	memset(&at, 0, sizeof(at));
	at.parts = 1;
	(void)snprintf(at.dir, sizeof(at.dir), "/tmp/plusmoin-rooms-XXXXXX");
	assert_non_null(mkdtemp(at.dir));
	at.path = mem_printf("%s/socket", at.dir);
	uv_loop_init(&at.loop);
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	rendering_free(&at.rendering);
	control_free(&at.control);
	uv_run(&at.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&at.loop), 0);
	buf_free(&at.text);
	assert_int_equal(rmdir(at.dir), 0);
	free(at.path);
	return 0;
}

static void turn(void)
{
	(void)uv_run(&at.loop, UV_RUN_NOWAIT);
}

/* A client that asks for `name`, one letter and what follows it. */
static int ask_for(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char line[64];

	memcpy(address.sun_path, at.path, strlen(at.path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	(void)snprintf(line, sizeof(line), "{\"request\": \"%s\"}\n", name);
	assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	return fd;
}

static void turn_until_asked(unsigned long count)
{
	uint64_t end_ns = uv_hrtime() + (uint64_t)PATIENCE_MS * 1000000;

	while (at.asked < count && uv_hrtime() < end_ns)
		turn();
	assert_int_equal(at.asked, count);
}

/* What has come, without an end: true when the answer is whole. */
static bool take(int fd, struct buf *got)
{
	static char bytes[65536];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(got, bytes, (size_t)n);
	assert_true(n < 0 && errno == EAGAIN);
	return got->len > 0 && got->data[got->len - 1] == '\n';
}

static void assert_answer(int fd, const char *expected)
{
	uint64_t end_ns = uv_hrtime() + (uint64_t)PATIENCE_MS * 1000000;
	struct buf got = { 0 };

	while (!take(fd, &got) && uv_hrtime() < end_ns)
		turn();
	assert_string_equal(buf_text(&got), expected);
	buf_free(&got);
	close(fd);
}

static void test_one_after_another(void **state)
{
	int fds[3];

	(void)state;
	begin(on_part);
	at.parts = 7;
	fds[0] = ask_for("a");
	turn_until_asked(1);
	fds[1] = ask_for("b");
	turn_until_asked(2);
	fds[2] = ask_for("c");
	turn_until_asked(3);
	for (size_t i = 0; i < 3; i++)
		assert_answer(fds[i], (const char *[]){ "{a}\n", "{b}\n", "{c}\n" }[i]);
	assert_string_equal(at.names, "abc");
}

static void test_the_same_is_shared_until_it_is_begun(void **state)
{
	int fds[CLIENTS];

	(void)state;
	begin(on_part);
	at.parts = UINT_MAX;
	fds[0] = ask_for("z");
	turn_until_asked(1);
	while (at.begun == 0)
		turn();
	for (int i = 1; i < CLIENTS; i++)
		fds[i] = ask_for(i < CLIENTS - 1 ? "a" : "z"); /* the last one is too late for what is under way */
	turn_until_asked(CLIENTS);
	at.parts = 2;
	assert_answer(fds[0], "{z}\n");
	for (int i = 1; i < CLIENTS; i++)
		assert_answer(fds[i], i < CLIENTS - 1 ? "{a}\n" : "{z}\n");
	assert_string_equal(at.names, "zaz");
	assert_int_equal(at.whole, 3);
}

static void test_who_has_gone_is_forgotten(void **state)
{
	int last;

	(void)state;
	begin(on_part);
	at.parts = UINT_MAX;
	for (unsigned long i = 0; i < GONE; i++) {
		char name[16];
		int fd;

		(void)snprintf(name, sizeof(name), "n%lu", i);
		fd = ask_for(name);
		turn_until_asked(i + 1);
		close(fd);
	}
	last = ask_for("last");
	turn_until_asked(GONE + 1);
	at.parts = 1;
	assert_answer(last, "{last}\n");
	/* of so many, no more than can have waited at once, twice over, and what was under way */
	assert_true(at.whole <= 2 * CONTROL_CLIENTS + 2);
	assert_true(at.whole > 0);
}

static void test_an_end_in_the_middle(void **state)
{
	int fds[2];

	(void)state;
	begin(on_part);
	at.parts = UINT_MAX;
	fds[0] = ask_for("a");
	fds[1] = ask_for("b");
	turn_until_asked(2);
	turn();
	rendering_free(&at.rendering);
	turn();
	assert_int_equal(at.whole, 0);
	close(fds[0]);
	close(fds[1]);
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void open_fleet(struct fleet **fleet)
{
	struct moment now = kit_moment(0, 1700000000000);

	(void)fed_prober;
	fed_fleet(NODES, 0);
	*fleet = fleet_new(fed.config, &now);
	at.board = board_new();
	kit_touch_all(*fleet);
	board_update(&at.board, *fleet);
}

/* CPU time of the whole, at once. */
static double measure_whole(void)
{
	double begin_ms = cpu_ms();
	struct shared_text *text;

	while ((text = on_status(NULL, NULL)) == NULL)
		continue;
	shared_text_unref(&text);
	return cpu_ms() - begin_ms;
}

/* Many clients ask for the status of a big fleet: no turn takes a good part of what rendering it takes. */
static void test_a_turn_is_short(void **state)
{
	struct buf got[CLIENTS] = { 0 };
	int fds[CLIENTS];
	struct fleet *fleet;
	double longest_ms = 0;
	double whole_ms;
	size_t answered = 0;

	(void)state;
	open_fleet(&fleet);
	whole_ms = measure_whole();
	begin(on_status);
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = ask_for("status");
	for (uint64_t end_ns = uv_hrtime() + (uint64_t)PATIENCE_MS * 1000000;
	     answered < CLIENTS && uv_hrtime() < end_ns;) {
		double begin_ms = cpu_ms();

		turn();
		longest_ms = cpu_ms() - begin_ms > longest_ms ? cpu_ms() - begin_ms : longest_ms;
		answered = 0;
		for (int i = 0; i < CLIENTS; i++)
			answered += take(fds[i], &got[i]);
	}
	printf("%d nodes, %d clients: whole %.1f ms, longest turn %.1f ms\n", NODES, CLIENTS, whole_ms, longest_ms);
	assert_int_equal(answered, CLIENTS);
	assert_true(longest_ms < whole_ms / 2);
	for (int i = CLIENTS - 1; i >= 0; i--) {
		assert_string_equal(got[i].data, got[0].data);
		buf_free(&got[i]);
		close(fds[i]);
	}
	board_unref(&at.board);
	fleet_free(&fleet);
	fed_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_after_another, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_the_same_is_shared_until_it_is_begun, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_who_has_gone_is_forgotten, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_an_end_in_the_middle, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_a_turn_is_short, open_stage, close_stage),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
