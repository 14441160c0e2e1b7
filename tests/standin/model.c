#include "standin/model.h"

#include <stdlib.h>

#include "base/mem.h"

#define COMING_MOST 1000 /* then the oldest is shown before its time */

struct coming {
	int64_t due_ms;
	struct row row;
};

/* Shows the first of what is to come. */
static void show_next(struct model *model)
{
	struct coming *coming = list_shift(&model->coming);

	model->row = coming->row;
	model->has_row = true;
	free(coming);
}

static void send(struct model *model, const struct row *row, int64_t due_ms, int64_t now_ms)
{
	for (size_t i = 0; i < model->followers.count; i++) {
		struct model *follower = model->followers.items[i];
		int64_t shown_ms = due_ms + follower->lag_ms;

		if (shown_ms <= now_ms && follower->coming.count == 0) {
			follower->row = *row;
			follower->has_row = true;
		} else {
			struct coming *coming = mem_zalloc(1, sizeof(*coming));

			coming->due_ms = shown_ms;
			coming->row = *row;
			list_add(&follower->coming, coming);
			if (follower->coming.count > COMING_MOST)
				show_next(follower);
		}
		send(follower, row, shown_ms, now_ms);
	}
}

void model_write(struct model *model, const struct row *row, int64_t now_ms)
{
	model->row = *row;
	model->has_row = true;
	send(model, row, now_ms, now_ms);
}

void model_make_table(struct model *model)
{
	model->has_table = true;
	for (size_t i = 0; i < model->followers.count; i++)
		model_make_table(model->followers.items[i]);
}

const struct row *model_row(struct model *model, int64_t now_ms)
{
	while (model->coming.count > 0 && ((struct coming *)model->coming.items[0])->due_ms <= now_ms)
		show_next(model);
	return model->has_row ? &model->row : NULL;
}

static void leave_upstream(struct model *model)
{
	if (model->upstream != NULL)
		list_remove(&model->upstream->followers, model);
	model->upstream = NULL;
}

void model_follow(struct model *model, struct model *upstream, int64_t now_ms)
{
	const struct row *row = model_row(upstream, now_ms);

	leave_upstream(model);
	while (model->coming.count > 0)
		free(list_shift(&model->coming));
	model->upstream = upstream;
	list_add(&upstream->followers, model);
	model->has_table = upstream->has_table;
	model->has_row = row != NULL;
	if (row != NULL)
		model->row = *row;
}

void model_promote(struct model *model)
{
	while (model->coming.count > 0)
		show_next(model);
	leave_upstream(model);
	model->timeline++;
}

void model_clear(struct model *model)
{
	while (model->coming.count > 0)
		free(list_shift(&model->coming));
	list_free(&model->coming);
	list_free(&model->followers);
	free(model->facts);
	free(model->shape);
}
