#include "daemon/asker.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "system/identity.h"

struct question {
	uid_t uid;
	int64_t end_ms; /* steady */
	void (*found)(void *data, const char *name);
	void *data;
};

/* A look-up. It is an allocation of its own, because it may outlast the asker. */
struct look_up {
	uv_work_t work;
	struct asker *asker; /* NULL: the asker was freed meanwhile */
	uid_t uid;
	char *name; /* NULL: there is no such user */
};

struct asker {
	uv_loop_t *loop;
	struct list waiting; /* struct question *, the oldest first */
	struct look_up *look_up; /* under way; NULL: none is */
	struct timer *timer;
};

static void look_up_next(struct asker *asker);

/* Runs in a thread of libuv's pool. */
static void on_work(uv_work_t *work)
{
	struct look_up *look_up = work->data;
	struct identity identity;

	if (identity_find_uid(look_up->uid, &identity))
		look_up->name = mem_strdup(identity.user);
	identity_free(&identity);
}

static const struct question *first_question(const struct asker *asker)
{
	return asker->waiting.items[0];
}

/* Answers the first question with the name; NULL: with the user's number. */
static void answer(struct asker *asker, const char *name)
{
	struct question *question = list_shift(&asker->waiting);
	char *number = mem_printf("%ld", (long)question->uid);

	question->found(question->data, name != NULL ? name : number);
	free(number);
	free(question);
}

static void on_done(uv_work_t *work, int status)
{
	struct look_up *look_up = work->data;
	struct asker *asker = look_up->asker;

	(void)status;
	if (asker != NULL) {
		asker->look_up = NULL;
		while (asker->waiting.count > 0 && first_question(asker)->uid == look_up->uid)
			answer(asker, look_up->name);
		look_up_next(asker);
	}
	free(look_up->name);
	free(look_up);
}

static void look_up_next(struct asker *asker)
{
	const struct question *first = asker->waiting.count > 0 ? asker->waiting.items[0] : NULL;
	struct look_up *look_up;

	if (first == NULL || asker->look_up != NULL)
		return;
	look_up = mem_zalloc(1, sizeof(*look_up));
	look_up->work.data = look_up;
	look_up->asker = asker;
	look_up->uid = first->uid;
	asker->look_up = look_up;
	(void)uv_queue_work(asker->loop, &look_up->work, on_work, on_done);
}

static void set_timer(struct asker *asker)
{
	const struct question *first = asker->waiting.count > 0 ? asker->waiting.items[0] : NULL;
	int64_t left_ms = first != NULL ? first->end_ms - clock_steady_ms() : 0;

	if (first != NULL)
		timer_start(asker->timer, left_ms > 0 ? left_ms : 0);
}

static void on_time(void *data)
{
	struct asker *asker = data;

	while (asker->waiting.count > 0 && first_question(asker)->end_ms <= clock_steady_ms())
		answer(asker, NULL);
	set_timer(asker);
}

void asker_find(struct asker *asker, uid_t uid, void (*found)(void *data, const char *name), void *data)
{
	struct question *question = mem_alloc(sizeof(*question));

	*question = (struct question){ .uid = uid, .end_ms = clock_steady_ms() + ASKER_MS, .found = found, .data = data };
	list_add(&asker->waiting, question);
	if (!timer_is_set(asker->timer))
		set_timer(asker);
	look_up_next(asker);
}

struct asker *asker_new(uv_loop_t *loop)
{
	struct asker *asker = mem_zalloc(1, sizeof(*asker));

	asker->loop = loop;
	asker->timer = timer_new(loop, on_time, asker);
	return asker;
}

void asker_free(struct asker **asker_p)
{
	struct asker *asker = *asker_p;
	void *question;

	*asker_p = NULL;
	if (asker == NULL)
		return;
	if (asker->look_up != NULL)
		asker->look_up->asker = NULL;
	while ((question = list_shift(&asker->waiting)) != NULL)
		free(question);
	list_free(&asker->waiting);
	timer_free(&asker->timer);
	free(asker);
}
