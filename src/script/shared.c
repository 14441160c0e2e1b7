#include "script/shared.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct shared {
	pthread_mutex_t lock;
	struct list values; /* struct assignment *, by name */
	size_t bytes;
	struct board *board;
	bool tracks; /* changes are kept, because etcd is to have them */
	bool is_shut;
	bool leaves; /* the daemon ends */
	struct assignments assignments;
};

struct shared *shared_new(void)
{
	struct shared *shared = mem_zalloc(1, sizeof(*shared));

	pthread_mutex_init(&shared->lock, NULL);
	return shared;
}

void shared_free(struct shared **shared_p)
{
	struct shared *shared = *shared_p;

	*shared_p = NULL;
	if (shared == NULL)
		return;
	assignment_free_all(&shared->values);
	assignments_clear(&shared->assignments);
	board_unref(&shared->board);
	pthread_mutex_destroy(&shared->lock);
	free(shared);
}

/* Where the key is, or (`*found` false) where it belongs. */
static size_t place_of(const struct shared *shared, const char *key, size_t len, bool *found)
{
	const struct assignment like = { .name = (char *)key, .name_len = len };

	return assignment_place(&shared->values, &like, found);
}

static void remove_at(struct shared *shared, size_t at)
{
	struct assignment *value = list_remove_at(&shared->values, at);

	shared->bytes -= value->name_len + value->len;
	assignment_free(&value);
}

/* Takes `bytes` over. */
static void insert_at(struct shared *shared, size_t at, const char *key, size_t key_len,
		      char *bytes, size_t len)
{
	struct assignment *value = assignment_new(key, key_len, NULL, 0);

	value->bytes = bytes;
	value->len = len;
	shared->bytes += key_len + len;
	list_insert(&shared->values, at, value);
}

/* Whether this may not be assigned; `*result` says why. But for SHARED_LOADS that is so with several monitors only. */
static bool is_refused(const struct shared *shared, const struct job *job, size_t key_len, enum shared_result *result)
{
	*result = SHARED_DONE;
	if (job == NULL)
		*result = SHARED_LOADS; /* what a start refuses a reload must not take */
	else if (!shared->tracks)
		return false;
	else if (shared->is_shut)
		*result = SHARED_SHUT;
	else if (atomic_load(&job->over))
		*result = SHARED_OVER;
	else if (key_len > STORE_NAME_BYTES)
		*result = SHARED_LONG;
	return *result != SHARED_DONE;
}

static bool note_change(struct shared *shared, const struct job *job, const char *key, size_t key_len,
			const char *bytes, size_t len)
{
	return !shared->tracks ||
	       assignments_add(&shared->assignments, job->id, assignment_new(key, key_len, bytes, len), STORE_CHANGES);
}

/* The lock is held. Takes `bytes` over when it returns SHARED_DONE. */
static enum shared_result set(struct shared *shared, const struct job *job, const char *key, size_t key_len,
			      char *bytes, size_t len)
{
	enum shared_result result;
	const struct assignment *old;
	size_t freed = 0;
	bool found;
	size_t at;

	if (is_refused(shared, job, key_len, &result))
		return result;
	at = place_of(shared, key, key_len, &found);
	if (!found && bytes == NULL && !assignments_have(&shared->assignments, key, key_len))
		return SHARED_DONE; /* nor does etcd have it */
	if (!found && bytes != NULL && shared->tracks && shared->values.count >= STORE_VALUES)
		return SHARED_MANY;
	if (found) {
		old = shared->values.items[at];
		freed = old->name_len + old->len;
	}
	if (bytes != NULL && shared->bytes - freed + key_len + len > STORE_BYTES)
		return SHARED_FULL;
	if (!note_change(shared, job, key, key_len, bytes, len))
		return SHARED_CHANGES_FULL;
	if (found)
		remove_at(shared, at);
	if (bytes != NULL)
		insert_at(shared, at, key, key_len, bytes, len);
	return SHARED_DONE;
}

enum shared_result shared_set(struct shared *shared, const struct job *job, const char *key, size_t key_len,
			      char *bytes, size_t len)
{
	enum shared_result result;

	pthread_mutex_lock(&shared->lock);
	result = set(shared, job, key, key_len, bytes, len);
	pthread_mutex_unlock(&shared->lock);
	if (result != SHARED_DONE)
		free(bytes);
	return result;
}

char *shared_get(struct shared *shared, const char *key, size_t key_len, size_t *len)
{
	const struct assignment *value;
	char *copy = NULL;
	bool found;
	size_t at;

	*len = 0;
	pthread_mutex_lock(&shared->lock);
	at = place_of(shared, key, key_len, &found);
	if (found) {
		value = shared->values.items[at];
		copy = mem_strndup(value->bytes, value->len);
		*len = value->len;
	}
	pthread_mutex_unlock(&shared->lock);
	return copy;
}

char *shared_next(struct shared *shared, const char *key, size_t key_len, size_t *len)
{
	const struct assignment *value;
	char *copy = NULL;
	bool found = false;
	size_t at = 0;

	*len = 0;
	pthread_mutex_lock(&shared->lock);
	if (key != NULL)
		at = place_of(shared, key, key_len, &found);
	if (found)
		at++;
	if (at < shared->values.count) {
		value = shared->values.items[at];
		copy = mem_strndup(value->name, value->name_len);
		*len = value->name_len;
	}
	pthread_mutex_unlock(&shared->lock);
	return copy;
}

void shared_publish(struct shared *shared, struct board *board)
{
	struct board *old;

	(void)board_ref(board);
	pthread_mutex_lock(&shared->lock);
	old = shared->board;
	shared->board = board;
	pthread_mutex_unlock(&shared->lock);
	board_unref(&old);
}

struct board *shared_board(struct shared *shared)
{
	struct board *board;

	pthread_mutex_lock(&shared->lock);
	board = shared->board != NULL ? board_ref(shared->board) : NULL;
	pthread_mutex_unlock(&shared->lock);
	return board;
}

/* ---- with several monitors ---- */

void shared_track(struct shared *shared)
{
	shared->tracks = true;
	shared->is_shut = true;
}

void shared_leave(struct shared *shared)
{
	shared->leaves = true;
}

/* A run may be about to assign a value: it does so before this takes the lock, or sees then that it is over. */
bool shared_end_job(struct shared *shared, struct job *job, bool failed)
{
	bool is_ready;

	atomic_store(&job->over, true);
	if (!shared->tracks)
		return false;
	pthread_mutex_lock(&shared->lock);
	if (shared->leaves && failed)
		assignments_drop(&shared->assignments, job->id);
	else
		assignments_end(&shared->assignments, job->id);
	is_ready = shared->assignments.ready.count > 0;
	pthread_mutex_unlock(&shared->lock);
	return is_ready;
}

bool shared_has_assignments(struct shared *shared)
{
	bool has;

	pthread_mutex_lock(&shared->lock);
	has = shared->assignments.ready.count > 0;
	pthread_mutex_unlock(&shared->lock);
	return has;
}

void shared_take(struct shared *shared, struct list *out)
{
	pthread_mutex_lock(&shared->lock);
	assignments_take(&shared->assignments, out);
	pthread_mutex_unlock(&shared->lock);
}

/* The lock is held. */
static void replace_all(struct shared *shared, const struct list *values)
{
	while (shared->values.count > 0)
		remove_at(shared, shared->values.count - 1);
	for (size_t i = 0; i < values->count; i++) {
		const struct assignment *value = values->items[i];
		bool found;
		size_t at = place_of(shared, value->name, value->name_len, &found);

		if (!found)
			insert_at(shared, at, value->name, value->name_len, mem_strndup(value->bytes, value->len),
				  value->len);
	}
}

void shared_open(struct shared *shared, const struct list *values)
{
	pthread_mutex_lock(&shared->lock);
	assignments_clear(&shared->assignments);
	shared->is_shut = false;
	if (values != NULL)
		replace_all(shared, values);
	pthread_mutex_unlock(&shared->lock);
}

void shared_shut(struct shared *shared)
{
	pthread_mutex_lock(&shared->lock);
	assignments_clear(&shared->assignments);
	shared->is_shut = true;
	pthread_mutex_unlock(&shared->lock);
}

void shared_copy(struct shared *shared, const struct list *stored, struct list *out)
{
	pthread_mutex_lock(&shared->lock);
	for (size_t i = 0; i < shared->values.count; i++) {
		const struct assignment *value = shared->values.items[i];

		if (!assignments_have(&shared->assignments, value->name, value->name_len))
			list_add(out, assignment_new(value->name, value->name_len, value->bytes, value->len));
	}
	for (size_t i = 0; i < stored->count; i++) {
		const struct assignment *value = stored->items[i];
		bool found;

		(void)place_of(shared, value->name, value->name_len, &found);
		if (!found && !assignments_have(&shared->assignments, value->name, value->name_len))
			list_add(out, assignment_new(value->name, value->name_len, NULL, 0));
	}
	pthread_mutex_unlock(&shared->lock);
}
