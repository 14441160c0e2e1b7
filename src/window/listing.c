#include "window/listing.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/health.h"
#include "window/checks.h"
#include "window/reply.h"
#include "window/visitors.h"

#define BLOCK_BYTES 32768
#define PART_NODES 50 /* rendered at once, in half a millisecond */
#define SMALL_PART_NODES 5 /* the same while many clients are connected (visitors.h) */
#define NEAR_A_SECOND 50 /* unknown names that are compared with all nodes: half a millisecond each for 5,000 */

/* ---- all, in parts ---- */

struct all_pages {
	const struct visitors *visitors;
	struct board_reader reader;
	struct buf text;
	struct json json;
	size_t sent; /* bytes of the text */
	bool ended;  /* all nodes are rendered */
};

static void render_more(struct all_pages *all)
{
	int nodes = visitors_are_many(all->visitors) ? SMALL_PART_NODES : PART_NODES;

	buf_clear(&all->text);
	all->sent = 0;
	if (board_read(&all->reader, nodes, &all->json))
		return;
	jsonw_end_object(&all->json);
	buf_add_char(&all->text, '\n');
	all->ended = true;
}

static ssize_t on_read(void *data, uint64_t position, char *out, size_t most)
{
	struct all_pages *all = data;
	size_t len;

	(void)position;
	while (all->sent == all->text.len && !all->ended)
		render_more(all);
	len = all->text.len - all->sent;
	if (len == 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (len > most)
		len = most;
	memcpy(out, all->text.data + all->sent, len);
	all->sent += len;
	return (ssize_t)len;
}

static void on_free(void *data)
{
	struct all_pages *all = data;

	board_read_end(&all->reader);
	buf_free(&all->text);
	free(all);
}

static enum MHD_Result answer_not_yet(struct visit *visit)
{
	return reply_line(visit->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			  mem_strdup("plusmoin has seen nothing yet"));
}

enum MHD_Result listing_answer_all(struct visit *visit)
{
	const struct pane *pane = visit->desk->facts.pane;
	struct all_pages *all;

	if (pane == NULL)
		return answer_not_yet(visit);
	all = mem_zalloc(1, sizeof(*all));
	all->visitors = visit->desk->visitors;
	all->json.out = &all->text;
	jsonw_begin_object(&all->json);
	jsonw_key(&all->json, "isolated");
	if (pane->is_isolated)
		jsonw_seconds(&all->json, pane->isolated_ms);
	else
		jsonw_null(&all->json);
	if (pane->stand != NULL) {
		jsonw_key(&all->json, "monitor");
		jsonw_string(&all->json, pane->stand);
	}
	board_read_begin(&all->reader, pane->board, &all->json);
	return reply_send(visit->connection, MHD_HTTP_OK,
			  reply_new_reader(BLOCK_BYTES, on_read, all, on_free, TYPE_JSON));
}

/* ---- a cluster ---- */

static enum MHD_Result answer_no_cluster(struct visit *visit, const struct board *board)
{
	struct buf ids = { 0 };
	size_t count = 0;
	char *line;

	for (const struct view *view = board_next(board, -1); view != NULL && count < 20;
	     view = board_next(board, view->cluster_id))
		buf_addf(&ids, "%s%d", count++ > 0 ? ", " : "", view->cluster_id);
	if (board->cluster_count > count)
		buf_add_str(&ids, ", ...");
	line = mem_printf("there is no such cluster; there are: %s", count > 0 ? buf_text(&ids) : "none");
	buf_free(&ids);
	return reply_line(visit->connection, MHD_HTTP_NOT_FOUND, line);
}

/* Returns the number before `end`; -1: there is none. */
static int parse_id(const char *text, const char *end)
{
	char *stop;
	long id;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	id = strtol(text, &stop, 10);
	return errno == 0 && id <= INT_MAX && stop == end ? (int)id : -1;
}

enum MHD_Result listing_answer_cluster(struct visit *visit, const char *rest)
{
	const struct pane *pane = visit->desk->facts.pane;
	const char *end = rest + strcspn(rest, "/");
	int id = parse_id(rest, end);
	const struct view *cluster = pane != NULL && id >= 0 ? board_find(pane->board, id) : NULL;
	struct buf body = { 0 };
	struct json json = { .out = &body };

	if (pane == NULL)
		return answer_not_yet(visit);
	if (cluster == NULL)
		return answer_no_cluster(visit, pane->board);
	if (strcmp(end, "/primary") == 0 || strcmp(end, "/master") == 0)
		return checks_answer_master(visit, cluster);
	if (*end != '\0')
		return reply_line(visit->connection, MHD_HTTP_NOT_FOUND, mem_strdup("behind a cluster's id there is: /primary"));
	jsonw_begin_object(&json);
	jsonw_key(&json, "cluster");
	view_render(cluster, true, &json);
	diary_render_cluster(&visit->desk->facts.diary, id, &json);
	jsonw_end_object(&json);
	return reply_json(visit->connection, MHD_HTTP_OK, &body);
}

/* ---- a node ---- */

static enum MHD_Result answer_no_node(struct visit *visit, const char *name, bool several)
{
	struct buf near = { 0 };
	char *line;

	if (several)
		line = mem_strdup("several nodes have this name: \"host:port\" tells which");
	else if (pace_allows(&visit->desk->near_pace, NEAR_A_SECOND) &&
		 finder_add_near(visit->desk->facts.pane->board, name, &near))
		line = mem_printf("there is no such node; the nearest are: %s", buf_text(&near));
	else
		line = mem_strdup("there is no such node; /clusters has all of them");
	buf_free(&near);
	return reply_line(visit->connection, MHD_HTTP_NOT_FOUND, line);
}

static enum MHD_Result answer_node(struct visit *visit, const struct node_view *node)
{
	struct buf body = { 0 };
	struct json json = { .out = &body };
	char *id = mem_printf("%s:%d", node->host, node->port);

	jsonw_begin_object(&json);
	jsonw_key(&json, "node");
	node_view_render(node, true, &json);
	diary_render_node(&visit->desk->facts.diary, id, &json);
	jsonw_end_object(&json);
	free(id);
	return reply_json(visit->connection, MHD_HTTP_OK, &body);
}

static enum MHD_Result answer_explain(struct visit *visit, const struct node_view *node)
{
	struct desk *desk = visit->desk;
	struct buf body = { 0 };
	unsigned long number;
	char *id;

	if (visit->answered) {
		if (visit->text == NULL)
			return reply_line(visit->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
					  mem_strdup("plusmoin's monitor did not answer in time"));
		buf_add_str(&body, visit->text);
		return reply_json(visit->connection, MHD_HTTP_OK, &body);
	}
	number = waiting_begin(&desk->waiting, visit->connection, &visit->text, &visit->answered);
	if (number == 0)
		return reply_line(visit->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				  mem_strdup("too many explanations are asked for at once"));
	id = mem_printf("%s:%d", node->host, node->port);
	asking_put(&desk->askings, number, id);
	free(id);
	desk->wake_monitor(desk->data);
	return MHD_YES;
}

/* Returns what follows the last slash, if it is "explain" or the word of a check; else NULL. */
static const char *way_of(const char *rest)
{
	const char *slash = strrchr(rest, '/');
	enum health health;

	if (slash == NULL || slash == rest)
		return NULL;
	return strcmp(slash, "/explain") == 0 || health_parse(slash + 1, &health) ? slash + 1 : NULL;
}

bool listing_is_check(const char *rest)
{
	const char *way = way_of(rest);

	return way != NULL && strcmp(way, "explain") != 0;
}

static const struct node_view *find(struct visit *visit, const char *name, bool *several)
{
	struct facts *facts = &visit->desk->facts;

	return finder_find(&facts->finder, facts->pane->board, name, several);
}

/* The way ("explain", or a check's word) follows the last slash, because a host may be a directory with slashes. */
enum MHD_Result listing_answer_node(struct visit *visit, const char *rest)
{
	const char *way = way_of(rest);
	char *name = way != NULL ? mem_strndup(rest, (size_t)(way - 1 - rest)) : mem_strdup(rest);
	const struct node_view *node;
	enum MHD_Result result;
	enum health health;
	bool several = false;

	if (visit->desk->facts.pane == NULL) {
		free(name);
		return answer_not_yet(visit);
	}
	node = find(visit, name, &several);
	if (node == NULL)
		result = answer_no_node(visit, name, several);
	else if (way == NULL)
		result = answer_node(visit, node);
	else if (health_parse(way, &health))
		result = checks_answer_node(visit, node, health);
	else
		result = answer_explain(visit, node);
	free(name);
	return result;
}
