#include "council/commit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct commit *commit_new(unsigned long number, char *meta)
{
	struct commit *commit = mem_zalloc(1, sizeof(*commit));

	commit->number = number;
	commit->meta = meta;
	return commit;
}

static struct commit_put *find(const struct commit *commit, const char *key)
{
	for (size_t i = 0; i < commit->puts.count; i++) {
		struct commit_put *put = commit->puts.items[i];

		if (strcmp(put->key, key) == 0)
			return put;
	}
	return NULL;
}

void commit_put(struct commit *commit, const char *key, char *text)
{
	commit_put_bytes(commit, key, text, text != NULL ? strlen(text) : 0);
}

void commit_put_bytes(struct commit *commit, const char *key, char *bytes, size_t len)
{
	struct commit_put *put = find(commit, key);

	if (put == NULL) {
		put = mem_zalloc(1, sizeof(*put));
		put->key = mem_strdup(key);
		list_add(&commit->puts, put);
		commit->bytes += strlen(key);
	}
	commit->bytes += len;
	free(put->text);
	put->text = bytes;
	put->len = len;
}

void commit_free(struct commit **commit_p)
{
	struct commit *commit = *commit_p;

	*commit_p = NULL;
	if (commit == NULL)
		return;
	for (size_t i = 0; i < commit->puts.count; i++) {
		struct commit_put *put = commit->puts.items[i];

		free(put->key);
		free(put->text);
		free(put);
	}
	list_free(&commit->puts);
	free(commit->meta);
	free(commit);
}
