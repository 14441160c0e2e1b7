#include "core/shown.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/words.h"

struct shown *shown_new(void)
{
	struct shown *shown = mem_zalloc(1, sizeof(struct shown));

	shown->failure = words_none;
	shown->door = words_none;
	shown->reason = words_none;
	return shown;
}

static void free_look(struct look *look)
{
	if (look == NULL)
		return;
	words_forget(&look->master);
	words_forget(&look->message);
	words_forget(&look->shut);
	free(look);
}

void shown_free(struct shown **shown_p)
{
	struct shown *shown = *shown_p;

	*shown_p = NULL;
	if (shown == NULL)
		return;
	for (size_t i = 0; i < NODE_PAST; i++)
		free_look(shown->past[i]);
	words_forget(&shown->failure);
	words_forget(&shown->door);
	words_forget(&shown->reason);
	free(shown);
}

static bool is_refused(const struct observation *seen)
{
	return seen->kind == OBSERVED_MASTER && (seen->beat.state == BEAT_LOCKED || seen->beat.state == BEAT_FAILED);
}

/* Returns why the node failed, or why its beat was not written. */
static enum reason reason_of(const struct observation *seen)
{
	return is_refused(seen) ? seen->beat.reason : seen->reason;
}

static const char *master_of(const struct observation *seen)
{
	return seen->kind == OBSERVED_SLAVE && seen->row_state == ROW_SHOWN ? seen->row.master : "";
}

/* Whether `kept` is the name, perhaps cut. */
static bool is_name(const char *kept, const char *name)
{
	size_t len = strlen(kept);

	return strncmp(kept, name, len) == 0 && (name[len] == '\0' || text_cut(name, LOOK_NAME - 1) == len);
}

static bool is_alike(const struct look *look, const struct observation *seen)
{
	return look->kind == seen->kind && look->reason == reason_of(seen) && look->door == seen->door.reason &&
	       look->row_state == seen->row_state && is_name(look->master, master_of(seen));
}

/* Puts the observation's messages into the look: the latest ones count. */
static void take_words(struct look *look, const struct observation *seen)
{
	words_keep(&look->message, is_refused(seen) ? seen->beat.message : seen->message, LOOK_MESSAGE);
	words_keep(&look->shut, seen->door.reason != REASON_NONE ? seen->door.message : "", LOOK_MESSAGE);
}

static struct look *look_new(const struct observation *seen, const struct moment *now)
{
	struct look *look = mem_alloc(sizeof(*look));

	*look = (struct look){
		.from_ms = now->wall_ms,
		.kind = seen->kind,
		.reason = reason_of(seen),
		.door = seen->door.reason,
		.row_state = seen->row_state,
		.master = words_none,
		.message = words_none,
		.shut = words_none,
	};
	words_keep(&look->master, master_of(seen), LOOK_NAME);
	return look;
}

void shown_note(struct shown *shown, const struct observation *seen, const struct moment *now)
{
	struct look *last = shown->past[(shown->past_next + NODE_PAST - 1) % NODE_PAST];

	if (shown->past_count == 0 || !is_alike(last, seen)) {
		last = look_new(seen, now);
		free_look(shown->past[shown->past_next]);
		shown->past[shown->past_next] = last;
		shown->past_next = (shown->past_next + 1) % NODE_PAST;
		if (shown->past_count < NODE_PAST)
			shown->past_count++;
	}
	last->to_ms = now->wall_ms;
	last->count++;
	take_words(last, seen);
}

const struct look *shown_look(const struct shown *shown, size_t back)
{
	if (back >= shown->past_count)
		return NULL;
	return shown->past[(shown->past_next + NODE_PAST - 1 - back) % NODE_PAST];
}
