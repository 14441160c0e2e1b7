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

/* The most urgent that waits; NULL: none does. */
struct work *crew_first_waiting(void)
{
	for (int i = 0; i < WORK_URGENCIES; i++) {
		if (!TAILQ_EMPTY(&crew.waiting[i]))
			return TAILQ_FIRST(&crew.waiting[i]);
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

/* Waits for work and takes it; NULL: all ends. */
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
		crew_spawn(); /* who looks after what comes while all others are at work */
	else if (crew_first_waiting() != NULL)
		pthread_cond_signal(&crew.wanted);
	return work;
}

/* It waits for its loop. */
void crew_give_back(struct work *work)
{
	work->ran = true;
	TAILQ_INSERT_TAIL(&work->port->ran, work, link);
	uv_async_send(work->port->woken);
}

/* Runs it, unlocked; whether this worker was left behind meanwhile. */
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

/* The loops' threads go first. In vain where the system does not know threads' own priorities. */
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
	if (left && !crew.ending) { /* it has no way back from nice 19 */
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

/* One more worker, if there may be one. */
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
