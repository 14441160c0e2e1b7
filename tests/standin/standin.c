/*
 * Stand-ins for PostgreSQL servers on addresses of 127.0.0.0/8, played by one program: README.md lists the lines of
 * its script. usage: standin [SCRIPT]; further lines are read from stdin. Each line is answered on stdout, by "ok"
 * or "error: ...", and a line with an error in SCRIPT ends the program.
 */
#include <arpa/inet.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "standin/server.h"

#define WORDS_MOST 4096
#define SERVERS_MOST 16000

struct line {
	char *words[WORDS_MOST];
	int count;
};

static uv_loop_t loop;
static struct list servers;
static struct list lines; /* texts that wait for their turn, soonest first */
static uv_timer_t turn;   /* the first of them waits for it */
static uv_pipe_t input;
static struct buf typed;  /* what has come on stdin since its last line */
static bool from_file;    /* an error ends the program */

static bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool complain(const char *format, ...)
{
	va_list args;

	(void)printf("error: ");
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)printf("\n");
	return false;
}

/* ---- words ---- */

static bool take_number(const char *text, double least, double most, double *number)
{
	char *end;

	*number = strtod(text, &end);
	if (end != text && *end == '\0' && *number >= least && *number <= most)
		return true;
	return complain("%s is no number of %g to %g", text, least, most);
}

static struct server *find(const char *name)
{
	for (size_t i = 0; i < servers.count; i++) {
		struct server *server = servers.items[i];

		if (strcmp(server->name, name) == 0)
			return server;
	}
	(void)complain("there is no server %s", name);
	return NULL;
}

/* ---- lines about servers ---- */

static bool set_door(struct server *server, enum door door)
{
	return server_set_door(server, door) || complain("%s cannot listen", server->name);
}

static bool do_serve(struct server *server, const char *word)
{
	(void)word;
	return set_door(server, DOOR_SERVES);
}

static bool do_refuse(struct server *server, const char *word)
{
	(void)word;
	return set_door(server, DOOR_REFUSES);
}

static bool do_silent(struct server *server, const char *word)
{
	(void)word;
	return set_door(server, DOOR_SILENT);
}

static bool do_close(struct server *server, const char *word)
{
	(void)word;
	return set_door(server, DOOR_CLOSES);
}

static bool do_reset(struct server *server, const char *word)
{
	(void)word;
	return set_door(server, DOOR_RESETS);
}

static bool do_garbage(struct server *server, const char *word)
{
	(void)word;
	return set_door(server, DOOR_GARBAGE);
}

static bool do_tls(struct server *server, const char *word)
{
	(void)word;
	return set_door(server, DOOR_TLS);
}

static bool do_fatal(struct server *server, const char *word)
{
	if (strlen(word) != 5)
		return complain("%s is no SQLSTATE", word);
	text_copy(server->fatal, sizeof(server->fatal), word);
	return set_door(server, DOOR_FATAL);
}

static bool do_die(struct server *server, const char *word)
{
	(void)word;
	server_die(server);
	return true;
}

static bool do_disconnect(struct server *server, const char *word)
{
	(void)word;
	server_close_clients(server);
	return true;
}

static bool do_trust(struct server *server, const char *word)
{
	(void)word;
	server->lock = LOCK_TRUST;
	return true;
}

static bool do_password(struct server *server, const char *word)
{
	(void)word;
	server->lock = LOCK_PASSWORD;
	return true;
}

static bool do_scram(struct server *server, const char *word)
{
	double iterations;

	if (!take_number(word, 1, INT32_MAX, &iterations))
		return false;
	server->lock = LOCK_SCRAM;
	server->iterations = (uint32_t)iterations;
	return true;
}

static bool do_trickle(struct server *server, const char *word)
{
	double ms;

	if (!take_number(word, 0, 60000, &ms))
		return false;
	server->trickle_ms = (int64_t)ms;
	return true;
}

static bool do_promote(struct server *server, const char *word)
{
	(void)word;
	model_promote(&server->model);
	return true;
}

static bool do_follow(struct server *server, const char *word)
{
	struct server *upstream = find(word);

	if (upstream == NULL)
		return false;
	for (const struct model *above = &upstream->model; above != NULL; above = above->upstream) {
		if (above == &server->model)
			return complain("%s follows %s already", word, server->name);
	}
	model_follow(&server->model, &upstream->model, (int64_t)uv_now(&loop));
	return true;
}

static bool do_lag(struct server *server, const char *word)
{
	double seconds;

	if (!take_number(word, 0, 86400, &seconds))
		return false;
	server->model.lag_ms = (int64_t)(seconds * 1000);
	return true;
}

static bool do_facts(struct server *server, const char *word)
{
	free(server->model.facts);
	server->model.facts = mem_strdup(word);
	return true;
}

static bool do_system(struct server *server, const char *word)
{
	server->model.system = strtoll(word, NULL, 10);
	return server->model.system > 0 || complain("%s is no system identifier", word);
}

static bool do_started(struct server *server, const char *word)
{
	server->model.started = strtoll(word, NULL, 10);
	return server->model.started > 0 || complain("%s is no time in microseconds", word);
}

static bool do_shape(struct server *server, const char *word)
{
	free(server->model.shape);
	server->model.shape = mem_strdup(word);
	return true;
}

static bool do_count(struct server *server, const char *word)
{
	(void)word;
	(void)printf("%s connections %lu sessions %zu logins %lu statements %lu unknown %lu\n", server->name,
		     server->connections, server_sessions(server), server->logins, server->statements,
		     server->unknown);
	return true;
}

static const struct {
	const char *verb;
	int words; /* behind the verb */
	bool (*act)(struct server *server, const char *word);
} deeds[] = {
	{ "serve", 0, do_serve },       { "refuse", 0, do_refuse },   { "silent", 0, do_silent },
	{ "close", 0, do_close },       { "reset", 0, do_reset },     { "garbage", 0, do_garbage },
	{ "tls", 0, do_tls },           { "die", 0, do_die },         { "disconnect", 0, do_disconnect },
	{ "trust", 0, do_trust },       { "password", 0, do_password }, { "scram", 1, do_scram },
	{ "trickle", 1, do_trickle },   { "promote", 0, do_promote }, { "follow", 1, do_follow },
	{ "lag", 1, do_lag },           { "count", 0, do_count },     { "fatal", 1, do_fatal },
	{ "facts", 1, do_facts },         { "shape", 1, do_shape },
	{ "system", 1, do_system },       { "started", 1, do_started },
};

/* WHO VERB [WORD], for all whose names fit WHO. */
static bool act(const struct line *line)
{
	const char *verb = line->count > 1 ? line->words[1] : "";
	bool well = true;
	size_t met = 0;
	size_t row = 0;

	while (row < sizeof(deeds) / sizeof(deeds[0]) && strcmp(deeds[row].verb, verb) != 0)
		row++;
	if (row == sizeof(deeds) / sizeof(deeds[0]))
		return complain("nobody knows how to %s", verb[0] != '\0' ? verb : line->words[0]);
	if (line->count != 2 + deeds[row].words)
		return complain("%s takes %d words", verb, deeds[row].words);
	for (size_t i = 0; i < servers.count && well; i++) {
		struct server *server = servers.items[i];

		if (fnmatch(line->words[0], server->name, 0) != 0)
			continue;
		met++;
		well = deeds[row].act(server, deeds[row].words > 0 ? line->words[2] : NULL);
	}
	return well && (met > 0 || complain("there is no server %s", line->words[0]));
}

/* ---- lines that make servers ---- */

static bool take_address(const char *text, struct sockaddr_in *address)
{
	const char *colon = strrchr(text, ':');
	char *host = mem_strndup(text, colon != NULL ? (size_t)(colon - text) : 0);
	double port = 0;
	bool well = colon != NULL && take_number(colon + 1, 1, 65535, &port) &&
		    (uv_ip4_addr(host, (int)port, address) == 0 || complain("%s is no address", text));

	if (colon == NULL)
		(void)complain("%s is no address:port", text);
	free(host);
	return well;
}

static bool make(const char *name, const struct sockaddr_in *address)
{
	struct server *server = servers.count < SERVERS_MOST ? server_new(&loop, name, address) : NULL;

	if (server == NULL)
		return complain("%s cannot be made", name);
	list_add(&servers, server);
	return true;
}

/* server NAME ADDRESS:PORT */
static bool make_one(const struct line *line)
{
	struct sockaddr_in address;

	if (line->count != 3)
		return complain("server NAME ADDRESS:PORT");
	return take_address(line->words[2], &address) && make(line->words[1], &address);
}

/* servers NAME COUNT ADDRESS:PORT: NAME1, NAME2, ... at addresses that follow one another */
static bool make_many(const struct line *line)
{
	struct sockaddr_in address;
	double count;
	bool well;

	if (line->count != 4)
		return complain("servers NAME COUNT ADDRESS:PORT");
	well = take_number(line->words[2], 1, SERVERS_MOST, &count) && take_address(line->words[3], &address);
	for (int i = 1; well && i <= (int)count; i++) {
		char *name = mem_printf("%s%d", line->words[1], i);

		well = make(name, &address);
		address.sin_addr.s_addr = htonl(ntohl(address.sin_addr.s_addr) + 1);
		free(name);
	}
	return well;
}

/* up MASTER: SLAVE ... */
static bool bring_up(const struct line *line)
{
	struct server *master;
	size_t len = line->count > 1 ? strlen(line->words[1]) : 0;

	if (len < 2 || line->words[1][len - 1] != ':')
		return complain("up MASTER: SLAVE ...");
	line->words[1][len - 1] = '\0';
	master = find(line->words[1]);
	if (master == NULL)
		return false;
	model_promote(&master->model);
	for (int i = 2; i < line->count; i++) {
		struct server *slave = find(line->words[i]);

		if (slave == NULL || !do_follow(slave, master->name))
			return false;
	}
	return true;
}

/* ---- the script ---- */

static bool play(const struct line *line)
{
	if (strcmp(line->words[0], "server") == 0)
		return make_one(line);
	if (strcmp(line->words[0], "servers") == 0)
		return make_many(line);
	if (strcmp(line->words[0], "up") == 0)
		return bring_up(line);
	return act(line);
}

static void split(char *text, struct line *line)
{
	char *rest;

	text[strcspn(text, "#\r\n")] = '\0';
	for (char *word = strtok_r(text, " \t", &rest); word != NULL && line->count < WORDS_MOST;
	     word = strtok_r(NULL, " \t", &rest))
		line->words[line->count++] = word;
}

/* Plays the lines up to the next one that waits: +SECONDS, since the line before. */
static void play_lines(uv_timer_t *timer)
{
	bool waited = timer != NULL;

	while (lines.count > 0) {
		char *text = lines.items[0];
		double seconds = strtod(text, NULL);
		static struct line line;

		if (text[0] == '+' && !waited) {
			(void)uv_timer_start(&turn, play_lines, (uint64_t)(seconds > 0 ? seconds * 1000 : 0), 0);
			break;
		}
		(void)list_shift(&lines);
		waited = false;
		line = (struct line){ 0 };
		split(text[0] == '+' ? text + strcspn(text, " \t") : text, &line);
		if (line.count > 0 && play(&line))
			(void)puts("ok");
		else if (line.count > 0 && from_file)
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

int main(int argc, char **argv)
{
	struct rlimit files;

	if (argc > 2) {
		(void)fprintf(stderr, "usage: standin [SCRIPT]\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	uv_loop_init(&loop);
	uv_timer_init(&loop, &turn);
	if (argc == 2 && !read_script(argv[1]))
		return 2;
	from_file = from_file && uv_is_active((uv_handle_t *)&turn);
	uv_pipe_init(&loop, &input, 0);
	if ((uv_guess_handle(0) == UV_NAMED_PIPE || uv_guess_handle(0) == UV_TTY) && uv_pipe_open(&input, 0) == 0)
		(void)uv_read_start((uv_stream_t *)&input, on_alloc, on_typed);
	return uv_run(&loop, UV_RUN_DEFAULT);
}
