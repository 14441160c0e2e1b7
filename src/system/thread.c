#include "system/thread.h"

#include <signal.h>
#include <time.h>

static int start(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *data), void *data)
{
	sigset_t all;
	sigset_t before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(thread, attr, run, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int thread_start(pthread_t *thread, void *(*run)(void *data), void *data)
{
	return start(thread, NULL, run, data);
}

static int64_t steady_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* pthread_timedjoin_np() goes by the wall clock, and ThreadSanitizer does not know pthread_clockjoin_np(). */
bool thread_join_within(pthread_t thread, int64_t ms)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int64_t end_ms = steady_ms() + ms;

	while (pthread_tryjoin_np(thread, NULL) != 0) {
		if (steady_ms() >= end_ms)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

int thread_start_alone(size_t stack_bytes, void *(*run)(void *data), void *data)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, stack_bytes);
	error = start(&thread, &attr, run, data);
	pthread_attr_destroy(&attr);
	return error;
}
