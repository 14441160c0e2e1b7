#include "council/council.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "council/clerk.h"
#include "council/differences.h"
#include "council/entry.h"
#include "loop/clock.h"
#include "script/mailbox.h"

#define END_MS 3000 /* time for the clerk to hand back the lease and end */

struct council {
	struct clerk *clerk;
	struct mailbox *mailbox;
	uv_prepare_t turn;
	atomic_llong turned_ms;
	struct sure sure;
	struct council_events events;
	void *data;
	struct polls polls;
	struct hush hush;
	struct entry self;
	int64_t term;    /* ours; 0: another monitor acts, or nobody */
	int64_t term_ms; /* wall: since when the term is ours */
	char *leader;   /* name of the other monitor that acts; NULL: none is known to act */
	bool is_strange; /* the clerk has said that etcd's store is not the one it was */
	char *stuck;    /* why etcd cannot be asked; NULL: it can */
	int64_t stuck_ms; /* steady: since when it cannot be asked */
	int64_t ttl_ms; /* of the lease, as configured */
	char *monitors; /* the entries of all monitors, a JSON list; NULL: not read yet */
	struct differences differences; /* between our settings and those of the others */
};

/* ---- who we are ---- */

static void tell_entry(struct council *council)
{
	struct missive *missive = missive_new(MISSIVE_SAY);

	missive->text = entry_describe(&council->self, true);
	clerk_tell(council->clerk, missive);
}

/* Compares our settings with those of the entries that were read last. */
static void compare_settings(struct council *council)
{
	json_t *all = council->monitors != NULL ? json_loads(council->monitors, 0, NULL) : NULL;

	differences_take(&council->differences, all, council->self.name, council->self.settings);
	json_decref(all);
}

void council_say(struct council *council, size_t answering, size_t not_answering)
{
	if (council->self.answering == answering && council->self.not_answering == not_answering)
		return;
	council->self.answering = answering;
	council->self.not_answering = not_answering;
	tell_entry(council);
}

void council_reload(struct council *council, const struct config *config)
{
	if (!entry_take_config(&council->self, config))
		return;
	tell_entry(council);
	compare_settings(council);
}

/* ---- what the clerk says ---- */

/* A copy of the string that the JSON object has for this key; NULL: it has none. */
static char *text_of(const char *object, const char *key)
{
	json_t *tree = object != NULL ? json_loads(object, 0, NULL) : NULL;
	char *text = mem_strdup(json_string_value(json_object_get(tree, key)));

	json_decref(tree);
	return text;
}

static void take_text(char **to, char *text)
{
	free(*to);
	*to = text;
}

static void take_term(struct council *council, const struct estate *estate)
{
	council->term = estate->term;
	council->term_ms = clock_wall_ms();
	take_text(&council->leader, NULL);
	log_error("this monitor acts from now on: term %" PRId64, estate->term);
	council->events.acts(council->data, estate);
}

static void end_term(struct council *council, const char *why)
{
	if (council->term == 0)
		return;
	council->term = 0;
	log_error("this monitor does not act any more: %s", why);
	council->events.stands_by(council->data, why);
}

static void take_leader(struct council *council, const char *value)
{
	take_text(&council->leader, text_of(value, "name"));
	if (council->leader != NULL)
		log_error("this monitor stands by: %s acts", council->leader);
	else
		log_warning("no monitor is known to act");
}

static void take_stuck(struct council *council, const char *why)
{
	bool was_long = council_is_away_for_long(council);

	if (why != NULL)
		log_error("etcd cannot be asked, so no trigger starts but those that act alone: %s", why);
	else
		log_error("etcd answers again");
	council->stuck_ms = why != NULL ? clock_steady_ms() : 0;
	take_text(&council->stuck, mem_strdup(why));
	if (why == NULL && council->term != 0 && was_long)
		clerk_tell(council->clerk, missive_new(MISSIVE_REREAD));
}

static void take_taken(struct council *council, const char *value)
{
	char *host = text_of(value, "host");

	council->events.taken(council->data, host != NULL ? host : "an unknown host");
	free(host);
}

static void take_monitors(struct council *council, const char *text)
{
	json_t *all = json_loads(text, 0, NULL);

	take_text(&council->monitors, mem_strdup(text));
	differences_take(&council->differences, all, council->self.name, council->self.settings);
	polls_take_live(&council->polls, all);
	json_decref(all);
}

static void take_estate(struct council *council, const struct estate *estate)
{
	if (estate->term == council->term)
		council->events.returned(council->data, estate);
}

static void take_word(struct council *council, const struct missive *missive)
{
	switch (missive->kind) {
	case MISSIVE_TERM:
		take_term(council, missive->estate);
		break;
	case MISSIVE_TERM_OVER:
		end_term(council, missive->text);
		break;
	case MISSIVE_ESTATE:
		take_estate(council, missive->estate);
		break;
	case MISSIVE_COMMITTED:
		council->events.committed(council->data, missive->number);
		break;
	case MISSIVE_STUCK:
		take_stuck(council, missive->text);
		break;
	case MISSIVE_STRANGE:
		council->is_strange = true;
		break;
	case MISSIVE_LED:
		take_leader(council, missive->text);
		break;
	case MISSIVE_TAKEN:
		take_taken(council, missive->text);
		break;
	case MISSIVE_MONITORS:
		take_monitors(council, missive->text);
		break;
	case MISSIVE_IN:
		council->events.in(council->data);
		break;
	case MISSIVE_NEWS:
		polls_take_news(&council->polls, missive);
		break;
	case MISSIVE_SILENCES:
	case MISSIVE_SILENCED:
		hush_take(&council->hush, missive);
		break;
	case MISSIVE_SILENCE:
	case MISSIVE_SEED_SILENCES:
	case MISSIVE_PUT:
	case MISSIVE_COMMIT:
	case MISSIVE_SAY:
	case MISSIVE_REREAD:
	case MISSIVE_SEED:
	case MISSIVE_RESIGN:
	case MISSIVE_END:
		break;
	}
}

static void on_word(void *data, void *message)
{
	struct council *council = data;
	struct missive *missive = message;

	take_word(council, missive);
	if (missive->kind != MISSIVE_COMMITTED && missive->kind != MISSIVE_NEWS)
		council->events.changed(council->data);
	missive_free(&missive);
}

/* On the clerk's thread. */
static void on_said(void *data, struct missive *missive)
{
	struct council *council = data;

	mailbox_send(council->mailbox, missive);
}

/* ---- what is asked of it ---- */

int64_t council_term(const struct council *council)
{
	return council->term;
}

bool council_is_sure(const struct council *council)
{
	int64_t until_ms = atomic_load(&council->sure.ms); /* loaded before the term: see struct sure */

	return council->term != 0 && clock_steady_ms() < until_ms && atomic_load(&council->sure.term) == council->term;
}

char *council_words(const struct council *council)
{
	const char *away = council->stuck != NULL ? ", etcd is away" : "";

	if (council->term != 0)
		return mem_printf("acting%s", away);
	if (council->leader != NULL)
		return mem_printf("standing by (%s acts)%s", council->leader, away);
	return mem_printf("standing by (nobody is known to act)%s", away);
}

bool council_is_stuck(const struct council *council)
{
	return council->stuck != NULL;
}

bool council_is_away_for_long(const struct council *council)
{
	return council->stuck != NULL && clock_steady_ms() - council->stuck_ms > council->ttl_ms;
}

void council_commit(struct council *council, struct commit *commit)
{
	struct missive *missive = missive_new(MISSIVE_COMMIT);

	commit->term = council->term;
	missive->commit = commit;
	clerk_tell(council->clerk, missive);
}

struct polls *council_polls(struct council *council)
{
	return &council->polls;
}

const struct hush *council_hush(const struct council *council)
{
	return &council->hush;
}

void council_resign(struct council *council)
{
	clerk_tell(council->clerk, missive_new(MISSIVE_RESIGN));
}

const char *council_seed(struct council *council)
{
	if (!council->is_strange)
		return "etcd's store is the one it was, or cannot be asked: there is nothing to be seeded";
	council->is_strange = false;
	clerk_tell(council->clerk, missive_new(MISSIVE_SEED));
	return NULL;
}

static void add_text(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

void council_render_short(const struct council *council, struct json *json)
{
	jsonw_key(json, "acts");
	jsonw_bool(json, council->term != 0);
	add_text(json, "acting", council->term != 0 ? council->self.name : council->leader);
	add_text(json, "stuck", council->stuck);
}

void council_render(const struct council *council, struct json *json)
{
	add_text(json, "name", council->self.name);
	council_render_short(council, json);
	jsonw_key(json, "term");
	if (council->term != 0)
		jsonw_int(json, council->term);
	else
		jsonw_null(json);
	jsonw_key(json, "acting_since");
	if (council->term != 0)
		jsonw_seconds(json, council->term_ms);
	else
		jsonw_null(json);
	jsonw_key(json, "monitors");
	jsonw_raw(json, council->monitors != NULL ? council->monitors : "[]");
}

/* ---- its life ---- */

static void on_turn(uv_prepare_t *turn)
{
	struct council *council = turn->data;

	atomic_store_explicit(&council->turned_ms, (long long)uv_now(turn->loop), memory_order_relaxed);
}

static bool start_clerk(struct council *council, const struct config *config)
{
	const struct config_monitors *monitors = &config->monitors;
	char *value = entry_describe(&council->self, false);
	const struct clerk_start start = {
		.etcd = {
			.endpoints = (const char *const *)monitors->etcd,
			.endpoint_count = monitors->etcd_count,
			.user = monitors->user,
			.password = monitors->password,
			.cafile = monitors->cafile,
			.certfile = monitors->certfile,
			.keyfile = monitors->keyfile,
		},
		.prefix = monitors->prefix,
		.name = monitors->name,
		.instance = council->self.instance,
		.host = council->self.host,
		.value = value,
		.ttl_s = monitors->ttl_ms / 1000,
		.turned_ms = &council->turned_ms,
		.sure = &council->sure,
		.say = on_said,
		.data = council,
	};

	council->clerk = clerk_new(&start);
	council->polls.clerk = council->clerk;
	council->hush.clerk = council->clerk;
	free(value);
	return council->clerk != NULL;
}

static void forget(struct council *council)
{
	entry_clear(&council->self);
	free(council->leader);
	free(council->stuck);
	free(council->monitors);
	buf_free(&council->differences.words);
	free(council);
}

static void on_closed(uv_handle_t *handle)
{
	forget(handle->data);
}

static void drop_word(void *message)
{
	struct missive *missive = message;

	missive_free(&missive);
}

static void close_handles(struct council *council)
{
	mailbox_free(&council->mailbox, drop_word);
	uv_close((uv_handle_t *)&council->turn, on_closed);
}

struct council *council_new(const struct council_start *start)
{
	struct council *council = mem_zalloc(1, sizeof(*council));

	council->events = *start->events;
	council->data = start->data;
	entry_begin(&council->self, start->config, clock_wall_ms());
	council->polls = (struct polls){ .name = council->self.name, .events = start->polls, .data = start->polls_data };
	council->hush = (struct hush){ .events = start->hush, .data = start->hush_data };
	council->ttl_ms = start->config->monitors.ttl_ms;
	council->turn.data = council;
	council->mailbox = mailbox_new(start->loop, on_word, council);
	(void)uv_prepare_init(start->loop, &council->turn);
	(void)uv_prepare_start(&council->turn, on_turn);
	on_turn(&council->turn);
	if (start_clerk(council, start->config)) {
		tell_entry(council);
		return council;
	}
	close_handles(council);
	return NULL;
}

bool council_free(struct council **council_p)
{
	struct council *council = *council_p;

	*council_p = NULL;
	if (council == NULL)
		return true;
	clerk_tell(council->clerk, missive_new(MISSIVE_END));
	if (!clerk_free(&council->clerk, END_MS))
		return false;
	close_handles(council);
	return true;
}
