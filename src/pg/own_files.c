#include "pg/own_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

/* A keyword of libpq's that names a file, the words of a connect that failed for want of it, and what it is. */
static const struct kind {
	const char *keyword;
	const char *words;
	const char *noun;       /* NULL: libpq says what it is */
	bool is_secret; /* libpq passes over it where others may read it */
} kinds[OWN_FILES] = {
	{ "sslcert", ":  28000: ", "client certificate file", false }, /* "requires a valid client certificate" */
	{ "passfile", "no password supplied", "password file", true },
	{ "sslcrldir", "certificate verify failed", "directory of revoked certificates", false },
	{ "sslrootcert", "could not read root certificate file \"", NULL, false },
	{ "sslcert", "could not read certificate file \"", NULL, false },
	{ "sslkey", "could not load private key file \"", NULL, false },
};

void own_files_take(struct own_files *files, const char *keyword, const char *value)
{
	for (size_t i = 0; i < OWN_FILES; i++) {
		if (strcmp(kinds[i].keyword, keyword) != 0 || value[0] == '\0')
			continue;
		if (files->began.tv_sec == 0) /* by the clock by which file systems date files */
			clock_gettime(CLOCK_REALTIME_COARSE, &files->began);
		free(files->paths[i]);
		files->paths[i] = mem_strdup(value);
	}
}

static bool has_changed(const struct stat *st, const struct timespec *since)
{
	return st->st_ctim.tv_sec > since->tv_sec ||
	       (st->st_ctim.tv_sec == since->tv_sec && st->st_ctim.tv_nsec >= since->tv_nsec);
}

/* Why libpq passes over the file, or may have; NULL: it does not. */
static const char *what_lacks(const struct kind *kind, const char *path, const struct timespec *began, char *words,
			      size_t size)
{
	struct stat st;

	if (stat(path, &st) != 0 || access(path, R_OK) != 0)
		return strerror_r(errno, words, size);
	if (has_changed(&st, began))
		return "it has changed during the login";
	if (!kind->is_secret)
		return NULL;
	if (!S_ISREG(st.st_mode))
		return "it is not a regular file";
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "it has group or world access, so libpq does not use it (chmod 0600)";
	return st.st_size == 0 ? "it is empty" : NULL;
}

void own_files_look(struct own_files *files, const char *message)
{
	for (size_t i = 0; i < OWN_FILES; i++) {
		char words[128];
		const char *why;

		if (files->paths[i] == NULL || strstr(message, kinds[i].words) == NULL)
			continue;
		why = what_lacks(&kinds[i], files->paths[i], &files->began, words, sizeof(words));
		if (why == NULL)
			continue;
		if (kinds[i].noun == NULL) {
			text_copy(files->why, sizeof(files->why), why);
			continue;
		}
		(void)snprintf(files->lacking, sizeof(files->lacking), "%s \"%.300s\": %s", kinds[i].noun,
			       files->paths[i], why);
		return;
	}
}

void own_files_explain(const struct own_files *files, struct evidence *evidence)
{
	size_t len = strlen(evidence->message);

	if (files->lacking[0] != '\0' && (evidence->reason == REASON_AUTH || evidence->reason == REASON_TLS)) {
		*evidence = (struct evidence){ .own_fault = true, .file = true, .told = true };
		text_copy(evidence->message, MESSAGE_BYTES, files->lacking);
	} else if (evidence->file && files->why[0] != '\0' && len > 0 && evidence->message[len - 1] == '"') {
		(void)snprintf(evidence->message + len, MESSAGE_BYTES - len, ": %s", files->why);
	}
}

void own_files_clear(struct own_files *files)
{
	for (size_t i = 0; i < OWN_FILES; i++)
		free(files->paths[i]);
	*files = (struct own_files){ 0 };
}
