#include "script/hosts.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "script/load.h"

#define TIDY_MS 500  /* how often it is looked whether an old load is still used */
#define END_MS 1000  /* at the end of the daemon, for each host */

struct hosts {
	uv_loop_t *loop;
	struct mailbox *mailbox;
	struct shared *shared;
	struct runner runner;
	struct hosts_events events;
	void *data;
	struct load *present;
	struct list loads; /* the present one and those before it that are still used */
	struct host *loading;
	unsigned long load_number; /* of the load under way, or the last one */
	bool load_again;
	struct config *replaces; /* whose host the load under way stands in for */
	struct list left_behind;
	struct list ending; /* asked to end, not yet gone */
	struct timer *load_timer;
	struct timer *tidy;
	unsigned long next_id;
};

static void leave_behind(struct hosts *hosts, struct host *host)
{
	host_abandon(host);
	list_add(&hosts->left_behind, host);
}

static void begin_load(struct hosts *hosts, struct config *replaces)
{
	static const struct load_options reload = { .reload = true };

	hosts->replaces = replaces;
	hosts->load_number++;
	hosts->loading = host_new(hosts->present->config->path, &reload, hosts->shared,
				  hosts->mailbox);
	if (hosts->loading == NULL)
		log_error("no thread for a script host: the configuration is not loaded");
	else
		timer_start(hosts->load_timer, HOST_LOAD_MS + HOST_SIGN_MS);
}

unsigned long hosts_load(struct hosts *hosts)
{
	if (hosts->loading != NULL) {
		hosts->load_again = true;
		return hosts->load_number + 1;
	}
	begin_load(hosts, NULL);
	return hosts->loading != NULL ? hosts->load_number : 0;
}

/* The next load is not made, or could not be: whoever waits for it is told. */
static void fail_load(struct hosts *hosts, char *why)
{
	struct load_report report = { .errors = &why, .error_count = 1 };

	hosts->events.loaded(hosts->data, hosts->load_number, NULL, NULL, &report);
	free(why);
}

/* The host is left to its C call; what it ran is over, and its successor is loaded. */
static void replace(struct hosts *hosts, struct load *load)
{
	log_error("the script host is left behind, and a new one is started from %s",
		  load->config->path);
	leave_behind(hosts, load->host);
	load->host = NULL;
	(void)load_see_sign(load);
	load_fail(load, "its script host was left behind");
	if (load == hosts->present && hosts->loading == NULL)
		begin_load(hosts, load->config);
	else if (load == hosts->present)
		hosts->replaces = load->config;
}

static void see_hang(struct hosts *hosts, struct load *load)
{
	if (hosts->left_behind.count < HOSTS_LEFT_BEHIND) {
		replace(hosts, load);
		return;
	}
	log_error("%d script hosts are left behind already: triggers in Lua are dropped until one"
		  " of them ends", HOSTS_LEFT_BEHIND);
	load->dropping = true;
	load_fail(load, "its script host gives no sign");
	hosts->events.changed(hosts->data);
}

/* Some load's host has hung for too long: those whose timer has run out. */
static void on_patience(void *data)
{
	struct hosts *hosts = data;

	for (size_t i = 0; i < hosts->loads.count; i++) {
		struct load *load = hosts->loads.items[i];

		if (load->hangs && !load->dropping && !timer_is_set(load->patience)) {
			see_hang(hosts, load);
			return;
		}
	}
}

static void add_load(struct hosts *hosts, struct host *host, struct config *config)
{
	hosts->present = load_new(hosts->loop, config, host, on_patience, hosts);
	list_add(&hosts->loads, hosts->present);
}

/* The host is freed when it says that it is gone. */
static void end_host(struct hosts *hosts, struct host *host)
{
	host_end(host);
	list_add(&hosts->ending, host);
}

/* The load has left the list; its host, if it has one, is asked to end. */
static void retire(struct hosts *hosts, struct load *load)
{
	if (load->host != NULL)
		end_host(hosts, load->host);
	load_free(&load);
}

/* Old loads that nobody but us refers to any more go. */
static void on_tidy(void *data)
{
	struct hosts *hosts = data;

	for (size_t i = hosts->loads.count; i-- > 0;) {
		struct load *load = hosts->loads.items[i];

		if (load != hosts->present && load->config->references == 1) {
			list_remove(&hosts->loads, load);
			retire(hosts, load);
		}
	}
	if (hosts->loads.count > 1)
		timer_start(hosts->tidy, TIDY_MS);
}

static void take_load(struct hosts *hosts, struct host *host)
{
	struct load_report report;
	struct config *config;
	struct config *replaces = hosts->replaces;

	host_take(host, &config, &report);
	hosts->loading = NULL;
	hosts->replaces = NULL;
	timer_stop(hosts->load_timer);
	if (config != NULL)
		add_load(hosts, host, config);
	else
		end_host(hosts, host);
	hosts->events.loaded(hosts->data, hosts->load_number, config, replaces, &report);
	config_unref(&config);
	load_report_free(&report);
	timer_start(hosts->tidy, 0);
	if (hosts->load_again) {
		hosts->load_again = false;
		begin_load(hosts, NULL);
		if (hosts->loading == NULL)
			fail_load(hosts, mem_printf("%s: no thread to load it",
						    hosts->present->config->path));
	}
}

static void on_load_time(void *data)
{
	struct hosts *hosts = data;

	leave_behind(hosts, hosts->loading);
	hosts->loading = NULL;
	hosts->load_number += hosts->load_again; /* it would hang again */
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

static void see_sign(struct hosts *hosts, const struct host *host)
{
	struct load *load = load_of_host(hosts, host);

	if (load == NULL || !load_see_sign(load))
		return;
	log_error("the script host goes on");
	hosts->events.changed(hosts->data);
}

static void see_full(struct hosts *hosts, const struct host *host)
{
	if (host != hosts->present->host || hosts->loading != NULL)
		return;
	log_error("what triggers in Lua keep takes most of lua.memory_limit: a new script host is"
		  " started from %s", hosts->present->config->path);
	begin_load(hosts, NULL);
}

static void see_gone(struct hosts *hosts, struct host *host)
{
	bool was_left = list_remove(&hosts->left_behind, host);

	list_remove(&hosts->ending, host);
	(void)host_free(&host, END_MS);
	if (!was_left)
		return;
	log_error("a script host that was left behind has ended");
	for (size_t i = 0; i < hosts->loads.count; i++) {
		struct load *load = hosts->loads.items[i];

		if (load->dropping) {
			replace(hosts, load);
			return;
		}
	}
}

static void on_message(void *data, void *raw)
{
	struct hosts *hosts = data;
	struct host_message *message = raw;

	see_sign(hosts, message->host);
	switch (message->word) {
	case HOST_HAS_LOADED:
		if (message->host == hosts->loading)
			take_load(hosts, message->host);
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
	const struct hosts *hosts = data;
	const struct load *load = load_of(hosts, config);

	if (load->host == NULL) /* its successor takes over what waits */
		return !(load == hosts->present && hosts->loading != NULL);
	return !load->hangs || load->dropping;
}

static void *start(void *data, const struct config *config, const struct config_action *action,
		   struct event *event,
		   void (*ended)(void *owner, const struct runner_outcome *outcome), void *owner)
{
	struct hosts *hosts = data;

	return load_start(load_of(hosts, config), ++hosts->next_id, action, event, ended, owner);
}

static void stop(void *data, void *run, bool force)
{
	(void)data;
	load_stop(run, force);
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
	};
	hosts->mailbox = mailbox_new(loop, on_message, hosts);
	hosts->load_timer = timer_new(loop, NULL, on_load_time, hosts);
	hosts->tidy = timer_new(loop, NULL, on_tidy, hosts);
	add_load(hosts, host, config);
	host_attach(host, hosts->mailbox);
	return hosts;
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
		retire(hosts, load);
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
