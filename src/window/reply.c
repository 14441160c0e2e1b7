#include "window/reply.h"

#include <stdlib.h>

#include "base/mem.h"

static const struct {
	const char *name;
	const char *value;
} headers[] = {
	{ MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache" },
	{ "X-Content-Type-Options", "nosniff" },
	{ MHD_HTTP_HEADER_SERVER, "plusmoin" },
};

/* Adds our headers to a new response. NULL means that there is no memory, which is fatal. */
static struct MHD_Response *with_headers(struct MHD_Response *response, const char *type)
{
	if (response == NULL)
		abort();
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		(void)MHD_add_response_header(response, headers[i].name, headers[i].value);
	if (type != NULL)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	return response;
}

struct MHD_Response *reply_new(struct buf *body, const char *type)
{
	size_t len = body->len;

	if (len == 0)
		buf_add_str(body, ""); /* so that the text is not NULL */
	return with_headers(MHD_create_response_from_buffer(len, buf_steal(body), MHD_RESPMEM_MUST_FREE), type);
}

struct MHD_Response *reply_new_reader(size_t block_bytes, MHD_ContentReaderCallback reader, void *data,
				      MHD_ContentReaderFreeCallback end, const char *type)
{
	return with_headers(MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, block_bytes, reader, data, end), type);
}

enum MHD_Result reply_send(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
	enum MHD_Result result = MHD_queue_response(connection, status, response);

	MHD_destroy_response(response);
	return result;
}

enum MHD_Result reply_line(struct MHD_Connection *connection, unsigned status, char *line)
{
	struct buf body = { 0 };

	buf_addf(&body, "%s\n", line);
	free(line);
	return reply_send(connection, status, reply_new(&body, TYPE_TEXT));
}

enum MHD_Result reply_json(struct MHD_Connection *connection, unsigned status, struct buf *body)
{
	buf_add_char(body, '\n');
	return reply_send(connection, status, reply_new(body, TYPE_JSON));
}

const char *reply_header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

const char *reply_argument(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}
