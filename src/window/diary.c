#include "window/diary.h"

#include <string.h>

#include "base/text.h"

void diary_add(struct diary *diary, struct note *note)
{
	struct diary_entry *entry = &diary->entries[++diary->last % DIARY_ENTRIES];

	note_free(&entry->note);
	*entry = (struct diary_entry){ .number = diary->last, .note = note };
}

static unsigned long oldest(const struct diary *diary)
{
	return diary->last > DIARY_ENTRIES ? diary->last - DIARY_ENTRIES + 1 : 1;
}

const struct diary_entry *diary_next(const struct diary *diary, unsigned long number, bool *missed)
{
	unsigned long next = number + 1;

	*missed = next < oldest(diary);
	if (*missed)
		next = oldest(diary);
	return next > diary->last ? NULL : &diary->entries[next % DIARY_ENTRIES];
}

static const struct note *note_at(const struct diary *diary, unsigned long number)
{
	return diary->entries[number % DIARY_ENTRIES].note;
}

/* Writes an object of the event and the ends of its triggers. */
static void render_event(const struct diary *diary, unsigned long number, struct json *json)
{
	const struct note *event = note_at(diary, number);

	jsonw_begin_object(json);
	jsonw_key(json, "event");
	jsonw_raw(json, event->text);
	jsonw_key(json, "triggers");
	jsonw_begin_array(json);
	for (unsigned long i = number + 1; i <= diary->last; i++) {
		const struct note *note = note_at(diary, i);

		if (note->kind == NOTE_ENDED && text_same(note->id, event->id))
			jsonw_raw(json, note->text);
	}
	jsonw_end_array(json);
	jsonw_end_object(json);
}

/* Whether the note is an event about the node; where that is NULL, an event of the cluster. */
static bool is_about(const struct note *note, const char *node, int cluster_id)
{
	if (note->kind != NOTE_EVENT)
		return false;
	return node != NULL ? text_same(note->node, node) : note->cluster_id == cluster_id;
}

static void render_last(const struct diary *diary, const char *node, int cluster_id, struct json *json)
{
	unsigned long numbers[DIARY_SHOWN];
	size_t count = 0;

	for (unsigned long i = diary->last; i >= oldest(diary) && count < DIARY_SHOWN; i--) {
		if (is_about(note_at(diary, i), node, cluster_id))
			numbers[count++] = i;
	}
	jsonw_key(json, "events");
	jsonw_begin_array(json);
	while (count > 0)
		render_event(diary, numbers[--count], json);
	jsonw_end_array(json);
}

void diary_render_node(const struct diary *diary, const char *node, struct json *json)
{
	render_last(diary, node, -1, json);
}

void diary_render_cluster(const struct diary *diary, int cluster_id, struct json *json)
{
	render_last(diary, NULL, cluster_id, json);
}

void diary_free(struct diary *diary)
{
	for (size_t i = 0; i < DIARY_ENTRIES; i++)
		note_free(&diary->entries[i].note);
	diary->last = 0;
}
