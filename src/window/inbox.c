#include "window/inbox.h"

#include <stdlib.h>

#include "base/mem.h"

struct note *note_new(enum note_kind kind)
{
	struct note *note = mem_zalloc(1, sizeof(*note));

	note->kind = kind;
	return note;
}

void note_free(struct note **note_p)
{
	struct note *note = *note_p;

	*note_p = NULL;
	if (note == NULL)
		return;
	free(note->id);
	free(note->node);
	free(note->text);
	terms_free(&note->terms);
	free(note);
}

void inbox_put_pane(struct inbox *inbox, struct pane *pane)
{
	struct pane *old = atomic_exchange(&inbox->pane, pane);

	pane_unref(&old);
}

void inbox_put_status(struct inbox *inbox, char *text)
{
	free(atomic_exchange(&inbox->status, text));
}

static bool is_bounded(const struct note *note)
{
	return note->kind == NOTE_EVENT || note->kind == NOTE_STARTED || note->kind == NOTE_ENDED;
}

void inbox_add(struct inbox *inbox, struct note *note)
{
	if (is_bounded(note) && atomic_fetch_add(&inbox->waiting, 1) >= INBOX_NOTES) {
		atomic_fetch_sub(&inbox->waiting, 1);
		atomic_store(&inbox->lost, true);
		note_free(&note);
		return;
	}
	chain_put(&inbox->notes, &note->link);
}

struct pane *inbox_take_pane(struct inbox *inbox)
{
	return atomic_exchange(&inbox->pane, NULL);
}

char *inbox_take_status(struct inbox *inbox)
{
	return atomic_exchange(&inbox->status, NULL);
}

struct note *note_next(const struct note *note)
{
	return (struct note *)note->link.next;
}

struct note *inbox_take_notes(struct inbox *inbox, bool *lost)
{
	struct note *notes = (struct note *)chain_take(&inbox->notes);

	*lost = atomic_exchange(&inbox->lost, false);
	for (const struct note *note = notes; note != NULL; note = note_next(note)) {
		if (is_bounded(note))
			atomic_fetch_sub(&inbox->waiting, 1);
	}
	return notes;
}

void inbox_free(struct inbox *inbox)
{
	struct pane *pane = inbox_take_pane(inbox);
	bool lost;

	pane_unref(&pane);
	free(inbox_take_status(inbox));
	for (struct note *note = inbox_take_notes(inbox, &lost); note != NULL;) {
		struct note *next = note_next(note);

		note_free(&note);
		note = next;
	}
}
