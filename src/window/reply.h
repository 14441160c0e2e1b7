/* Answers to HTTP requests, with the headers that all of them have. Window thread. */
#pragma once

#include <microhttpd.h>

#include "base/buf.h"
#include "base/json.h"

#define TYPE_JSON "application/json; charset=utf-8"
#define TYPE_TEXT "text/plain; charset=utf-8"

/* A response with our headers (`type` NULL: there is no body), which owns the text of `body` afterwards; never NULL. The caller's reference. */
struct MHD_Response *reply_new(struct buf *body, const char *type);

/*
 * The same of a text of unknown length, which `reader` gives in blocks of up to so many bytes; `end` is called with
 * `data` when nobody needs it any more.
 */
struct MHD_Response *reply_new_reader(size_t block_bytes, MHD_ContentReaderCallback reader, void *data,
				      MHD_ContentReaderFreeCallback end, const char *type);

/* Gives it as the answer, and drops the caller's reference. */
enum MHD_Result reply_send(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response);

/* An answer of one line; takes `line`. */
enum MHD_Result reply_line(struct MHD_Connection *connection, unsigned status, char *line);

/* An answer in JSON; takes the text of `body`. */
enum MHD_Result reply_json(struct MHD_Connection *connection, unsigned status, struct buf *body);

/* The value of that header or argument; NULL: the request has none. */
const char *reply_header(struct MHD_Connection *connection, const char *name);
const char *reply_argument(struct MHD_Connection *connection, const char *name);
