#include "command/become.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FAILED = 1, BAD_CONFIG = 3 };

static int find_identity(struct become *become)
{
	const char *user = become->names.report.names.daemon_user;

	if (getuid() != 0)
		return 0;
	if (!identity_find(user, &become->identity)) {
		(void)fprintf(stderr, "%s: daemon_user: no user \"%s\" on this system%s%s; allowed: a"
				      " user that is there\n", become->path, user,
			      errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
		return BAD_CONFIG;
	}
	become->drops = become->identity.uid != 0;
	become->foreign = become->names.foreign;
	if (!become->foreign || become->drops)
		return 0;
	(void)fprintf(stderr, "%s: daemon_user: \"%s\" in a configuration that others than root can"
			      " change; allowed: a user other than root, or a file of root's, mode 0644\n",
		      become->path, user);
	return BAD_CONFIG;
}

int become_read(struct become *become, const char *path)
{
	const struct load_report *report = &become->names.report;

	*become = (struct become){ .path = path };
	if (!files_read(path, &become->names))
		return FAILED;
	for (size_t i = 0; i < report->error_count; i++)
		(void)fprintf(stderr, "%s\n", report->errors[i]);
	if (report->error_count > 0)
		return BAD_CONFIG;
	return find_identity(become);
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
	return become->drops && become->names.text.len > 0 && access(become->path, R_OK) != 0;
}

struct load_options become_options(const struct become *become)
{
	const struct buf *text = &become->names.text;

	if (!become->drops || text->len == 0)
		return (struct load_options){ 0 };
	return (struct load_options){ .text = buf_text(text), .text_len = text->len };
}

void become_free(struct become *become)
{
	files_free(&become->names);
	identity_free(&become->identity);
}
