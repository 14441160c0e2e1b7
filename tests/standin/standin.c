/*
 * Stand-ins for PostgreSQL servers on addresses of 127.0.0.0/8, played by one program: README.md lists the lines of
 * its script. usage: standin [--spin MS] [SCRIPT]; further lines are read from stdin. Each line is answered on stdout,
 * by "ok" or "error: ...", and a line with an error in SCRIPT ends the program. --spin: it sleeps only when nothing has
 * come for so many ms.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "base/buf.h"
#include "base/mem.h"
#include "standin/lines.h"
#include "standin/wakeful.h"

static uv_loop_t loop;
static struct list lines; /* texts that wait for their turn, soonest first */
static uv_timer_t turn;   /* the first of them waits for it */
static uv_pipe_t input;
static struct buf typed;  /* what has come on stdin since its last line */
static bool from_file;    /* an error ends the program */
static uint64_t spin_ms;

/* Plays the lines up to the next one that waits: +SECONDS, since the line before. */
static void play_lines(uv_timer_t *timer)
{
	bool waited = timer != NULL;

	while (lines.count > 0) {
		char *text = lines.items[0];
		double seconds = strtod(text, NULL);
		enum line_outcome outcome;

		if (text[0] == '+' && !waited) {
			(void)uv_timer_start(&turn, play_lines, (uint64_t)(seconds > 0 ? seconds * 1000 : 0), 0);
			break;
		}
		(void)list_shift(&lines);
		waited = false;
		outcome = lines_play(&loop, text[0] == '+' ? text + strcspn(text, " \t") : text);
		if (outcome == LINE_DONE)
			(void)puts("ok");
		else if (outcome == LINE_WRONG && from_file)
			exit(2);
		free(text);
	}
	(void)fflush(stdout);
}

static void add_line(const char *text, size_t len)
{
	list_add(&lines, mem_strndup(text, len));
	if (!uv_is_active((uv_handle_t *)&turn))
		play_lines(NULL);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	static char bytes[65536];

	(void)handle;
	(void)wanted;
	*buf = uv_buf_init(bytes, sizeof(bytes));
}

static void on_typed(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	const char *end;

	if (n < 0) { /* what has been played goes on */
		(void)uv_read_stop(stream);
		return;
	}
	buf_add(&typed, buf->base, (size_t)n);
	while (typed.len > 0 && (end = strchr(typed.data, '\n')) != NULL) {
		size_t len = (size_t)(end - typed.data);

		add_line(typed.data, len);
		buf_drop(&typed, len + 1);
	}
}

static bool read_script(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (file == NULL) {
		perror(path);
		return false;
	}
	from_file = true;
	while (getline(&text, &size, file) > 0)
		add_line(text, strcspn(text, "\n"));
	free(text);
	(void)fclose(file);
	return true;
}

/* The script's file, if there is one; false: these are no words of ours. */
static bool take_words(int argc, char **argv, const char **path)
{
	int at = 1;

	if (argc > 2 && strcmp(argv[1], "--spin") == 0) {
		spin_ms = strtoull(argv[2], NULL, 10);
		at = 3;
	}
	*path = at < argc ? argv[at++] : NULL;
	return at == argc && (*path == NULL || (*path)[0] != '-');
}

int main(int argc, char **argv)
{
	struct rlimit files;
	const char *path;

	if (!take_words(argc, argv, &path)) {
		(void)fprintf(stderr, "usage: standin [--spin MS] [SCRIPT]\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	uv_loop_init(&loop);
	wakeful_start(&loop, spin_ms);
	uv_timer_init(&loop, &turn);
	if (path != NULL && !read_script(path))
		return 2;
	from_file = from_file && uv_is_active((uv_handle_t *)&turn);
	uv_pipe_init(&loop, &input, 0);
	if ((uv_guess_handle(0) == UV_NAMED_PIPE || uv_guess_handle(0) == UV_TTY) && uv_pipe_open(&input, 0) == 0)
		(void)uv_read_start((uv_stream_t *)&input, on_alloc, on_typed);
	return uv_run(&loop, UV_RUN_DEFAULT);
}
