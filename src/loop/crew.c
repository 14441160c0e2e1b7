#include "loop/crew.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "system/thread.h"

#define NEVER INT64_MAX

struct crew crew = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.wanted = PTHREAD_COND_INITIALIZER,
	.gone = PTHREAD_COND_INITIALIZER,
	.waiting = {
		TAILQ_HEAD_INITIALIZER(crew.waiting[0]),
		TAILQ_HEAD_INITIALIZER(crew.waiting[1]),
		TAILQ_HEAD_INITIALIZER(crew.waiting[2]),
	},
	.running = TAILQ_HEAD_INITIALIZER(crew.running),
};

int64_t crew_now_ns(void)
{
	return (int64_t)uv_hrtime();
}

struct work *crew_first_waiting(void)
{
	for (int i = 0; i < WORK_URGENCIES; i++) {
		if (!TAILQ_EMPTY(&crew.waiting[i]))
			return TAILQ_FIRST(&crew.waiting[i]);
	}
	return NULL;
}

/*
 * Returns when the first waiting work may be taken: when fewer works than there are processors run that have begun
 * within WORKERS_PATIENCE_MS.
 */
static int64_t due_ns(int64_t now)
{
	const int64_t patience = WORKERS_PATIENCE_MS * NS_PER_MS;
	const struct work *work;
	int64_t oldest = NEVER;
	long young = 0;

	if (crew_first_waiting() == NULL)
		return NEVER;
	TAILQ_FOREACH(work, &crew.running, link) {
		// cppcheck-suppress uninitvar ; it does not know the macro
		if (work->left || now - work->taken_ns >= patience)
			continue;
		young++;
		if (oldest == NEVER)
			oldest = work->taken_ns;
	}
	return young < crew.processors || young == 0 ? now : oldest + patience;
}

/* Waits for work and takes it; NULL: the pool ends. */
static struct work *take(void)
{
	struct work *work;

	crew.idle++;
	while (!crew.ending) {
		int64_t now = crew_now_ns();
		int64_t due = due_ns(now);
		struct timespec until = { due / NS_PER_S, due % NS_PER_S };

		if (due <= now)
			break;
		if (due == NEVER)
			pthread_cond_wait(&crew.wanted, &crew.lock);
		else
			(void)pthread_cond_clockwait(&crew.wanted, &crew.lock, CLOCK_MONOTONIC, &until);
	}
	crew.idle--;
	if (crew.ending)
		return NULL;
	work = crew_first_waiting();
	TAILQ_REMOVE(&crew.waiting[work->order.urgency], work, link);
	TAILQ_INSERT_TAIL(&crew.running, work, link);
	work->thread = gettid();
	work->taken_ns = crew_now_ns();
	if (crew.idle == 0)
		crew_spawn(); /* a worker that waits for new work while all others are at work */
	else if (crew_first_waiting() != NULL)
		pthread_cond_signal(&crew.wanted);
	return work;
}

void crew_give_back(struct work *work)
{
	work->ran = true;
	TAILQ_INSERT_TAIL(&work->port->ran, work, link);
	uv_async_send(work->port->woken);
}

/* Runs the work without the lock; returns whether this worker was left behind meanwhile. */
static bool run(struct work *work)
{
	bool left;

	pthread_mutex_unlock(&crew.lock);
	work->order.run(work->order.data);
	pthread_mutex_lock(&crew.lock);
	left = work->left;
	crew.left -= left;
	TAILQ_REMOVE(&crew.running, work, link);
	if (work->port != NULL) {
		crew_give_back(work);
		return left;
	}
	pthread_mutex_unlock(&crew.lock);
	work->order.forget(work->order.data);
	free(work);
	pthread_mutex_lock(&crew.lock);
	return left;
}

/* Lowers the worker's priority, so that loops' threads go first. Has no effect where threads have none of their own. */
static void give_way(void)
{
	int nice = getpriority(PRIO_PROCESS, 0) + WORKERS_NICE;

	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice);
}

static void *work_on(void *data)
{
	struct worker *worker = data;
	struct work *work;
	bool left = false;

	give_way();
	pthread_mutex_lock(&crew.lock);
	while (!left && (work = take()) != NULL)
		left = run(work);
	if (left && !crew.ending) { /* it ends, because it cannot go back from nice 19 */
		pthread_detach(pthread_self());
		worker->lives = false;
		crew.alive--;
		if (crew.idle == 0 && !crew.ending)
			crew_spawn();
	} else {
		worker->ended = true;
		crew.alive--;
	}
	pthread_cond_broadcast(&crew.gone);
	pthread_mutex_unlock(&crew.lock);
	return NULL;
}

void crew_spawn(void)
{
	if (crew.processors == 0)
		crew.processors = sysconf(_SC_NPROCESSORS_ONLN);
	for (size_t i = 0; i < WORKERS_MOST && !crew.ending; i++) {
		struct worker *worker = &crew.workers[i];

		if (worker->lives)
			continue;
		worker->lives = thread_start(&worker->thread, work_on, worker) == 0;
		crew.alive += worker->lives;
		return;
	}
}
