#include "window/scrape.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "window/metrics.h"
#include "window/reply.h"
#include "window/visitors.h"

#define BLOCK_BYTES 65536 /* rendered at once, in half a millisecond */
#define SMALL_BLOCK_BYTES 6144 /* the same while many clients are connected (visitors.h) */

struct scrape {
	const struct visitors *visitors;
	struct metrics_reader reader;
	struct buf text;
	size_t sent; /* bytes of the text */
	bool ended;  /* all samples are rendered */
};

static ssize_t on_read(void *data, uint64_t position, char *out, size_t most)
{
	struct scrape *scrape = data;
	size_t len;

	(void)position;
	if (scrape->sent == scrape->text.len && !scrape->ended) {
		size_t bytes = visitors_are_many(scrape->visitors) ? SMALL_BLOCK_BYTES : BLOCK_BYTES;

		buf_clear(&scrape->text);
		scrape->sent = 0;
		scrape->ended = !metrics_read(&scrape->reader, &scrape->text, bytes);
	}
	len = scrape->text.len - scrape->sent;
	if (len == 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (len > most)
		len = most;
	memcpy(out, scrape->text.data + scrape->sent, len);
	scrape->sent += len;
	return (ssize_t)len;
}

static void on_free(void *data)
{
	struct scrape *scrape = data;

	metrics_end(&scrape->reader);
	buf_free(&scrape->text);
	free(scrape);
}

/* Makes a pane of an empty board, for the time before the monitor has shown one. */
static struct pane *empty_pane(void)
{
	struct board *board = board_new();
	struct pane *pane = pane_new(board);

	board_unref(&board);
	return pane;
}

enum MHD_Result scrape_answer(struct visit *visit)
{
	const struct facts *facts = &visit->desk->facts;
	struct pane *pane = facts->pane != NULL ? pane_ref(facts->pane) : empty_pane();
	struct scrape *scrape = mem_zalloc(1, sizeof(*scrape));

	scrape->visitors = visit->desk->visitors;
	metrics_begin(&scrape->reader, pane, facts->meters, clock_steady_ms());
	pane_unref(&pane);
	return reply_send(visit->connection, MHD_HTTP_OK,
			  reply_new_reader(BLOCK_BYTES, on_read, scrape, on_free, METRICS_TYPE));
}
