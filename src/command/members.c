#include "command/members.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "command/member.h"
#include "loop/timer.h"
#include "net/http.h"

static const char *const step_names[STEPS] = { "version", "health", "login",  "status", "lease",
					       "read",    "write",  "delete", "revoke" };

struct members {
	const struct config *config;
	struct http *http;
	struct member *all;
	size_t count;
	size_t awaited;
	struct timer *failed; /* calls `done` where libcurl cannot be used */
	void (*done)(void *data);
	void *data;
};

static void on_member(void *data)
{
	struct members *members = data;

	if (--members->awaited == 0)
		members->done(members->data);
}

static void on_failed(void *data)
{
	struct members *members = data;

	members->done(members->data);
}

struct members *members_ask(uv_loop_t *loop, const struct config *config, void (*done)(void *data), void *data)
{
	struct members *members = mem_zalloc(1, sizeof(*members));
	const char *error = http_global_init();

	members->config = config;
	members->done = done;
	members->data = data;
	members->count = config->monitors.etcd_count;
	members->awaited = members->count;
	members->all = mem_zalloc(members->count, sizeof(*members->all));
	members->failed = timer_new(loop, on_failed, members);
	if (error != NULL) {
		(void)fprintf(stderr, "plusmoin: etcd is not asked: %s\n", error);
		timer_start(members->failed, 0);
		return members;
	}
	members->http = http_new(loop);
	for (size_t i = 0; i < members->count; i++)
		member_ask(&members->all[i], loop, members->http, &config->monitors, config->monitors.etcd[i],
			   on_member, members);
	return members;
}

static void add_text(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

static void add_steps(struct json *json, const struct member *member)
{
	jsonw_key(json, "steps");
	jsonw_begin_object(json);
	for (int step = 0; step < STEPS; step++) {
		const struct member_heard *heard = &member->heard[step];

		if (!heard->asked)
			continue;
		jsonw_key(json, step_names[step]);
		jsonw_begin_object(json);
		add_text(json, "reason", heard->reason);
		add_text(json, "words", heard->words);
		jsonw_end_object(json);
	}
	jsonw_end_object(json);
}

static void add_member(struct json *json, const struct member *member)
{
	jsonw_begin_object(json);
	add_text(json, "url", member->url);
	add_text(json, "version", member->version);
	if (member->has_clock) {
		jsonw_key(json, "clock");
		jsonw_seconds(json, member->clock_ms);
	}
	if (member->latency_us > 0) {
		jsonw_key(json, "latency_us");
		jsonw_int(json, member->latency_us);
	}
	if (member_was_done(member, STEP_STATUS)) {
		jsonw_key(json, "leader");
		jsonw_bool(json, member->has_leader);
	}
	add_text(json, "alarms", member->alarms);
	add_text(json, "cluster", member->cluster);
	if (member->least_s > 0) {
		jsonw_key(json, "least");
		jsonw_int(json, member->least_s);
	}
	add_steps(json, member);
	jsonw_end_object(json);
}

void members_render(const struct members *members, struct json *json)
{
	const struct config_monitors *monitors;

	jsonw_key(json, "monitors");
	if (members == NULL) {
		jsonw_null(json);
		return;
	}
	monitors = &members->config->monitors;
	jsonw_begin_object(json);
	add_text(json, "name", monitors->name);
	add_text(json, "prefix", monitors->prefix);
	jsonw_key(json, "ttl");
	jsonw_seconds(json, monitors->ttl_ms);
	add_text(json, "user", monitors->user);
	jsonw_key(json, "members");
	jsonw_begin_array(json);
	for (size_t i = 0; i < members->count; i++)
		add_member(json, &members->all[i]);
	jsonw_end_array(json);
	jsonw_end_object(json);
}

void members_stop(struct members *members)
{
	if (members == NULL)
		return;
	for (size_t i = 0; i < members->count; i++)
		member_stop(&members->all[i]);
	http_free(&members->http);
	timer_free(&members->failed);
}

void members_free(struct members **members_p)
{
	struct members *members = *members_p;

	*members_p = NULL;
	if (members == NULL)
		return;
	for (size_t i = 0; i < members->count; i++)
		member_clear(&members->all[i]);
	free(members->all);
	free(members);
}
