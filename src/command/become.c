#include "command/become.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)16 << 20) /* as the loader's */

enum { FAILED = 1, BAD_CONFIG = 3 };

static bool is_lua(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && strcmp(path + len - 4, ".lua") == 0;
}

static int find_identity(struct become *become)
{
	const char *user = become->names.report.names.daemon_user;
	struct stat st;

	if (getuid() != 0)
		return 0;
	if (!identity_find(user, &become->identity)) {
		(void)fprintf(stderr, "%s: daemon_user: no user \"%s\" on this system%s%s; allowed: a"
				      " user that is there\n", become->path, user,
			      errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
		return BAD_CONFIG;
	}
	become->drops = become->identity.uid != 0;
	become->foreign = is_lua(become->path) &&
			  (lstat(become->path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 ||
			   (st.st_mode & (S_IWGRP | S_IWOTH)) != 0);
	if (!become->foreign || become->drops)
		return 0;
	(void)fprintf(stderr, "%s: daemon_user: \"%s\" in a Lua configuration that others than root can"
			      " change; allowed: a user other than root, or a file of root's, mode 0644\n",
		      become->path, user);
	return BAD_CONFIG;
}

/* What root may read and the user may not; a Lua configuration is always read by the user. */
static void read_text(struct become *become)
{
	char bytes[8192];
	FILE *file;
	size_t n;

	if (!become->drops || is_lua(become->path))
		return;
	file = fopen(become->path, "re");
	if (file == NULL)
		return;
	do {
		n = fread(bytes, 1, sizeof(bytes), file);
		buf_add(&become->text, bytes, n);
	} while (n == sizeof(bytes) && become->text.len <= TEXT_MAX);
	(void)fclose(file);
}

int become_read(struct become *become, const char *path)
{
	const struct load_report *report = &become->names.report;
	int status;

	*become = (struct become){ .path = path };
	if (!files_read(path, &become->names))
		return FAILED;
	for (size_t i = 0; i < report->error_count; i++)
		(void)fprintf(stderr, "%s\n", report->errors[i]);
	if (report->error_count > 0)
		return BAD_CONFIG;
	status = find_identity(become);
	if (status == 0)
		read_text(become);
	return status;
}

bool become_drop(const struct become *become)
{
	if (!become->drops && become->identity.user != NULL)
		identity_environment(&become->identity);
	if (become->drops && !identity_become(&become->identity)) {
		(void)fprintf(stderr, "plusmoin: cannot become daemon_user %s: %s\n",
			      become->identity.user, strerror(errno));
		return false;
	}
	if (chdir("/") == 0)
		return true;
	(void)fprintf(stderr, "plusmoin: cannot change to /: %s\n", strerror(errno));
	return false;
}

bool become_lost_file(const struct become *become)
{
	return become->text.len > 0 && access(become->path, R_OK) != 0;
}

struct load_options become_options(const struct become *become)
{
	return (struct load_options){
		.text = become->text.len > 0 ? buf_text(&become->text) : NULL,
		.text_len = become->text.len,
	};
}

void become_free(struct become *become)
{
	files_free(&become->names);
	identity_free(&become->identity);
	buf_free(&become->text);
}
