#include "command/hints.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "script/api.h"
#include "script/loader.h"
#include "script/state.h"

#define TEXT_MAX ((size_t)16 << 20) /* the loader's limit, too */
#define SOCKET_NAME "plusmoin.sock" /* the default, beside pid_file, as in the settings table */

static void read_text(const char *path, struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char bytes[8192];
	ssize_t n;

	if (fd < 0)
		return;
	while (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && text->len <= TEXT_MAX &&
	       (n = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(text, bytes, (size_t)n);
	close(fd);
}

static const char *skip(const char *at, const char *set)
{
	return at + strspn(at, set);
}

/*
 * Returns the text that begins at `at` and ends before `quote`, the caller's; NULL: it is empty, or has escapes. Only
 * a backslash before a slash is taken, because many programs that write JSON put it there.
 */
static char *plain_text(const char *at, char quote)
{
	struct buf text = { 0 };
	char *found;

	while (strchr("\"'\\\n", *at) == NULL || (at[0] == '\\' && at[1] == '/')) {
		at += *at == '\\';
		buf_add_char(&text, *at++);
	}
	found = text.len > 0 && *at == quote ? mem_strdup(buf_text(&text)) : NULL;
	buf_free(&text);
	return found;
}

/*
 * Returns the text behind a key that ends at `at`, the caller's: `key": "text"` of JSON, `key = "text"` and `["key"] =
 * 'text'` of Lua. NULL: it is no key, or its value is no plain text.
 */
static char *text_behind(const char *at)
{
	char quote;

	at = skip(skip(at, "\"'"), " \t]");
	if (*at != ':' && *at != '=')
		return NULL;
	at = skip(at + 1, " \t");
	quote = *at;
	if (quote != '"' && quote != '\'')
		return NULL;
	return plain_text(at + 1, quote);
}

static bool is_in_word(const char *text, const char *at)
{
	return at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '_');
}

/* Returns `name` beside the file at `path`, or as it is if it is absolute. The caller's. */
static char *beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	if (name[0] == '/' || slash == NULL)
		return mem_strdup(name);
	return mem_printf("%.*s/%s", (int)(slash - path), path, name);
}

/* Adds the paths that `text`, of the file at `path`, gives as `key`; with `of_pid` SOCKET_NAME beside each. */
static void add_written(const char *path, const char *text, const char *key, bool of_pid, struct list *sockets)
{
	for (const char *at = text; (at = strstr(at, key)) != NULL && sockets->count < HINTS_MOST;) {
		char *value;
		char *file;

		at += strlen(key);
		value = is_in_word(text, at - strlen(key)) ? NULL : text_behind(at);
		if (value == NULL)
			continue;
		file = beside(path, value);
		list_add(sockets, of_pid ? beside(file, SOCKET_NAME) : mem_strdup(file));
		free(file);
		free(value);
	}
}

static void add_default(const char *path, struct list *sockets)
{
	struct load_files names;
	struct engine engine;

	if (!engine_open_alone(&engine))
		return;
	if (load_default_names(&engine, path, &names) && names.control_socket != NULL)
		list_add(sockets, mem_strdup(names.control_socket));
	load_names_free(&names);
	engine_close(&engine);
}

void hints_read(const char *path, struct list *sockets)
{
	struct buf text = { 0 };

	read_text(path, &text);
	add_written(path, buf_text(&text), "control_socket", false, sockets);
	if (sockets->count == 0)
		add_written(path, buf_text(&text), "pid_file", true, sockets);
	if (sockets->count == 0)
		add_default(path, sockets);
	buf_free(&text);
}
