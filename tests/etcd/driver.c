/*
 * src/etcd on a loop, driven by a spec (spec/support/etcd.lua): a line of JSON on stdin is a command, a line of JSON on
 * stdout is what came of it, with the command's "id". usage: etcd-driver, with "client" as the first command. At the
 * end of stdin all is freed, and the loop must close empty.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "etcd/barrier.h"
#include "etcd/feed.h"
#include "etcd/lease.h"
#include "loop/clock.h"
#include "net/http.h"

#define ENDPOINTS_MOST 8

/* What goes on under an id. */
struct deed {
	int64_t id;
	struct client_call *call;
	struct lease *lease;
	struct feed *feed;
	struct barrier *barrier;
	bool may_renew;
	char free_at[16]; /* the feed is freed when it tells this; "": it is not */
};

static uv_loop_t loop;
static uv_pipe_t input;
static struct buf typed;
static struct client *client;
static struct list deeds;

static void end_line(struct buf *out)
{
	buf_add_str(out, "}\n");
	(void)fwrite(out->data, 1, out->len, stdout);
	(void)fflush(stdout);
	buf_free(out);
}

static struct json begin_line(struct buf *out, const struct deed *deed, const char *news)
{
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	jsonw_key(&json, "id");
	jsonw_int(&json, deed->id);
	jsonw_key(&json, "news");
	jsonw_string(&json, news);
	jsonw_key(&json, "at_ms");
	jsonw_int(&json, clock_steady_ms());
	return json;
}

static void add_int(struct json *json, const char *name, int64_t value)
{
	jsonw_key(json, name);
	jsonw_int(json, value);
}

/* As a text: cjson's numbers have 14 digits. */
static void add_lease(struct json *json, int64_t lease)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)lease);
	jsonw_key(json, "lease");
	jsonw_string(json, text);
}

static void add_text(struct json *json, const char *name, const char *text)
{
	jsonw_key(json, name);
	jsonw_string(json, text);
}

static void add_pair(struct json *json, const struct etcd_pair *pair)
{
	add_text(json, "key", pair->key);
	add_text(json, "value", pair->value);
	add_int(json, "create_revision", pair->create_revision);
	add_int(json, "mod_revision", pair->mod_revision);
	add_int(json, "version", pair->version);
	add_lease(json, pair->lease);
}

static void add_pairs(struct json *json, const char *name, const struct etcd_pairs *pairs)
{
	jsonw_key(json, name);
	jsonw_begin_array(json);
	for (size_t i = 0; i < pairs->count; i++) {
		jsonw_begin_object(json);
		add_pair(json, &pairs->items[i]);
		jsonw_end_object(json);
	}
	jsonw_end_array(json);
}

static void add_answer(struct json *json, const struct answer *answer)
{
	add_text(json, "outcome", refusal_outcome_name(answer->outcome));
	add_text(json, "reason", refusal_reason_name(answer->reason));
	add_text(json, "words", answer->words);
	add_int(json, "revision", answer->header.revision);
	add_int(json, "raft_term", (int64_t)answer->header.raft_term);
	add_int(json, "sent_ms", answer->sent_ms);
	add_int(json, "count", answer->count);
	add_lease(json, answer->lease);
	add_int(json, "ttl", answer->ttl_s);
	add_text(json, "version", answer->version);
	add_text(json, "alarms", answer->alarms);
	add_pairs(json, "pairs", &answer->pairs);
	jsonw_key(json, "parts");
	jsonw_begin_array(json);
	for (size_t i = 0; i < answer->part_count; i++) {
		jsonw_begin_object(json);
		add_int(json, "deleted", answer->parts[i].deleted);
		add_pairs(json, "pairs", &answer->parts[i].pairs);
		jsonw_end_object(json);
	}
	jsonw_end_array(json);
	jsonw_key(json, "url");
	jsonw_string(json, client_url(client, client_endpoint(client)));
}

static void say_answer(const struct deed *deed, const char *news, const struct answer *answer)
{
	struct buf out = { 0 };
	struct json json = begin_line(&out, deed, news);

	add_answer(&json, answer);
	end_line(&out);
}

static void on_answer(void *data, struct answer *answer)
{
	struct deed *deed = data;

	deed->call = NULL;
	say_answer(deed, "answer", answer);
}

static bool may_renew(void *data)
{
	const struct deed *deed = data;

	return deed->may_renew;
}

static void on_lease(void *data, const struct lease_news *news)
{
	static const char *const words[] = { [LEASE_GRANTED] = "granted", [LEASE_RENEWED] = "renewed",
					     [LEASE_FAILED] = "failed", [LEASE_GONE] = "gone" };
	struct deed *deed = data;
	struct buf out = { 0 };
	struct json json = begin_line(&out, deed, words[news->word]);

	add_lease(&json, news->id);
	add_int(&json, "ttl", news->ttl_s);
	add_int(&json, "sent_ms", news->sent_ms);
	add_text(&json, "words", news->answer->words);
	end_line(&out);
	if (news->word == LEASE_GONE)
		lease_free(&deed->lease); /* it may be freed here */
}

static void on_revoked(void *data, bool gone)
{
	struct deed *deed = data;
	struct buf out = { 0 };
	struct json json = begin_line(&out, deed, "revoked");

	jsonw_key(&json, "gone");
	jsonw_bool(&json, gone);
	end_line(&out);
	lease_free(&deed->lease);
}

static void on_feed(void *data, const struct feed_news *news)
{
	static const char *const words[] = { [FEED_OPEN] = "open", [FEED_EVENTS] = "events", [FEED_BROKEN] = "broken",
					     [FEED_COMPACTED] = "compacted", [FEED_BEHIND] = "behind" };
	struct deed *deed = data;
	struct buf out = { 0 };
	struct json json = begin_line(&out, deed, words[news->word]);

	add_int(&json, "revision", news->revision);
	add_text(&json, "words", news->words);
	add_text(&json, "url", news->url);
	jsonw_key(&json, "events");
	jsonw_begin_array(&json);
	for (size_t i = 0; i < news->event_count; i++) {
		jsonw_begin_object(&json);
		add_pair(&json, &news->events[i].pair);
		jsonw_key(&json, "deleted");
		jsonw_bool(&json, news->events[i].deleted);
		jsonw_end_object(&json);
	}
	jsonw_end_array(&json);
	end_line(&out);
	if (strcmp(words[news->word], deed->free_at) == 0)
		feed_free(&deed->feed);
}

static void on_barrier(void *data, const struct barrier_result *result)
{
	struct deed *deed = data;
	struct buf out = { 0 };
	struct json json = begin_line(&out, deed, result->end == BARRIER_WON ? "won" : "lost");

	add_int(&json, "mod_revision", result->mod_revision);
	add_text(&json, "value", result->pair != NULL ? result->pair->value : NULL);
	end_line(&out);
	barrier_free(&deed->barrier);
}

static void on_barrier_failed(void *data, const struct answer *answer)
{
	say_answer(data, "failed", answer);
}

static struct deed *deed_of(const json_t *command)
{
	int64_t id = fields_int(command, "id");
	struct deed *deed;

	for (size_t i = 0; i < deeds.count; i++) {
		deed = deeds.items[i];
		if (deed->id == id)
			return deed;
	}
	deed = mem_zalloc(1, sizeof(*deed));
	deed->id = id;
	deed->may_renew = true;
	list_add(&deeds, deed);
	return deed;
}

static const char *text_or_null(const json_t *command, const char *name)
{
	return json_string_value(json_object_get(command, name));
}

static int index_of(const char *text, const char *const *words, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], text) == 0)
			return i;
	}
	(void)fprintf(stderr, "driver: what is \"%s\"?\n", text);
	exit(2);
}

static int64_t number_of(const json_t *value)
{
	return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : json_integer_value(value);
}

/* ["create", key, "=", number] */
static void add_compare(struct body *body, const json_t *list)
{
	static const char *const targets[] = { "create", "mod", "version", "lease" };
	static const char *const relations[] = { "=", ">", "<", "!=" };

	body_compare(body, json_string_value(json_array_get(list, 1)),
		     index_of(json_string_value(json_array_get(list, 0)), targets, 4),
		     index_of(json_string_value(json_array_get(list, 2)), relations, 4),
		     number_of(json_array_get(list, 3)));
}

/* ["put", key, value, lease], ["delete", key, prefix], ["get", key, prefix] */
static void add_operation(struct body *body, enum body_branch branch, const json_t *list)
{
	static const char *const words[] = { "put", "delete", "get" };
	const char *key = json_string_value(json_array_get(list, 1));
	const json_t *third = json_array_get(list, 2);

	switch (index_of(json_string_value(json_array_get(list, 0)), words, 3)) {
	case 0:
		body_put(body, branch, key, json_string_value(third), json_string_length(third),
			 number_of(json_array_get(list, 3)));
		break;
	case 1:
		body_delete(body, branch, key, json_is_true(third));
		break;
	case 2:
		body_get(body, branch, key, json_is_true(third));
		break;
	}
}

static void write_txn(struct body *body, const json_t *command)
{
	const json_t *list;
	size_t i;

	body_txn(body);
	json_array_foreach(json_object_get(command, "compare"), i, list)
		add_compare(body, list);
	json_array_foreach(json_object_get(command, "success"), i, list)
		add_operation(body, BODY_SUCCESS, list);
	json_array_foreach(json_object_get(command, "failure"), i, list)
		add_operation(body, BODY_FAILURE, list);
}

static void write_body(struct body *body, const char *what, const json_t *command)
{
	static const char *const kinds[] = { "range", "txn", "grant", "renew", "revoke", "time_to_live", "watch",
					     "authenticate", "status" };
	const struct body_range range = {
		.key = fields_text(command, "key"), .prefix = fields_true(command, "prefix"),
		.after = text_or_null(command, "after"),
		.serializable = fields_true(command, "serializable"), .keys_only = fields_true(command, "keys_only"),
		.limit = fields_int(command, "limit"), .revision = fields_int(command, "revision"),
	};

	switch ((enum body_kind)index_of(what, kinds, 9)) {
	case BODY_RANGE:
		body_range(body, &range);
		break;
	case BODY_TXN:
		write_txn(body, command);
		break;
	case BODY_GRANT:
		body_grant(body, fields_int(command, "ttl"));
		break;
	case BODY_RENEW:
		body_renew(body, fields_int(command, "lease"));
		break;
	case BODY_REVOKE:
		body_revoke(body, fields_int(command, "lease"));
		break;
	case BODY_TIME_TO_LIVE:
		body_time_to_live(body, fields_int(command, "lease"));
		break;
	case BODY_WATCH: /* by a feed */
		break;
	case BODY_AUTHENTICATE:
		body_authenticate(body, fields_text(command, "user"), fields_text(command, "password"));
		break;
	case BODY_STATUS:
		body_status(body);
		break;
	}
}

static void start_client(const json_t *command)
{
	const char *endpoints[ENDPOINTS_MOST];
	const json_t *list = json_object_get(command, "endpoints");
	struct client_settings settings = {
		.endpoints = endpoints, .user = text_or_null(command, "user"), .password = text_or_null(command, "password"),
		.cafile = text_or_null(command, "cafile"), .certfile = text_or_null(command, "certfile"),
		.keyfile = text_or_null(command, "keyfile"),
	};

	for (; settings.endpoint_count < json_array_size(list); settings.endpoint_count++)
		endpoints[settings.endpoint_count] = json_string_value(json_array_get(list, settings.endpoint_count));
	client = client_new(&loop, &settings);
}

static void start_barrier(struct deed *deed, const json_t *command)
{
	const char *value = fields_text(command, "value");
	const struct barrier_order order = {
		.key = fields_text(command, "key"), .mod_revision = fields_int(command, "mod_revision"), .value = value,
		.value_len = strlen(value), .lease = fields_int(command, "lease"),
		.term_key = text_or_null(command, "term_key"), .term = fields_int(command, "term"),
		.timeout_ms = fields_int(command, "timeout"),
	};

	deed->barrier = barrier_start(client, &order, on_barrier, on_barrier_failed, deed);
}

static void free_all_of(struct deed *deed)
{
	client_cancel(&deed->call);
	lease_free(&deed->lease);
	feed_free(&deed->feed);
	barrier_free(&deed->barrier);
}

static void obey(const json_t *command)
{
	const char *what = fields_text(command, "do");
	struct deed *deed = deed_of(command);
	struct body body = { 0 };

	if (strcmp(what, "client") == 0) {
		start_client(command);
	} else if (strcmp(what, "lease") == 0) {
		deed->lease = lease_start(client, fields_int(command, "ttl"), may_renew, on_lease, deed);
	} else if (strcmp(what, "may_renew") == 0) {
		deed->may_renew = fields_true(command, "value");
	} else if (strcmp(what, "give_up") == 0) {
		lease_revoke(deed->lease, fields_int(command, "timeout"), on_revoked, deed);
	} else if (strcmp(what, "feed") == 0) {
		text_copy(deed->free_at, sizeof(deed->free_at), fields_text(command, "free_at"));
		deed->feed = feed_start(client, fields_text(command, "key"), fields_int(command, "revision"),
					fields_int(command, "timeout"), on_feed, deed);
	} else if (strcmp(what, "expect") == 0) {
		if (deed->feed != NULL) /* else it was freed while it told something */
			feed_expect(deed->feed, fields_int(command, "revision"));
	} else if (strcmp(what, "barrier") == 0) {
		start_barrier(deed, command);
	} else if (strcmp(what, "cancel") == 0) {
		free_all_of(deed);
	} else {
		write_body(&body, what, command);
		deed->call = client_ask(client, &body, fields_int(command, "timeout"), on_answer, deed);
		body_free(&body);
	}
}

static void obey_line(const char *line, size_t len)
{
	json_t *command = json_loadb(line, len, 0, NULL);

	if (command == NULL) {
		(void)fprintf(stderr, "driver: no JSON: %.*s\n", (int)len, line);
		exit(2);
	}
	obey(command);
	json_decref(command);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	static char bytes[65536];

	(void)handle;
	(void)wanted;
	*buf = uv_buf_init(bytes, sizeof(bytes));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	const char *end;

	if (got < 0) {
		for (size_t i = 0; i < deeds.count; i++) {
			free_all_of(deeds.items[i]);
			free(deeds.items[i]);
		}
		list_free(&deeds);
		client_free(&client);
		uv_close((uv_handle_t *)stream, NULL);
		return;
	}
	buf_add(&typed, buf->base, (size_t)got);
	while (typed.len > 0 && (end = memchr(typed.data, '\n', typed.len)) != NULL) {
		obey_line(typed.data, (size_t)(end - typed.data));
		buf_drop(&typed, (size_t)(end - typed.data) + 1);
	}
}

int main(void)
{
	const char *wrong = http_global_init();

	if (wrong != NULL) {
		(void)fprintf(stderr, "driver: %s\n", wrong);
		return 1;
	}
	(void)uv_loop_init(&loop);
	(void)uv_pipe_init(&loop, &input, 0);
	(void)uv_pipe_open(&input, 0);
	(void)uv_read_start((uv_stream_t *)&input, on_alloc, on_read);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	buf_free(&typed);
	if (uv_loop_close(&loop) != 0) {
		(void)fprintf(stderr, "driver: the loop does not close\n");
		return 1;
	}
	return 0;
}
