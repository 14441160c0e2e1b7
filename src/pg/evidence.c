#include "pg/evidence.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "pg/file_words.h"

#define LOOKED_AT_BYTES 8192 /* of a server's words: LOCATION and hint are looked for in them */

static bool is_class(const char *sqlstate, const char *class)
{
	return strncmp(sqlstate, class, 2) == 0;
}

bool sqlstate_is_locked(const char *sqlstate)
{
	return sqlstate != NULL &&
	       (strcmp(sqlstate, "55P03") == 0 || strcmp(sqlstate, "57014") == 0);
}

bool sqlstate_is_transient(const char *sqlstate)
{
	return sqlstate != NULL &&
	       (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0);
}

struct evidence evidence_of_scarcity(size_t limit)
{
	struct evidence evidence = { .own_fault = true };

	(void)snprintf(evidence.message, sizeof(evidence.message),
		       "%s: the last of %zu descriptors are kept for triggers and answers",
		       strerror(EMFILE), limit);
	return evidence;
}

void evidence_clear(struct evidence *evidence)
{
	evidence->reason = REASON_NONE;
	evidence->message[0] = '\0';
	evidence->going = false;
	evidence->stops = false;
	evidence->untold = false;
	evidence->path = false;
	evidence->own_fault = false;
	evidence->told = false;
	evidence->file = false;
}

struct observation evidence_as_look(const struct evidence *evidence)
{
	struct observation seen = {
		.kind = evidence->own_fault ? OBSERVED_NOTHING : OBSERVED_FAILURE,
		.reason = evidence->reason,
		.path = evidence->path,
	};

	text_copy(seen.message, MESSAGE_BYTES, evidence->message);
	return seen;
}

struct beat_result evidence_as_beat(const struct evidence *evidence)
{
	struct beat_result beat = {
		/* whether the host is silent is judged by the next look */
		.state = evidence->own_fault || evidence->path ? BEAT_NONE : BEAT_FAILED,
		.reason = evidence->reason,
	};

	text_copy(beat.message, MESSAGE_BYTES, evidence->message);
	return beat;
}

enum reason evidence_of_sqlstate(const char *sqlstate, bool of_table)
{
	if (sqlstate == NULL || sqlstate[0] == '\0')
		return REASON_QUERY_ERROR;
	if (strcmp(sqlstate, "25006") == 0)
		return REASON_READ_ONLY;
	if (is_class(sqlstate, "53")) /* 53100, 53200: no disk or memory left for it, as for one more session */
		return REASON_FULL;
	if (of_table && (is_class(sqlstate, "42") || is_class(sqlstate, "22") ||
			is_class(sqlstate, "23") || strcmp(sqlstate, "55000") == 0 ||
			strcmp(sqlstate, "P0001") == 0))
		return REASON_TABLE;
	return REASON_QUERY_ERROR;
}

/*
 * 57P03 is both "starting" and "stopping": the words tell which, if they are PostgreSQL's own English. Those of a
 * translation count as starting, and `untold` is set.
 */
static enum reason of_cannot_connect_now(const char *message, bool *untold)
{
	static const char *const starting[] = {
		"is starting up", "in recovery mode", "not yet accepting connections",
		"not accepting connections",
	};

	*untold = false;
	if (strstr(message, "is shutting down") != NULL)
		return REASON_SHUTTING_DOWN;
	for (size_t i = 0; i < sizeof(starting) / sizeof(starting[0]); i++) {
		if (strstr(message, starting[i]) != NULL)
			return REASON_STARTING;
	}
	*untold = true;
	return REASON_STARTING;
}

/* The class of a server's refusal of a connection, or of the last it said on one. */
static enum reason of_connect_sqlstate(const char *sqlstate)
{
	if (is_class(sqlstate, "53")) /* 53300: no slot; 53200 and others: nothing left for one more */
		return REASON_FULL;
	if (strcmp(sqlstate, "57P01") == 0 || strcmp(sqlstate, "57P02") == 0)
		return REASON_SHUTTING_DOWN;
	if (is_class(sqlstate, "28") || strcmp(sqlstate, "42501") == 0)
		return REASON_AUTH;
	if (strcmp(sqlstate, "3D000") == 0 || strcmp(sqlstate, "55000") == 0)
		return REASON_NO_DATABASE;
	if (is_class(sqlstate, "08") || is_class(sqlstate, "0A"))
		return REASON_MALFORMED;
	return REASON_QUERY_ERROR;
}

/* Finds ":  57P03: " in "... failed: FATAL:  57P03: the database ..."; false if there is none. */
static bool find_sqlstate(const char *message, char sqlstate[6])
{
	for (const char *at = message; (at = strstr(at, ":  ")) != NULL; at += 3) {
		size_t n = 0;

		while (n < 5 && (isdigit((unsigned char)at[3 + n]) || isupper((unsigned char)at[3 + n])))
			n++;
		if (n == 5 && at[8] == ':' && at[9] == ' ') {
			memcpy(sqlstate, at + 3, 5);
			sqlstate[5] = '\0';
			return true;
		}
	}
	return false;
}

struct by_errno {
	int error;
	enum reason reason;
	bool own_fault;
};

/* Of a Unix socket: there is no such file, or we may not open it. */
static const struct by_errno by_errno_of_socket[] = {
	{ ENOENT, REASON_REFUSED, false },
	{ EACCES, REASON_REFUSED, false },
	{ EPERM, REASON_REFUSED, false },
};

static const struct by_errno by_errno[] = {
	{ ECONNREFUSED, REASON_REFUSED, false },
	{ EACCES, REASON_UNREACHABLE, false }, /* a "prohibit" route of this machine */
	{ EINVAL, REASON_UNREACHABLE, false }, /* a "blackhole" route of this machine */
	{ EPERM, REASON_UNREACHABLE, false },  /* this machine's packet filter */
	{ EHOSTUNREACH, REASON_UNREACHABLE, false },
	{ ENETUNREACH, REASON_UNREACHABLE, false },
	{ EHOSTDOWN, REASON_UNREACHABLE, false },
	{ ENETDOWN, REASON_UNREACHABLE, false },
	{ EAFNOSUPPORT, REASON_UNREACHABLE, false },
	{ ETIMEDOUT, REASON_TIMEOUT, false },
	{ EAGAIN, REASON_TIMEOUT, false }, /* a Unix socket's queue is full: the server accepts nothing */
	{ ECONNRESET, REASON_RESET, false },
	{ ECONNABORTED, REASON_RESET, false },
	{ EPIPE, REASON_RESET, false },
};

/* Faults of our own: descriptors, memory, local ports (for IPv6 it may be the address: tried.c). */
static const struct by_errno by_own_errno[] = {
	{ EMFILE, REASON_NONE, true },
	{ ENFILE, REASON_NONE, true },
	{ ENOMEM, REASON_NONE, true },
	{ ENOBUFS, REASON_NONE, true },
	{ EADDRNOTAVAIL, REASON_UNREACHABLE, true },
};

struct words {
	const char *words;
	enum reason reason;
	bool own_fault;
};

/* The server's words around an errno of its own, without a SQLSTATE. */
static const struct words of_server[] = {
	{ "could not fork new process", REASON_FULL, false },
};

/* libpq's own English words, for what has neither SQLSTATE nor errno. */
static const struct words by_words[] = {
	{ "out of memory", REASON_NONE, true },
	{ "could not create socket", REASON_NONE, true },
	{ "server closed the connection", REASON_RESET, false },
	/* "... SSL exchange": a postmaster that has died, or cannot fork; libpq drops what was said */
	{ "server sent an error response during", REASON_RESET, false },
	{ "connection to server was lost", REASON_RESET, false },
	{ "SSL SYSCALL error: EOF detected", REASON_RESET, false },
	{ "SSL connection has been closed unexpectedly", REASON_RESET, false },
	{ "unexpected eof while reading", REASON_RESET, false }, /* OpenSSL 3's */
	{ "received invalid response to", REASON_MALFORMED, false }, /* "... SSL negotiation" */
	{ "timeout expired", REASON_TIMEOUT, false },
	{ "no password supplied", REASON_AUTH, false },
	{ "password retrieved from file", REASON_AUTH, false },
	{ "authentication method", REASON_AUTH, false },
	{ "channel binding", REASON_AUTH, false },
	{ "SCRAM", REASON_AUTH, false },
	{ "SSL", REASON_TLS, false },
	{ "certificate", REASON_TLS, false },
	{ "TLS", REASON_TLS, false },
	{ "could not translate host name", REASON_DNS, false },
};

static bool take_words(struct evidence *evidence, const char *message, const struct words *list,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strstr(message, list[i].words) != NULL) {
			evidence->reason = list[i].reason;
			evidence->own_fault = list[i].own_fault;
			return true;
		}
	}
	return false;
}

static bool take_errno(struct evidence *evidence, const char *message, const struct by_errno *list,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char text[128];

		if (strstr(message, strerror_r(list[i].error, text, sizeof(text))) != NULL) {
			evidence->reason = list[i].reason;
			evidence->own_fault = list[i].own_fault;
			return true;
		}
	}
	return false;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void of_libpq_words(struct evidence *evidence, const char *message)
{
	bool of_socket = strstr(message, "connection to server on socket") != NULL;

	if (!take_words(evidence, message, of_server, COUNT(of_server)) &&
	    !take_errno(evidence, message, by_own_errno, COUNT(by_own_errno)) &&
	    !(of_socket && take_errno(evidence, message, by_errno_of_socket, COUNT(by_errno_of_socket))) &&
	    !take_errno(evidence, message, by_errno, COUNT(by_errno)) &&
	    !take_words(evidence, message, by_words, COUNT(by_words)))
		evidence->reason = REASON_MALFORMED;
}

char *evidence_words(const char *message)
{
	char *clean = secret_scrub(message, LOOKED_AT_BYTES);
	struct buf out = { 0 };

	for (const char *at = clean; *at != '\0';) {
		size_t len = strcspn(at, "\n");
		bool goes_on = at[0] == '\t' && !isupper((unsigned char)at[1]);

		if (strncmp(at, "LOCATION:", strlen("LOCATION:")) == 0 ||
		    strncmp(at, "\tIs the server running", strlen("\tIs the server running")) == 0)
			break;
		if (out.len > 0 && len > 0)
			buf_add_str(&out, goes_on ? " " : "; ");
		buf_add(&out, at + (at[0] == '\t'), len - (at[0] == '\t'));
		at += len + (at[len] == '\n');
	}
	while (out.len > 0 && isspace((unsigned char)out.data[out.len - 1]))
		out.data[--out.len] = '\0';
	free(clean);
	return out.data != NULL ? buf_steal(&out) : mem_strdup("");
}

static void take_message(struct evidence *evidence, const char *message)
{
	char *words = evidence_words(message);

	text_copy(evidence->message, sizeof(evidence->message), words);
	free(words);
}

/* ---- files of our own ---- */

/* The words of libpq's last attempt, of several (without TLS after one with, or the other way round). */
static const char *last_attempt(const char *message)
{
	const char *last = message;

	for (const char *at = message; (at = strstr(at, "\nconnection to server ")) != NULL;)
		last = ++at;
	return last;
}

/*
 * Whether a file of ours is why no connection was made: libpq's last attempt met it; or an earlier one did, and the
 * last, made without TLS for that reason, was refused as such (class 28). If not, `message` is set to the last one.
 */
static bool of_own_file(struct evidence *evidence, const char **message)
{
	const char *at = file_words_find(*message);
	const char *last = last_attempt(*message);
	char sqlstate[6] = "";
	char words[MESSAGE_BYTES];

	if (at == NULL)
		return false;
	(void)find_sqlstate(last, sqlstate);
	if (at < last ? is_class(sqlstate, "28") : sqlstate[0] == '\0') {
		file_words_copy(at, words, sizeof(words));
		*evidence = (struct evidence){ .own_fault = true, .file = true, .told = true };
		take_message(evidence, words);
		return true;
	}
	*message = last;
	return false;
}

void evidence_of_connect(struct evidence *evidence, const char *message)
{
	char sqlstate[6];

	if (of_own_file(evidence, &message))
		return;
	*evidence = (struct evidence){ .reason = REASON_MALFORMED };
	take_message(evidence, message);
	if (!find_sqlstate(message, sqlstate)) {
		of_libpq_words(evidence, message);
		return;
	}
	evidence->going = strncmp(sqlstate, "57P0", 4) == 0;
	evidence->reason = strcmp(sqlstate, "57P03") == 0
				   ? of_cannot_connect_now(message, &evidence->untold)
				   : of_connect_sqlstate(sqlstate);
}

void evidence_of_break(struct evidence *evidence, const char *sqlstate, const char *words,
		       const char *message)
{
	*evidence = (struct evidence){ .reason = REASON_RESET };
	if (sqlstate == NULL || sqlstate[0] == '\0') {
		take_message(evidence, message);
		return;
	}
	take_message(evidence, words);
	evidence->reason = of_connect_sqlstate(sqlstate);
	evidence->stops = strcmp(sqlstate, "57P01") == 0;
}

struct evidence evidence_of_silence(bool kept, bool looking_up, int64_t query_timeout_ms)
{
	struct evidence evidence = { .reason = kept ? REASON_HUNG : REASON_TIMEOUT };
	const char *at = kept ? "" : ", still connecting";

	if (looking_up) {
		evidence.reason = REASON_DNS;
		at = ", its name is still being looked up";
	}
	(void)snprintf(evidence.message, MESSAGE_BYTES, "no answer within query_timeout (%.3f s)%s",
		       (double)query_timeout_ms / 1000.0, at);
	return evidence;
}

void evidence_open_door(struct shut_door **door)
{
	free(*door);
	*door = NULL;
}

void evidence_shut_door(const struct evidence *evidence, struct shut_door **door_p)
{
	struct shut_door *door;

	if (*door_p == NULL)
		*door_p = mem_zalloc(1, sizeof(**door_p));
	door = *door_p;
	door->reason = evidence->reason;
	door->attempts++;
	door->path = evidence->path;
	text_copy(door->message, MESSAGE_BYTES, evidence->message);
}

void evidence_prefer_door(struct evidence *evidence, const struct shut_door *door)
{
	if (door->reason == REASON_NONE || door->reason == REASON_TIMEOUT)
		return;
	evidence->reason = door->reason;
	evidence->path = door->path && evidence->path;
	text_copy(evidence->message, MESSAGE_BYTES, door->message);
}
