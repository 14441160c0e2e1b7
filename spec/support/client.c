/*
 * An application for the tests: client FILE CONNINFO SQL [PAUSE_MS [fresh [ANSWER_MS [RETRY_MS]]]]. Runs SQL once
 * per PAUSE_MS (10), RETRY_MS (10) after a failure, on a connection that it keeps ("fresh": a new one each time) and makes anew when
 * anything fails, for ever. FILE gets a line for each answer: its monotonic time in ms, a tab,
 * the first field; for each failure "!" and the message in place of the field. An answer that
 * does not come within ANSWER_MS (1000) is a failure.
 */
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* 0 when the time is over. */
static int wait_for(PGconn *pg, short events, long long until)
{
	struct pollfd fd = { .fd = PQsocket(pg), .events = events };
	long long left = until - now_ms();

	return left > 0 && poll(&fd, 1, (int)left) > 0;
}

static PGconn *connect_to(const char *conninfo, long long until)
{
	PGconn *pg = PQconnectStart(conninfo);
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	while (PQstatus(pg) != CONNECTION_BAD && next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
		if (!wait_for(pg, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
			break;
		next = PQconnectPoll(pg);
	}
	return pg;
}

/* The last result; NULL: none in time, or the connection broke. */
static PGresult *ask(PGconn *pg, const char *sql, long long until)
{
	PGresult *last = NULL, *next;

	if (PQstatus(pg) != CONNECTION_OK || !PQsendQuery(pg, sql))
		return NULL;
	for (;;) {
		while (PQisBusy(pg)) {
			if (!wait_for(pg, POLLIN, until) || !PQconsumeInput(pg)) {
				PQclear(last);
				return NULL;
			}
		}
		next = PQgetResult(pg);
		if (!next)
			return last;
		PQclear(last);
		last = next;
	}
}

static void say(FILE *out, const char *mark, const char *text)
{
	char line[512];

	snprintf(line, sizeof(line), "%lld\t%s%s", now_ms(), mark, text);
	line[strcspn(line, "\n")] = '\0';
	fprintf(out, "%s\n", line);
	fflush(out);
}

int main(int argc, char **argv)
{
	int pause_ms = argc > 4 ? atoi(argv[4]) : 10;
	int answer_ms = argc > 6 ? atoi(argv[6]) : 1000;
	int retry_ms = argc > 7 ? atoi(argv[7]) : 10;
	int fresh = argc > 5 && !strcmp(argv[5], "fresh");
	FILE *out = argc > 3 ? fopen(argv[1], "a") : NULL;
	PGconn *pg = NULL;
	int ok = 1;

	if (!out)
		return 2;
	for (long long at = now_ms();; at += ok ? pause_ms : retry_ms) {
		long long until;
		PGresult *result;

		if (at > now_ms())
			usleep((useconds_t)(at - now_ms()) * 1000);
		else
			at = now_ms();
		until = now_ms() + answer_ms;
		if (!pg)
			pg = connect_to(argv[2], until);
		result = ask(pg, argv[3], until);
		ok = PQresultStatus(result) == PGRES_TUPLES_OK;
		if (ok)
			say(out, "", PQgetvalue(result, 0, 0));
		else
			say(out, "!", PQerrorMessage(pg));
		PQclear(result);
		if (!ok || fresh) {
			PQfinish(pg);
			pg = NULL;
		}
	}
}
