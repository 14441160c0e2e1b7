#include "command/member.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"
#include "loop/clock.h"

#define STEP_MS 5000 /* how long each step may take */
#define LEAST_S 1    /* the lease that is asked for, to learn the smallest one that is granted */
#define KEY "check/"
#define VALUE "plusmoin check"

static void go_on(struct member *member);

/* ---- what is heard ---- */

static void note(struct member *member, const char *reason, const char *words)
{
	struct member_heard *heard = &member->heard[member->step];

	heard->asked = true;
	heard->reason = reason;
	free(heard->words);
	heard->words = reason != NULL ? mem_strdup(words) : NULL;
}

/* Returns the value of that header in the lines of an answer, up to the end of its line; NULL: there is none. */
static const char *header_of(const char *head, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = head; line != NULL && line[0] != '\0'; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		if (strncasecmp(line, name, len) == 0)
			return line + len;
	}
	return NULL;
}

/* Notes the member's clock. A "Date" has whole seconds, so it is taken for the middle of its second. */
static void take_clock(struct member *member, const char *head)
{
	const char *date = header_of(head, "Date: ");
	int64_t middle_ms = (member->sent_wall_ms + clock_wall_ms()) / 2;
	struct tm at = { 0 };

	if (date == NULL || strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &at) == NULL)
		return;
	member->has_clock = true;
	member->clock_ms = (int64_t)timegm(&at) * 1000 + 500 - middle_ms;
}

static void on_page(void *data, const char *error, struct http_answer *answer)
{
	struct member *member = data;
	json_t *root = json_loadb(answer->body.len > 0 ? answer->body.data : "", answer->body.len, 0, NULL);
	const char *version = json_string_value(json_object_get(root, "etcdserver"));
	const char *health = json_string_value(json_object_get(root, "health"));
	char *words = error == NULL ? NULL
				    : refusal_of_transport(error, answer, member->url, member->monitors->certfile);

	member->page = NULL;
	if (words != NULL)
		note(member, answer->timed_out ? "timeout" : "unreached", words);
	else if (member->step == STEP_VERSION && version == NULL)
		note(member, "not etcd", "it does not answer as etcd does");
	else if (member->step == STEP_HEALTH && (health == NULL || strcmp(health, "true") != 0))
		note(member, "unhealthy", "it says that it is not healthy");
	else
		note(member, NULL, NULL);
	if (member->step == STEP_VERSION && error == NULL && version != NULL) {
		member->version = mem_strdup(version);
		take_clock(member, buf_text(&answer->head));
	}
	json_decref(root);
	free(words);
	go_on(member);
}

static void take_done(struct member *member, const struct answer *answer)
{
	switch (member->step) {
	case STEP_STATUS:
		member->has_leader = answer->has_leader;
		member->alarms = mem_strdup(answer->alarms);
		member->cluster = mem_printf("%" PRIx64, answer->header.cluster_id);
		return;
	case STEP_LEASE:
		member->lease = answer->lease;
		member->least_s = answer->ttl_s;
		return;
	case STEP_READ:
		member->latency_us = (int64_t)((uv_hrtime() - member->sent_ns) / 1000);
		return;
	case STEP_VERSION:
	case STEP_HEALTH:
	case STEP_LOGIN:
	case STEP_WRITE:
	case STEP_DELETE:
	case STEP_REVOKE:
	case STEPS:
		return;
	}
}

static void on_answer(void *data, struct answer *answer)
{
	struct member *member = data;

	member->call = NULL;
	if (answer->outcome == ETCD_DONE) {
		note(member, NULL, NULL);
		take_done(member, answer);
	} else {
		note(member, refusal_reason_name(answer->reason), answer->words);
	}
	go_on(member);
}

/* ---- what is asked ---- */

static void get_page(struct member *member, const char *path)
{
	const struct config_monitors *monitors = member->monitors;
	char *url = mem_printf("%s%s", member->url, path);
	const struct http_order order = {
		.method = "GET",
		.url = url,
		.cafile = monitors->cafile,
		.certfile = monitors->certfile,
		.keyfile = monitors->keyfile,
		.verify = true,
		.direct = true,
		.timeout_ms = STEP_MS,
	};

	member->sent_wall_ms = clock_wall_ms();
	member->page = http_start(member->http, &order, on_page, member);
	free(url);
}

static void make_txn(const struct member *member, struct body *body, bool puts)
{
	const struct config_monitors *monitors = member->monitors;
	char *key = mem_printf("%s" KEY "%s", monitors->prefix, monitors->name);

	body_txn(body);
	if (puts)
		body_put(body, BODY_SUCCESS, key, VALUE, strlen(VALUE), member->lease);
	else
		body_delete(body, BODY_SUCCESS, key, false);
	free(key);
}

static void make_body(const struct member *member, struct body *body)
{
	const struct config_monitors *monitors = member->monitors;
	const struct body_range all = { .key = monitors->prefix, .prefix = true, .limit = 1 };

	switch (member->step) {
	case STEP_LOGIN:
		body_authenticate(body, monitors->user, monitors->password);
		return;
	case STEP_STATUS:
		body_status(body);
		return;
	case STEP_LEASE:
		body_grant(body, LEAST_S);
		return;
	case STEP_READ:
		body_range(body, &all);
		return;
	case STEP_WRITE:
	case STEP_DELETE:
		make_txn(member, body, member->step == STEP_WRITE);
		return;
	case STEP_REVOKE:
		body_revoke(body, member->lease);
		return;
	case STEP_VERSION:
	case STEP_HEALTH:
	case STEPS:
		return;
	}
}

static void ask_step(struct member *member)
{
	struct body body = { 0 };

	if (member->step == STEP_VERSION || member->step == STEP_HEALTH) {
		get_page(member, member->step == STEP_VERSION ? "/version" : "/health");
		return;
	}
	make_body(member, &body);
	member->sent_ns = uv_hrtime();
	member->call = client_ask(member->step == STEP_LOGIN ? member->bare : member->client, &body, STEP_MS,
				  on_answer, member);
	body_free(&body);
}

bool member_was_done(const struct member *member, enum member_step step)
{
	return member->heard[step].asked && member->heard[step].reason == NULL;
}

/* Whether it makes no sense to ask further: the member is not etcd, or refuses the login. */
static bool is_hopeless(const struct member *member)
{
	const struct member_heard *login = &member->heard[STEP_LOGIN];

	return (member->heard[STEP_VERSION].asked && member->heard[STEP_VERSION].reason != NULL) ||
	       (login->reason != NULL && strcmp(login->reason, refusal_reason_name(ETCD_REASON_NO_LOGIN)) != 0);
}

static bool is_left_out(const struct member *member, enum member_step step)
{
	return (step == STEP_LOGIN && member->monitors->user == NULL) ||
	       (step == STEP_DELETE && !member_was_done(member, STEP_WRITE)) ||
	       (step == STEP_REVOKE && member->lease == 0);
}

/* Asks the next step, or ends. */
static void go_on(struct member *member)
{
	do
		member->step++;
	while (member->step < STEPS && is_left_out(member, member->step));
	if (member->step < STEPS && !is_hopeless(member)) {
		ask_step(member);
		return;
	}
	member->step = STEPS;
	member->done(member->data);
}

/* ---- start and end ---- */

void member_ask(struct member *member, uv_loop_t *loop, struct http *http, const struct config_monitors *monitors,
		const char *url, void (*done)(void *data), void *data)
{
	struct client_settings settings = {
		.endpoints = &url,
		.endpoint_count = 1,
		.cafile = monitors->cafile,
		.certfile = monitors->certfile,
		.keyfile = monitors->keyfile,
	};

	member->url = mem_strdup(url);
	member->monitors = monitors;
	member->http = http;
	member->done = done;
	member->data = data;
	member->bare = client_new(loop, &settings);
	settings.user = monitors->user;
	settings.password = monitors->password;
	member->client = client_new(loop, &settings);
	ask_step(member);
}

void member_stop(struct member *member)
{
	http_cancel(&member->page);
	client_free(&member->client);
	client_free(&member->bare);
}

void member_clear(struct member *member)
{
	for (int step = 0; step < STEPS; step++)
		free(member->heard[step].words);
	free(member->url);
	free(member->version);
	free(member->alarms);
	free(member->cluster);
	*member = (struct member){ 0 };
}
