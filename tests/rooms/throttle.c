/* The throttle: who gets a pass at once, who waits, and for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "loop/clock.h"
#include "loop/workers.h"
#include "monitor/throttle.h"

#define MANY 1000

struct scene {
	uv_loop_t loop;
	uv_check_t turn;
	struct throttle *throttle;
	struct pass passes[MANY];
	int order[MANY]; /* of passes, as they were given */
	int given;
	int given_this_turn;
	int most_a_turn;
};

struct owner {
	struct scene *scene;
	int number;
};

static struct owner owners[MANY];
static atomic_bool may_end; /* the works go on until then, however busy the machine is */

static void on_turn(uv_check_t *turn)
{
	struct scene *scene = turn->data;

	scene->given_this_turn = 0;
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	uv_loop_init(&scene->loop);
	scene->throttle = throttle_new(&scene->loop);
	uv_check_init(&scene->loop, &scene->turn);
	scene->turn.data = scene;
	uv_check_start(&scene->turn, on_turn);
	uv_unref((uv_handle_t *)&scene->turn);
	for (int i = 0; i < MANY; i++)
		owners[i] = (struct owner){ .scene = scene, .number = i };
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	atomic_store(&may_end, true);
	for (int i = 0; i < MANY; i++)
		throttle_leave(scene->throttle, &scene->passes[i]);
	throttle_free(&scene->throttle);
	workers_close(&scene->loop);
	uv_close((uv_handle_t *)&scene->turn, NULL);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	free(scene);
	return 0;
}

static void on_go(void *data)
{
	struct owner *owner = data;
	struct scene *scene = owner->scene;

	scene->order[scene->given++] = owner->number;
	scene->given_this_turn++;
	if (scene->given_this_turn > scene->most_a_turn)
		scene->most_a_turn = scene->given_this_turn;
}

static void take(struct scene *scene, int from, int count, enum pass_kind kind)
{
	for (int i = from; i < from + count; i++) {
		if (throttle_take(scene->throttle, &scene->passes[i], kind, on_go, &owners[i]))
			on_go(&owners[i]);
	}
}

static void leave(struct scene *scene, int from, int count)
{
	for (int i = from; i < from + count; i++)
		throttle_leave(scene->throttle, &scene->passes[i]);
}

/*
 * Turns until so many passes are given, or for so long. With UV_RUN_ONCE libuv runs timers at the end of a turn, too,
 * and then at the begin of the next one, which would count as one turn here.
 */
static void turn(struct scene *scene, int given, int64_t ms)
{
	int64_t end_ms = clock_steady_ms() + ms;

	while (scene->given < given && clock_steady_ms() < end_ms)
		uv_run(&scene->loop, UV_RUN_NOWAIT);
}

/* All questions are put, a turn's worth in each turn, in their order. */
static void test_questions(void **state)
{
	struct scene *scene = *state;

	take(scene, 0, MANY, PASS_QUESTION);
	assert_int_equal(scene->given, THROTTLE_A_TURN);
	turn(scene, MANY, 5000);
	assert_int_equal(scene->given, MANY);
	assert_int_equal(scene->most_a_turn, THROTTLE_A_TURN);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(scene->order[i], i);
}

/* Whether connects went on as others ended; false: it took so long that the first are not counted any more. */
static bool tries_connects(struct scene *scene)
{
	int64_t began_ms = clock_steady_ms();
	bool in_time;

	scene->given = 0;
	take(scene, 0, MANY, PASS_PLAIN);
	turn(scene, THROTTLE_CONNECTS, 5000);
	in_time = clock_steady_ms() - began_ms < THROTTLE_COUNTS_MS / 2;
	if (in_time) {
		assert_int_equal(scene->given, THROTTLE_CONNECTS);
		assert_int_equal(throttle_waiting(scene->throttle), MANY - THROTTLE_CONNECTS);
		leave(scene, 0, 10);
		turn(scene, THROTTLE_CONNECTS + 1, 5000);
		in_time = clock_steady_ms() - began_ms < THROTTLE_COUNTS_MS;
	}
	if (in_time)
		assert_int_equal(scene->given, THROTTLE_CONNECTS + 10);
	leave(scene, 0, MANY);
	return in_time;
}

static void test_connects(void **state)
{
	int tries = 0;

	while (!tries_connects(*state))
		assert_true(++tries < 100); /* a busy machine */
}

/* Connects that get no answer keep nobody waiting for long. */
static void test_silent_ones(void **state)
{
	struct scene *scene = *state;

	take(scene, 0, MANY, PASS_PLAIN);
	turn(scene, MANY, 5000);
	assert_int_equal(scene->given, MANY);
}

/* Who leaves while it waits gets none; who is more urgent goes first. */
static void test_order(void **state)
{
	struct scene *scene = *state;

	take(scene, 0, THROTTLE_CONNECTS, PASS_PLAIN);
	assert_false(throttle_has_room(scene->throttle));
	take(scene, 400, 10, PASS_PLAIN);
	turn(scene, THROTTLE_CONNECTS, 5000);
	take(scene, 500, 10, PASS_URGENT);
	turn(scene, THROTTLE_CONNECTS + 10, 5000);
	assert_int_equal(scene->order[THROTTLE_CONNECTS], 500);
	leave(scene, 400, 9);
	turn(scene, THROTTLE_CONNECTS + 11, 5000);
	assert_int_equal(scene->given, THROTTLE_CONNECTS + 11);
	assert_int_equal(scene->order[THROTTLE_CONNECTS + 10], 409);
	leave(scene, 0, MANY);
	assert_true(throttle_has_room(scene->throttle));
}

static void work(void *data)
{
	(void)data;
	while (!atomic_load(&may_end))
		(void)usleep(1000);
}

static void on_worked(void *data, int64_t waited_ms)
{
	(void)data;
	(void)waited_ms;
}

/* While steps of logins wait for worker threads, others than urgent ones only trickle. */
static void test_busy_workers(void **state)
{
	struct scene *scene = *state;
	const struct work_order order = { .urgency = WORK_LONG, .run = work, .done = on_worked, .forget = work };
	int64_t began_ms;

	atomic_store(&may_end, false);
	for (int i = 0; i < 4 * WORKERS_MOST; i++)
		assert_non_null(work_start(&scene->loop, &order));
	while (!workers_are_behind(THROTTLE_STEPS, false))
		(void)usleep(1000);
	began_ms = clock_steady_ms();
	take(scene, 0, 10, PASS_PLAIN);
	assert_false(throttle_has_room(scene->throttle));
	take(scene, 10, 10, PASS_URGENT);
	take(scene, 20, 10, PASS_QUESTION);
	turn(scene, 23, 20000);
	assert_true(scene->given <= 23 && clock_steady_ms() - began_ms >= 2 * THROTTLE_TRICKLE_MS);
	atomic_store(&may_end, true);
	turn(scene, 30, 20000);
	assert_int_equal(scene->given, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_questions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_connects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silent_ones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_busy_workers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
