#include "window/gatekeeper.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "window/pages.h"
#include "window/reply.h"
#include "window/stream.h"
#include "window/visitors.h"

#define HEADERS_MOST 8192 /* bytes, with the first line */

/* Returns false for any other method: the window is read-only. */
static bool parse_method(const char *text, enum method *method)
{
	static const char *const names[] = {
		[METHOD_GET] = "GET",
		[METHOD_HEAD] = "HEAD",
		[METHOD_OPTIONS] = "OPTIONS",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*method = (enum method)i;
			return true;
		}
	}
	return false;
}

static enum MHD_Result refuse_and_close(struct MHD_Connection *connection, unsigned status, const char *line)
{
	struct buf body = { 0 };
	struct MHD_Response *response;

	buf_addf(&body, "%s\n", line);
	response = reply_new(&body, TYPE_TEXT);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, OPTIONS");
	return reply_send(connection, status, response);
}

struct lengths {
	unsigned count; /* of Content-Length */
	bool has_body;
};

static enum MHD_Result on_length(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct lengths *lengths = data;

	(void)kind;
	if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0)
		lengths->has_body = true;
	if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) != 0)
		return MHD_YES;
	if (++lengths->count > 1 || value == NULL || strcmp(value, "0") != 0)
		lengths->has_body = true;
	return MHD_YES;
}

/*
 * Whether the request has a body, or more than one Content-Length. Such a request is refused, because a proxy before us
 * may see its end elsewhere than we do (request smuggling).
 */
static bool has_body(struct MHD_Connection *connection)
{
	struct lengths lengths = { 0 };

	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, on_length, &lengths);
	return lengths.has_body;
}

/* libmicrohttpd itself only limits the connection's memory, which other things need as well. */
static bool is_too_long(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info != NULL && info->header_size > HEADERS_MOST;
}

static enum MHD_Result begin(struct desk *desk, struct MHD_Connection *connection, const char *method_name, void **context)
{
	struct visitor *visitor = visitors_of(connection);
	struct visit *visit;
	enum method method;

	if (visitor == NULL)
		return MHD_NO;
	visitors_begin(desk->visitors, visitor);
	if (!parse_method(method_name, &method))
		return refuse_and_close(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "the window is read-only: GET, HEAD and OPTIONS");
	if (is_too_long(connection))
		return refuse_and_close(connection, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
					"the headers are longer than 8 KiB");
	if (has_body(connection))
		return refuse_and_close(connection, MHD_HTTP_BAD_REQUEST, "the request has a body: the window reads none");
	visit = mem_zalloc(1, sizeof(*visit));
	visit->desk = desk;
	visit->connection = connection;
	visit->method = method;
	*context = visit;
	return MHD_YES;
}

struct hosts_seen {
	const struct terms *terms;
	bool all_allowed;
};

static enum MHD_Result on_header(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct hosts_seen *seen = data;

	(void)kind;
	if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0 && (value == NULL || !terms_allow_host(seen->terms, value)))
		seen->all_allowed = false;
	return MHD_YES;
}

/*
 * Whether the Host header names us. A page of another site that resolves to our address (DNS rebinding) sends that
 * site's name. A request by a socket file is not checked, because no browser sends one.
 */
static bool is_for_us(const struct visit *visit)
{
	struct hosts_seen seen = { .terms = visit->desk->facts.terms, .all_allowed = true };

	if (visitors_of(visit->connection)->is_local)
		return true;
	(void)MHD_get_connection_values(visit->connection, MHD_HEADER_KIND, on_header, &seen);
	return seen.all_allowed;
}

static enum MHD_Result refuse_unknown(struct visit *visit)
{
	struct buf body = { 0 };
	struct MHD_Response *response;

	buf_add_str(&body, "the token is wrong or missing: Authorization: Bearer TOKEN, as in http.token_file\n");
	response = reply_new(&body, TYPE_TEXT);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"plusmoin\"");
	return reply_send(visit->connection, MHD_HTTP_UNAUTHORIZED, response);
}

enum MHD_Result gatekeeper_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
				   const char *version, const char *upload, size_t *upload_size, void **context)
{
	struct desk *desk = data;
	struct visit *visit = *context;

	(void)version;
	(void)upload;
	*upload_size = 0;
	if (visit == NULL)
		return begin(desk, connection, method, context);
	visit->path = url;
	if (desk->facts.terms == NULL || desk->shuts)
		return reply_line(connection, MHD_HTTP_SERVICE_UNAVAILABLE, mem_strdup("the window is shut"));
	if (!is_for_us(visit))
		return reply_line(connection, MHD_HTTP_MISDIRECTED_REQUEST,
				  mem_strdup("this Host is not one of ours: http.listen, or a name in http.hosts"));
	if (!terms_allow_bearer(desk->facts.terms, reply_header(connection, MHD_HTTP_HEADER_AUTHORIZATION)))
		return refuse_unknown(visit);
	return pages_answer(visit);
}

void gatekeeper_completed(void *data, struct MHD_Connection *connection, void **context,
			  enum MHD_RequestTerminationCode code)
{
	struct visitors *visitors = data;
	struct visitor *visitor = visitors_of(connection);
	struct visit *visit = *context;

	(void)code;
	*context = NULL;
	if (visitor != NULL)
		visitors_end(visitors, visitor);
	if (visit == NULL)
		return;
	waiting_forget(&visit->desk->waiting, connection);
	stream_forget(visit);
	free(visit->text);
	free(visit);
}
