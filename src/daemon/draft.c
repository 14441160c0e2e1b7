#include "daemon/draft.h"

void draft_begin(struct draft *draft, struct board *board, struct buf *rest)
{
	*draft = (struct draft){ .begun = true, .rest = *rest };
	*rest = (struct buf){ 0 };
	draft->json.out = &draft->text;
	jsonw_begin_object(&draft->json);
	jsonw_key(&draft->json, "ok");
	jsonw_bool(&draft->json, true);
	board_read_begin(&draft->reader, board, &draft->json);
}

struct shared_text *draft_part(struct draft *draft)
{
	struct shared_text *whole;

	if (board_read(&draft->reader, DRAFT_NODES, &draft->json))
		return NULL;
	buf_add(&draft->text, buf_text(&draft->rest), draft->rest.len);
	jsonw_end_object(&draft->json);
	whole = shared_text_take(&draft->text);
	draft_drop(draft);
	return whole;
}

void draft_drop(struct draft *draft)
{
	if (!draft->begun)
		return;
	board_read_end(&draft->reader);
	buf_free(&draft->text);
	buf_free(&draft->rest);
	draft->begun = false;
}
