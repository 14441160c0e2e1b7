/*
 * The floor under plusmoin: what libpq alone costs for the same work, paced alike. Over a connection that is kept it
 * asks each node once a round, by a prepared statement; on a master it then writes the beat, by another. The
 * statements are plusmoin's own (pg/questions.h). It judges nothing, keeps no time limits, and tells nobody.
 *
 * usage: floor ADDRESS:PORT[,PORT...] NODES SIZE HEARTBEAT_MS once|spread
 *
 * The nodes are NODES addresses from ADDRESS on, or with several PORTs these of one address, in clusters of SIZE whose first is the master. `once`: each heartbeat
 * all are asked at once; `spread`: each cluster has a place of its own in the heartbeat. "up" on stdout: all have been
 * asked once. It runs until it is ended; "broken" and exit 1: a connection or a statement failed.
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mem.h"
#include "pg/questions.h"

#define CONNECTING_MOST 256 /* at once: more would only wait in the servers' queues */
#define EVENTS 256
#define BEAT_PARAMS 3
#define PORTS_MOST 16

/* A node goes through these once, and is READY between two rounds. */
enum step { STEP_NONE, STEP_CONNECTS, STEP_PREPARES_LOOK, STEP_PREPARES_BEAT, STEP_CREATES, STEP_READY, STEP_LOOKS, STEP_BEATS };

struct node {
	PGconn *pg;
	int fd; /* that epoll watches; -1: none */
	unsigned number;
	enum step step;
	uint32_t events;
	int64_t tstamp; /* of the row that it showed last */
};

static struct {
	int epoll;
	struct node *nodes;
	unsigned count;
	unsigned size; /* of a cluster */
	int64_t heartbeat_ms;
	bool spread;
	unsigned connecting;
	unsigned started; /* that have begun to connect */
	unsigned ready;   /* that have come to STEP_READY for the first time, */
	unsigned looked;  /* and that have been asked once */
	bool up;
	struct in_addr first;
	const char *ports[PORTS_MOST];
	unsigned port_count; /* 1: each node has an address of its own */
} farm;

static void broken(const struct node *node, const char *what)
{
	(void)printf("broken: node %u: %s: %s", node->number, what, PQerrorMessage(node->pg));
	exit(1);
}

static int64_t now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- epoll ---- */

static void watch(struct node *node, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = node };
	int fd = PQsocket(node->pg);

	if (fd == node->fd && events == node->events)
		return;
	/* libpq may have closed the descriptor that was watched, which epoll then has forgotten */
	if (epoll_ctl(farm.epoll, fd == node->fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
		(void)epoll_ctl(farm.epoll, EPOLL_CTL_ADD, fd, &event);
	node->fd = fd;
	node->events = events;
}

/* Sends what libpq has queued. */
static void flush(struct node *node, int queued)
{
	int flushed = queued == 1 ? PQflush(node->pg) : -1;

	if (flushed < 0)
		broken(node, "send");
	watch(node, flushed > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* ---- a round ---- */

static void look(struct node *node)
{
	if (node->step != STEP_READY)
		return; /* the last round is late */
	node->step = STEP_LOOKS;
	flush(node, PQsendQueryPrepared(node->pg, "look", 0, NULL, NULL, NULL, 0));
}

static void beat(struct node *node)
{
	char cluster_id[16];
	char master[64];
	char tstamp[24];
	const char *params[BEAT_PARAMS] = { cluster_id, master, tstamp };

	(void)snprintf(cluster_id, sizeof(cluster_id), "%u", node->number / farm.size);
	(void)snprintf(master, sizeof(master), "%s:%s", PQhost(node->pg), PQport(node->pg));
	(void)snprintf(tstamp, sizeof(tstamp), "%lld", (long long)now_ms(CLOCK_REALTIME));
	node->step = STEP_BEATS;
	flush(node, PQsendQueryPrepared(node->pg, "beat", BEAT_PARAMS, params, NULL, NULL, 0));
}

static void end_round(struct node *node)
{
	node->step = STEP_READY;
	if (!farm.up && ++farm.looked == farm.count) {
		farm.up = true;
		(void)printf("up\n");
		(void)fflush(stdout);
	}
}

/* ---- the way there ---- */

static void prepare(struct node *node, const char *name, enum question question, enum step step)
{
	node->step = step;
	flush(node, PQsendPrepare(node->pg, name, question_text(question), 0, NULL));
}

static void get_ready(struct node *node)
{
	node->step = STEP_READY;
	if (++farm.ready == farm.count) {
		for (unsigned i = 0; i < farm.count; i++)
			look(&farm.nodes[i]);
	}
}

static void start_next(void)
{
	struct node *node = &farm.nodes[farm.started];
	bool one = farm.port_count > 1;
	struct in_addr address = { htonl(ntohl(farm.first.s_addr) + (one ? 0 : farm.started)) };
	const char *port = farm.ports[one ? farm.started : 0];
	const char *keywords[] = { "hostaddr", "port", "user", "dbname", "sslmode", "gssencmode", NULL };
	const char *values[] = { inet_ntoa(address), port, "plusmoin", "plusmoin", "disable", "disable", NULL };

	node->number = farm.started++;
	node->fd = -1;
	node->step = STEP_CONNECTS;
	node->pg = PQconnectStartParams(keywords, values, 0);
	farm.connecting++;
	if (node->pg == NULL || PQstatus(node->pg) == CONNECTION_BAD)
		broken(node, "connect");
	watch(node, EPOLLOUT);
}

static void go_on_connecting(struct node *node)
{
	PostgresPollingStatusType next = PQconnectPoll(node->pg);

	if (next == PGRES_POLLING_FAILED)
		broken(node, "connect");
	watch(node, next == PGRES_POLLING_WRITING ? EPOLLOUT : EPOLLIN);
	if (next != PGRES_POLLING_OK)
		return;
	if (PQsetnonblocking(node->pg, 1) != 0)
		broken(node, "connect");
	farm.connecting--;
	prepare(node, "look", ASK_LOOK, STEP_PREPARES_LOOK);
}

/* ---- what comes ---- */

/* All that one query was to bring is there. */
static void go_on(struct node *node, bool was_master)
{
	switch (node->step) {
	case STEP_PREPARES_LOOK:
		if (node->number % farm.size == 0)
			prepare(node, "beat", ASK_BEAT, STEP_PREPARES_BEAT);
		else
			get_ready(node);
		break;
	case STEP_PREPARES_BEAT:
		node->step = STEP_CREATES;
		flush(node, PQsendQuery(node->pg, question_text(ASK_CREATE)));
		break;
	case STEP_CREATES:
		get_ready(node);
		break;
	case STEP_LOOKS:
		if (was_master)
			beat(node);
		else
			end_round(node);
		break;
	case STEP_BEATS:
		end_round(node);
		break;
	case STEP_NONE:
	case STEP_CONNECTS:
	case STEP_READY:
		break;
	}
}

/* Reads an answer as plusmoin does: the role, the row's time. True: it is a look at a master. */
static bool take(struct node *node, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		broken(node, "answer");
	if (node->step != STEP_LOOKS || PQntuples(result) != 1)
		return false;
	node->tstamp = strtoll(PQgetvalue(result, 0, 2), NULL, 10);
	return strcmp(PQgetvalue(result, 0, 0), "f") == 0;
}

static void read_answer(struct node *node)
{
	bool was_master = false;
	PGresult *result;

	if (PQconsumeInput(node->pg) == 0)
		broken(node, "read");
	if (node->events & EPOLLOUT)
		flush(node, 1);
	while (node->step != STEP_READY && PQisBusy(node->pg) == 0) {
		result = PQgetResult(node->pg);
		if (result == NULL) {
			go_on(node, was_master);
			return;
		}
		was_master = take(node, result);
		PQclear(result);
	}
}

/* ---- time ---- */

/* Asks those whose turn has come; returns the ms until the next one. `turn`: how many there have been. */
static int64_t ask_due(int64_t began_ms, uint64_t *turn)
{
	unsigned clusters = (farm.count + farm.size - 1) / farm.size;
	uint64_t places = farm.spread ? clusters : 1;
	unsigned asked = farm.spread ? farm.size : farm.count;
	int64_t wait_ms;

	for (;;) {
		unsigned from = (unsigned)(*turn % places) * asked;

		wait_ms = began_ms + (int64_t)(*turn * (uint64_t)farm.heartbeat_ms / places) -
			  now_ms(CLOCK_MONOTONIC);
		if (wait_ms > 0)
			return wait_ms;
		for (unsigned i = from; i < from + asked && i < farm.count; i++)
			look(&farm.nodes[i]);
		++*turn;
	}
}

static void run(void)
{
	struct epoll_event events[EVENTS];
	int64_t began_ms = 0;
	uint64_t turn = 0;

	for (;;) {
		int wait_ms = -1;
		int got;

		while (farm.connecting < CONNECTING_MOST && farm.started < farm.count)
			start_next();
		if (farm.up && began_ms == 0)
			began_ms = now_ms(CLOCK_MONOTONIC) + farm.heartbeat_ms;
		if (farm.up)
			wait_ms = (int)ask_due(began_ms, &turn);
		got = epoll_wait(farm.epoll, events, EVENTS, wait_ms);
		for (int i = 0; i < got; i++) {
			struct node *node = events[i].data.ptr;

			if (node->step == STEP_CONNECTS)
				go_on_connecting(node);
			else
				read_answer(node);
		}
	}
}

static bool take_words(int argc, char **argv)
{
	char *colon = argc == 6 ? strrchr(argv[1], ':') : NULL;
	char *rest;

	if (colon == NULL)
		return false;
	*colon = '\0';
	for (char *port = strtok_r(colon + 1, ",", &rest); port != NULL && farm.port_count < PORTS_MOST;
	     port = strtok_r(NULL, ",", &rest))
		farm.ports[farm.port_count++] = port;
	farm.count = (unsigned)strtoul(argv[2], NULL, 10);
	farm.size = (unsigned)strtoul(argv[3], NULL, 10);
	farm.heartbeat_ms = strtoll(argv[4], NULL, 10);
	farm.spread = strcmp(argv[5], "spread") == 0;
	return inet_aton(argv[1], &farm.first) == 1 && farm.count > 0 && farm.size > 0 && farm.port_count > 0 &&
	       (farm.port_count == 1 || farm.port_count == farm.count) && farm.heartbeat_ms > 0 &&
	       (farm.spread || strcmp(argv[5], "once") == 0);
}

int main(int argc, char **argv)
{
	struct rlimit files;

	if (!take_words(argc, argv)) {
		(void)fprintf(stderr, "usage: floor ADDRESS:PORT[,PORT...] NODES SIZE HEARTBEAT_MS once|spread\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	farm.epoll = epoll_create1(EPOLL_CLOEXEC);
	farm.nodes = mem_zalloc(farm.count, sizeof(*farm.nodes));
	run();
}
