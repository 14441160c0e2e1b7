#include "script/load.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

/* The monitor's half of a job. */
struct task {
	struct load *load;
	struct job *job;
	struct timer *timer;
	bool forced; /* to be told as ended, whatever the host says */
	void (*ended)(void *owner, const struct runner_outcome *outcome);
	void *owner;
};

struct load *load_new(uv_loop_t *loop, struct config *config, struct host *host,
		      void (*out_of_patience)(void *data), void *data)
{
	struct load *load = mem_zalloc(1, sizeof(*load));

	load->loop = loop;
	load->host = host;
	load->config = config_ref(config);
	load->patience = timer_new(loop, NULL, out_of_patience, data);
	return load;
}

void load_free(struct load **load_p)
{
	struct load *load = *load_p;

	*load_p = NULL;
	timer_free(&load->patience);
	list_free(&load->tasks);
	config_unref(&load->config);
	free(load);
}

static void tell(struct task *task, const struct runner_outcome *outcome)
{
	task->job->owner = NULL;
	list_remove(&task->load->tasks, task);
	timer_free(&task->timer);
	job_unref(&task->job);
	task->ended(task->owner, outcome);
	free(task);
}

static void tell_failed(struct task *task, const char *error, bool timed_out)
{
	struct runner_outcome outcome = {
		.timed_out = timed_out,
		.error = error,
		.took_ms = timed_out ? task->job->timeout_ms + HOST_SIGN_MS : 0,
	};

	tell(task, &outcome);
}

void load_fail(struct load *load, const char *why)
{
	struct task *task;

	while ((task = list_shift(&load->tasks)) != NULL)
		tell_failed(task, why, false);
}

void load_take_outcome(struct job *job)
{
	struct task *task = job->owner;
	struct runner_outcome outcome = {
		.timed_out = job->timed_out,
		.error = job->error,
		.took_ms = job->took_ms,
	};

	if (task != NULL)
		tell(task, &outcome);
}

bool load_see_sign(struct load *load)
{
	bool hung = load->hangs;

	load->hangs = false;
	load->dropping = false;
	timer_stop(load->patience);
	return hung;
}

static void say_hangs(struct load *load, const struct host_sign *sign)
{
	log_error("the script host gives no sign: it is in %s, last seen at %s; polls and commands"
		  " go on, other triggers in Lua wait",
		  sign->job_id != 0 ? sign->trigger : "no trigger", sign->place);
	load->hangs = true;
	timer_start(load->patience, load->config->lua_patience_ms);
}

/* Past its timeout, and no word of its end. */
static void on_late(struct task *task)
{
	struct load *load = task->load;
	struct host_sign sign;
	char *text;

	host_look(load->host, &sign);
	if (sign.job_id == task->job->id)
		text = mem_printf("gives no sign since %s: it holds its script host in one call",
				  sign.place);
	else
		text = mem_printf("its script host gives no sign: it is held by %s at %s",
				  sign.job_id != 0 ? sign.trigger : "?", sign.place);
	if (!load->hangs)
		say_hangs(load, &sign);
	tell_failed(task, text, true);
	free(text);
}

static void on_task_time(void *data)
{
	struct task *task = data;

	if (task->forced)
		tell_failed(task, "ended with plusmoin", false);
	else if (task->load->host == NULL || task->load->dropping)
		tell_failed(task, "dropped: no script host could run it", false);
	else
		on_late(task);
}

struct task *load_start(struct load *load, unsigned long id, const struct config_action *action,
			struct event *event,
			void (*ended)(void *owner, const struct runner_outcome *outcome),
			void *owner)
{
	struct task *task = mem_zalloc(1, sizeof(*task));

	task->load = load;
	task->job = job_new(id, action, event);
	task->job->owner = task;
	task->ended = ended;
	task->owner = owner;
	task->timer = timer_new(load->loop, NULL, on_task_time, task);
	list_add(&load->tasks, task);
	if (load->host == NULL || load->dropping) {
		timer_start(task->timer, 0);
	} else {
		timer_start(task->timer, action->timeout_ms + HOST_SIGN_MS);
		host_run(load->host, task->job);
	}
	return task;
}

void load_stop(struct task *task, bool force)
{
	if (task->load->host != NULL)
		host_stop_job(task->load->host, task->job);
	task->forced = task->forced || force;
	if (force)
		timer_start(task->timer, 0);
}
