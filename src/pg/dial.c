#include "pg/dial.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "pg/tried.h"

#define DIAL_KEYWORDS 64

/*
 * How long TCP may take to answer before the next address is tried. A single address is then connected to anew, for
 * Linux repeats a SYN after 1, 3, 7, 15, 31 s and would find a host that is back up to half a minute late. It is at
 * least a third of what a login may take, which has three round trips.
 */
#define REACH_MS 3000
#define LOGIN_TRIPS 3

struct dial {
	uv_loop_t *loop;
	struct dial_target target;
	char *options;
	struct lookup *lookup;
	struct addresses addresses; /* count 0: libpq gets the host alone (a socket, or the user's hostaddr) */
	size_t next;
	bool again; /* the present address has been tried twice */
	bool left_some; /* an address was given up, since the first was tried last, before it answered */
	struct tried tried;
	struct conn *conn;
	struct deadline deadline; /* of the present address, or of the look-up */
	struct deadline reach;    /* of the present connect: TCP must have answered */
	int64_t started_ms;
	struct deadlines *deadlines;
	unsigned stalls_then;
	void (*done)(void *data, struct conn *conn, const struct evidence *evidence);
	void *data;
};

/* How long TCP may take to answer. */
static int64_t reach_ms(const struct dial *dial)
{
	int64_t trip_ms = dial->target.wait_ms / LOGIN_TRIPS;

	return trip_ms > REACH_MS ? trip_ms : REACH_MS;
}

static void try_next(struct dial *dial);
static void on_connected(void *data);
static void on_failed(void *data, const struct evidence *evidence);

static const struct conn_events dial_events = { .connected = on_connected, .failed = on_failed };

/* NULL: libpq gets the host alone. */
static const char *present_address(const struct dial *dial)
{
	return dial->next > 0 ? dial->addresses.text[dial->next - 1] : NULL;
}

static const char *pair_value(const struct config_node *node, const char *key)
{
	for (size_t i = 0; i < node->connection_count; i++) {
		if (strcmp(node->connection[i].key, key) == 0)
			return node->connection[i].value;
	}
	return NULL;
}

static void finish(struct dial *dial, struct conn *conn, const struct evidence *evidence)
{
	void (*done)(void *, struct conn *, const struct evidence *) = dial->done;
	void *data = dial->data;
	struct evidence why = { .reason = REASON_NONE };

	if (conn == NULL && evidence != NULL) { /* one of the two is set */
		why = *evidence;
		why.path = tried_is_of_path(&dial->tried, evidence);
	}
	dial->conn = NULL;
	if (conn != NULL && present_address(dial) != NULL)
		text_copy(dial->target.last_good, INET6_ADDRSTRLEN + 1, present_address(dial));
	dial_cancel(&dial);
	done(data, conn, conn == NULL ? &why : NULL);
}

/* Sets an option of TCP's, unless the user's `connection` has its keyword. On other sockets it does nothing. */
static void set_tcp(const struct dial *dial, const char *keyword, int option, int64_t value)
{
	int number = value > INT_MAX ? INT_MAX : (int)value;

	if (pair_value(dial->target.node, keyword) == NULL)
		(void)setsockopt(conn_fd(dial->conn), IPPROTO_TCP, option, &number, sizeof(number));
}

/*
 * Makes TCP notice a host that vanishes between two questions: TCP probes a connection that was idle for answer_ms (1 s
 * at least, its unit), and breaks one whose data is not acknowledged for answer_ms. It is set once connected, as TCP
 * would give up a connect after that time, too.
 */
static void watch_host(const struct dial *dial)
{
	int64_t idle_s = dial->target.answer_ms / 1000;

	if (dial->target.answer_ms == 0)
		return;
	set_tcp(dial, "keepalives_idle", TCP_KEEPIDLE, idle_s > 0 ? idle_s : 1);
	set_tcp(dial, "keepalives_interval", TCP_KEEPINTVL, 1);
	set_tcp(dial, "tcp_user_timeout", TCP_USER_TIMEOUT, dial->target.answer_ms);
}

static void on_connected(void *data)
{
	struct dial *dial = data;

	watch_host(dial);
	finish(dial, dial->conn, NULL);
}

/* Whether another address may do better: not when a server was there and refused us. */
static bool worth_another(enum reason reason)
{
	return reason == REASON_REFUSED || reason == REASON_UNREACHABLE ||
	       reason == REASON_TIMEOUT || reason == REASON_RESET;
}

/*
 * Whether the server has accepted the connection and closed it without a message, the first time at this address. A
 * backend ends so that starts while its postmaster ends all others after a crash; the next connect is told of it.
 */
static bool may_have_been_reaped(const struct dial *dial, enum reason reason)
{
	return reason == REASON_RESET && !dial->again;
}

/* How much is left of `time_ms` since the start. */
static int64_t left_of(const struct dial *dial, int64_t time_ms)
{
	return time_ms - (clock_steady_ms() - dial->started_ms);
}

/* Begins again from the start: a server may have given up on us while we were stalled. */
static void start_anew(struct dial *dial)
{
	dial->stalls_then = deadlines_stalls(dial->deadlines);
	dial->started_ms = clock_steady_ms();
	dial->next = 0;
	dial->tried = (struct tried){ 0 };
	dial->left_some = false;
	if (dial->lookup != NULL) /* still under way: libpq must not look the name up in this thread */
		deadline_start(&dial->deadline, dial->target.timeout_ms);
	else
		try_next(dial);
}

/* Whether an address is to be tried: the next, or again the first where one was given up that may answer by now. */
static bool has_next(struct dial *dial)
{
	if (dial->next < dial->addresses.count)
		return true;
	if (!dial->left_some || dial->addresses.count < 2 ||
	    left_of(dial, dial->target.timeout_ms) <= 1)
		return false;
	dial->left_some = false;
	dial->next = 0;
	return true;
}

static void on_failed(void *data, const struct evidence *evidence)
{
	struct dial *dial = data;
	struct evidence what;

	dial->tried.reached = dial_has_reached(dial);
	conn_close(&dial->conn);
	if (deadlines_stalls(dial->deadlines) != dial->stalls_then) {
		start_anew(dial);
		return;
	}
	if (may_have_been_reaped(dial, evidence->reason)) {
		if (dial->next > 0)
			dial->next--;
		try_next(dial);
		dial->again = true;
		return;
	}
	tried_note(&dial->tried, evidence, present_address(dial));
	if (worth_another(evidence->reason) && has_next(dial)) {
		try_next(dial);
		return;
	}
	what = dial->tried.best;
	finish(dial, NULL, &what);
}

/* The present address, or the name server, has had its time. */
static void give_up(void *data)
{
	struct dial *dial = data;
	bool looking_up = dial->lookup != NULL;
	struct evidence evidence = { .reason = looking_up ? REASON_DNS : REASON_TIMEOUT };

	(void)snprintf(evidence.message, sizeof(evidence.message), "no answer to a %s within %.3f s",
		       looking_up ? "look-up of its name" : "connect",
		       (double)dial->target.timeout_ms / 1000.0);
	(void)dial_hangs(dial, &evidence);
	dial->left_some = true;
	dial->tried.reached = dial_has_reached(dial);
	conn_leave(&dial->conn, dial->target.drain);
	on_failed(dial, &evidence);
}

static void add(const char **keywords, const char **values, size_t *count, const char *keyword,
		const char *value)
{
	if (value == NULL || *count + 1 >= DIAL_KEYWORDS)
		return;
	keywords[*count] = keyword;
	values[*count] = value;
	++*count;
}

static void open_conn(struct dial *dial)
{
	const struct config_node *node = dial->target.node;
	const char *keywords[DIAL_KEYWORDS] = { 0 };
	const char *values[DIAL_KEYWORDS] = { 0 };
	char port[16];
	size_t count = 0;

	(void)snprintf(port, sizeof(port), "%d", node->port);
	add(keywords, values, &count, "host", node->host);
	add(keywords, values, &count, "hostaddr", present_address(dial));
	add(keywords, values, &count, "port", port);
	add(keywords, values, &count, "user", node->user);
	add(keywords, values, &count, "password", node->password);
	add(keywords, values, &count, "dbname", node->dbname);
	if (dial->options != NULL) {
		add(keywords, values, &count, "client_encoding", "UTF8");
		add(keywords, values, &count, "options", dial->options);
		if (pair_value(node, "application_name") == NULL)
			add(keywords, values, &count, "application_name", "plusmoin");
	}
	for (size_t i = 0; i < node->connection_count; i++) {
		if (strcmp(node->connection[i].key, "options") != 0)
			add(keywords, values, &count, node->connection[i].key,
			    node->connection[i].value);
	}
	dial->conn = conn_open(dial->loop, keywords, values, dial->options != NULL, &dial_events, dial);
}

static void on_reach(void *data)
{
	struct dial *dial = data;

	if (dial->conn == NULL || !conn_is_reaching(dial->conn))
		return;
	if (dial->addresses.count > 1 && !conn_is_stepping(dial->conn)) {
		give_up(dial);
		return;
	}
	if (!conn_is_stepping(dial->conn)) { /* else nothing has been sent yet: a new connect would be no faster */
		conn_close(&dial->conn);
		open_conn(dial);
	}
	deadline_start(&dial->reach, reach_ms(dial));
}

/*
 * Tries the next address. A single one has all of the time. While somebody waits, an address of several whose TCP is
 * silent has its share of that time, and one whose TCP has answered all of it; later each has its share of the rest.
 */
static void try_next(struct dial *dial)
{
	size_t count = dial->addresses.count;
	int64_t share = count > dial->next ? (int64_t)(count - dial->next) : 1;
	int64_t left_ms = left_of(dial, dial->target.timeout_ms);
	int64_t wait_ms = left_of(dial, dial->target.wait_ms);
	bool hurries = count > 1 && wait_ms > 1 && wait_ms < left_ms;
	int64_t dark_ms = (hurries ? wait_ms : left_ms) / share;
	int64_t silent_ms = hurries ? wait_ms : left_ms / share;

	if (count > 0)
		dial->next++;
	dial->again = false;
	open_conn(dial);
	deadline_start(&dial->deadline, silent_ms > 1 ? silent_ms : 1);
	if (count < 2 || dark_ms > reach_ms(dial))
		dark_ms = reach_ms(dial);
	deadline_start(&dial->reach, dark_ms > 1 ? dark_ms : 1);
}

/* Moves the last good address to the front. */
static void prefer_last_good(struct dial *dial)
{
	struct addresses *all = &dial->addresses;

	for (size_t i = 1; i < all->count; i++) {
		if (strcmp(all->text[i], dial->target.last_good) == 0) {
			char first[sizeof(all->text[0])];

			memcpy(first, all->text[0], sizeof(first));
			memcpy(all->text[0], all->text[i], sizeof(first));
			memcpy(all->text[i], first, sizeof(first));
		}
	}
}

static void on_found(void *data, const struct addresses *addresses,
		     const struct lookup_failure *failure)
{
	struct evidence evidence = { .reason = REASON_DNS };
	struct dial *dial = data;

	dial->lookup = NULL;
	if (addresses == NULL) {
		evidence.own_fault = failure->own_fault;
		text_copy(evidence.message, sizeof(evidence.message), failure->message);
		finish(dial, NULL, &evidence);
		return;
	}
	dial->addresses = *addresses;
	prefer_last_good(dial);
	try_next(dial);
}

/* Makes libpq's `options`, in which the last of several values of a setting wins. The caller frees them. */
static char *options_of(const struct dial_target *target)
{
	const char *theirs = pair_value(target->node, "options");

	if (target->options == NULL)
		return NULL;
	return mem_printf("%s %s %s", target->defaults != NULL ? target->defaults : "",
			  theirs != NULL ? theirs : "", target->options);
}

struct dial *dial_start(uv_loop_t *loop, struct resolver *resolver, struct deadlines *deadlines,
			const struct dial_target *target,
			void (*done)(void *data, struct conn *conn,
				     const struct evidence *evidence),
			void *data)
{
	struct dial *dial = mem_zalloc(1, sizeof(*dial));
	const char *host = target->node->host;

	dial->loop = loop;
	dial->target = *target;
	dial->options = options_of(target);
	dial->target.options = dial->options;
	if (target->wait_ms == 0)
		dial->target.wait_ms = target->timeout_ms;
	dial->done = done;
	dial->data = data;
	dial->deadlines = deadlines;
	dial->stalls_then = deadlines_stalls(deadlines);
	dial->started_ms = clock_steady_ms();
	deadline_init(&dial->deadline, deadlines, give_up, dial);
	deadline_init(&dial->reach, deadlines, on_reach, dial);
	if (host[0] == '/' || host[0] == '@' || pair_value(target->node, "hostaddr") != NULL ||
	    addresses_take_numeric(&dial->addresses, host)) {
		try_next(dial);
	} else {
		deadline_start(&dial->deadline, target->timeout_ms);
		dial->lookup = lookup_start(resolver, host,
					    target->lookup_ms > 0 ? target->lookup_ms
								  : RESOLVE_PATIENCE_MS,
					    on_found, dial);
	}
	return dial;
}

struct dial_target dial_terms(const struct config *config, bool beside, bool half)
{
	struct dial_target target = {
		.timeout_ms = config->connect_timeout_ms,
		.answer_ms = config->query_timeout_ms,
		.wait_ms = config->query_timeout_ms,
	};

	if (beside && target.timeout_ms > config->query_timeout_ms)
		target.timeout_ms = config->query_timeout_ms;
	if (half)
		target.wait_ms /= 2;
	else if (beside)
		target.lookup_ms = config->query_timeout_ms / 2;
	return target;
}

const struct evidence *dial_failure(const struct dial *dial)
{
	return dial->tried.has_failed && dial->tried.best.reason != REASON_TIMEOUT ? &dial->tried.best : NULL;
}

void dial_hurry(struct dial *dial)
{
	if (dial != NULL)
		lookup_hurry(dial->lookup);
}

bool dial_hangs(const struct dial *dial, struct evidence *evidence)
{
	return dial->conn != NULL && conn_hangs(dial->conn, evidence);
}

bool dial_is_looking_up(const struct dial *dial)
{
	return dial->lookup != NULL;
}

bool dial_has_reached(const struct dial *dial)
{
	return dial->tried.reached || (dial->conn != NULL && conn_has_reached(dial->conn));
}

bool dial_is_logging_in(const struct dial *dial)
{
	return dial->conn != NULL && !conn_is_reaching(dial->conn);
}

void dial_cancel(struct dial **dial_p)
{
	struct dial *dial = *dial_p;

	*dial_p = NULL;
	if (dial == NULL)
		return;
	lookup_cancel(&dial->lookup);
	conn_leave(&dial->conn, dial->target.drain);
	deadline_stop(&dial->deadline);
	deadline_stop(&dial->reach);
	free(dial->options);
	free(dial);
}

void dial_set_node(struct dial *dial, const struct config_node *node)
{
	if (dial != NULL)
		dial->target.node = node;
}
