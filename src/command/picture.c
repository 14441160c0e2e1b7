#include "command/picture.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"

#define DEFAULT_PORT 5432

/* A reading under way; only the first error that is found is kept. */
struct reading {
	char **error;
	int64_t now_ms;
};

static void complain(struct reading *reading, const char *what, const char *allowed)
{
	if (*reading->error == NULL)
		*reading->error = mem_printf("%s; allowed: %s", what, allowed);
}

static const char *get_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int64_t get_ms(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? (int64_t)(json_number_value(value) * 1000.0 + 0.5)
				     : otherwise;
}

static int get_int(const json_t *object, const char *key, int otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? (int)json_integer_value(value) : otherwise;
}

static enum reason read_reason(struct reading *reading, const char *name)
{
	for (int reason = REASON_NONE + 1; name != NULL && reason < REASONS; reason++) {
		if (strcmp(reason_name((enum reason)reason), name) == 0)
			return (enum reason)reason;
	}
	if (name != NULL)
		complain(reading, "a node has an unknown reason", "as the contract lists them");
	return REASON_NONE;
}

static enum rule read_rule(struct reading *reading, const char *name)
{
	for (int rule = RULE_NONE + 1; name != NULL && rule < RULES; rule++) {
		if (strcmp(rule_name((enum rule)rule), name) == 0)
			return (enum rule)rule;
	}
	if (name != NULL)
		complain(reading, "\"rule\" is unknown", "M1 to M6, S1 to S4, L1 to L4, U1 to U4");
	return RULE_NONE;
}

/* Reads a node; the reference is the caller's. */
static struct node_view *read_node(struct reading *reading, const json_t *from, enum place place, int cluster_id)
{
	const char *host = get_text(from, "host");
	const char *name = get_text(from, "name");
	const json_t *is_slave = json_object_get(from, "is_slave");
	const char *master_name = get_text(from, "master_name");
	const json_t *lag = json_object_get(from, "lag");
	int port = get_int(from, "port", DEFAULT_PORT);
	struct node_view *node;
	char *made = NULL;

	if (host == NULL)
		complain(reading, "a node has no \"host\"", "{\"host\": \"name\", \"port\": 5432, ...}");
	if (host == NULL)
		host = "";
	if (name == NULL)
		name = made = mem_printf("%s:%d", host, port);
	node = node_view_new(&(struct node_view){
		.host = host,
		.port = port,
		.cluster_id = place == PLACE_CLUSTERLESS ? -1 : cluster_id,
		.is_slave = json_is_boolean(is_slave) ? json_is_true(is_slave)
						      : place == PLACE_SLAVE || place == PLACE_LOST,
		.master_name = master_name != NULL ? master_name : "",
		.name = name,
		.state = place,
		.has_lag = json_is_number(lag),
		.lag_ms = get_ms(from, "lag", 0),
		.reason = read_reason(reading, get_text(from, "reason")),
		.message = get_text(from, "message"),
		.since_ms = get_ms(from, "since", reading->now_ms),
		.server_version = get_int(from, "server_version", 0),
	});
	free(made);
	return node;
}

/* Puts the node at the end of the picture. */
static void add_node(struct reading *reading, const json_t *from, enum place place, struct view *view)
{
	size_t count = view->masters + view->slaves + view->lost + view->clusterless;
	struct node_view *node = read_node(reading, from, place, view->cluster_id);

	view_put(view, count, node);
	node_view_unref(&node);
}

static void read_nodes(struct reading *reading, const json_t *list, enum place place, struct view *view)
{
	size_t count = json_array_size(list);

	if (list != NULL && !json_is_array(list))
		complain(reading, "slaves, lost or clusterless is no list", "[node, ...]");
	for (size_t i = 0; i < count; i++)
		add_node(reading, json_array_get(list, i), place, view);
}

static void read_cluster(struct reading *reading, const json_t *from, struct board **board)
{
	struct view *view = view_new_empty();
	const json_t *master = json_object_get(from, "master");

	view->cluster_id = get_int(from, "cluster_id", 0);
	if (json_is_object(master))
		add_node(reading, master, PLACE_MASTER, view);
	read_nodes(reading, json_object_get(from, "slaves"), PLACE_SLAVE, view);
	read_nodes(reading, json_object_get(from, "lost"), PLACE_LOST, view);
	board_put(board, view);
	view_unref(&view);
}

static void read_clusterless(struct reading *reading, const json_t *list, struct board **board)
{
	struct view *view = view_new_empty();

	read_nodes(reading, list, PLACE_CLUSTERLESS, view);
	board_put(board, view);
	view_unref(&view);
}

/* Returns the view's node of this host and port; NULL: it has none. */
static const struct node_view *find_in(const struct view *view, const char *host, int port)
{
	for (int place = PLACE_CLUSTERLESS; place <= PLACE_LOST; place++) {
		struct view_walk walk = view_walk(view, (enum place)place);
		const struct node_view *node;

		while ((node = view_walk_next(&walk)) != NULL) {
			if (strcmp(node->host, host) == 0 && node->port == port)
				return node;
		}
	}
	return NULL;
}

/* Returns where the event's picture has the node; PLACE_LOST: it has not. */
static enum place place_in(const struct event *event, const json_t *node)
{
	const char *host = get_text(node, "host");
	int port = get_int(node, "port", DEFAULT_PORT);
	const struct node_view *found = NULL;

	if (host != NULL && (found = find_in(event->view, host, port)) == NULL)
		found = find_in(event->others, host, port);
	return found != NULL ? found->state : PLACE_LOST;
}

static void read_witnesses(struct reading *reading, const json_t *list, struct event *event)
{
	size_t count = json_array_size(list);

	event->witnesses = mem_zalloc(count, sizeof(struct node_view *));
	for (event->witness_count = 0; event->witness_count < count; event->witness_count++)
		event->witnesses[event->witness_count] = read_node(
			reading, json_array_get(list, event->witness_count), PLACE_SLAVE, event->cluster_id);
}

/* Reads what monitors are said to see of the event's node, in the shape of the Lua API; NULL: nothing is said. */
static struct votes *read_votes(struct reading *reading, const json_t *list)
{
	struct votes *votes;

	if (list == NULL)
		return NULL;
	votes = votes_new();
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *vote = json_array_get(list, i);
		const char *monitor = get_text(vote, "monitor");
		const char *sees = get_text(vote, "sees");
		enum vote_says says = sees != NULL ? vote_says_parse(sees) : VOTE_SAYS;

		if (monitor == NULL || says == VOTE_SAYS)
			complain(reading, "a vote is wrong",
				 "{\"monitor\": \"name\", \"sees\": \"answers\", \"fails\", \"cannot say\" or \"open\"}");
		else
			votes_add(votes, monitor, says, read_reason(reading, get_text(vote, "reason")));
	}
	return votes;
}

/* Whether the event is about the monitor itself: it is of no cluster, and shows no node. */
static bool is_of_monitor(enum event_kind kind)
{
	return kind == EVENT_MONITOR_ISOLATED || kind == EVENT_MONITOR_RECONNECTED;
}

/* Makes the event that `from` tells of, in its cluster as the board shows it. */
static struct event *read_event(struct reading *reading, const json_t *from, enum event_kind kind,
				const struct board *board)
{
	const char *id = get_text(from, "id");
	const json_t *node = json_object_get(from, "trigger");
	const json_t *rival = json_object_get(from, "rival");
	bool is_own = is_of_monitor(kind);
	struct view *view = is_own ? NULL : board_find(board, get_int(from, "cluster_id", 0));
	struct view *none = view_new_empty();
	char made[48];
	struct event *event;

	(void)snprintf(made, sizeof(made), "%lld-1", (long long)(reading->now_ms / 1000));
	event = event_new(kind, id != NULL ? id : made, view != NULL ? view : none,
			  is_own ? none : board->clusterless, get_ms(from, "time", reading->now_ms));
	view_unref(&none);
	event->rule = read_rule(reading, get_text(from, "rule"));
	event->restored = json_is_true(json_object_get(from, "restored"));
	event->term = get_int(from, "term", 0);
	event->again = json_is_true(json_object_get(from, "rerun"));
	event->votes = read_votes(reading, json_object_get(from, "votes"));
	read_witnesses(reading, json_object_get(from, "witnesses"), event);
	if (json_is_object(node))
		event->node = read_node(reading, node, place_in(event, node), event->cluster_id);
	if (json_is_object(rival))
		event->rival = read_node(reading, rival, PLACE_MASTER, get_int(rival, "cluster_id", -1));
	return event;
}

static void begin(struct reading *reading, struct picture *picture, char **error)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*error = NULL;
	*picture = (struct picture){ .board = board_new() };
	*reading = (struct reading){
		.error = error,
		.now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
	};
}

static json_t *parse(struct reading *reading, const char *text, size_t len)
{
	json_error_t wrong;
	json_t *root = json_loadb(text, len, 0, &wrong);

	if (root == NULL)
		*reading->error = mem_printf("line %d, column %d: %s", wrong.line, wrong.column,
					     wrong.text);
	else if (!json_is_object(root))
		complain(reading, "is no object", "{\"name\": \"master_up\", ...}");
	return root;
}

bool picture_of_event(struct picture *picture, const char *text, size_t len, enum event_kind kind,
		      char **error)
{
	struct reading reading;
	json_t *root;

	begin(&reading, picture, error);
	root = parse(&reading, text, len);
	if (*error == NULL && kind == EVENT_NONE && get_text(root, "name") != NULL)
		kind = event_kind_parse(get_text(root, "name"));
	if (*error == NULL && kind == EVENT_NONE)
		complain(&reading, "has no \"name\" of an event", event_names_text);
	if (*error == NULL) {
		read_cluster(&reading, root, &picture->board);
		read_clusterless(&reading, json_object_get(root, "clusterless"), &picture->board);
		picture->event = read_event(&reading, root, kind, picture->board);
	}
	json_decref(root);
	if (*error != NULL)
		picture_clear(picture);
	return *error == NULL;
}

/* Takes the first node of a list of the cluster's out of it; NULL: it is empty. */
static json_t *take_first(json_t *cluster, const char *key)
{
	json_t *list = json_object_get(cluster, key);
	json_t *node = json_array_get(list, 0);

	if (node != NULL) {
		json_incref(node);
		(void)json_array_remove(list, 0);
	}
	return node;
}

/* Puts the node among the lost, as if nobody listened there any more. */
static void let_down(json_t *cluster, json_t *node)
{
	(void)json_object_set_new(node, "reason", json_string("refused"));
	(void)json_object_set_new(node, "message", json_string("as if: run-trigger"));
	(void)json_array_insert(json_object_get(cluster, "lost"), 0, node);
}

/* Changes the cluster to what it is after such an event, and returns the node that the event is about; NULL: none. */
static json_t *pretend(json_t *cluster, enum event_kind kind)
{
	json_t *node = NULL;

	switch (kind) {
	case EVENT_MASTER_UP:
	case EVENT_CLUSTER_CREATED:
	case EVENT_SPLIT_BRAIN:
		node = json_incref(json_object_get(cluster, "master"));
		break;
	case EVENT_MASTER_DOWN:
		node = json_incref(json_object_get(cluster, "master"));
		if (json_is_object(node)) {
			(void)json_object_set_new(cluster, "master", json_null());
			let_down(cluster, node);
		}
		break;
	case EVENT_SLAVE_DOWN:
		node = take_first(cluster, "slaves");
		if (node == NULL)
			node = take_first(cluster, "lost");
		if (node != NULL)
			let_down(cluster, node);
		break;
	case EVENT_NODE_HELD:
		node = json_incref(json_object_get(cluster, "master"));
		if (json_is_object(node)) {
			(void)json_object_set_new(node, "reason", json_string("full"));
			(void)json_object_set_new(node, "message", json_string("as if: run-trigger"));
		}
		break;
	case EVENT_MASTER_UNREACHABLE:
		node = json_incref(json_object_get(cluster, "master"));
		if (json_is_object(node)) {
			(void)json_object_set_new(node, "reason", json_string("hung"));
			(void)json_object_set_new(node, "message", json_string("as if: run-trigger"));
			(void)json_object_set(cluster, "witnesses", json_object_get(cluster, "slaves"));
		}
		break;
	case EVENT_SLAVE_UP:
		node = take_first(cluster, "slaves");
		if (node == NULL)
			node = take_first(cluster, "lost");
		if (node != NULL)
			(void)json_array_insert(json_object_get(cluster, "slaves"), 0, node);
		break;
	default:
		break;
	}
	return node;
}

/*
 * Returns who would be the rival of the first cluster's master: the next cluster's master, else a slave as if it were
 * one. NULL: nobody would.
 */
static json_t *pretend_rival(json_t *clusters)
{
	json_t *rival = json_object_get(json_array_get(clusters, 1), "master");

	return json_is_object(rival) ? rival : json_array_get(json_object_get(json_array_get(clusters, 0), "slaves"), 0);
}

static bool is_about_a_node(enum event_kind kind)
{
	return kind != EVENT_PLUSMOIN_UP && kind != EVENT_HEARTBEAT && !is_of_monitor(kind);
}

bool picture_of_status(struct picture *picture, const char *text, size_t len, enum event_kind kind,
		       char **error)
{
	struct reading reading;
	json_t *root;
	json_t *clusters;
	json_t *cluster;
	json_t *node = NULL;

	begin(&reading, picture, error);
	root = parse(&reading, text, len);
	clusters = json_object_get(root, "clusters");
	cluster = json_array_get(clusters, 0);
	if (*error == NULL && cluster == NULL && !is_of_monitor(kind))
		complain(&reading, "the daemon knows no cluster now", "an event's JSON in a file");
	if (*error == NULL && is_about_a_node(kind)) {
		node = pretend(cluster, kind);
		if (!json_is_object(node))
			complain(&reading, "the daemon knows no node that it could happen to",
				 "an event's JSON in a file");
	}
	for (size_t i = 0; *error == NULL && i < json_array_size(clusters); i++)
		read_cluster(&reading, json_array_get(clusters, i), &picture->board);
	if (*error == NULL) {
		read_clusterless(&reading, json_object_get(root, "clusterless"), &picture->board);
		(void)json_object_set(cluster, "trigger", node);
		if (kind == EVENT_SPLIT_BRAIN)
			(void)json_object_set(cluster, "rival", pretend_rival(clusters));
		picture->event = read_event(&reading, cluster, kind, picture->board);
	}
	json_decref(node);
	json_decref(root);
	if (*error != NULL)
		picture_clear(picture);
	return *error == NULL;
}

void picture_clear(struct picture *picture)
{
	event_unref(&picture->event);
	board_unref(&picture->board);
	*picture = (struct picture){ 0 };
}
