#include "window/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "window/reply.h"

static void write_etag(char out[ETAG_BYTES], const char *text, size_t len)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
	(void)snprintf(out, ETAG_BYTES, "\"%016" PRIx64 "\"", hash);
}

static void drop_status(struct status_text *status)
{
	if (status->response != NULL)
		MHD_destroy_response(status->response);
	*status = (struct status_text){ 0 };
}

void facts_take_status(struct facts *facts, char *text)
{
	struct buf body = { .data = text, .len = strlen(text) };

	drop_status(&facts->status);
	write_etag(facts->status.etag, body.data, body.len);
	facts->status.response = reply_new(&body, TYPE_JSON);
	(void)MHD_add_response_header(facts->status.response, MHD_HTTP_HEADER_ETAG, facts->status.etag);
}

int64_t facts_stale_ms(const struct facts *facts)
{
	int64_t since_ms = (int64_t)(uv_hrtime() / 1000000) -
			   atomic_load_explicit(facts->turned_ms, memory_order_relaxed);

	return facts->terms != NULL && since_ms > facts->terms->stale_ms ? since_ms : 0;
}

void facts_free(struct facts *facts)
{
	drop_status(&facts->status);
	finder_free(&facts->finder);
	diary_free(&facts->diary);
	pane_unref(&facts->pane);
	terms_free(&facts->terms);
}
