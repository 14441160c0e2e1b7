#include "script/record.h"

#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct kept {
	char *key; /* the letter of the fact's kind, and its name */
	struct fact fact;
};

struct record {
	atomic_uint references;
	pthread_mutex_t lock; /* protects the members below */
	void *entries; /* the root of a tsearch() tree of struct kept */
	size_t bytes;
	char *lack;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct kept *)a)->key, ((const struct kept *)b)->key);
}

static void free_kept(void *data)
{
	struct kept *entry = data;

	free(entry->key);
	free((char *)entry->fact.bytes);
	free(entry);
}

struct record *record_new(void)
{
	struct record *record = mem_zalloc(1, sizeof(*record));

	atomic_init(&record->references, 1);
	pthread_mutex_init(&record->lock, NULL);
	return record;
}

struct record *record_ref(struct record *record)
{
	atomic_fetch_add(&record->references, 1);
	return record;
}

void record_unref(struct record **record_p)
{
	struct record *record = *record_p;

	*record_p = NULL;
	if (record == NULL || atomic_fetch_sub(&record->references, 1) > 1)
		return;
	tdestroy(record->entries, free_kept);
	pthread_mutex_destroy(&record->lock);
	free(record->lack);
	free(record);
}

static char *key_of(enum fact_kind kind, const char *name)
{
	return mem_printf("%c%s", (char)kind, name);
}

bool record_find(struct record *record, enum fact_kind kind, const char *name, struct fact *fact)
{
	struct kept wanted = { .key = key_of(kind, name) };
	struct kept **found;

	pthread_mutex_lock(&record->lock);
	found = tfind(&wanted, &record->entries, by_key);
	if (found != NULL)
		*fact = (*found)->fact;
	pthread_mutex_unlock(&record->lock);
	free(wanted.key);
	return found != NULL;
}

static void spoil(struct record *record, char *why)
{
	if (record->lack == NULL)
		record->lack = why;
	else
		free(why);
}

static void add(struct record *record, char *key, const struct fact *fact)
{
	struct kept *entry = mem_zalloc(1, sizeof(*entry));
	struct kept **found;

	entry->key = key;
	entry->fact = *fact;
	entry->fact.bytes = mem_strndup(fact->bytes != NULL ? fact->bytes : "", fact->len);
	found = tsearch(entry, &record->entries, by_key);
	if (found == NULL || *found != entry)
		free_kept(entry);
	else
		record->bytes += fact->len + strlen(key);
}

void record_keep(struct record *record, enum fact_kind kind, const char *name,
		 const struct fact *fact)
{
	pthread_mutex_lock(&record->lock);
	if (fact->len + strlen(name) > RECORD_BYTES - record->bytes)
		spoil(record, mem_printf("%s: what it read is more than %d MiB, and not kept", name,
					 (int)(RECORD_BYTES >> 20)));
	else
		add(record, key_of(kind, name), fact);
	pthread_mutex_unlock(&record->lock);
}

void record_spoil(struct record *record, const char *why)
{
	pthread_mutex_lock(&record->lock);
	spoil(record, mem_strdup(why));
	pthread_mutex_unlock(&record->lock);
}

const char *record_lack(struct record *record)
{
	const char *lack;

	pthread_mutex_lock(&record->lock);
	lack = record->lack;
	pthread_mutex_unlock(&record->lock);
	return lack;
}
