#include "standin/lines.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "standin/server.h"
#include "standin/stalls.h"

#define WORDS_MOST 4096
#define SERVERS_MOST 16000

struct line {
	char *words[WORDS_MOST];
	int count;
};

static uv_loop_t *loop; /* of all servers */
static struct list servers;

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
	model_follow(&server->model, &upstream->model, (int64_t)uv_now(loop));
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

static bool do_forget(struct server *server, const char *word)
{
	(void)word;
	server_forget(server);
	return true;
}

static bool do_row(struct server *server, const char *word)
{
	char *master = mem_printf("%s%s", word, server->name);

	if (server->model.upstream == NULL) /* its slaves get it from it */
		server_write(server, master);
	free(master);
	return true;
}

static void print_counts(const char *name, const struct counts *counts)
{
	(void)printf("%s connections %lu sessions %lu logins %lu statements %lu parses %lu unknown %lu beats %lu syncs %lu"
		     " reads %lu bytes_in %lu writes %lu bytes_out %lu segments_in %lu segments_out %lu\n", name,
		     counts->connections, counts->sessions, counts->logins, counts->statements, counts->parses,
		     counts->unknown, counts->beats, counts->syncs, counts->reads, counts->bytes_in, counts->writes,
		     counts->bytes_out, counts->segments_in, counts->segments_out);
}

static bool do_count(struct server *server, const char *word)
{
	struct counts counts = server_counts(server);

	(void)word;
	print_counts(server->name, &counts);
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
	{ "forget", 0, do_forget },       { "row", 1, do_row },
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

/* total WHO: the counts of all whose names fit, in one line. */
static bool print_total(const struct line *line)
{
	struct counts total = { 0 };

	if (line->count != 2)
		return complain("total WHO");
	for (size_t i = 0; i < servers.count; i++) {
		const struct server *server = servers.items[i];

		if (fnmatch(line->words[1], server->name, 0) == 0)
			counts_add(&total, server_counts(server));
	}
	print_counts("total", &total);
	return true;
}

/* stalls MS */
static bool print_stalls(const struct line *line)
{
	double ms;

	if (line->count != 2)
		return complain("stalls MS");
	if (!take_number(line->words[1], 1, 60000, &ms))
		return false;
	stalls_print(loop, (uint64_t)ms);
	return true;
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
	struct server *server = servers.count < SERVERS_MOST ? server_new(loop, name, address) : NULL;

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

/* So many servers at addresses that follow one another: NAME1, NAME2, ...; each but the first of `size` is its slave. */
static bool make_farm(const char *name, int count, int size, struct sockaddr_in *address)
{
	bool well = true;

	for (int i = 0; well && i < count; i++) {
		char *own = mem_printf("%s%d", name, i + 1);

		well = make(own, address);
		if (well && i % size > 0) {
			struct server *slave = servers.items[servers.count - 1];
			struct server *master = servers.items[servers.count - 1 - (size_t)(i % size)];

			model_follow(&slave->model, &master->model, (int64_t)uv_now(loop));
			slave->span = &master->own_span;
		}
		address->sin_addr.s_addr = htonl(ntohl(address->sin_addr.s_addr) + 1);
		free(own);
	}
	return well;
}

/* servers NAME COUNT ADDRESS:PORT */
static bool make_many(const struct line *line)
{
	struct sockaddr_in address;
	double count;

	if (line->count != 4)
		return complain("servers NAME COUNT ADDRESS:PORT");
	return take_number(line->words[2], 1, SERVERS_MOST, &count) && take_address(line->words[3], &address) &&
	       make_farm(line->words[1], (int)count, 1, &address);
}

/* clusters NAME COUNT SIZE ADDRESS:PORT */
static bool make_clusters(const struct line *line)
{
	struct sockaddr_in address;
	double count;
	double size;

	if (line->count != 5)
		return complain("clusters NAME COUNT SIZE ADDRESS:PORT");
	return take_number(line->words[2], 1, SERVERS_MOST, &count) &&
	       take_number(line->words[3], 1, SERVERS_MOST, &size) && take_address(line->words[4], &address) &&
	       (count * size <= SERVERS_MOST || complain("more than %d servers", SERVERS_MOST)) &&
	       make_farm(line->words[1], (int)(count * size), (int)size, &address);
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

/* ---- any line ---- */

static bool play(const struct line *line)
{
	if (strcmp(line->words[0], "server") == 0)
		return make_one(line);
	if (strcmp(line->words[0], "servers") == 0)
		return make_many(line);
	if (strcmp(line->words[0], "clusters") == 0)
		return make_clusters(line);
	if (strcmp(line->words[0], "total") == 0)
		return print_total(line);
	if (strcmp(line->words[0], "stalls") == 0)
		return print_stalls(line);
	if (strcmp(line->words[0], "rounds") == 0) {
		spans_print();
		return true;
	}
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

enum line_outcome lines_play(uv_loop_t *of, char *text)
{
	static struct line line;

	loop = of;
	line = (struct line){ 0 };
	split(text, &line);
	if (line.count == 0)
		return LINE_EMPTY;
	return play(&line) ? LINE_DONE : LINE_WRONG;
}
