#include "pg/login.h"

#include <fcntl.h>
#include <poll.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "loop/workers.h"
#include "pg/own_files.h"
#include "system/descriptors.h"

#define HANGS_MS 20    /* a step that reads files or connects takes less */
#define LACKS_MS 1000  /* once no step waits, or has run for so long, the next lack is logged anew */

/* The step, of those that answer the server, that computes much (SCRAM's proof); the next one is the login's last. */
#define STEP_OF_PROOF 2

#define COSTS 16

struct login {
	uv_loop_t *loop;
	PGconn *pg;
	struct list words; /* keyword, value, ...; empty once libpq has them */
	uint64_t key;      /* a hash of all words */
	char *server;      /* host and port, for people */
	struct own_files files;
	struct work *step;
	bool answers; /* the step under way may compute what the server has asked for */
	int answered; /* how many such steps have begun, the one under way included */
	int64_t started_ms;
	int64_t waited_ms; /* how long its steps have waited for workers, but for the one under way */
	int64_t cpu_us;    /* processor time of its steps, but for the one under way */
	PostgresPollingStatusType next;
	bool is_refused;
	struct evidence refusal;
	struct timer *later; /* tells the refusal */
	bool spares;    /* it must not use the reserve of descriptors */
	bool is_scarce; /* only that reserve was left: libpq was not called */
	bool left;      /* login_leave() was called: it ends with its step */
	struct drain *drain; /* takes its socket then; NULL: it is closed */
	void (*stepped)(void *data, PostgresPollingStatusType next);
	void *data;
};

/* Whether the log was told so, of all logins. */
static atomic_bool lack_told;
static atomic_bool limit_told;

/* login_cost_us(), a mean over about COSTS logins. Of two logins that end at once one may not count. */
static atomic_llong cost_us;

/* ---- in a worker ---- */

static void drop_notice(void *data, const PGresult *result)
{
	(void)data;
	(void)result;
}

static void free_words(struct login *login)
{
	for (size_t i = 0; i < login->words.count; i++)
		free(login->words.items[i]);
	list_free(&login->words);
}

static PostgresPollingStatusType begin(struct login *login)
{
	size_t count = login->words.count / 2;
	const char **keywords;
	const char **values;

	/* this is asked in the worker, for many logins may have been begun before the first of them has its socket */
	login->is_scarce = login->spares && descriptors_are_scarce();
	if (login->is_scarce)
		return PGRES_POLLING_FAILED;
	keywords = mem_zalloc(count + 1, sizeof(*keywords));
	values = mem_zalloc(count + 1, sizeof(*values));
	for (size_t i = 0; i < count; i++) {
		keywords[i] = login->words.items[2 * i];
		values[i] = login->words.items[2 * i + 1];
	}
	login->pg = PQconnectStartParams(keywords, values, 0);
	free(keywords);
	free(values);
	free_words(login);
	if (login->pg == NULL || PQstatus(login->pg) == CONNECTION_BAD)
		return PGRES_POLLING_FAILED;
	PQsetErrorVerbosity(login->pg, PQERRORS_VERBOSE);
	PQsetNoticeReceiver(login->pg, drop_notice, NULL);
	return PGRES_POLLING_WRITING;
}

/* The processor time that this thread has used. */
static int64_t cpu_us(void)
{
	struct timespec used;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

static bool is_writable(const PGconn *pg)
{
	struct pollfd socket = { .fd = PQsocket(pg), .events = POLLOUT };

	return poll(&socket, 1, 0) > 0;
}

/* Runs a step. While libpq has only to send, and can, the next one follows without the loop or another worker. */
static void run_step(void *data)
{
	struct login *login = data;
	int64_t began_us = cpu_us();

	login->next = login->words.count > 0 ? begin(login) : PQconnectPoll(login->pg);
	while (login->next == PGRES_POLLING_WRITING && is_writable(login->pg))
		login->next = PQconnectPoll(login->pg);
	if (login->next == PGRES_POLLING_FAILED && login->pg != NULL)
		own_files_look(&login->files, PQerrorMessage(login->pg));
	login->cpu_us += cpu_us() - began_us;
}

/* ---- the end ---- */

static void free_login(struct login *login)
{
	PQfinish(login->pg);
	free_words(login);
	own_files_clear(&login->files);
	free(login->server);
	free(login);
}

/* Frees a login whose loop has ended. Any thread. */
static void forget(void *data)
{
	free_login(data);
}

/* Frees the login. libpq sends no Terminate before its end, so the socket is half-closed and the rest is drained. */
static void say_goodbye(struct login *login)
{
	struct drain *drain = login->drain;
	int fd = drain != NULL ? fcntl(PQsocket(login->pg), F_DUPFD_CLOEXEC, 0) : -1;

	free_login(login);
	if (fd < 0)
		return;
	if (shutdown(fd, SHUT_WR) != 0)
		(void)close(fd);
	else
		drain_take(drain, fd);
}

/* ---- steps ---- */

static void on_stepped(void *data, int64_t waited_ms)
{
	struct login *login = data;

	login->step = NULL;
	login->waited_ms += waited_ms;
	if (atomic_load(&lack_told) && workers_keep_up(LACKS_MS))
		atomic_store(&lack_told, false);
	if (login->left)
		say_goodbye(login);
	else
		login->stepped(login->data, login->next);
}

static void on_later(void *data)
{
	struct login *login = data;

	login->stepped(login->data, PGRES_POLLING_FAILED);
}

static void refuse(struct login *login, enum reason reason, bool own_fault, const char *message)
{
	login->is_refused = true;
	login->refusal = (struct evidence){ .reason = reason, .own_fault = own_fault };
	text_copy(login->refusal.message, MESSAGE_BYTES, message);
	login->later = timer_new(login->loop, on_later, login);
	timer_start(login->later, 0);
}

static void start_work(struct login *login)
{
	const struct work_order order = {
		.urgency = login->answered < STEP_OF_PROOF    ? WORK_SHORT
			   : login->answered == STEP_OF_PROOF ? WORK_LONG
							      : WORK_LAST,
		.key = login->key,
		.answers = login->answers,
		.run = run_step,
		.done = on_stepped,
		.forget = forget,
		.data = login,
	};

	login->step = work_start(login->loop, &order);
	if (login->step == NULL)
		refuse(login, REASON_NONE, true, "no thread can be made for a step of its login");
}

/* Whether the server has asked for authentication: from then on libpq reads no file, and computes what it asks for. */
static bool has_been_asked(const PGconn *pg)
{
	switch (PQstatus(pg)) {
	case CONNECTION_STARTED:
	case CONNECTION_MADE:
	case CONNECTION_SSL_STARTUP:
	case CONNECTION_GSS_STARTUP:
	case CONNECTION_NEEDED:
		return false;
	default:
		return true;
	}
}

void login_step(struct login *login)
{
	login->answers = has_been_asked(login->pg);
	login->answered += login->answers;
	start_work(login);
}

/* Adds a text, with its terminating zero, to a hash. */
static uint64_t hash(uint64_t sum, const char *text)
{
	return hash64_bytes(sum, text, strlen(text) + 1);
}

static void take_words(struct login *login, const char *const *keywords, const char *const *values)
{
	struct buf server = { 0 };

	login->key = HASH64_BEGIN;
	for (size_t i = 0; keywords[i] != NULL; i++) {
		list_add(&login->words, mem_strdup(keywords[i]));
		list_add(&login->words, mem_strdup(values[i]));
		own_files_take(&login->files, keywords[i], values[i]);
		login->key = hash(hash(login->key, keywords[i]), values[i]);
		if (strcmp(keywords[i], "host") == 0 || strcmp(keywords[i], "port") == 0)
			buf_addf(&server, "%s%s", server.len > 0 ? ":" : "", values[i]);
	}
	login->server = mem_strdup(buf_text(&server));
	buf_free(&server);
}

/* Refuses the login where all workers are left behind: none is begun then, and the log is told once. */
static bool meets_limit(struct login *login)
{
	if (workers_left() < WORKERS_MOST) {
		if (atomic_exchange(&limit_told, false))
			log_error("logins are begun again: a step of one that was given up has come back");
		return false;
	}
	if (!atomic_exchange(&limit_told, true))
		log_error("%d steps of logins have not come back: no login is begun until one of them does,"
			  " and no node is judged by that", WORKERS_MOST);
	refuse(login, REASON_NONE, true, "too many steps of logins have not come back");
	login->refusal.told = true;
	return true;
}

struct login *login_start(uv_loop_t *loop, const char *const *keywords, const char *const *values, bool spares,
			  void (*stepped)(void *data, PostgresPollingStatusType next), void *data)
{
	struct login *login = mem_zalloc(1, sizeof(*login));

	login->loop = loop;
	login->spares = spares;
	login->stepped = stepped;
	login->data = data;
	login->started_ms = clock_steady_ms();
	take_words(login, keywords, values);
	if (meets_limit(login))
		return login;
	if (workers_left_for(login->key, true) >= LOGINS_LEFT_BEHIND) {
		refuse(login, REASON_TIMEOUT, false,
		       "what it asked for at earlier logins (SCRAM iterations) is still being computed");
	} else if (workers_left_for(login->key, false) >= LOGINS_LEFT_BEHIND) {
		refuse(login, REASON_NONE, true,
		       "steps of earlier logins have not come back: a file that they read (passfile,"
		       " certificate, key)?");
		login->refusal.told = true; /* the log is, by those earlier logins */
	} else {
		start_work(login);
	}
	return login;
}

PGconn *login_pg(const struct login *login)
{
	return login->step == NULL ? login->pg : NULL;
}

bool login_is_stepping(const struct login *login)
{
	return login->step != NULL;
}

/*
 * libpq's words for a failed connect. Since 16 it has none where it got no socket, as without
 * descriptors or without IPv6: so the system is asked for one here, and its words are told.
 */
static const char *connect_words(const PGconn *pg, char *words, size_t size)
{
	const char *address;
	char why[128];
	int family;
	int fd;

	if (pg == NULL)
		return "out of memory";
	if (PQerrorMessage(pg)[0] != '\0')
		return PQerrorMessage(pg);
	address = PQhostaddr(pg) != NULL ? PQhostaddr(pg) : "";
	family = strchr(address, '.') != NULL ? AF_INET : strchr(address, ':') != NULL ? AF_INET6 : AF_UNIX;
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)close(fd);
	(void)snprintf(words, size, "could not create socket%s%s", fd < 0 ? ": " : "",
		       fd < 0 ? strerror_r(errno, why, sizeof(why)) : "");
	return words;
}

void login_explain(const struct login *login, struct evidence *evidence)
{
	const PGconn *pg = login_pg(login);
	char words[160];

	if (login->is_refused) {
		*evidence = login->refusal;
	} else if (login->is_scarce) {
		*evidence = evidence_of_scarcity(descriptors_limit());
	} else if (pg == NULL || PQstatus(pg) == CONNECTION_BAD) {
		evidence_of_connect(evidence, connect_words(pg, words, sizeof(words)));
		own_files_explain(&login->files, evidence);
	} else { /* libpq has no complaint: the loop could not watch its socket */
		*evidence = (struct evidence){ .own_fault = true };
		text_copy(evidence->message, MESSAGE_BYTES, "the connection cannot be watched");
	}
}

/* Makes evidence of what we lack, and tells the log once for all logins. */
static void tell_lack(const struct login *login, struct evidence *evidence, const char *what)
{
	*evidence = (struct evidence){ .own_fault = true, .told = true };
	text_copy(evidence->message, MESSAGE_BYTES, what);
	if (!atomic_exchange(&lack_told, true))
		log_error("%s: plusmoin itself lacks something: %s; neither this node nor others with the same"
			  " lack are judged by that", login->server, what);
}

bool login_hangs(const struct login *login, struct evidence *evidence)
{
	int64_t waited_ms = 0;
	int64_t ran_ms = 0;

	if (login->step != NULL)
		work_ages(login->step, &waited_ms, &ran_ms);
	waited_ms += login->waited_ms;
	if (waited_ms >= HANGS_MS && 2 * waited_ms >= clock_steady_ms() - login->started_ms) {
		tell_lack(login, evidence, "its login waits for worker threads, and all are at work");
		return true;
	}
	if (ran_ms < HANGS_MS)
		return false;
	if (!login->answers) {
		tell_lack(login, evidence, "a step of its login does not come back: a file that it reads"
			  " (passfile, certificate, key)?");
		return true;
	}
	*evidence = (struct evidence){ .reason = REASON_TIMEOUT };
	(void)snprintf(evidence->message, MESSAGE_BYTES, "what it asks for at the login (SCRAM iterations)"
		       " is still being computed after %.3f s", (double)ran_ms / 1000.0);
	return true;
}

static void note_cost(int64_t us)
{
	int64_t mean_us = atomic_load(&cost_us);

	atomic_store(&cost_us, mean_us == 0 ? us : mean_us + (us - mean_us) / COSTS);
}

int64_t login_cost_us(void)
{
	return atomic_load(&cost_us);
}

PGconn *login_take(struct login **login)
{
	PGconn *pg = (*login)->pg;

	note_cost((*login)->cpu_us);
	(*login)->pg = NULL;
	login_leave(login, NULL);
	return pg;
}

void login_leave(struct login **login_p, struct drain *drain)
{
	struct login *login = *login_p;

	*login_p = NULL;
	if (login == NULL)
		return;
	timer_free(&login->later);
	login->drain = drain;
	login->left = true;
	if (login->step != NULL)
		work_leave(login->step);
	else
		say_goodbye(login);
}
