#include "process/glance.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "system/thread.h"

#define STACK_BYTES ((size_t)256 << 10)

/* Freed by the caller, or by the thread if that was left behind. */
struct glance {
	char *name;
	char *cwd;
	pthread_mutex_t lock;
	pthread_cond_t returned;
	/* guarded by the lock */
	bool done;
	bool left; /* nobody waits for it any more */
	struct program_fault *fault;
	char *place;
};

static atomic_bool hangs; /* one is left behind, and has not returned */

static void glance_free(struct glance *glance)
{
	pthread_cond_destroy(&glance->returned);
	pthread_mutex_destroy(&glance->lock);
	program_fault_free(&glance->fault);
	free(glance->place);
	free(glance->name);
	free(glance->cwd);
	free(glance);
}

static void *look_in_thread(void *data)
{
	struct glance *glance = data;
	char *place;
	struct program_fault *fault = program_look(glance->name, glance->cwd, &place);
	bool left;

	pthread_mutex_lock(&glance->lock);
	glance->fault = fault;
	glance->place = place;
	glance->done = true;
	left = glance->left;
	pthread_cond_signal(&glance->returned);
	pthread_mutex_unlock(&glance->lock);
	if (left) {
		glance_free(glance);
		atomic_store(&hangs, false);
	}
	return NULL;
}

/* Waits for the look, and returns whether it ended in time; if not, the thread owns it from now on. */
static bool wait_for(struct glance *glance, int ms)
{
	struct timespec until;
	int error = 0;
	bool done;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&glance->lock);
	while (!glance->done && error == 0)
		error = pthread_cond_clockwait(&glance->returned, &glance->lock, CLOCK_MONOTONIC, &until);
	done = glance->done;
	glance->left = !done;
	if (!done)
		atomic_store(&hangs, true);
	pthread_mutex_unlock(&glance->lock);
	return done;
}

static struct program_fault *no_answer(const char *name, int ms)
{
	struct program_fault *fault = mem_zalloc(1, sizeof(*fault));

	fault->words = mem_printf("a look at \"%s\" does not return within %g s: does its mount hang?", name, ms / 1000.0);
	fault->sure = true;
	return fault;
}

struct program_fault *glance_at_program(const char *name, const char *cwd, int ms, char **place, bool *looked)
{
	struct glance *glance;
	struct program_fault *fault;

	*looked = !atomic_load(&hangs);
	if (place != NULL)
		*place = NULL;
	if (!*looked)
		return NULL;
	glance = mem_zalloc(1, sizeof(*glance));
	glance->name = mem_strdup(name);
	glance->cwd = mem_strdup(cwd);
	pthread_mutex_init(&glance->lock, NULL);
	pthread_cond_init(&glance->returned, NULL);
	*looked = thread_start_alone(STACK_BYTES, look_in_thread, glance) == 0;
	if (*looked && !wait_for(glance, ms))
		return no_answer(name, ms);
	fault = glance->fault;
	glance->fault = NULL;
	if (place != NULL) {
		*place = glance->place;
		glance->place = NULL;
	}
	glance_free(glance);
	return fault;
}
