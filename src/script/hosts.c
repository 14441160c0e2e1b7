#include "script/hosts.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "script/remake.h"

#define TIDY_MS 500  /* how often old loads that are not used any more are freed */
#define END_MS 1000  /* time for the thread of a host to end */

struct hosts {
	uv_loop_t *loop;
	struct mailbox *mailbox;
	struct shared *shared;
	struct runner runner;
	struct hosts_events events;
	void *data;
	struct load *present;
	struct list loads; /* the present one and those before it that are still used */
	struct host *loading; /* the host of the load under way; NULL: none is */
	unsigned long load_number; /* of the load under way, or the last one */
	bool load_again;      /* another load follows the one under way */
	struct list left_behind; /* hosts that a C call holds */
	struct list ending; /* hosts that were asked to end and have not yet */
	struct timer *load_timer; /* ends the load under way when it takes too long */
	struct timer *tidy;
	unsigned long next_id;
	unsigned long generation;
};

static void leave_behind(struct hosts *hosts, struct host *host)
{
	host_abandon(host);
	list_add(&hosts->left_behind, host);
	hosts->generation++;
}

static void begin_load(struct hosts *hosts)
{
	static const struct load_options reload = { .reload = true };

	hosts->load_number++;
	hosts->loading = host_new(hosts->present->config->path, &reload, hosts->shared,
				  hosts->mailbox);
	if (hosts->loading == NULL)
		log_error("no thread can be started for a script host: the configuration is not loaded");
	else
		timer_start(hosts->load_timer, HOST_LOAD_MS + HOST_SIGN_MS);
}

unsigned long hosts_load(struct hosts *hosts)
{
	if (hosts->loading != NULL) {
		hosts->load_again = true;
		return hosts->load_number + 1;
	}
	begin_load(hosts);
	return hosts->loading != NULL ? hosts->load_number : 0;
}

/* Tells that the load has failed; takes over `why`. */
static void fail_load(struct hosts *hosts, char *why)
{
	struct load_report report = { .errors = &why, .error_count = 1 };

	hosts->events.loaded(hosts->data, hosts->load_number, NULL, &report);
	free(why);
}

/* Leaves the load's host behind in its C call, and makes another one in its place. */
static void replace(struct hosts *hosts, struct load *load)
{
	log_error("the script host is left behind, and a new one is made from %s as it was accepted",
		  load->config->path);
	leave_behind(hosts, load_leave(load));
	load_make_again(load, hosts->shared, hosts->mailbox);
}

static void on_held(void *data, struct load *load)
{
	struct hosts *hosts = data;

	if (hosts->left_behind.count < HOSTS_LEFT_BEHIND) {
		replace(hosts, load);
		return;
	}
	log_error("%d script hosts are left behind already: triggers in Lua are dropped until one"
		  " of them ends", HOSTS_LEFT_BEHIND);
	load_drop(load);
}

/* Asks the host to end; it is freed when it says that it is gone. */
static void end_host(struct hosts *hosts, struct host *host)
{
	host_end(host);
	list_add(&hosts->ending, host);
}

static void on_spare(void *data, struct host *host, bool held)
{
	if (held)
		leave_behind(data, host);
	else
		end_host(data, host);
}

static void note_change(struct hosts *hosts)
{
	hosts->generation++;
	hosts->events.changed(hosts->data);
}

static void on_changed(void *data)
{
	note_change(data);
}

static void on_ending(void *data, struct job *job, bool failed)
{
	struct hosts *hosts = data;

	if (shared_end_job(hosts->shared, job, failed) && hosts->events.assigned != NULL)
		hosts->events.assigned(hosts->data);
}

static void add_load(struct hosts *hosts, struct host *host, struct config *config)
{
	static const struct load_events events = {
		.held = on_held, .spare = on_spare, .ending = on_ending, .changed = on_changed,
	};

	hosts->present = load_new(hosts->loop, config, host, &events, hosts);
	list_add(&hosts->loads, hosts->present);
	hosts->generation++;
}

/* Frees old loads to whose configuration nobody else has a reference any more. */
static void on_tidy(void *data)
{
	struct hosts *hosts = data;

	for (size_t i = hosts->loads.count; i-- > 0;) {
		struct load *load = hosts->loads.items[i];

		if (load != hosts->present && load->config->references == 1) {
			list_remove(&hosts->loads, load);
			load_free(&load);
		}
	}
	if (hosts->loads.count > 1)
		timer_start(hosts->tidy, TIDY_MS);
}

/* Asks the owner whether the load may come into force; if not, makes it one that has failed. */
static void see_refusal(struct hosts *hosts, struct config **config, struct load_report *report)
{
	char *why = NULL;

	if (*config != NULL && hosts->events.refuses != NULL)
		why = hosts->events.refuses(hosts->data, *config);
	if (why == NULL)
		return;
	load_report_fail(report, (*config)->path, why);
	config_unref(config);
	free(why);
}

static void take_load(struct hosts *hosts, struct host *host)
{
	struct load_report report;
	struct config *config;

	host_take(host, &config, &report);
	see_refusal(hosts, &config, &report);
	hosts->loading = NULL;
	timer_stop(hosts->load_timer);
	if (config != NULL)
		add_load(hosts, host, config);
	else
		end_host(hosts, host);
	hosts->events.loaded(hosts->data, hosts->load_number, config, &report);
	config_unref(&config);
	load_report_free(&report);
	timer_start(hosts->tidy, 0);
	if (hosts->load_again) {
		hosts->load_again = false;
		begin_load(hosts);
		if (hosts->loading == NULL)
			fail_load(hosts, mem_printf("%s: no thread can be started to load it",
						    hosts->present->config->path));
	}
}

static void on_load_time(void *data)
{
	struct hosts *hosts = data;

	leave_behind(hosts, hosts->loading);
	hosts->loading = NULL;
	hosts->load_number += hosts->load_again; /* the load that was to follow would hang, too, so it fails */
	hosts->load_again = false;
	fail_load(hosts, mem_printf("%s: took longer than %d s to load, in one call that Lua cannot"
				    " end", hosts->present->config->path, HOST_LOAD_MS / 1000));
}

static struct load *load_of_host(struct hosts *hosts, const struct host *host)
{
	for (size_t i = 0; i < hosts->loads.count; i++) {
		struct load *load = hosts->loads.items[i];

		if (load->host == host)
			return load;
	}
	return NULL;
}

/* Replaces a host in which most of the memory is kept: a new one begins without that; the old one ends what it runs. */
static void see_full(struct hosts *hosts, const struct host *host)
{
	struct load *load = load_of_host(hosts, host);

	if (load == NULL || load->next != NULL || load->lack != NULL)
		return;
	log_error("what triggers in Lua keep takes most of lua.memory_limit: a new script host is"
		  " made from %s as it was accepted", load->config->path);
	load_make_again(load, hosts->shared, hosts->mailbox);
}

static void see_gone(struct hosts *hosts, struct host *host)
{
	bool was_left = list_remove(&hosts->left_behind, host);

	list_remove(&hosts->ending, host);
	(void)host_free(&host, END_MS);
	if (!was_left)
		return;
	log_error("a script host that was left behind has ended");
	hosts->generation++;
	for (size_t i = 0; i < hosts->loads.count; i++) {
		struct load *load = hosts->loads.items[i];

		if (load->state == LOAD_DROPS) {
			replace(hosts, load);
			return;
		}
	}
}

static void see_loaded(struct hosts *hosts, struct host *host)
{
	for (size_t i = 0; i < hosts->loads.count; i++) {
		struct load *load = hosts->loads.items[i];

		if (load->next == host) {
			load_take_next(load);
			return;
		}
	}
	if (host == hosts->loading)
		take_load(hosts, host);
}

static void on_message(void *data, void *raw)
{
	struct hosts *hosts = data;
	struct host_message *message = raw;
	struct load *load = load_of_host(hosts, message->host);

	if (load != NULL)
		load_see_sign(load);
	switch (message->word) {
	case HOST_HAS_LOADED:
		see_loaded(hosts, message->host);
		break;
	case HOST_JOB_ENDED:
		load_take_outcome(message->job);
		break;
	case HOST_IS_FULL:
		see_full(hosts, message->host);
		break;
	case HOST_IS_GONE:
		see_gone(hosts, message->host);
		break;
	}
	job_unref(&message->job);
	free(message);
}

static void drop_message(void *raw)
{
	struct host_message *message = raw;

	job_unref(&message->job);
	free(message);
}

static struct load *load_of(const struct hosts *hosts, const struct config *config)
{
	for (size_t i = 0; i < hosts->loads.count; i++) {
		struct load *load = hosts->loads.items[i];

		if (load->config == config)
			return load;
	}
	return hosts->present;
}

static bool is_ready(void *data, const struct config *config)
{
	return load_is_ready(load_of(data, config));
}

static void *start(void *data, const struct config *config, const struct config_action *action,
		   struct event *event,
		   void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner)
{
	struct hosts *hosts = data;

	return load_start(load_of(hosts, config), job_new(++hosts->next_id, action, event), ended, owner);
}

static void stop(void *data, void *run, enum runner_stop how)
{
	(void)data;
	load_stop(run, how);
}

void *hosts_run_code(struct hosts *hosts, const struct config *config, const struct hosts_code *code,
		     void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner)
{
	struct job *job = job_new_code(++hosts->next_id, code->session, code->chunk, code->text, code->timeout_ms);

	return load_start(load_of(hosts, config), job, ended, owner);
}

const struct job *hosts_code_job(const void *run)
{
	return load_job(run);
}

void hosts_forget(struct hosts *hosts, const char *session)
{
	for (size_t i = 0; i < hosts->loads.count; i++) {
		struct load *load = hosts->loads.items[i];

		if (load->host != NULL)
			host_forget(load->host, session);
	}
}

static struct runner_wait waits_for(void *data, const void *run)
{
	const struct job *job = load_job(run);
	struct runner_wait wait = { .begun = job_has_begun(job) };

	(void)data;
	wait.what = job_waits_for(job, &wait.since_ms);
	return wait;
}

unsigned long hosts_generation(const struct hosts *hosts)
{
	return hosts->generation;
}

void hosts_render(const struct hosts *hosts, struct json *json)
{
	load_render(hosts->present, json);
	jsonw_key(json, "left_behind");
	jsonw_int(json, (int64_t)hosts->left_behind.count);
}

const struct runner *hosts_runner(struct hosts *hosts)
{
	return &hosts->runner;
}

struct hosts *hosts_new(uv_loop_t *loop, struct host *host, struct config *config,
			struct shared *shared, const struct hosts_events *events, void *data)
{
	struct hosts *hosts = mem_zalloc(1, sizeof(*hosts));

	hosts->loop = loop;
	hosts->shared = shared;
	hosts->events = *events;
	hosts->data = data;
	hosts->runner = (struct runner){
		.data = hosts,
		.is_ready = is_ready,
		.start = start,
		.stop = stop,
		.waits_for = waits_for,
	};
	hosts->mailbox = mailbox_new(loop, on_message, hosts);
	hosts->load_timer = timer_new(loop, on_load_time, hosts);
	hosts->tidy = timer_new(loop, on_tidy, hosts);
	add_load(hosts, host, config);
	host_attach(host, hosts->mailbox);
	return hosts;
}

size_t hosts_memory(const struct hosts *hosts)
{
	return hosts->present->host != NULL ? host_memory(hosts->present->host) : 0;
}

bool hosts_free(struct hosts **hosts_p)
{
	struct hosts *hosts = *hosts_p;
	struct load *load;
	struct host *host;
	bool all = true;

	*hosts_p = NULL;
	if (hosts == NULL)
		return true;
	if (hosts->loading != NULL)
		leave_behind(hosts, hosts->loading);
	while ((load = list_shift(&hosts->loads)) != NULL)
		load_free(&load);
	while ((host = list_shift(&hosts->ending)) != NULL)
		all = host_free(&host, END_MS) && all;
	while ((host = list_shift(&hosts->left_behind)) != NULL)
		all = host_free(&host, END_MS) && all;
	if (!all)
		return false;
	list_free(&hosts->loads);
	list_free(&hosts->left_behind);
	list_free(&hosts->ending);
	timer_free(&hosts->load_timer);
	timer_free(&hosts->tidy);
	mailbox_free(&hosts->mailbox, drop_message);
	shared_free(&hosts->shared);
	free(hosts);
	return true;
}
