#include "loop/workers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "loop/crew.h"

#define LEFT_NICE 19
#define DONE_A_TURN 64 /* works that are done in one turn of a loop, so that its other events need not wait */

/* ---- a loop's side ---- */

static struct work *take_ran(uv_async_t *woken)
{
	struct port *port;
	struct work *work = NULL;

	pthread_mutex_lock(&crew.lock);
	port = woken->data;
	if (port != NULL && (work = TAILQ_FIRST(&port->ran)) != NULL)
		TAILQ_REMOVE(&port->ran, work, link);
	pthread_mutex_unlock(&crew.lock);
	return work;
}

static void on_woken(uv_async_t *woken)
{
	struct work *work;

	for (int i = 0; i < DONE_A_TURN; i++) {
		struct work_order order;
		int64_t waited_ms;
		int64_t ran_ms;

		work = take_ran(woken);
		if (work == NULL)
			return;
		order = work->order;
		work_ages(work, &waited_ms, &ran_ms);
		free(work);
		order.done(order.data, waited_ms);
	}
	uv_async_send(woken);
}

static struct port *find_port(const uv_loop_t *loop)
{
	for (size_t i = 0; i < crew.ports.count; i++) {
		struct port *port = crew.ports.items[i];

		if (port->loop == loop)
			return port;
	}
	return NULL;
}

static struct port *port_of(uv_loop_t *loop)
{
	struct port *port = find_port(loop);

	if (port != NULL)
		return port;
	port = mem_zalloc(1, sizeof(*port));
	port->woken = mem_zalloc(1, sizeof(*port->woken));
	if (uv_async_init(loop, port->woken, on_woken) != 0) {
		free(port->woken);
		free(port);
		return NULL;
	}
	uv_unref((uv_handle_t *)port->woken);
	port->woken->data = port;
	port->loop = loop;
	TAILQ_INIT(&port->ran);
	list_add(&crew.ports, port);
	return port;
}

struct work *work_start(uv_loop_t *loop, const struct work_order *order)
{
	struct work *work = NULL;
	struct port *port;

	pthread_mutex_lock(&crew.lock);
	port = port_of(loop);
	if (port != NULL && crew.idle == 0)
		crew_spawn();
	if (port != NULL && crew.alive > 0) {
		work = mem_zalloc(1, sizeof(*work));
		work->order = *order;
		work->port = port;
		work->given_ns = crew_now_ns();
		TAILQ_INSERT_TAIL(&crew.waiting[order->urgency], work, link);
		pthread_cond_signal(&crew.wanted);
	}
	pthread_mutex_unlock(&crew.lock);
	return work;
}

void work_leave(struct work *work)
{
	pthread_mutex_lock(&crew.lock);
	if (!work->ran && work->taken_ns == 0) {
		TAILQ_REMOVE(&crew.waiting[work->order.urgency], work, link);
		crew_give_back(work);
	} else if (!work->ran) {
		work->left = true;
		crew.left++;
		(void)setpriority(PRIO_PROCESS, (id_t)work->thread, LEFT_NICE);
		if (crew.idle == 0)
			crew_spawn();
	}
	pthread_mutex_unlock(&crew.lock);
}

void work_ages(const struct work *work, int64_t *waited_ms, int64_t *ran_ms)
{
	int64_t now = crew_now_ns();
	int64_t taken;

	pthread_mutex_lock(&crew.lock);
	taken = work->taken_ns != 0 ? work->taken_ns : now;
	pthread_mutex_unlock(&crew.lock);
	*waited_ms = (taken - work->given_ns) / NS_PER_MS;
	*ran_ms = (now - taken) / NS_PER_MS;
}

/*
 * Returns how many of these works, which stand about in the order in which they were given, were given before
 * `before_ns`; it stops at `most`. The caller holds the lock.
 */
static size_t count_late(const struct works *works, int64_t before_ns, size_t most)
{
	const struct work *work;
	size_t count = 0;

	TAILQ_FOREACH(work, works, link) {
		// cppcheck-suppress uninitvar
		if (count >= most || work->given_ns > before_ns)
			break;
		count += !work->left;
	}
	return count;
}

bool workers_are_behind(size_t enough, bool at_work)
{
	int64_t before_ns = crew_now_ns() - WORKERS_PATIENCE_MS * NS_PER_MS;
	size_t count = 0;

	pthread_mutex_lock(&crew.lock);
	for (int i = 0; i < WORK_URGENCIES; i++)
		count += count_late(&crew.waiting[i], before_ns, enough);
	if (at_work)
		count += count_late(&crew.running, before_ns, WORKERS_MOST);
	pthread_mutex_unlock(&crew.lock);
	return count >= enough;
}

size_t workers_left(void)
{
	size_t left;

	pthread_mutex_lock(&crew.lock);
	left = crew.left;
	pthread_mutex_unlock(&crew.lock);
	return left;
}

size_t workers_left_for(uint64_t key, bool answers)
{
	const struct work *work;
	size_t count = 0;

	pthread_mutex_lock(&crew.lock);
	TAILQ_FOREACH(work, &crew.running, link)
		count += work->left && work->order.key == key && work->order.answers == answers;
	pthread_mutex_unlock(&crew.lock);
	return count;
}

bool workers_keep_up(int64_t ms)
{
	const struct work *work;
	int64_t now = crew_now_ns();
	bool well;

	pthread_mutex_lock(&crew.lock);
	well = crew_first_waiting() == NULL;
	TAILQ_FOREACH(work, &crew.running, link)
		well = well && !work->left && now - work->taken_ns < ms * NS_PER_MS;
	pthread_mutex_unlock(&crew.lock);
	return well;
}

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

/* Moves the works of the port, which is about to be freed, from one list to the other. */
static void move_works(struct works *from, const struct port *port, struct works *to)
{
	struct work *work = TAILQ_FIRST(from);

	while (work != NULL) {
		struct work *next = TAILQ_NEXT(work, link);

		if (work->port == port) {
			TAILQ_REMOVE(from, work, link);
			TAILQ_INSERT_TAIL(to, work, link);
		}
		work = next;
	}
}

void workers_close(uv_loop_t *loop)
{
	struct works forgotten = TAILQ_HEAD_INITIALIZER(forgotten);
	struct port *port;
	struct work *work;

	pthread_mutex_lock(&crew.lock);
	port = find_port(loop);
	if (port != NULL) {
		list_remove(&crew.ports, port);
		for (int i = 0; i < WORK_URGENCIES; i++)
			move_works(&crew.waiting[i], port, &forgotten);
		move_works(&port->ran, port, &forgotten);
		TAILQ_FOREACH(work, &crew.running, link) {
			// cppcheck-suppress uninitvar
			if (work->port == port)
				work->port = NULL;
		}
		port->woken->data = NULL;
		uv_close((uv_handle_t *)port->woken, on_closed);
		free(port);
	}
	pthread_mutex_unlock(&crew.lock);
	while ((work = TAILQ_FIRST(&forgotten)) != NULL) {
		TAILQ_REMOVE(&forgotten, work, link);
		work->order.forget(work->order.data);
		free(work);
	}
}

bool workers_end(int64_t ms)
{
	int64_t end = crew_now_ns() + ms * NS_PER_MS;
	struct timespec until = { end / NS_PER_S, end % NS_PER_S };
	int error = 0;
	bool all;

	pthread_mutex_lock(&crew.lock);
	crew.ending = true;
	pthread_cond_broadcast(&crew.wanted);
	while (crew.alive > 0 && error != ETIMEDOUT)
		error = pthread_cond_clockwait(&crew.gone, &crew.lock, CLOCK_MONOTONIC, &until);
	all = crew.alive == 0;
	for (size_t i = 0; i < WORKERS_MOST; i++) {
		if (crew.workers[i].ended)
			pthread_join(crew.workers[i].thread, NULL); /* it has released the lock for the last time */
		crew.workers[i].ended = false;
	}
	if (all)
		list_free(&crew.ports);
	pthread_mutex_unlock(&crew.lock);
	return all;
}
