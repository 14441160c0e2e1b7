#include "script/job.h"

#include <stdlib.h>

#include "base/mem.h"

struct job *job_new(unsigned long id, const struct config_action *action, struct event *event)
{
	struct job *job = mem_zalloc(1, sizeof(*job));

	atomic_init(&job->references, 1);
	atomic_init(&job->state, JOB_SENT);
	job->id = id;
	job->event = event_ref(event);
	job->trigger = mem_strdup(action->path);
	job->source = mem_strdup(action->source);
	job->function = action->function;
	job->timeout_ms = action->timeout_ms;
	return job;
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

void job_unref(struct job **job_p)
{
	struct job *job = *job_p;

	*job_p = NULL;
	if (job == NULL || atomic_fetch_sub(&job->references, 1) > 1)
		return;
	event_unref(&job->event);
	free(job->trigger);
	free(job->source);
	free(job->error);
	free(job);
}
