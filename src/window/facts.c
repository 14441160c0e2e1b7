#include "window/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "loop/clock.h"
#include "window/reply.h"

static void write_etag(char out[ETAG_BYTES], const char *text, size_t len)
{
	(void)snprintf(out, ETAG_BYTES, "\"%016" PRIx64 "\"", hash64_bytes(HASH64_BEGIN, text, len));
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
	int64_t since_ms = clock_steady_ms() - gauge_read(&facts->meters->turned_ms);

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
