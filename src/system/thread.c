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

bool thread_join_within(pthread_t thread, int64_t ms)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += ms % 1000 * 1000000;
	end.tv_sec += ms / 1000 + end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &end) == 0;
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
