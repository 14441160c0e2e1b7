#include "loop/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "system/thread.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define LEFT_NICE 19
#define DONE_A_TURN 64 /* works that are done in one turn of a loop: its other events come between */
#define NEVER INT64_MAX

struct work {
	TAILQ_ENTRY(work) link;
	struct work_order order;
	struct port *port; /* NULL: its loop has ended */
	bool left;
	bool ran; /* or never will */
	pid_t thread;     /* that runs it */
	int64_t given_ns;
	int64_t taken_ns; /* by a worker; 0: not yet */
};

TAILQ_HEAD(works, work);

/* A loop that has given work. */
struct port {
	uv_loop_t *loop;
	uv_async_t *woken;
	struct works ran; /* what is to be told there */
};

struct worker {
	pthread_t thread;
	bool lives;
	bool ended; /* workers_end() joins it */
};

/* All of it under the lock. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t wanted; /* there is work, or the end */
	pthread_cond_t gone;   /* a worker has ended */
	bool ending;
	long processors; /* 0: not counted yet */
	struct works waiting[WORK_URGENCIES];
	struct works running;      /* who began first stands first */
	struct list ports;
	struct worker workers[WORKERS_MOST];
	size_t alive;
	size_t idle;
	size_t left;
} pool = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.wanted = PTHREAD_COND_INITIALIZER,
	.gone = PTHREAD_COND_INITIALIZER,
	.waiting = {
		TAILQ_HEAD_INITIALIZER(pool.waiting[0]),
		TAILQ_HEAD_INITIALIZER(pool.waiting[1]),
		TAILQ_HEAD_INITIALIZER(pool.waiting[2]),
	},
	.running = TAILQ_HEAD_INITIALIZER(pool.running),
};

static int64_t now_ns(void)
{
	return (int64_t)uv_hrtime();
}

/* ---- workers ---- */

static void spawn(void);

/* The most urgent that waits; NULL: none does. */
static struct work *first_waiting(void)
{
	for (int i = 0; i < WORK_URGENCIES; i++) {
		if (!TAILQ_EMPTY(&pool.waiting[i]))
			return TAILQ_FIRST(&pool.waiting[i]);
	}
	return NULL;
}

/* When the first that waits may be taken: when fewer than there are processors have begun a short while ago. */
static int64_t due_ns(int64_t now)
{
	const int64_t patience = WORKERS_PATIENCE_MS * NS_PER_MS;
	const struct work *work;
	int64_t oldest = NEVER;
	long young = 0;

	if (first_waiting() == NULL)
		return NEVER;
	TAILQ_FOREACH(work, &pool.running, link) {
		// cppcheck-suppress uninitvar ; it does not know the macro
		if (work->left || now - work->taken_ns >= patience)
			continue;
		young++;
		if (oldest == NEVER)
			oldest = work->taken_ns;
	}
	return young < pool.processors || young == 0 ? now : oldest + patience;
}

/* Waits for work and takes it; NULL: all ends. */
static struct work *take(void)
{
	struct work *work;

	pool.idle++;
	while (!pool.ending) {
		int64_t now = now_ns();
		int64_t due = due_ns(now);
		struct timespec until = { due / NS_PER_S, due % NS_PER_S };

		if (due <= now)
			break;
		if (due == NEVER)
			pthread_cond_wait(&pool.wanted, &pool.lock);
		else
			(void)pthread_cond_clockwait(&pool.wanted, &pool.lock, CLOCK_MONOTONIC, &until);
	}
	pool.idle--;
	if (pool.ending)
		return NULL;
	work = first_waiting();
	TAILQ_REMOVE(&pool.waiting[work->order.urgency], work, link);
	TAILQ_INSERT_TAIL(&pool.running, work, link);
	work->thread = gettid();
	work->taken_ns = now_ns();
	if (pool.idle == 0)
		spawn(); /* who looks after what comes while all others are at work */
	else if (first_waiting() != NULL)
		pthread_cond_signal(&pool.wanted);
	return work;
}

/* It waits for its loop. */
static void give_back(struct work *work)
{
	work->ran = true;
	TAILQ_INSERT_TAIL(&work->port->ran, work, link);
	uv_async_send(work->port->woken);
}

/* Runs it, unlocked; whether this worker was left behind meanwhile. */
static bool run(struct work *work)
{
	bool left;

	pthread_mutex_unlock(&pool.lock);
	work->order.run(work->order.data);
	pthread_mutex_lock(&pool.lock);
	left = work->left;
	pool.left -= left;
	TAILQ_REMOVE(&pool.running, work, link);
	if (work->port != NULL) {
		give_back(work);
		return left;
	}
	pthread_mutex_unlock(&pool.lock);
	work->order.forget(work->order.data);
	free(work);
	pthread_mutex_lock(&pool.lock);
	return left;
}

static void *work_on(void *data)
{
	struct worker *worker = data;
	struct work *work;
	bool left = false;

	pthread_mutex_lock(&pool.lock);
	while (!left && (work = take()) != NULL)
		left = run(work);
	if (left) { /* it has no way back from nice 19 */
		pthread_detach(pthread_self());
		worker->lives = false;
		pool.alive--;
		if (pool.idle == 0 && !pool.ending)
			spawn();
	} else {
		worker->ended = true;
		pool.alive--;
	}
	pthread_cond_broadcast(&pool.gone);
	pthread_mutex_unlock(&pool.lock);
	return NULL;
}

/* One more worker, if there may be one. */
static void spawn(void)
{
	if (pool.processors == 0)
		pool.processors = sysconf(_SC_NPROCESSORS_ONLN);
	for (size_t i = 0; i < WORKERS_MOST && !pool.ending; i++) {
		struct worker *worker = &pool.workers[i];

		if (worker->lives)
			continue;
		worker->lives = thread_start(&worker->thread, work_on, worker) == 0;
		pool.alive += worker->lives;
		return;
	}
}

/* ---- a loop's side ---- */

static struct work *take_ran(uv_async_t *woken)
{
	struct port *port;
	struct work *work = NULL;

	pthread_mutex_lock(&pool.lock);
	port = woken->data;
	if (port != NULL && (work = TAILQ_FIRST(&port->ran)) != NULL)
		TAILQ_REMOVE(&port->ran, work, link);
	pthread_mutex_unlock(&pool.lock);
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
	for (size_t i = 0; i < pool.ports.count; i++) {
		struct port *port = pool.ports.items[i];

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
	list_add(&pool.ports, port);
	return port;
}

struct work *work_start(uv_loop_t *loop, const struct work_order *order)
{
	struct work *work = NULL;
	struct port *port;

	pthread_mutex_lock(&pool.lock);
	port = port_of(loop);
	if (port != NULL && pool.idle == 0)
		spawn();
	if (port != NULL && pool.alive > 0) {
		work = mem_zalloc(1, sizeof(*work));
		work->order = *order;
		work->port = port;
		work->given_ns = now_ns();
		TAILQ_INSERT_TAIL(&pool.waiting[order->urgency], work, link);
		pthread_cond_signal(&pool.wanted);
	}
	pthread_mutex_unlock(&pool.lock);
	return work;
}

void work_leave(struct work *work)
{
	pthread_mutex_lock(&pool.lock);
	if (!work->ran && work->taken_ns == 0) {
		TAILQ_REMOVE(&pool.waiting[work->order.urgency], work, link);
		give_back(work);
	} else if (!work->ran) {
		work->left = true;
		pool.left++;
		(void)setpriority(PRIO_PROCESS, (id_t)work->thread, LEFT_NICE);
		if (pool.idle == 0)
			spawn();
	}
	pthread_mutex_unlock(&pool.lock);
}

void work_ages(const struct work *work, int64_t *waited_ms, int64_t *ran_ms)
{
	int64_t now = now_ns();
	int64_t taken;

	pthread_mutex_lock(&pool.lock);
	taken = work->taken_ns != 0 ? work->taken_ns : now;
	pthread_mutex_unlock(&pool.lock);
	*waited_ms = (taken - work->given_ns) / NS_PER_MS;
	*ran_ms = (now - taken) / NS_PER_MS;
}

int64_t workers_waited_ms(void)
{
	int64_t now = now_ns();
	int64_t oldest = now;

	pthread_mutex_lock(&pool.lock);
	for (int i = 0; i < WORK_URGENCIES; i++) {
		const struct work *work = TAILQ_FIRST(&pool.waiting[i]);

		if (work != NULL && work->given_ns < oldest)
			oldest = work->given_ns;
	}
	pthread_mutex_unlock(&pool.lock);
	return (now - oldest) / NS_PER_MS;
}

size_t workers_left(void)
{
	size_t left;

	pthread_mutex_lock(&pool.lock);
	left = pool.left;
	pthread_mutex_unlock(&pool.lock);
	return left;
}

size_t workers_left_for(uint64_t key, bool answers)
{
	const struct work *work;
	size_t count = 0;

	pthread_mutex_lock(&pool.lock);
	TAILQ_FOREACH(work, &pool.running, link)
		count += work->left && work->order.key == key && work->order.answers == answers;
	pthread_mutex_unlock(&pool.lock);
	return count;
}

bool workers_keep_up(int64_t ms)
{
	const struct work *work;
	int64_t now = now_ns();
	bool well;

	pthread_mutex_lock(&pool.lock);
	well = first_waiting() == NULL;
	TAILQ_FOREACH(work, &pool.running, link)
		well = well && !work->left && now - work->taken_ns < ms * NS_PER_MS;
	pthread_mutex_unlock(&pool.lock);
	return well;
}

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

/* Of these what belongs to the port, which is about to go. */
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

	pthread_mutex_lock(&pool.lock);
	port = find_port(loop);
	if (port != NULL) {
		list_remove(&pool.ports, port);
		for (int i = 0; i < WORK_URGENCIES; i++)
			move_works(&pool.waiting[i], port, &forgotten);
		move_works(&port->ran, port, &forgotten);
		TAILQ_FOREACH(work, &pool.running, link) {
			// cppcheck-suppress uninitvar
			if (work->port == port)
				work->port = NULL;
		}
		port->woken->data = NULL;
		uv_close((uv_handle_t *)port->woken, on_closed);
		free(port);
	}
	pthread_mutex_unlock(&pool.lock);
	while ((work = TAILQ_FIRST(&forgotten)) != NULL) {
		TAILQ_REMOVE(&forgotten, work, link);
		work->order.forget(work->order.data);
		free(work);
	}
}

bool workers_end(int64_t ms)
{
	int64_t end = now_ns() + ms * NS_PER_MS;
	struct timespec until = { end / NS_PER_S, end % NS_PER_S };
	int error = 0;
	bool all;

	pthread_mutex_lock(&pool.lock);
	pool.ending = true;
	pthread_cond_broadcast(&pool.wanted);
	while (pool.alive > 0 && error != ETIMEDOUT)
		error = pthread_cond_clockwait(&pool.gone, &pool.lock, CLOCK_MONOTONIC, &until);
	all = pool.alive == 0;
	for (size_t i = 0; i < WORKERS_MOST; i++) {
		if (pool.workers[i].ended)
			pthread_join(pool.workers[i].thread, NULL); /* it has let go of the lock for the last time */
		pool.workers[i].ended = false;
	}
	if (all)
		list_free(&pool.ports);
	pthread_mutex_unlock(&pool.lock);
	return all;
}
