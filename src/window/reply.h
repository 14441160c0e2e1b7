/* Answers to HTTP requests, with the headers that all of them have. Window thread. */
#pragma once

#include <microhttpd.h>

#include "base/buf.h"
#include "base/json.h"

#define TYPE_JSON "application/json; charset=utf-8"
#define TYPE_TEXT "text/plain; charset=utf-8"

/* Makes a response with our headers, which owns the text of `body`. `type` NULL: it has no body. Never NULL. */
struct MHD_Response *reply_new(struct buf *body, const char *type);

/*
 * Makes a response of unknown length. `reader` gives its text in blocks of up to so many bytes. `end` is called with
 * `data` when the response is freed.
 */
struct MHD_Response *reply_new_reader(size_t block_bytes, MHD_ContentReaderCallback reader, void *data,
				      MHD_ContentReaderFreeCallback end, const char *type);

/* Sends the response as the answer, and drops the caller's reference. */
enum MHD_Result reply_send(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response);

/* Answers with one line, and frees `line`. */
enum MHD_Result reply_line(struct MHD_Connection *connection, unsigned status, char *line);

/* Answers with JSON, and takes the text out of `body`. */
enum MHD_Result reply_json(struct MHD_Connection *connection, unsigned status, struct buf *body);

/* Return the value of a header, or of an argument of the URL; NULL: the request has none. */
const char *reply_header(struct MHD_Connection *connection, const char *name);
const char *reply_argument(struct MHD_Connection *connection, const char *name);
