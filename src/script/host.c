#include "script/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "script/api.h"
#include "script/run.h"
#include "script/snippet.h"
#include "system/thread.h"

enum host_phase { HOST_LOADING, HOST_RUNNING, HOST_GONE };

enum order_word { ORDER_RUN, ORDER_STOP_JOB, ORDER_FORGET, ORDER_END };

struct order {
	enum order_word word;
	struct job *job;
	char *session; /* of ORDER_FORGET; else NULL */
};

struct host {
	pthread_t thread;
	pthread_mutex_t lock; /* protects phase, mailbox, config and report */
	pthread_cond_t changed;
	enum host_phase phase;
	struct mailbox *mailbox; /* the monitor's */
	char *path;
	struct load_options options;
	struct record *record;
	struct config *config;
	struct load_report report;
	struct pulse pulse;
	atomic_bool abandoned;
	/* used by the host's thread alone, once that runs */
	uv_loop_t loop;
	bool has_loop;
	struct mailbox *orders;
	struct engine engine;
};

static void say(struct host *host, enum host_word word, struct job *job)
{
	struct host_message *message = mem_zalloc(1, sizeof(*message));

	message->word = word;
	message->host = host;
	message->job = job;
	mailbox_send(host->mailbox, message);
}

static void on_ended(void *data, struct job *job)
{
	struct host *host = data;

	pthread_mutex_lock(&host->lock);
	say(host, HOST_JOB_ENDED, job_ref(job));
	pthread_mutex_unlock(&host->lock);
}

static void on_full(void *data)
{
	struct host *host = data;

	pthread_mutex_lock(&host->lock);
	say(host, HOST_IS_FULL, NULL);
	pthread_mutex_unlock(&host->lock);
}

static void drop_order(void *message)
{
	struct order *order = message;

	job_unref(&order->job);
	free(order->session);
	free(order);
}

static void on_order(void *data, void *message)
{
	struct host *host = data;
	struct order *order = message;

	switch (order->word) {
	case ORDER_RUN:
		if (!atomic_load(&host->abandoned)) {
			run_start(&host->engine, order->job);
			engine_work(&host->engine);
		}
		break;
	case ORDER_STOP_JOB:
		run_stop(&host->engine, order->job);
		break;
	case ORDER_FORGET:
		snippet_forget(&host->engine, order->session);
		break;
	case ORDER_END:
		uv_stop(&host->loop);
		break;
	}
	drop_order(order);
}

static void give(struct host *host, enum order_word word, struct job *job, const char *session)
{
	struct order *order = mem_zalloc(1, sizeof(*order));

	order->word = word;
	order->job = job != NULL ? job_ref(job) : NULL;
	order->session = mem_strdup(session);
	mailbox_send(host->orders, order);
}

/* Keeps the text of the configuration's file in the record, if whoever started the host has read it. */
static void keep_given_text(struct host *host)
{
	struct fact fact = { .bytes = host->options.text, .len = host->options.text_len };

	if (fact.bytes != NULL)
		record_keep(host->record, FACT_TEXT, host->path, &fact);
}

static void load(struct host *host)
{
	struct load_report report = { 0 };
	struct config *config;

	keep_given_text(host);
	config = load_config(&host->engine, host->path, &host->options, HOST_LOAD_MS, &report);
	if (config != NULL && !host->engine.again) {
		host->engine.memory_limit = (size_t)config->lua_memory_bytes;
		engine_keep_nodes(&host->engine, config);
	}
	pthread_mutex_lock(&host->lock);
	host->config = config;
	host->report = report;
	host->phase = HOST_RUNNING;
	pthread_cond_signal(&host->changed);
	if (host->mailbox != NULL)
		say(host, HOST_HAS_LOADED, NULL);
	pthread_mutex_unlock(&host->lock);
}

static void *run(void *data)
{
	struct host *host = data;

	load(host);
	(void)uv_run(&host->loop, UV_RUN_DEFAULT);
	engine_close(&host->engine);
	mailbox_free(&host->orders, drop_order);
	(void)uv_run(&host->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&host->loop);
	pthread_mutex_lock(&host->lock);
	host->phase = HOST_GONE;
	pthread_cond_signal(&host->changed);
	if (host->mailbox != NULL)
		say(host, HOST_IS_GONE, NULL);
	pthread_mutex_unlock(&host->lock);
	return NULL;
}

static void init_locks(struct host *host)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&host->lock, NULL);
	pthread_mutex_init(&host->pulse.lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&host->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void free_all(struct host *host)
{
	config_unref(&host->config);
	record_unref(&host->record);
	load_report_free(&host->report);
	pthread_cond_destroy(&host->changed);
	pthread_mutex_destroy(&host->lock);
	pthread_mutex_destroy(&host->pulse.lock);
	free(host->path);
	free(host);
}

/* Opens the state, its loop and the mailbox for orders, before the thread starts. */
static bool open_engine(struct host *host, struct shared *shared)
{
	host->has_loop = uv_loop_init(&host->loop) == 0;
	if (!host->has_loop)
		return false;
	host->engine = (struct engine){
		.shared = shared,
		.record = host->record,
		.pulse = &host->pulse,
		.abandoned = &host->abandoned,
		.ended = on_ended,
		.full = on_full,
		.data = host,
	};
	host->orders = mailbox_new(&host->loop, on_order, host);
	return host->orders != NULL && engine_open(&host->engine, &host->loop);
}

static void close_engine(struct host *host)
{
	if (!host->has_loop)
		return;
	engine_close(&host->engine);
	mailbox_free(&host->orders, drop_order);
	(void)uv_run(&host->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&host->loop);
}

/* Takes over `record`. */
static struct host *make(const char *path, struct record *record, struct mailbox *mailbox)
{
	struct host *host = mem_zalloc(1, sizeof(*host));

	host->path = mem_strdup(path);
	host->record = record;
	host->mailbox = mailbox;
	init_locks(host);
	return host;
}

static void unmake(struct host *host)
{
	close_engine(host);
	free_all(host);
}

struct host *host_new(const char *path, const struct load_options *options,
		      struct shared *shared, struct mailbox *mailbox)
{
	struct host *host = make(path, record_new(), mailbox);

	if (options != NULL)
		host->options = *options;
	if (open_engine(host, shared) && thread_start(&host->thread, run, host) == 0)
		return host;
	unmake(host);
	return NULL;
}

struct host *host_make_again(const struct config *config, struct record *record,
			     struct shared *shared, struct mailbox *mailbox)
{
	struct host *host = make(config->path, record_ref(record), mailbox);

	if (open_engine(host, shared)) {
		host->engine.again = true;
		host->engine.memory_limit = (size_t)config->lua_memory_bytes;
		engine_keep_nodes(&host->engine, config);
		if (thread_start(&host->thread, run, host) == 0)
			return host;
	}
	unmake(host);
	return NULL;
}

struct record *host_record(const struct host *host)
{
	return host->record;
}

/* Waits until the host is in this phase or a later one; false: that took longer than `ms`. */
static bool wait_for(struct host *host, enum host_phase phase, int64_t ms)
{
	struct timespec until;
	bool reached;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&host->lock);
	while (host->phase < phase && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&host->changed, &host->lock, &until);
	reached = host->phase >= phase;
	pthread_mutex_unlock(&host->lock);
	return reached;
}

bool host_wait(struct host *host)
{
	return wait_for(host, HOST_RUNNING, HOST_LOAD_MS + HOST_SIGN_MS);
}

void host_attach(struct host *host, struct mailbox *mailbox)
{
	pthread_mutex_lock(&host->lock);
	host->mailbox = mailbox;
	pthread_mutex_unlock(&host->lock);
}

void host_take(struct host *host, struct config **config, struct load_report *report)
{
	pthread_mutex_lock(&host->lock);
	*config = host->config;
	*report = host->report;
	host->config = NULL;
	host->report = (struct load_report){ 0 };
	pthread_mutex_unlock(&host->lock);
}

void host_run(struct host *host, struct job *job)
{
	give(host, ORDER_RUN, job, NULL);
}

void host_stop_job(struct host *host, struct job *job)
{
	give(host, ORDER_STOP_JOB, job, NULL);
}

void host_forget(struct host *host, const char *session)
{
	give(host, ORDER_FORGET, NULL, session);
}

void host_end(struct host *host)
{
	give(host, ORDER_END, NULL, NULL);
}

void host_abandon(struct host *host)
{
	atomic_store(&host->abandoned, true);
	host_end(host);
}

void host_look(struct host *host, struct host_sign *sign)
{
	pthread_mutex_lock(&host->pulse.lock);
	sign->job_id = host->pulse.job_id;
	sign->slice = host->pulse.slice;
	sign->function = host->pulse.function;
	memcpy(sign->trigger, host->pulse.trigger, sizeof(sign->trigger));
	memcpy(sign->place, host->pulse.place, sizeof(sign->place));
	pthread_mutex_unlock(&host->pulse.lock);
}

size_t host_memory(const struct host *host)
{
	return atomic_load_explicit(&host->pulse.memory, memory_order_relaxed);
}

bool host_free(struct host **host_p, int64_t ms)
{
	struct host *host = *host_p;

	*host_p = NULL;
	if (host == NULL)
		return true;
	if (!wait_for(host, HOST_GONE, ms))
		return false;
	pthread_join(host->thread, NULL);
	free_all(host);
	return true;
}
