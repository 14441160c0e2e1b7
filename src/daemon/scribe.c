#include "daemon/scribe.h"

#include <stdlib.h>

#include "base/mem.h"
#include "council/values.h"
#include "etcd/body.h"

#define KEPT_EVENTS 1000   /* events in etcd; the commit of a new one deletes the oldest */
#define PARTS_AT_ONCE 100  /* parts of the state in one commit: etcd takes 128 operations */
#define VALUES_AT_ONCE 100 /* the same for values of pm.state */
#define BYTES_AT_ONCE (BODY_BYTES_MOST / 2) /* of values in one commit, but for a single one that is longer */

/* ---- commits ---- */

static struct commit *new_commit(struct scribe *scribe)
{
	struct buf meta = { 0 };

	if (scribe->monitor != NULL) {
		monitor_render_meta(scribe->monitor, &meta);
		free(scribe->meta);
		scribe->meta = buf_steal(&meta);
	}
	return commit_new(++scribe->commits, mem_strdup(scribe->meta));
}

void scribe_send(struct scribe *scribe, struct commit *commit)
{
	if (scribe->holds)
		list_add(&scribe->held, commit);
	else
		council_commit(scribe->council, commit);
}

void scribe_hold(struct scribe *scribe)
{
	scribe->holds = true;
}

void scribe_release(struct scribe *scribe)
{
	struct commit *commit;

	scribe->holds = false;
	while ((commit = list_shift(&scribe->held)) != NULL)
		council_commit(scribe->council, commit);
}

/* ---- the state, and events ---- */

static void add_part(void *data, const char *key, const char *text)
{
	commit_put(data, key, mem_strdup(text));
}

struct commit *scribe_begin(struct scribe *scribe)
{
	struct moment now = clock_now(scribe->clock);
	struct commit *commit = new_commit(scribe);

	for (;;) {
		(void)unsaved_take(scribe->unsaved, monitor_fleet(scribe->monitor), &now, PARTS_AT_ONCE, add_part, commit);
		if (unsaved_count(scribe->unsaved) == 0)
			return commit;
		council_commit(scribe->council, commit);
		commit = new_commit(scribe);
	}
}

void scribe_add_record(struct commit *commit, const struct duty *duty)
{
	char *key = event_record_key(duty->number);
	struct buf text = { 0 };

	event_record_render(&duty->record, &text);
	commit_put(commit, key, buf_steal(&text));
	free(key);
}

void scribe_drop_old(struct commit *commit, unsigned long number)
{
	char *key;

	if (number <= KEPT_EVENTS)
		return;
	key = event_record_key(number - KEPT_EVENTS);
	commit_put(commit, key, NULL);
	free(key);
}

/* ---- pm.state ---- */

static bool is_full(const struct commit *commit, const struct assignment *value)
{
	return commit->puts.count >= VALUES_AT_ONCE ||
	       (commit->puts.count > 0 && commit->bytes + value->name_len + value->len > BYTES_AT_ONCE);
}

/* Adds the values to a new commit, which it returns. Where they are many, the first ones go out in commits before it. */
static struct commit *begin_with(struct scribe *scribe, const struct list *values)
{
	struct commit *commit = new_commit(scribe);

	for (size_t i = 0; i < values->count; i++) {
		const struct assignment *value = values->items[i];

		if (is_full(commit, value)) {
			scribe_send(scribe, commit);
			commit = new_commit(scribe);
		}
		values_put(commit, value);
	}
	return commit;
}

/* Makes a commit with the changes of pm.state by runs that have ended. */
static struct commit *begin_with_changes(struct scribe *scribe)
{
	struct list changes = { 0 };
	struct commit *commit;

	shared_take(scribe->shared, &changes);
	commit = begin_with(scribe, &changes);
	assignment_free_all(&changes);
	return commit;
}

unsigned long scribe_commit_runs(struct scribe *scribe, const struct duty *duty)
{
	struct commit *commit = begin_with_changes(scribe);
	unsigned long number = commit->number;

	scribe_add_record(commit, duty);
	scribe_send(scribe, commit);
	return number;
}

void scribe_commit_values(struct scribe *scribe)
{
	if (scribe->monitor == NULL && scribe->meta == NULL) /* the daemon ends, and has committed nothing yet */
		scribe_drop_values(scribe);
	else
		scribe_send(scribe, begin_with_changes(scribe));
}

void scribe_commit_all_values(struct scribe *scribe, const struct list *stored)
{
	struct list values = { 0 };

	scribe_drop_values(scribe);
	scribe->missed = false;
	shared_copy(scribe->shared, stored, &values);
	if (values.count > 0)
		scribe_send(scribe, begin_with(scribe, &values));
	assignment_free_all(&values);
}

void scribe_drop_values(struct scribe *scribe)
{
	struct list changes = { 0 };

	shared_take(scribe->shared, &changes);
	assignment_free_all(&changes);
}

void scribe_end(struct scribe *scribe)
{
	list_free(&scribe->held);
	unsaved_free(&scribe->unsaved);
	free(scribe->meta);
	*scribe = (struct scribe){ 0 };
}
