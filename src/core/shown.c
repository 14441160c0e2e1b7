#include "core/shown.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct shown *shown_new(void)
{
	return mem_zalloc(1, sizeof(struct shown));
}

void shown_free(struct shown **shown_p)
{
	struct shown *shown = *shown_p;

	*shown_p = NULL;
	for (size_t i = 0; shown != NULL && i < NODE_PAST; i++)
		free(shown->past[i]);
	free(shown);
}

static void take_look(struct look *look, const struct observation *seen, const struct moment *now)
{
	*look = (struct look){
		.from_ms = now->wall_ms,
		.to_ms = now->wall_ms,
		.count = 1,
		.kind = seen->kind,
		.reason = seen->reason,
		.door = seen->door.reason,
		.row_state = seen->row_state,
	};
	text_copy(look->message, sizeof(look->message), seen->message);
	if (seen->kind == OBSERVED_SLAVE && seen->row_state == ROW_SHOWN)
		text_copy(look->master, sizeof(look->master), seen->row.master);
	if (seen->kind == OBSERVED_MASTER &&
	    (seen->beat.state == BEAT_LOCKED || seen->beat.state == BEAT_FAILED)) {
		look->reason = seen->beat.reason;
		text_copy(look->message, sizeof(look->message), seen->beat.message);
	}
	if (look->door != REASON_NONE)
		text_copy(look->shut, sizeof(look->shut), seen->door.message);
}

static bool is_alike(const struct look *a, const struct look *b)
{
	return a->kind == b->kind && a->reason == b->reason && a->door == b->door &&
	       a->row_state == b->row_state && strcmp(a->master, b->master) == 0;
}

void shown_note(struct shown *shown, const struct observation *seen, const struct moment *now)
{
	struct look *last = shown->past[(shown->past_next + NODE_PAST - 1) % NODE_PAST];
	struct look look;

	take_look(&look, seen, now);
	if (shown->past_count > 0 && is_alike(last, &look)) {
		last->to_ms = look.to_ms;
		last->count++;
		text_copy(last->message, sizeof(last->message), look.message); /* the latest words */
		text_copy(last->shut, sizeof(last->shut), look.shut);
		return;
	}
	if (shown->past[shown->past_next] == NULL)
		shown->past[shown->past_next] = mem_alloc(sizeof(look));
	*shown->past[shown->past_next] = look;
	shown->past_next = (shown->past_next + 1) % NODE_PAST;
	if (shown->past_count < NODE_PAST)
		shown->past_count++;
}

const struct look *shown_look(const struct shown *shown, size_t back)
{
	if (back >= shown->past_count)
		return NULL;
	return shown->past[(shown->past_next + NODE_PAST - 1 - back) % NODE_PAST];
}
