#include "script/job.h"

#include <stdlib.h>

#include "base/mem.h"
#include "loop/clock.h"

static struct job *new_job(unsigned long id, int64_t timeout_ms)
{
	struct job *job = mem_zalloc(1, sizeof(*job));

	atomic_init(&job->references, 1);
	atomic_init(&job->state, JOB_SENT);
	atomic_init(&job->waits_for, NULL);
	atomic_init(&job->waits_since_ms, 0);
	atomic_init(&job->by_hand, false);
	job->id = id;
	job->timeout_ms = timeout_ms;
	return job;
}

struct job *job_new(unsigned long id, const struct config_action *action, struct event *event)
{
	struct job *job = new_job(id, action->timeout_ms);

	job->event = event_ref(event);
	job->trigger = mem_strdup(action->path);
	job->source = mem_strdup(action->source);
	job->function = action->function;
	return job;
}

struct job *job_new_code(unsigned long id, const char *session, const char *chunk, const char *code,
			 int64_t timeout_ms)
{
	struct job *job = new_job(id, timeout_ms);

	job->trigger = mem_strdup("console");
	job->source = mem_strdup(chunk);
	job->code = mem_strdup(code);
	job->session = mem_strdup(session);
	return job;
}

struct job *job_again(const struct job *job)
{
	struct job *again = new_job(job->id, job->timeout_ms);

	again->event = job->event != NULL ? event_ref(job->event) : NULL;
	again->trigger = mem_strdup(job->trigger);
	again->source = mem_strdup(job->source);
	again->function = job->function;
	again->code = mem_strdup(job->code);
	again->session = mem_strdup(job->session);
	return again;
}

struct job *job_ref(struct job *job)
{
	atomic_fetch_add(&job->references, 1);
	return job;
}

static bool leave_sent(struct job *job, enum job_state next)
{
	int sent = JOB_SENT;

	return atomic_compare_exchange_strong(&job->state, &sent, next);
}

bool job_begin(struct job *job)
{
	return leave_sent(job, JOB_BEGUN);
}

bool job_withdraw(struct job *job)
{
	return leave_sent(job, JOB_WITHDRAWN);
}

void job_stop(struct job *job, bool by_hand)
{
	if (by_hand)
		atomic_store(&job->by_hand, true);
	atomic_store(&job->over, true);
	(void)job_withdraw(job);
}

bool job_has_begun(const struct job *job)
{
	return atomic_load(&job->state) == JOB_BEGUN;
}

void job_waits(struct job *job, const char *what)
{
	atomic_store(&job->waits_for, NULL);
	if (what == NULL)
		return;
	atomic_store(&job->waits_since_ms, clock_steady_ms());
	atomic_store(&job->waits_for, what);
}

/*
 * Reads the wait again until it is the same before and after the time was read. Between two waits job_waits() stores
 * NULL, so a time of another wait is hardly ever taken.
 */
const char *job_waits_for(const struct job *job, int64_t *since_ms)
{
	const char *what;

	do {
		what = atomic_load(&job->waits_for);
		*since_ms = atomic_load(&job->waits_since_ms);
	} while (atomic_load(&job->waits_for) != what);
	return what;
}

void job_unref(struct job **job_p)
{
	struct job *job = *job_p;

	*job_p = NULL;
	if (job == NULL || atomic_fetch_sub(&job->references, 1) > 1)
		return;
	event_unref(&job->event);
	free(job->trigger);
	free(job->source);
	free(job->code);
	free(job->session);
	free(job->error);
	free(job->text);
	free(job);
}
