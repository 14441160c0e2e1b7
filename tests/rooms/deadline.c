/* Deadlines on a loop: what they count, when they fire, and what may happen to them meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "loop/clock.h"
#include "loop/deadline.h"

#define MANY 2000

struct scene {
	uv_loop_t loop;
	struct deadlines *all;
	int64_t began_ms;
};

struct one {
	struct deadline deadline;
	struct scene *scene;
	int fired;
	int64_t after_ms;
	struct one *other; /* stopped when this one fires; NULL: none */
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	uv_loop_init(&scene->loop);
	scene->all = deadlines_new(&scene->loop);
	scene->began_ms = clock_steady_ms();
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	deadlines_free(&scene->all);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	free(scene);
	return 0;
}

static void on_fire(void *data)
{
	struct one *one = data;

	one->fired++;
	one->after_ms = clock_steady_ms() - one->scene->began_ms;
	if (one->other != NULL)
		deadline_stop(&one->other->deadline);
}

static void begin(struct scene *scene, struct one *one, int64_t ms)
{
	*one = (struct one){ .scene = scene };
	deadline_init(&one->deadline, scene->all, on_fire, one);
	deadline_start(&one->deadline, ms);
}

/* The loop does not turn for so long. */
static void sleep_ms(long ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static void test_fires_at_its_time(void **state)
{
	static const int64_t times[] = { 0, 1, 7, 8, 100, 301 };
	struct scene *scene = *state;
	struct one ones[6];

	for (size_t i = 0; i < 6; i++)
		begin(scene, &ones[i], times[i]);
	assert_true(deadline_is_set(&ones[0].deadline));
	assert_int_equal(ones[0].fired, 0); /* never from inside the call */
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(ones[i].fired, 1);
		assert_true(ones[i].after_ms >= times[i]);
		assert_false(deadline_is_set(&ones[i].deadline));
	}
	assert_true(ones[1].after_ms < ones[4].after_ms && ones[4].after_ms < ones[5].after_ms);
}

static void test_is_stopped_and_set_anew(void **state)
{
	struct scene *scene = *state;
	struct one stopped;
	struct one anew;

	begin(scene, &stopped, 20);
	begin(scene, &anew, 20);
	deadline_stop(&stopped.deadline);
	deadline_stop(&stopped.deadline);
	deadline_start(&anew.deadline, 60);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(stopped.fired, 0);
	assert_int_equal(anew.fired, 1);
	assert_true(anew.after_ms >= 60);
}

/* Two that expire together: the first to fire stops the second, which never fires. */
static void test_one_stops_another(void **state)
{
	struct scene *scene = *state;
	struct one first;
	struct one second;

	begin(scene, &first, 10);
	begin(scene, &second, 10);
	first.other = &second;
	second.other = &first;
	sleep_ms(15);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(first.fired + second.fired, 1);
}

/* Time in which the loop slept does not count: the slice in which it did is left out. */
static void test_sleep_does_not_count(void **state)
{
	struct scene *scene = *state;
	struct one one;

	begin(scene, &one, 160);
	sleep_ms(400);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(one.fired, 1);
	assert_true(one.after_ms >= 400 + 160 - 20);
}

static void on_late_turn(uv_prepare_t *handle)
{
	struct one *one = handle->data;

	sleep_ms(5);
	if (one->fired > 0)
		uv_close((uv_handle_t *)handle, NULL);
}

/* A loop that is late in each turn comes to an end: up to eight slices are left out. */
static void test_loop_always_late(void **state)
{
	struct scene *scene = *state;
	uv_prepare_t late;
	struct one one;

	begin(scene, &one, 16);
	uv_prepare_init(&scene->loop, &late);
	late.data = &one;
	uv_prepare_start(&late, on_late_turn);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(one.fired, 1);
	assert_true(one.after_ms >= 40);
}

/* The sockets are read between the end of its time and its firing: an answer that is there wins. */
static void on_answer(uv_poll_t *handle, int status, int events)
{
	struct one *one = handle->data;

	(void)status;
	(void)events;
	deadline_stop(&one->deadline);
	uv_close((uv_handle_t *)handle, NULL);
}

static void test_an_answer_wins(void **state)
{
	struct scene *scene = *state;
	struct one one;
	uv_poll_t poll;
	uv_file pipe[2];

	assert_int_equal(uv_pipe(pipe, 0, 0), 0);
	begin(scene, &one, 0);
	uv_poll_init(&scene->loop, &poll, pipe[0]);
	poll.data = &one;
	uv_poll_start(&poll, UV_READABLE, on_answer);
	assert_int_equal(uv_fs_write(NULL, &(uv_fs_t){ 0 }, pipe[1], &(uv_buf_t){ .base = (char *)"x", .len = 1 }, 1,
				     -1, NULL), 1);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(one.fired, 0);
	uv_fs_close(NULL, &(uv_fs_t){ 0 }, pipe[0], NULL);
	uv_fs_close(NULL, &(uv_fs_t){ 0 }, pipe[1], NULL);
}

/* After a stall of the monitor's it begins anew. */
static void test_stall_begins_anew(void **state)
{
	struct scene *scene = *state;
	struct one one;

	begin(scene, &one, 40);
	deadlines_note_stall(scene->all);
	assert_int_equal(deadlines_stalls(scene->all), 1);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(one.fired, 1);
	assert_true(one.after_ms >= 80);
}

/* Many of many lengths, half of them stopped: each fires once, none before its time. */
static void test_many(void **state)
{
	struct scene *scene = *state;
	struct one *ones = calloc(MANY, sizeof(*ones));

	for (int i = 0; i < MANY; i++)
		begin(scene, &ones[i], i * 7 % 200);
	for (int i = 0; i < MANY; i += 2)
		deadline_stop(&ones[i].deadline);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(ones[i].fired, i % 2);
		assert_true(i % 2 == 0 || ones[i].after_ms >= i * 7 % 200);
	}
	free(ones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fires_at_its_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_is_stopped_and_set_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_stops_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sleep_does_not_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_loop_always_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_answer_wins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stall_begins_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
