#include "daemon/silencing.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/asker.h"
#include "daemon/response.h"
#include "daemon/target.h"
#include "loop/clock.h"

#define ORDERS_MOST 256 /* orders at most; a client that has disconnected may leave one behind */

/* A silence that a client wants to set or to end. */
struct order {
	struct silencing *silencing;
	unsigned long client;
	unsigned long number; /* names the order to the store */
	bool is_end;
	struct silence silence;
};

struct silencing {
	struct quiet *quiet;
	const struct fleet *(*fleet)(void *data);
	void *data;
	struct silencing_store store;
	bool is_shared; /* false: this monitor is alone */
	struct control *control;
	struct asker *asker;
	struct list orders;  /* struct order * */
	unsigned long numbers;
};

/* ---- answers ---- */

static void add_silence(const struct silencing *silencing, const struct silence *silence, struct json *json)
{
	const struct fleet *fleet = silencing->fleet(silencing->data);
	bool has_ids = !silencing->is_shared || silencing->store.lacks_ids(silencing->store.data) == NULL;

	jsonw_begin_object(json);
	silence_render(silence, json);
	jsonw_key(json, "name");
	jsonw_string(json, target_name(fleet, silence));
	jsonw_key(json, "gone");
	jsonw_bool(json, (has_ids || silence->kind != SILENCE_CLUSTER) && target_is_gone(fleet, silence));
	jsonw_end_object(json);
}

void silencing_render(const struct silencing *silencing, struct json *json)
{
	const struct silences *all = quiet_all(silencing->quiet);

	jsonw_begin_array(json);
	for (size_t i = 0; i < all->count; i++)
		add_silence(silencing, &all->items[i], json);
	jsonw_end_array(json);
}

/* Refuses what names something that is not known here: the one who asks may have mistyped it. */
static struct shared_text *refuse_unknown(const char *why)
{
	struct buf out = { 0 };
	struct json json = { .out = &out };

	jsonw_begin_object(&json);
	response_add_error(&json, why);
	jsonw_key(&json, "unknown");
	jsonw_bool(&json, true);
	return response_end(&json);
}

static struct shared_text *refuse(const char *why, bool is_unknown)
{
	return is_unknown ? refuse_unknown(why) : response_error(why);
}

static void free_order(struct order *order)
{
	silence_clear(&order->silence);
	free(order);
}

/* Answers the client that waits for the order, and frees it. `why` NULL: the order was carried out. */
static void conclude(struct silencing *silencing, struct order *order, const char *why)
{
	struct buf out = { 0 };
	struct shared_text *text;

	if (why != NULL) {
		text = response_error(why);
	} else {
		struct json json = response_begin(&out);

		jsonw_key(&json, "silence");
		add_silence(silencing, &order->silence, &json);
		jsonw_key(&json, "ended");
		jsonw_bool(&json, order->is_end);
		text = response_end(&json);
	}
	(void)list_remove(&silencing->orders, order);
	control_answer(silencing->control, order->client, text);
	shared_text_unref(&text);
	free_order(order);
}

/* ---- what is asked for ---- */

#define FULL "there are 1000 silences already: one has to end first (silence --end)"

/* Carries the order out at once, where this monitor is alone. NULL: it is done; else why it cannot be. */
static const char *carry_out(struct silencing *silencing, const struct order *order)
{
	if (order->is_end)
		return quiet_drop(silencing->quiet, &order->silence, order->silence.by) ? NULL : "the silence has ended meanwhile";
	return quiet_put(silencing->quiet, &order->silence) ? NULL : FULL;
}

static void put(struct silencing *silencing, struct order *order)
{
	order->number = ++silencing->numbers;
	silencing->store.put(silencing->store.data, order->number, &order->silence, order->is_end);
}

static void on_found(void *data, const char *name)
{
	struct order *order = data;
	struct silencing *silencing = order->silencing;

	order->silence.by = mem_strndup(name, text_cut(name, SILENCE_BY_BYTES));
	if (!silencing->is_shared)
		conclude(silencing, order, carry_out(silencing, order));
	else
		put(silencing, order);
}

void silencing_stored(struct silencing *silencing, unsigned long number, const char *why)
{
	for (size_t i = 0; i < silencing->orders.count; i++) {
		struct order *order = silencing->orders.items[i];

		if (order->number != number)
			continue;
		conclude(silencing, order, why);
		return;
	}
}

/* Carries an order out once the name of who asks is found. Takes over what the silence holds. */
static struct shared_text *begin_order(struct silencing *silencing, unsigned long client, const struct request *request,
				       const struct silence *silence, bool is_end)
{
	struct order *order = mem_zalloc(1, sizeof(*order));

	*order = (struct order){ .silencing = silencing, .client = client, .is_end = is_end, .silence = *silence };
	list_add(&silencing->orders, order);
	asker_find(silencing->asker, request->uid, on_found, order);
	return NULL;
}

/* Reads a request's "seconds"; 0: they are wrong. */
static int64_t read_seconds(const char *text)
{
	char *end = NULL;
	long long seconds = text != NULL && text[0] >= '0' && text[0] <= '9' ? strtoll(text, &end, 10) : 0;

	return end != NULL && *end == '\0' && seconds > 0 && seconds <= SILENCE_MOST_S ? seconds : 0;
}

/* Says why this monitor cannot silence the target; NULL: it can. */
static const char *lacks_ids(const struct silencing *silencing, const struct silence *silence)
{
	if (!silencing->is_shared || silence->kind != SILENCE_CLUSTER)
		return NULL;
	return silencing->store.lacks_ids(silencing->store.data);
}

#define TARGETS "\"target\" is needed: a node's \"host:port\" or its name, a cluster's id, or \"all\""
#define BUSY "too many silences are being set just now"

struct shared_text *silencing_answer_set(struct silencing *silencing, unsigned long client, const struct request *request)
{
	const struct fleet *fleet = silencing->fleet(silencing->data);
	int64_t seconds = read_seconds(request->seconds);
	struct silence silence = { 0 };
	struct shared_text *answer;
	bool is_unknown = false;
	char *why = NULL;

	if (request->target == NULL)
		return response_error(TARGETS);
	if (seconds == 0)
		return response_error("\"seconds\" is needed: a whole number as a text, \"1\" to \"2592000\" (30 days)");
	if (silencing->orders.count >= ORDERS_MOST)
		return response_error(BUSY);
	if (target_read(fleet, request->target, &silence, &why, &is_unknown)) {
		if (lacks_ids(silencing, &silence) != NULL)
			return response_error(lacks_ids(silencing, &silence));
		silence.since_ms = clock_wall_ms();
		silence.until_ms = silence.since_ms + seconds * 1000;
		silence.reason = silence_clean_reason(request->reason);
		return begin_order(silencing, client, request, &silence, false);
	}
	answer = refuse(why, is_unknown);
	free(why);
	return answer;
}

/*
 * Finds a silence in force by the text of its target, or as target_read() reads that. NULL: there is none, as
 * `*answer` says.
 */
static const struct silence *find(const struct silencing *silencing, const char *text, struct shared_text **answer)
{
	const struct silences *all = quiet_all(silencing->quiet);
	const struct silence *found = NULL;
	struct silence like = { 0 };
	bool is_unknown = false;
	char *why = NULL;

	if (silence_read_target(&like, text)) /* its node or cluster may be gone */
		found = silences_find(all, &like);
	silence_clear(&like);
	if (found == NULL && target_read(silencing->fleet(silencing->data), text, &like, &why, &is_unknown))
		found = silences_find(all, &like);
	silence_clear(&like);
	if (found == NULL)
		*answer = refuse(why != NULL ? why : "there is no such silence: see silence --list", is_unknown);
	free(why);
	return found;
}

struct shared_text *silencing_answer_end(struct silencing *silencing, unsigned long client, const struct request *request)
{
	struct shared_text *answer = NULL;
	const struct silence *found;
	struct silence copy;

	if (request->target == NULL)
		return response_error(TARGETS);
	if (silencing->orders.count >= ORDERS_MOST)
		return response_error(BUSY);
	found = find(silencing, request->target, &answer);
	if (found == NULL)
		return answer;
	copy = silence_copy(found);
	free(copy.by);
	copy.by = NULL; /* on_found() sets who ends it */
	return begin_order(silencing, client, request, &copy, true);
}

/* ---- start and end ---- */

struct silencing *silencing_new(const struct silencing_start *start)
{
	struct silencing *silencing = mem_zalloc(1, sizeof(*silencing));

	silencing->quiet = start->quiet;
	silencing->fleet = start->fleet;
	silencing->data = start->data;
	silencing->control = start->control;
	silencing->store = start->store;
	silencing->is_shared = start->is_shared;
	silencing->asker = asker_new(start->loop);
	return silencing;
}

void silencing_free(struct silencing **silencing_p)
{
	struct silencing *silencing = *silencing_p;
	struct order *order;

	*silencing_p = NULL;
	if (silencing == NULL)
		return;
	asker_free(&silencing->asker);
	while ((order = list_shift(&silencing->orders)) != NULL)
		free_order(order);
	list_free(&silencing->orders);
	free(silencing);
}
