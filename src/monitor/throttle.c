#include "monitor/throttle.h"

#include <stdlib.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "loop/workers.h"

#define TURN_MS 1     /* the shortest time of a timer: it fires in the loop's next turn */
#define BLOCKED_MS 10 /* how often it is looked whether the workers have caught up */

TAILQ_HEAD(passes, pass);

struct throttle {
	struct passes waiting[PASS_KINDS];
	size_t waiting_count[PASS_KINDS];
	struct passes counted; /* those that count, in the order in which they were given */
	size_t count;
	int left;        /* how many may still be given in this turn */
	int64_t given_ms; /* steady: when the last PASS_PLAIN was given */
	bool turns_soon; /* the timer is set to TURN_MS */
	struct timer *turn;
};

/* Sets the timer for the next turn, if a pass waits for it or some of this turn's were given. */
static void plan(struct throttle *throttle, bool soon)
{
	bool waits = false;

	for (int kind = 0; kind < PASS_KINDS; kind++)
		waits = waits || throttle->waiting_count[kind] > 0;
	if (throttle->turns_soon || (!waits && throttle->left == THROTTLE_A_TURN))
		return;
	if (soon || !timer_is_set(throttle->turn))
		timer_start(throttle->turn, soon ? TURN_MS : BLOCKED_MS);
	throttle->turns_soon = soon;
}

/* Stops counting connects that have been under way for THROTTLE_COUNTS_MS. */
static void drop_old(struct throttle *throttle)
{
	int64_t now_ms = clock_steady_ms();
	struct pass *pass;

	while ((pass = TAILQ_FIRST(&throttle->counted)) != NULL && now_ms - pass->since_ms >= THROTTLE_COUNTS_MS)
		throttle_leave(throttle, pass);
}

static bool may_go(const struct throttle *throttle, enum pass_kind kind)
{
	for (int other = 0; other < (int)kind; other++) {
		if (throttle->waiting_count[other] > 0)
			return false;
	}
	if (throttle->left == 0 || kind == PASS_QUESTION || kind == PASS_URGENT)
		return throttle->left > 0;
	return throttle->count < THROTTLE_CONNECTS && (!workers_are_behind(THROTTLE_STEPS, false) ||
						       clock_steady_ms() - throttle->given_ms >= THROTTLE_TRICKLE_MS);
}

static void give(struct throttle *throttle, struct pass *pass, enum pass_kind kind)
{
	throttle->left--;
	pass->kind = kind;
	pass->state = PASS_NONE;
	if (kind == PASS_QUESTION)
		return;
	throttle->count++;
	if (kind == PASS_PLAIN)
		throttle->given_ms = clock_steady_ms();
	pass->state = PASS_COUNTS;
	pass->since_ms = clock_steady_ms();
	TAILQ_INSERT_TAIL(&throttle->counted, pass, link);
}

/* The first of the kind that may go now; NULL: none. */
static struct pass *next(const struct throttle *throttle, enum pass_kind kind)
{
	struct pass *pass = TAILQ_FIRST(&throttle->waiting[kind]);

	return pass != NULL && may_go(throttle, kind) ? pass : NULL;
}

static void on_turn(void *data)
{
	struct throttle *throttle = data;
	struct pass *pass;

	throttle->left = THROTTLE_A_TURN;
	throttle->turns_soon = false;
	drop_old(throttle);
	for (int kind = 0; kind < PASS_KINDS; kind++) {
		while ((pass = next(throttle, kind)) != NULL) {
			TAILQ_REMOVE(&throttle->waiting[kind], pass, link);
			throttle->waiting_count[kind]--;
			give(throttle, pass, pass->kind);
			pass->go(pass->data);
		}
	}
	plan(throttle, throttle->left < THROTTLE_A_TURN);
}

static void wait_for(struct throttle *throttle, struct pass *pass, enum pass_kind kind)
{
	pass->state = PASS_WAITS;
	pass->kind = kind;
	TAILQ_INSERT_TAIL(&throttle->waiting[kind], pass, link);
	throttle->waiting_count[kind]++;
}

bool throttle_take(struct throttle *throttle, struct pass *pass, enum pass_kind kind, void (*go)(void *data), void *data)
{
	bool may = throttle->waiting_count[kind] == 0 && may_go(throttle, kind);

	pass->go = go;
	pass->data = data;
	if (may)
		give(throttle, pass, kind);
	else
		wait_for(throttle, pass, kind);
	plan(throttle, throttle->left < THROTTLE_A_TURN);
	return may;
}

void throttle_leave(struct throttle *throttle, struct pass *pass)
{
	switch (pass->state) {
	case PASS_NONE:
		return;
	case PASS_WAITS:
		TAILQ_REMOVE(&throttle->waiting[pass->kind], pass, link);
		throttle->waiting_count[pass->kind]--;
		break;
	case PASS_COUNTS:
		TAILQ_REMOVE(&throttle->counted, pass, link);
		throttle->count--;
		plan(throttle, true);
		break;
	}
	pass->state = PASS_NONE;
}

size_t throttle_waiting(const struct throttle *throttle)
{
	return throttle->waiting_count[PASS_URGENT] + throttle->waiting_count[PASS_PLAIN];
}

bool throttle_has_room(const struct throttle *throttle)
{
	return throttle->waiting_count[PASS_PLAIN] == 0 && may_go(throttle, PASS_PLAIN);
}

struct throttle *throttle_new(uv_loop_t *loop)
{
	struct throttle *throttle = mem_zalloc(1, sizeof(*throttle));

	for (int kind = 0; kind < PASS_KINDS; kind++)
		TAILQ_INIT(&throttle->waiting[kind]);
	TAILQ_INIT(&throttle->counted);
	throttle->left = THROTTLE_A_TURN;
	throttle->turn = timer_new(loop, on_turn, throttle);
	return throttle;
}

void throttle_free(struct throttle **throttle_p)
{
	struct throttle *throttle = *throttle_p;

	*throttle_p = NULL;
	if (throttle == NULL)
		return;
	timer_free(&throttle->turn);
	free(throttle);
}
