#include "script/assignments.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct assignment *assignment_new(const char *name, size_t name_len, const char *bytes, size_t len)
{
	struct assignment *assignment = mem_zalloc(1, sizeof(*assignment));

	assignment->name = mem_strndup(name, name_len);
	assignment->name_len = name_len;
	assignment->bytes = bytes != NULL ? mem_strndup(bytes, len) : NULL;
	assignment->len = bytes != NULL ? len : 0;
	return assignment;
}

void assignment_free(struct assignment **assignment_p)
{
	struct assignment *assignment = *assignment_p;

	*assignment_p = NULL;
	if (assignment == NULL)
		return;
	free(assignment->name);
	free(assignment->bytes);
	free(assignment);
}

void assignment_free_all(struct list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct assignment *assignment = list->items[i];

		assignment_free(&assignment);
	}
	list_free(list);
}

static size_t size_of(const struct assignment *assignment)
{
	return assignment->name_len + assignment->len + ASSIGNMENT_BYTES;
}

static int compare_names(const struct assignment *a, const struct assignment *b)
{
	size_t common = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = memcmp(a->name, b->name, common);

	return order != 0 ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static int compare(const struct assignment *a, const struct assignment *b)
{
	int order = compare_names(a, b);

	return order != 0 ? order : (a->run > b->run) - (a->run < b->run);
}

size_t assignment_place(const struct list *sorted, const struct assignment *like, bool *found)
{
	size_t low = 0;
	size_t high = sorted->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(sorted->items[middle], like) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low < sorted->count && compare(sorted->items[low], like) == 0;
	return low;
}

bool assignments_add(struct assignments *assignments, unsigned long run, struct assignment *assignment, size_t most)
{
	struct assignment *old = NULL;
	bool found;
	size_t at;

	assignment->run = run;
	assignment->order = ++assignments->order;
	at = assignment_place(&assignments->open, assignment, &found);
	if (found)
		old = assignments->open.items[at];
	if (assignments->bytes - (old != NULL ? size_of(old) : 0) + size_of(assignment) > most) {
		assignment_free(&assignment);
		return false;
	}
	assignments->bytes += size_of(assignment);
	if (old == NULL) {
		list_insert(&assignments->open, at, assignment);
		return true;
	}
	assignments->bytes -= size_of(old);
	assignment_free(&old);
	assignments->open.items[at] = assignment;
	return true;
}

bool assignments_have(const struct assignments *assignments, const char *name, size_t name_len)
{
	const struct assignment any = { .name = (char *)name, .name_len = name_len }; /* runs are numbered from 1 */
	bool found;
	size_t at = assignment_place(&assignments->open, &any, &found);

	return at < assignments->open.count && compare_names(assignments->open.items[at], &any) == 0;
}

/* Closes the gaps that taken or dropped changes have left. */
static void close_gaps(struct list *open)
{
	size_t kept = 0;

	for (size_t i = 0; i < open->count; i++) {
		if (open->items[i] != NULL)
			open->items[kept++] = open->items[i];
	}
	open->count = kept;
}

void assignments_drop(struct assignments *assignments, unsigned long run)
{
	for (size_t i = 0; i < assignments->open.count; i++) {
		struct assignment *assignment = assignments->open.items[i];

		if (assignment->run != run)
			continue;
		assignments->open.items[i] = NULL;
		assignments->bytes -= size_of(assignment);
		assignment_free(&assignment);
	}
	close_gaps(&assignments->open);
}

/* Deals with the changes of one name, from `from` to `to`: moves the run's one to the ready ones, drops older ones. */
static void end_name(struct assignments *assignments, size_t from, size_t to, unsigned long run)
{
	struct assignment *own = NULL;

	for (size_t i = from; i < to; i++) {
		struct assignment *assignment = assignments->open.items[i];

		if (assignment->run == run)
			own = assignment;
	}
	for (size_t i = from; own != NULL && i < to; i++) {
		struct assignment *assignment = assignments->open.items[i];

		if (assignment->order > own->order)
			continue;
		assignments->open.items[i] = NULL;
		assignments->bytes -= size_of(assignment);
		if (assignment == own)
			list_add(&assignments->ready, assignment);
		else
			assignment_free(&assignment);
	}
}

void assignments_end(struct assignments *assignments, unsigned long run)
{
	struct list *open = &assignments->open;

	for (size_t from = 0, to; from < open->count; from = to) {
		for (to = from + 1; to < open->count && compare_names(open->items[from], open->items[to]) == 0;)
			to++;
		end_name(assignments, from, to, run);
	}
	close_gaps(open);
}

void assignments_take(struct assignments *assignments, struct list *out)
{
	for (size_t i = 0; i < assignments->ready.count; i++)
		list_add(out, assignments->ready.items[i]);
	list_free(&assignments->ready);
}

void assignments_clear(struct assignments *assignments)
{
	assignment_free_all(&assignments->open);
	assignment_free_all(&assignments->ready);
	assignments->bytes = 0;
}
