#include "loop/deadline.h"

#include <stdlib.h>

#include "base/mem.h"
#include "loop/clock.h"

#define SLICES 8 /* a deadline's time has at least so many slices */
#define SKIPS 8  /* slices that need not count at most, so that a deadline fires even if the loop is always late */
#define LINES 29 /* slices of 1 ms to 2^28 ms: an eighth of the longest time there is, 2^31 ms */
#define EXPIRED LINES /* the first of two more lines, of deadlines that wait until the sockets have been read again */
#define ALL_LINES (LINES + 2)

/*
 * Deadlines whose slices have one length, in the order in which they were begun. They end in that order, except that a
 * slice that began late may end late by less than its own length.
 */
struct line {
	struct deadlines *all;
	struct deadline *first;
	struct deadline *last;
	uv_timer_t timer; /* runs while the line is not empty; a line of expired deadlines has none */
	bool has_timer;   /* the timer was initialised, because the line has been used */
};

struct deadlines {
	uv_loop_t *loop;
	unsigned stalls;
	struct line lines[ALL_LINES];
	int expired;      /* which of the two lines takes deadlines that expire now */
	uv_idle_t idle;   /* active while some have expired, so that the loop does not sleep */
	uv_check_t check; /* runs when the sockets have been read */
	int open;         /* handles that are not closed */
};

static void on_line(uv_timer_t *handle);

static void append(struct line *line, struct deadline *deadline)
{
	deadline->previous = line->last;
	deadline->next = NULL;
	if (line->last != NULL)
		line->last->next = deadline;
	else
		line->first = deadline;
	line->last = deadline;
}

static void take_out(struct deadline *deadline)
{
	struct line *line = &deadline->all->lines[deadline->line];

	if (deadline->previous != NULL)
		deadline->previous->next = deadline->next;
	else
		line->first = deadline->next;
	if (deadline->next != NULL)
		deadline->next->previous = deadline->previous;
	else
		line->last = deadline->previous;
	deadline->line = -1;
}

/* Sets the line's timer to the end of its first slice. */
static void set_timer(struct line *line, int64_t now_ms)
{
	int64_t wait_ms = line->first->due_ms - now_ms;

	if (!line->has_timer) {
		uv_timer_init(line->all->loop, &line->timer);
		line->timer.data = line;
		line->has_timer = true;
		line->all->open++;
	}
	uv_update_time(line->all->loop);
	uv_timer_start(&line->timer, on_line, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

/* Returns the line of the longest slice that is at most an eighth of the time, and at most what is left of it. */
static int line_of(const struct deadline *deadline)
{
	int32_t most = deadline->ms / SLICES;

	if (most > deadline->left_ms)
		most = deadline->left_ms;
	return most > 1 ? 31 - __builtin_clz((unsigned)most) : 0;
}

static void on_check(uv_check_t *handle);

static void on_idle(uv_idle_t *handle)
{
	(void)handle; /* that it is active keeps the loop from sleeping */
}

static void expire(struct deadline *deadline)
{
	struct deadlines *all = deadline->all;

	deadline->line = (int8_t)all->expired;
	append(&all->lines[all->expired], deadline);
	uv_idle_start(&all->idle, on_idle);
	uv_check_start(&all->check, on_check);
}

static void begin_slice(struct deadline *deadline, int64_t now_ms)
{
	struct line *line;

	deadline->line = (int8_t)line_of(deadline);
	deadline->due_ms += INT64_C(1) << deadline->line;
	line = &deadline->all->lines[deadline->line];
	append(line, deadline);
	if (line->first == deadline && !(line->has_timer && uv_is_active((const uv_handle_t *)&line->timer)))
		set_timer(line, now_ms);
}

/* Ends a slice. It does not count if the loop slept past its end for longer than the slice lasts. */
static void end_slice(struct deadline *deadline, int64_t now_ms)
{
	int32_t slice_ms = INT32_C(1) << deadline->line;

	take_out(deadline);
	if (now_ms - deadline->due_ms > slice_ms && deadline->skips < SKIPS) {
		deadline->skips++;
		deadline->due_ms = now_ms;
	} else {
		deadline->left_ms -= slice_ms;
	}
	if (deadline->left_ms > 0)
		begin_slice(deadline, now_ms);
	else
		expire(deadline);
}

/*
 * Ends the slices that are over. A slice that ends late may begin another one that is over already, so this stops at
 * the deadline that was the last one at first: it takes each deadline once.
 */
static void on_line(uv_timer_t *handle)
{
	struct line *line = handle->data;
	int64_t now_ms = clock_steady_ms();
	const struct deadline *last = line->last;

	while (line->first != NULL && line->first->due_ms <= now_ms) {
		struct deadline *deadline = line->first;

		end_slice(deadline, now_ms);
		if (deadline == last)
			break;
	}
	if (line->first != NULL)
		set_timer(line, now_ms);
}

static void judge(struct deadline *deadline)
{
	if (deadline->all->stalls != deadline->stalls_then)
		deadline_start(deadline, deadline->ms);
	else
		deadline->fire(deadline->data);
}

/*
 * Judges the deadlines that expired before the sockets were read. Each may stop or set any other, so the ones that
 * expire meanwhile go to the other line and wait.
 */
static void on_check(uv_check_t *handle)
{
	struct deadlines *all = handle->data;
	struct line *line = &all->lines[all->expired];

	all->expired = all->expired == EXPIRED ? EXPIRED + 1 : EXPIRED;
	while (line->first != NULL) {
		struct deadline *deadline = line->first;

		take_out(deadline);
		judge(deadline);
	}
	if (all->lines[all->expired].first == NULL) {
		uv_idle_stop(&all->idle);
		uv_check_stop(&all->check);
	}
}

struct deadlines *deadlines_new(uv_loop_t *loop)
{
	struct deadlines *all = mem_zalloc(1, sizeof(*all));

	all->loop = loop;
	all->expired = EXPIRED;
	for (size_t i = 0; i < ALL_LINES; i++)
		all->lines[i].all = all;
	uv_idle_init(loop, &all->idle);
	uv_check_init(loop, &all->check);
	all->idle.data = all;
	all->check.data = all;
	all->open = 2;
	return all;
}

static void end(struct deadlines *all)
{
	if (--all->open == 0)
		free(all);
}

static void on_line_closed(uv_handle_t *handle)
{
	const struct line *line = handle->data;

	end(line->all);
}

static void on_closed(uv_handle_t *handle)
{
	end(handle->data);
}

void deadlines_free(struct deadlines **all_p)
{
	struct deadlines *all = *all_p;

	*all_p = NULL;
	if (all == NULL)
		return;
	for (size_t i = 0; i < LINES; i++) {
		if (all->lines[i].has_timer)
			uv_close((uv_handle_t *)&all->lines[i].timer, on_line_closed);
	}
	uv_close((uv_handle_t *)&all->idle, on_closed);
	uv_close((uv_handle_t *)&all->check, on_closed);
}

void deadlines_note_stall(struct deadlines *all)
{
	all->stalls++;
}

unsigned deadlines_stalls(const struct deadlines *all)
{
	return all->stalls;
}

void deadline_init(struct deadline *deadline, struct deadlines *all, void (*fire)(void *data), void *data)
{
	*deadline = (struct deadline){ .all = all, .fire = fire, .data = data, .line = -1 };
}

void deadline_start_at(struct deadline *deadline, int64_t now_ms, int64_t ms)
{
	deadline_stop(deadline);
	deadline->ms = ms > INT32_MAX ? INT32_MAX : ms > 0 ? (int32_t)ms : 0;
	deadline->left_ms = deadline->ms;
	deadline->skips = 0;
	deadline->stalls_then = deadline->all->stalls;
	deadline->due_ms = now_ms;
	if (deadline->ms > 0)
		begin_slice(deadline, now_ms);
	else
		expire(deadline);
}

void deadline_start(struct deadline *deadline, int64_t ms)
{
	deadline_start_at(deadline, clock_steady_ms(), ms);
}

void deadline_stop(struct deadline *deadline)
{
	if (deadline->line >= 0)
		take_out(deadline);
}

bool deadline_is_set(const struct deadline *deadline)
{
	return deadline->line >= 0;
}
