#include "script/load.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "loop/clock.h"

#define CODE 0           /* the function number of typed code, which is other code each time */
#define WATCH_PART 8     /* the host is looked at after this part of lua.patience */
#define WATCH_MIN_MS 10  /* the shortest time between two looks at a host */
#define WATCH_MAX_MS 500 /* the longest time between two looks at a host */

/* The monitor's half of a job. */
struct task {
	struct load *load;
	struct job *job;
	struct host *host;  /* the host that has the job; NULL: none */
	const char *refusal; /* why the job is not run; NULL: it runs, or waits for a host */
	int64_t sent_ms;     /* steady: when the host was given the job; 0: it was not */
	struct timer *timer;
	bool forced; /* it is told as ended, whatever the host says */
	void (*ended)(void *owner, const struct runner_outcome *outcome);
	void *owner;
};

static void on_watch(void *data);

/* How many functions the configuration has: they are numbered from 1. */
static size_t count_functions(const struct config *config)
{
	size_t count = 0;

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++)
		count += config->triggers[kind].count;
	return count;
}

struct load *load_new(uv_loop_t *loop, struct config *config, struct host *host,
		      const struct load_events *events, void *data)
{
	struct load *load = mem_zalloc(1, sizeof(*load));

	load->loop = loop;
	load->host = host;
	load->config = config_ref(config);
	load->record = record_ref(host_record(host));
	load->holds = mem_zalloc(count_functions(config) + 1, sizeof(*load->holds));
	load->watch = timer_new(loop, on_watch, load);
	load->events = events;
	load->data = data;
	return load;
}

/* Drops tasks without telling them: the daemon ends, and nobody waits any more for what was typed at a console. */
static void drop_tasks(struct load *load)
{
	struct task *task;

	while ((task = list_shift(&load->tasks)) != NULL) {
		task->job->owner = NULL;
		timer_free(&task->timer);
		job_unref(&task->job);
		free(task);
	}
}

void load_free(struct load **load_p)
{
	struct load *load = *load_p;
	struct host *host;

	*load_p = NULL;
	while ((host = list_shift(&load->old)) != NULL)
		load->events->spare(load->data, host, false);
	if (load->host != NULL)
		load->events->spare(load->data, load->host, false);
	if (load->next != NULL)
		load->events->spare(load->data, load->next, false);
	drop_tasks(load);
	timer_free(&load->watch);
	timer_free(&load->next_timer);
	list_free(&load->tasks);
	list_free(&load->old);
	record_unref(&load->record);
	config_unref(&load->config);
	free(load->holds);
	free(load->lack);
	free(load);
}

/* ---- runs that end ---- */

static bool is_used(const struct load *load, const struct host *host)
{
	for (size_t i = 0; i < load->tasks.count; i++) {
		const struct task *task = load->tasks.items[i];

		if (task->host == host)
			return true;
	}
	return false;
}

/* Gives up a host that was replaced, if nothing runs there any more. */
static void look_at_old_host(struct load *load, struct host *host)
{
	struct host_sign sign;

	if (is_used(load, host) || !list_remove(&load->old, host))
		return;
	host_look(host, &sign);
	load->events->spare(load->data, host, sign.job_id != 0);
}

static void tell(struct task *task, const struct runner_outcome *outcome)
{
	struct load *load = task->load;
	struct host *host = task->host;

	task->job->owner = NULL;
	load->events->ending(load->data, task->job, outcome->error != NULL && !outcome->timed_out);
	list_remove(&load->tasks, task);
	timer_free(&task->timer);
	if (load->old.count > 0)
		look_at_old_host(load, host);
	task->ended(task->owner, outcome);
	job_unref(&task->job);
	free(task);
}

static void tell_failed(struct task *task, const char *error, bool timed_out)
{
	struct runner_outcome outcome = {
		.timed_out = timed_out,
		.error = error,
		.took_ms = task->sent_ms != 0 ? clock_steady_ms() - task->sent_ms : 0,
	};

	tell(task, &outcome);
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

/* ---- runs that begin ---- */

static int64_t watch_ms(const struct load *load)
{
	int64_t ms = load->config->lua_patience_ms / WATCH_PART;

	if (ms < WATCH_MIN_MS)
		return WATCH_MIN_MS;
	return ms < WATCH_MAX_MS ? ms : WATCH_MAX_MS;
}

static void give(struct task *task)
{
	struct load *load = task->load;

	task->host = load->host;
	task->sent_ms = clock_steady_ms();
	timer_start(task->timer, task->job->timeout_ms + HOST_SIGN_MS);
	host_run(task->host, task->job);
	if (!timer_is_set(load->watch)) {
		load->held_ms = 0;
		timer_start(load->watch, watch_ms(load));
	}
}

/* Has the task told as dropped for this reason, in a later turn of the loop. */
static void refuse(struct task *task, const char *why)
{
	task->refusal = why;
	timer_start(task->timer, 0);
}

/* Gives a task that no host has to the host, drops it, or lets it wait, by the load's state. */
static void place(struct task *task)
{
	const struct load *load = task->load;

	if (task->job->code == NULL && load->holds[task->job->function] >= LOAD_HOLDS)
		refuse(task, "not called: it has held its script host twice; a reload has it called"
			     " again");
	else if (load->state == LOAD_DROPS)
		refuse(task, "dropped: no script host could run it");
	else if (load->state == LOAD_LACKS)
		refuse(task, "dropped: no script host could run it, until a reload");
	else if (load->state == LOAD_RUNS)
		give(task);
}

static void place_all(struct load *load)
{
	for (size_t i = 0; i < load->tasks.count; i++) {
		struct task *task = load->tasks.items[i];

		if (task->host == NULL && task->refusal == NULL && !task->forced)
			place(task);
	}
}

/* Takes the task back from its host, so that it waits for one again; false: the host has begun it. */
static bool take_back(struct task *task)
{
	struct job *job = task->job;

	if (!job_withdraw(job))
		return false;
	job->owner = NULL;
	task->job = job_again(job);
	task->job->owner = task;
	task->host = NULL;
	timer_stop(task->timer);
	job_unref(&job);
	return true;
}

bool load_is_ready(const struct load *load)
{
	return load->state != LOAD_SILENT && load->state != LOAD_MAKES;
}

/* ---- a host that gives no sign ---- */

static void set_state(struct load *load, enum load_state state)
{
	load->state = state;
	place_all(load);
	load->events->changed(load->data);
}

static void say_silent(struct load *load, const struct host_sign *sign)
{
	if (load->state != LOAD_RUNS)
		return;
	log_error("the script host gives no sign: it is in %s, last seen at %s; polls and commands"
		  " go on, other triggers in Lua wait", sign->trigger, sign->place);
	load->state = LOAD_SILENT;
}

void load_see_sign(struct load *load)
{
	load->held_ms = 0;
	if (load->state != LOAD_SILENT && load->state != LOAD_DROPS)
		return;
	log_error("the script host goes on");
	set_state(load, LOAD_RUNS);
}

/* Counts that a function has held its host for lua.patience. */
static void count_hold(struct load *load, const struct host_sign *sign)
{
	if (++load->holds[sign->function] == LOAD_HOLDS && sign->function != CODE)
		log_error("%s has held its script host twice, last seen at %s: it is not called again"
			  " before a reload", sign->trigger, sign->place);
}

/*
 * Looks at the host again and again while something runs there. Adds up the time between looks, and does not
 * ask the clock, so that a time in which this loop itself stood still does not count.
 */
static void on_watch(void *data)
{
	struct load *load = data;
	struct host_sign sign;

	if (load->host == NULL)
		return;
	host_look(load->host, &sign);
	if (sign.job_id != 0 || is_used(load, load->host))
		timer_start(load->watch, watch_ms(load));
	if (sign.job_id == 0 || sign.slice != load->slice) {
		load->slice = sign.slice;
		load_see_sign(load);
	} else if (load->state != LOAD_DROPS) {
		load->held_ms += watch_ms(load);
		if (load->held_ms < load->config->lua_patience_ms)
			return;
		say_silent(load, &sign);
		count_hold(load, &sign);
		load->events->held(load->data, load);
	}
}

/* Tells a task as failed that holds its host, or whose host another one holds. */
static void tell_held(struct task *task, const struct host_sign *sign, bool timed_out)
{
	char *text;

	if (sign->job_id == task->job->id)
		text = mem_printf("gives no sign since %s: it holds its script host in one call",
				  sign->place);
	else
		text = mem_printf("its script host gives no sign: it is held by %s at %s",
				  sign->job_id != 0 ? sign->trigger : "?", sign->place);
	tell_failed(task, text, timed_out);
	free(text);
}

/* The task is past its timeout, and its host has not said that it has ended. */
static void on_late(struct task *task)
{
	struct load *load = task->load;
	struct host_sign sign;

	host_look(task->host, &sign);
	if (task->host == load->host && sign.job_id != 0 && sign.slice == load->slice)
		say_silent(load, &sign);
	if (take_back(task))
		place(task);
	else
		tell_held(task, &sign, true);
}

/*
 * Tells as ended a task that was asked to end, and had not begun, or whose host has not said in time that it has
 * ended.
 */
static void tell_forced(struct task *task)
{
	struct host_sign sign = { 0 };

	if (job_has_begun(task->job))
		host_look(task->host, &sign);
	if (sign.job_id != 0)
		tell_held(task, &sign, false);
	else
		tell_failed(task, atomic_load(&task->job->by_hand) ? "ended by hand" : "ended with plusmoin", false);
}

static void on_task_time(void *data)
{
	struct task *task = data;

	if (task->forced)
		tell_forced(task);
	else if (task->refusal != NULL)
		tell_failed(task, task->refusal, false);
	else
		on_late(task);
}

/* A task that is on this host; NULL: there is none. */
static struct task *task_on(const struct load *load, const struct host *host)
{
	for (size_t i = 0; i < load->tasks.count; i++) {
		struct task *task = load->tasks.items[i];

		// the analyzer does not know that list_remove() takes a freed task out of the list
		if (task->host == host) // NOLINT(clang-analyzer-unix.Malloc)
			return task;
	}
	return NULL;
}

struct host *load_leave(struct load *load)
{
	struct host *host = load->host;
	struct host_sign sign;
	struct task *task;

	host_look(host, &sign);
	load->host = NULL;
	load->state = LOAD_MAKES;
	while ((task = task_on(load, host)) != NULL) {
		if (!take_back(task))
			tell_held(task, &sign, false);
	}
	return host;
}

void load_drop(struct load *load)
{
	for (size_t i = 0; i < load->tasks.count; i++) {
		struct task *task = load->tasks.items[i];

		if (task->host == load->host)
			(void)take_back(task);
	}
	set_state(load, LOAD_DROPS);
}

void load_take_host(struct load *load, struct host *host)
{
	struct host *old = load->host;

	load->host = host;
	load->slice = 0;
	load->held_ms = 0;
	load->made_again++;
	if (old != NULL) {
		list_add(&load->old, old);
		look_at_old_host(load, old);
	}
	set_state(load, LOAD_RUNS);
}

void load_lacks(struct load *load, char *why)
{
	free(load->lack);
	load->lack = why;
	if (load->host == NULL)
		set_state(load, LOAD_LACKS);
}

/* ---- what dispatch asks for ---- */

struct task *load_start(struct load *load, struct job *job,
			void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner)
{
	struct task *task = mem_zalloc(1, sizeof(*task));

	task->load = load;
	task->job = job;
	task->job->owner = task;
	task->ended = ended;
	task->owner = owner;
	task->timer = timer_new(load->loop, on_task_time, task);
	list_add(&load->tasks, task);
	place(task);
	return task;
}

const struct job *load_job(const struct task *task)
{
	return task->job;
}

void load_stop(struct task *task, enum runner_stop how)
{
	job_stop(task->job, how == RUNNER_BY_HAND);
	if (job_has_begun(task->job))
		host_stop_job(task->host, task->job);
	task->forced = task->forced || how == RUNNER_FORCED || !job_has_begun(task->job);
	if (task->forced)
		timer_start(task->timer, 0);
}
