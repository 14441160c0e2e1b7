#include "loop/pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/mem.h"

#define VARIABLE "UV_THREADPOOL_SIZE" /* libuv reads it when the first work is queued */

static void nothing(uv_work_t *work)
{
	(void)work;
}

static int queue_first(void)
{
	uv_work_t work;
	uv_loop_t loop;
	int error = uv_loop_init(&loop);

	if (error != 0)
		return error;
	error = uv_queue_work(&loop, &work, nothing, NULL);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&loop);
	return error;
}

int pool_start(void)
{
	char *before = mem_strdup(getenv(VARIABLE));
	char size[16];
	sigset_t all;
	sigset_t mask;
	int error;

	(void)snprintf(size, sizeof(size), "%d", POOL_THREADS);
	(void)setenv(VARIABLE, size, 1);
	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &mask);
	error = queue_first();
	(void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (before != NULL)
		(void)setenv(VARIABLE, before, 1);
	else
		(void)unsetenv(VARIABLE);
	free(before);
	return error;
}
