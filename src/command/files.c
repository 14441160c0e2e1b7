#include "command/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "command/receive.h"
#include "loop/clock.h"
#include "script/api.h"
#include "script/state.h"
#include "script/host.h"
#include "system/identity.h"

#define TEXT_MAX ((size_t)16 << 20) /* the loader's limit, too */
#define DEFAULT_GRACE_MS 10000 /* the default of shutdown_grace, as in the settings table */

/*
 * What the child writes is a list of words: a letter, a text, a NUL. First come the default names, then what root has
 * read, then the names of this configuration, and "." at the end.
 */
enum word {
	WORD_USER = 'u',
	WORD_PID = 'p',
	WORD_STATUS = 's',
	WORD_LOG = 'l',
	WORD_SOCKET = 'c',
	WORD_GRACE = 'g',
	WORD_ERROR = 'e',
	WORD_WARNING = 'w',
	WORD_FOREIGN = 'f',
	WORD_TEXT = 't',
	WORD_END = '.',
};

static void add_word(struct buf *out, enum word word, const char *text)
{
	if (text == NULL)
		return;
	buf_add_char(out, (char)word);
	buf_add(out, text, strlen(text) + 1);
}

static void add_names(struct buf *out, const struct load_files *names)
{
	add_word(out, WORD_USER, names->daemon_user);
	add_word(out, WORD_PID, names->pid_file);
	add_word(out, WORD_STATUS, names->status_file);
	add_word(out, WORD_LOG, names->log_file);
	add_word(out, WORD_SOCKET, names->control_socket);
}

static void say(int fd, struct buf *out)
{
	size_t done = 0;

	while (done < out->len) {
		ssize_t n = write(fd, out->data + done, out->len - done);

		if (n < 0 && errno != EINTR)
			_exit(1);
		done += n > 0 ? (size_t)n : 0;
	}
	buf_clear(out);
}

static void say_error(int fd, const char *path, const char *what)
{
	struct buf out = { 0 };
	char *text = mem_printf("%s: %s", path, what);

	add_word(&out, WORD_ERROR, text);
	add_word(&out, WORD_END, "");
	say(fd, &out);
	_exit(0);
}

static bool is_lua(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && strcmp(path + len - 4, ".lua") == 0;
}

/* Reads an open file, up to what the loader takes. False: errno says why. */
static bool read_all(int file, struct buf *text)
{
	char bytes[8192];
	ssize_t n;

	while ((n = read(file, bytes, sizeof(bytes))) > 0 && text->len <= TEXT_MAX)
		buf_add(text, bytes, (size_t)n);
	return n >= 0;
}

/* Whether others than root can change the file, by its own bits, and, where the path is a link, by the link's owner. */
static bool is_foreign(const char *path, const struct stat *read)
{
	struct stat st;

	return read->st_uid != 0 || (read->st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	       lstat(path, &st) != 0 || (S_ISLNK(st.st_mode) && st.st_uid != 0);
}

/* As root opens the file once, reads it, and says whether it is foreign. */
static void read_file(int fd, const char *path, struct buf *text, struct stat *st)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct buf out = { 0 };

	if (file < 0 || fstat(file, st) != 0 || (S_ISREG(st->st_mode) && !read_all(file, text))) {
		char *what = mem_printf("cannot be read: %s", strerror(errno));

		say_error(fd, path, what);
		free(what);
	}
	close(file);
	if (!S_ISREG(st->st_mode))
		say_error(fd, path, "is no file");
	if (is_foreign(path, st))
		add_word(&out, WORD_FOREIGN, "");
	if (!is_lua(path) && strlen(buf_text(text)) == text->len)
		add_word(&out, WORD_TEXT, buf_text(text));
	say(fd, &out);
}

/* Becomes the file's owner (or nobody, where root owns it), because root runs no code of a configuration. */
static void leave_root(int fd, const char *path, const struct stat *st)
{
	struct identity identity;
	bool found = st->st_uid != 0 ? identity_find_uid(st->st_uid, &identity)
				     : identity_find("nobody", &identity);

	if (!found || !identity_become(&identity))
		say_error(fd, path, found ? "its owner's identity cannot be taken to run it"
					   : "its owner is no user of this system; as root it is run"
					     " as its owner, or as nobody when root owns it");
}

/*
 * Closes what the configuration's code must not get hold of: our terminal and descriptors. Returns `fd`'s new number.
 */
static int shut_in(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int i = 0; null >= 0 && i <= STDERR_FILENO; i++)
		(void)dup2(null, i);
	if (dup2(fd, STDERR_FILENO + 1) >= 0)
		fd = STDERR_FILENO + 1;
	(void)close_range((unsigned)fd + 1, ~0U, 0);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static void child(int fd, const char *path)
{
	struct load_options options = { .names_only = true };
	struct buf text = { 0 };
	struct stat st;
	struct engine engine;
	struct load_files defaults;
	struct load_report report;
	struct config *config;
	struct buf out = { 0 };
	char grace[32];

	fd = shut_in(fd);
	if (!engine_open_alone(&engine))
		_exit(1);
	if (load_default_names(&engine, path, &defaults))
		add_names(&out, &defaults);
	say(fd, &out);
	if (getuid() == 0) {
		read_file(fd, path, &text, &st);
		if (is_lua(path))
			leave_root(fd, path, &st);
		options.text = buf_text(&text);
		options.text_len = text.len;
	}
	config = load_config(&engine, path, &options, HOST_LOAD_MS, &report);
	add_names(&out, &report.names);
	for (size_t i = 0; i < report.error_count; i++)
		add_word(&out, WORD_ERROR, report.errors[i]);
	for (size_t i = 0; i < report.warning_count; i++)
		add_word(&out, WORD_WARNING, report.warnings[i]);
	(void)snprintf(grace, sizeof(grace), "%lld",
		       config != NULL ? (long long)config->shutdown_grace_ms : DEFAULT_GRACE_MS);
	add_word(&out, WORD_GRACE, grace);
	add_word(&out, WORD_END, "");
	say(fd, &out);
	_exit(0); /* without waiting for what the configuration has begun */
}

/* Reads all that comes until the child or the time ends. */
static void receive(int fd, struct buf *in)
{
	int64_t end_ms = clock_steady_ms() + HOST_LOAD_MS + HOST_SIGN_MS;

	while (receive_more(fd, end_ms, in))
		;
}

static void set(char **name, const char *text)
{
	free(*name);
	*name = mem_strdup(text);
}

static void add_line(char ***lines, size_t *count, const char *text)
{
	*lines = mem_grow(*lines, *count + 2, sizeof(char *));
	(*lines)[(*count)++] = mem_strdup(text);
	(*lines)[*count] = NULL;
}

static void take_word(struct files *names, char word, const char *text)
{
	struct load_report *report = &names->report;

	switch (word) {
	case WORD_USER:
		set(&report->names.daemon_user, text);
		break;
	case WORD_PID:
		set(&report->names.pid_file, text);
		break;
	case WORD_STATUS:
		set(&report->names.status_file, text);
		break;
	case WORD_LOG:
		set(&report->names.log_file, text);
		break;
	case WORD_SOCKET:
		set(&report->names.control_socket, text);
		break;
	case WORD_GRACE:
		names->shutdown_grace_ms = strtoll(text, NULL, 10);
		break;
	case WORD_ERROR:
		add_line(&report->errors, &report->error_count, text);
		break;
	case WORD_WARNING:
		add_line(&report->warnings, &report->warning_count, text);
		break;
	case WORD_FOREIGN:
		names->foreign = true;
		break;
	case WORD_TEXT:
		buf_clear(&names->text);
		buf_add_str(&names->text, text);
		break;
	default:
		break;
	}
}

/* Takes all words. True: the end was among them. */
static bool take_words(struct files *names, const struct buf *in)
{
	const char *at = buf_text(in);
	const char *end = at + in->len;
	bool ended = false;

	while (at < end && memchr(at, '\0', (size_t)(end - at)) != NULL) {
		ended = *at == WORD_END;
		take_word(names, *at, at + 1);
		at += strlen(at) + 1;
	}
	return ended;
}

static void say_unfinished(struct files *names, const char *path, int how)
{
	char *text = WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL
			     ? mem_printf("%s: took longer than %d s to load, in one call that Lua"
					  " cannot end", path, HOST_LOAD_MS / 1000)
			     : mem_printf("%s: ended the program that ran it", path);

	add_line(&names->report.errors, &names->report.error_count, text);
	free(text);
}

bool files_read(const char *path, struct files *names)
{
	struct buf in = { 0 };
	int fds[2];
	int how = 0;
	pid_t pid;

	*names = (struct files){ .shutdown_grace_ms = DEFAULT_GRACE_MS };
	if (pipe(fds) != 0 || (pid = fork()) < 0) {
		(void)fprintf(stderr, "plusmoin: no process can be made to read %s: %s\n", path,
			      strerror(errno));
		return false;
	}
	if (pid == 0) {
		close(fds[0]);
		child(fds[1], path);
	}
	close(fds[1]);
	receive(fds[0], &in);
	close(fds[0]);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		continue;
	if (!take_words(names, &in))
		say_unfinished(names, path, how);
	buf_free(&in);
	if (is_lua(path)) /* its code could have written any word */
		buf_free(&names->text);
	if (names->report.names.pid_file != NULL)
		return true;
	(void)fprintf(stderr, "plusmoin: there is no memory to read %s\n", path);
	files_free(names);
	return false;
}

void files_free(struct files *names)
{
	load_report_free(&names->report);
	buf_free(&names->text);
}

void files_say_broken(const struct files *names)
{
	const struct load_report *report = &names->report;

	if (report->error_count == 0)
		return;
	for (size_t i = 0; i < report->error_count; i++)
		(void)fprintf(stderr, "%s\n", report->errors[i]);
	(void)fprintf(stderr, "plusmoin: the configuration is broken: going by pid file %s, status"
			      " file %s and control socket %s\n", report->names.pid_file,
		      report->names.status_file, report->names.control_socket);
}
