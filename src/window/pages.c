#include "window/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "window/checks.h"
#include "window/listing.h"
#include "window/reply.h"
#include "window/stream.h"
#include "window/scrape.h"

typedef enum MHD_Result page_answer(struct visit *visit);

static enum MHD_Result answer_index(struct visit *visit);

static enum MHD_Result answer_status(struct visit *visit)
{
	const struct status_text *status = &visit->desk->facts.status;
	const char *known = reply_header(visit->connection, MHD_HTTP_HEADER_IF_NONE_MATCH);
	struct buf none = { 0 };
	struct MHD_Response *response;

	if (status->response == NULL)
		return reply_line(visit->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				  mem_strdup("plusmoin has not written a status yet"));
	if (known == NULL || strstr(known, status->etag) == NULL)
		return MHD_queue_response(visit->connection, MHD_HTTP_OK, status->response);
	response = reply_new(&none, NULL);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, status->etag);
	return reply_send(visit->connection, MHD_HTTP_NOT_MODIFIED, response);
}

/* ---- the table ---- */

#define ALLOWED "GET, HEAD, OPTIONS"

static const struct page {
	const char *path;
	bool is_check; /* it answers OPTIONS as it answers GET, because load balancers use both */
	page_answer *answer;
	const char *says; /* for people */
} pages[] = {
	{ "/", false, answer_index, "this list" },
	{ "/status.json", false, answer_status, "the status file" },
	{ "/clusters", false, listing_answer_all, "all clusters and nodes, with all that is known of them" },
	{ "/events", false, stream_answer, "what happens, as Server-Sent Events; ?since=ID waits for what comes after it" },
	{ "/metrics", false, scrape_answer, "for Prometheus" },
	{ "/live", true, checks_answer_live, "200 while the monitor's loop turns" },
	{ "/ready", true, checks_answer_ready, "200 when the first rounds are over" },
};

/* The paths that name a node or a cluster; listing.c answers them, and these rows only list them for people. */
static const struct page ways[] = {
	{ "/clusters/ID", false, NULL, "one of them" },
	{ "/clusters/ID/primary", true, NULL, "its master's host:port, or 503 and why there is none" },
	{ "/nodes/NODE", false, NULL, "one node, with its last events; NODE: its name, or host:port" },
	{ "/nodes/NODE/explain", false, NULL, "why it is where it is, as plusmoin explain says it" },
	{ "/nodes/NODE/primary", true, NULL, "200 or 503: it is the master (also /master, /read-write)" },
	{ "/nodes/NODE/replica", true, NULL, "200 or 503: it is a slave in sync; ?lag=SECONDS is how far it may be behind" },
	{ "/nodes/NODE/read-only", true, NULL, "200 or 503: it is one of the two" },
	{ "/nodes/NODE/health", true, NULL, "200 or 503: it is in its place" },
};

static void add_rows(struct buf *body, const struct page *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_addf(body, "%-22s %s\n", rows[i].path, rows[i].says);
}

static enum MHD_Result answer_index(struct visit *visit)
{
	struct buf body = { 0 };

	buf_addf(&body, "plusmoin %s\n\n", PLUSMOIN_VERSION);
	add_rows(&body, pages, sizeof(pages) / sizeof(pages[0]));
	add_rows(&body, ways, sizeof(ways) / sizeof(ways[0]));
	return reply_send(visit->connection, MHD_HTTP_OK, reply_new(&body, TYPE_TEXT));
}

static enum MHD_Result answer_options(struct visit *visit)
{
	struct buf none = { 0 };
	struct MHD_Response *response = reply_new(&none, NULL);

	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, ALLOWED);
	return reply_send(visit->connection, MHD_HTTP_NO_CONTENT, response);
}

static enum MHD_Result answer_unknown(struct visit *visit)
{
	return reply_line(visit->connection, MHD_HTTP_NOT_FOUND, mem_strdup("there is no such page; / lists all pages"));
}

static const char *behind(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(path, prefix, len) == 0 && path[len] != '\0' ? path + len : NULL;
}

static enum MHD_Result answer_page(struct visit *visit, const struct page *page)
{
	if (visit->method == METHOD_OPTIONS && !page->is_check)
		return answer_options(visit);
	return page->answer(visit);
}

enum MHD_Result pages_answer(struct visit *visit)
{
	const char *node = behind(visit->path, "/nodes/");
	const char *cluster = behind(visit->path, "/clusters/");

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(visit->path, pages[i].path) == 0)
			return answer_page(visit, &pages[i]);
	}
	if (node != NULL)
		return listing_is_check(node) || visit->method != METHOD_OPTIONS ? listing_answer_node(visit, node)
									       : answer_options(visit);
	if (cluster != NULL)
		return listing_answer_cluster(visit, cluster);
	return visit->method == METHOD_OPTIONS && strcmp(visit->path, "*") == 0 ? answer_options(visit)
										 : answer_unknown(visit);
}
