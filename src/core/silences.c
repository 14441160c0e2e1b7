#include "core/silences.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define ALL "all"
#define ID_DIGITS 9 /* a cluster's id has no more */

static const char *const kind_names[] = {
	[SILENCE_ALL] = "all",
	[SILENCE_CLUSTER] = "cluster",
	[SILENCE_NODE] = "node",
};

/* ---- one of them ---- */

char *silence_target(const struct silence *silence)
{
	switch (silence->kind) {
	case SILENCE_ALL:
		break;
	case SILENCE_CLUSTER:
		return mem_printf("%d", silence->cluster_id);
	case SILENCE_NODE:
		return mem_strdup(silence->node);
	}
	return mem_strdup(ALL);
}

static bool is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Whether it is a node's id, "host:port". */
static bool is_node(const char *text)
{
	const char *colon = strrchr(text, ':');

	return colon != NULL && colon > text && is_number(colon + 1) && strlen(text) < SILENCE_TARGET_BYTES;
}

bool silence_read_target(struct silence *silence, const char *target)
{
	silence->cluster_id = -1;
	silence->node = NULL;
	if (strcmp(target, ALL) == 0) {
		silence->kind = SILENCE_ALL;
	} else if (is_number(target) && strlen(target) <= ID_DIGITS) {
		silence->kind = SILENCE_CLUSTER;
		silence->cluster_id = (int)strtol(target, NULL, 10);
	} else if (is_node(target)) {
		silence->kind = SILENCE_NODE;
		silence->node = mem_strdup(target);
	} else {
		return false;
	}
	return true;
}

void silence_add_words(const struct silence *silence, struct buf *out)
{
	buf_addf(out, "silenced by %s until ", silence->by);
	text_add_utc(out, silence->until_ms);
	if (silence->reason[0] != '\0')
		buf_addf(out, " (%s)", silence->reason);
}

/* Writes a space in place of a control character; those of the C1 set are two bytes long. */
static bool escape_to_space(struct buf *out, const unsigned char *at)
{
	bool is_control = at[0] < 0x20 || at[0] == 0x7F || (at[0] == 0xC2 && at[1] < 0xA0);

	if (is_control)
		buf_add_char(out, ' ');
	return is_control;
}

char *silence_clean_reason(const char *text)
{
	struct buf whole = { 0 };
	char *clean;

	if (text != NULL)
		text_add_valid(&whole, text, strlen(text), escape_to_space);
	clean = mem_strndup(buf_text(&whole), text_cut(buf_text(&whole), SILENCE_REASON_BYTES));
	buf_free(&whole);
	return clean;
}

static void add_text(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

static void add_target(const struct silence *silence, struct json *json)
{
	char *target = silence_target(silence);

	add_text(json, "target", target);
	free(target);
}

void silence_render(const struct silence *silence, struct json *json)
{
	add_target(silence, json);
	add_text(json, "kind", kind_names[silence->kind]);
	jsonw_key(json, "since");
	jsonw_seconds(json, silence->since_ms);
	jsonw_key(json, "until");
	jsonw_seconds(json, silence->until_ms);
	add_text(json, "by", silence->by);
	add_text(json, "reason", silence->reason);
}

void silence_render_stored(const struct silence *silence, struct json *json)
{
	jsonw_begin_object(json);
	add_target(silence, json);
	jsonw_key(json, "since_ms");
	jsonw_int(json, silence->since_ms);
	jsonw_key(json, "until_ms");
	jsonw_int(json, silence->until_ms);
	add_text(json, "by", silence->by);
	add_text(json, "reason", silence->reason);
	jsonw_end_object(json);
}

/* Returns < 0, 0, > 0: the target of `a` comes before, is, or comes after that of `b`. */
static int compare_targets(const struct silence *a, const struct silence *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == SILENCE_CLUSTER)
		return (a->cluster_id > b->cluster_id) - (a->cluster_id < b->cluster_id);
	return a->kind == SILENCE_NODE ? strcmp(a->node, b->node) : 0;
}

bool silence_same(const struct silence *a, const struct silence *b)
{
	return compare_targets(a, b) == 0 && a->since_ms == b->since_ms && a->until_ms == b->until_ms &&
	       strcmp(a->by, b->by) == 0 && strcmp(a->reason, b->reason) == 0;
}

void silence_clear(struct silence *silence)
{
	free(silence->node);
	free(silence->by);
	free(silence->reason);
	*silence = (struct silence){ 0 };
}

/* ---- all of them ---- */

/* The index where the silence with that target is, or would be. */
static size_t place_of(const struct silences *silences, const struct silence *like)
{
	size_t low = 0;
	size_t high = silences->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_targets(&silences->items[middle], like) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct silences *silences, size_t at, const struct silence *like)
{
	return at < silences->count && compare_targets(&silences->items[at], like) == 0;
}

const struct silence *silences_find(const struct silences *silences, const struct silence *like)
{
	size_t at = place_of(silences, like);

	return is_at(silences, at, like) ? &silences->items[at] : NULL;
}

struct silence silence_copy(const struct silence *silence)
{
	struct silence copy = *silence;

	copy.node = mem_strdup(silence->node);
	copy.by = mem_strdup(silence->by);
	copy.reason = mem_strdup(silence->reason);
	return copy;
}

static void make_place(struct silences *silences, size_t at)
{
	if (silences->count == silences->room) {
		silences->room = silences->room > 0 ? silences->room * 2 : 4;
		silences->items = mem_grow(silences->items, silences->room, sizeof(*silences->items));
	}
	memmove(&silences->items[at + 1], &silences->items[at], (silences->count - at) * sizeof(*silences->items));
	silences->count++;
}

bool silences_put(struct silences *silences, const struct silence *silence)
{
	size_t at = place_of(silences, silence);
	struct silence copy;

	if (!is_at(silences, at, silence) && silences->count >= SILENCES_MOST)
		return false;
	copy = silence_copy(silence);
	if (is_at(silences, at, silence))
		silence_clear(&silences->items[at]);
	else
		make_place(silences, at);
	silences->items[at] = copy;
	return true;
}

bool silences_drop(struct silences *silences, const struct silence *like)
{
	size_t at = place_of(silences, like);

	if (!is_at(silences, at, like))
		return false;
	silence_clear(&silences->items[at]);
	silences->count--;
	memmove(&silences->items[at], &silences->items[at + 1], (silences->count - at) * sizeof(*silences->items));
	return true;
}

static const struct silence *later(const struct silence *a, const struct silence *b, int64_t now_ms)
{
	if (b == NULL || b->until_ms <= now_ms)
		return a;
	return a == NULL || b->until_ms > a->until_ms ? b : a;
}

const struct silence *silences_of_event(const struct silences *silences, const struct event *event, int64_t now_ms)
{
	const struct silence all = { .kind = SILENCE_ALL };
	const struct silence cluster = { .kind = SILENCE_CLUSTER, .cluster_id = event->cluster_id };
	struct silence node = { .kind = SILENCE_NODE };
	const struct silence *found;

	if (silences->count == 0)
		return NULL;
	found = later(NULL, silences_find(silences, &all), now_ms);
	found = later(found, silences_find(silences, &cluster), now_ms);
	if (event->node == NULL)
		return found;
	node.node = mem_printf("%s:%d", event->node->host, event->node->port);
	found = later(found, silences_find(silences, &node), now_ms);
	free(node.node);
	return found;
}

const struct silence *silences_over(const struct silences *silences, int64_t now_ms)
{
	for (size_t i = 0; i < silences->count; i++) {
		if (silences->items[i].until_ms <= now_ms)
			return &silences->items[i];
	}
	return NULL;
}

int64_t silences_next_end(const struct silences *silences)
{
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < silences->count; i++) {
		if (silences->items[i].until_ms < next_ms)
			next_ms = silences->items[i].until_ms;
	}
	return next_ms;
}

void silences_render_stored(const struct silences *silences, struct json *json)
{
	jsonw_begin_array(json);
	for (size_t i = 0; i < silences->count; i++)
		silence_render_stored(&silences->items[i], json);
	jsonw_end_array(json);
}

void silences_free(struct silences *silences)
{
	for (size_t i = 0; i < silences->count; i++)
		silence_clear(&silences->items[i]);
	free(silences->items);
	*silences = (struct silences){ 0 };
}
