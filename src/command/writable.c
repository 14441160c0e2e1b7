#include "command/writable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "system/directory.h"

/* How a file comes into being, which decides what has to be writable. */
enum way {
	WAY_REPLACED, /* a file beside it is written, and renamed */
	WAY_IN_PLACE, /* the file itself is written */
	WAY_BOUND,    /* a socket is bound there, after the one before it is unlinked */
};

struct target {
	const char *key;
	const char *path; /* NULL: there is none */
	enum way way;
	bool has_made_directory; /* `start` makes its directory where that is missing */
	bool is_made_by_root;    /* a start by root makes the file for daemon_user where it is missing */
	bool is_opened_by_root;  /* a start by root opens it before it drops its rights */
};

struct look {
	struct json *json;
	const struct become *become;
	struct identity self; /* who looks */
};

/* Whether a start by root makes what is at `path` for daemon_user. */
static bool is_roots_work(const struct look *look, const char *path)
{
	return look->become->drops && (!look->become->foreign || directory_is_for_daemons(path));
}

static void add_text(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

/* `error` EROFS is a fault of its own, as no change of rights mends it. */
static void add_fault(struct look *look, const struct target *target, const char *fault, const char *place, int error)
{
	char *parent = directory_of(place);
	char *number = mem_printf("%ld", (long)geteuid());

	jsonw_begin_object(look->json);
	add_text(look->json, "key", target->key);
	add_text(look->json, "path", target->path);
	add_text(look->json, "fault", error == EROFS ? "mount" : fault);
	add_text(look->json, "place", place);
	add_text(look->json, "parent", parent);
	add_text(look->json, "user", look->self.user != NULL ? look->self.user : number);
	add_text(look->json, "words", strerror(error));
	jsonw_end_object(look->json);
	free(number);
	free(parent);
}

/* 0, or the errno of what the effective user may not do there. */
static int try_access(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 ? 0 : errno;
}

/* The directory is missing: whether a start makes it. */
static void look_at_missing(struct look *look, const struct target *target, const char *directory)
{
	char *parent = directory_of(directory);
	struct stat st;
	int error;

	if (!target->has_made_directory || (stat(parent, &st) != 0 && errno == ENOENT)) {
		add_fault(look, target, "missing", directory, ENOENT);
	} else if (!is_roots_work(look, directory)) {
		error = try_access(parent, W_OK | X_OK);
		if (error != 0)
			add_fault(look, target, "make", directory, error);
	}
	free(parent);
}

static void look_at_directory(struct look *look, const struct target *target, const char *directory)
{
	int error = try_access(directory, W_OK | X_OK);

	if (error != 0)
		add_fault(look, target, "directory", directory, error);
}

/* The directory is there: whether the file can be written in it. */
static void look_at_file(struct look *look, const struct target *target, const char *directory)
{
	char *path = target->way == WAY_REPLACED ? mem_printf("%s.new", target->path) : mem_strdup(target->path);
	struct stat st;
	bool exists = target->way != WAY_BOUND && lstat(path, &st) == 0;
	int error = exists ? try_access(path, W_OK) : 0;

	if (error != 0)
		add_fault(look, target, "file", path, error);
	else if (target->way == WAY_REPLACED || (!exists && !(target->is_made_by_root && is_roots_work(look, path))))
		look_at_directory(look, target, directory);
	free(path);
}

static void look_at(struct look *look, const struct target *target)
{
	bool by_root = target->is_opened_by_root && look->become->drops && !look->become->foreign;
	char *directory;
	struct stat st;
	int error;

	if (target->path == NULL)
		return;
	directory = directory_of(target->path);
	error = stat(directory, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	if (error == ENOENT)
		look_at_missing(look, target, directory);
	else if (error == EACCES && !by_root) /* root sees more than we do */
		add_fault(look, target, "reach", directory, error);
	else if (error != EACCES && error != 0)
		add_fault(look, target, "other", directory, error);
	else if (!by_root)
		look_at_file(look, target, directory);
	free(directory);
}

/* Whether a start makes the directory of `path` for another of the targets. */
static bool is_made_for_others(const struct target *targets, size_t count, const char *path)
{
	char *directory = directory_of(path);
	bool made = false;

	for (size_t i = 0; i < count; i++) {
		char *other = targets[i].path != NULL ? directory_of(targets[i].path) : NULL;

		made = made || (targets[i].has_made_directory && other != NULL && strcmp(other, directory) == 0);
		free(other);
	}
	free(directory);
	return made;
}

void writable_add(struct json *json, const struct config *config, const struct become *become)
{
	struct look look = { .json = json, .become = become };
	struct target targets[] = {
		{ .key = "pid_file", .path = config->pid_file, .way = WAY_IN_PLACE, .has_made_directory = true,
		  .is_made_by_root = true, .is_opened_by_root = true },
		{ .key = "status_file", .path = config->status_file, .way = WAY_REPLACED, .has_made_directory = true },
		{ .key = "control_socket", .path = config->control_socket, .way = WAY_BOUND, .has_made_directory = true },
		{ .key = "log_file", .path = config->log_file, .way = WAY_IN_PLACE, .has_made_directory = true,
		  .is_made_by_root = true },
		{ .key = "state_file", .path = config->state_file, .way = WAY_REPLACED },
	};
	size_t count = sizeof(targets) / sizeof(targets[0]);
	struct target *state = &targets[count - 1];

	state->has_made_directory = state->path != NULL && is_made_for_others(targets, count, state->path);
	(void)identity_find_uid(geteuid(), &look.self);
	jsonw_key(json, "files");
	jsonw_begin_array(json);
	for (size_t i = 0; i < count; i++)
		look_at(&look, &targets[i]);
	jsonw_end_array(json);
	identity_free(&look.self);
}
