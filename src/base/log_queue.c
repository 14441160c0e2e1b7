#include "base/log_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct log_waiting {
	TAILQ_ENTRY(log_waiting) in_all;
	TAILQ_ENTRY(log_waiting) in_worth;
	struct log_text line;
	size_t bytes;
	enum log_worth worth;
};

void log_queue_init(struct log_queue *queue)
{
	*queue = (struct log_queue){ 0 };
	TAILQ_INIT(&queue->all);
	for (int worth = 0; worth < LOG_WORTHS; worth++)
		TAILQ_INIT(&queue->of_worth[worth]);
}

static enum log_worth worth_of(const struct log_text *line, bool spare)
{
	if (spare)
		return WORTH_USER;
	if (line->level == LOG_LEVEL_ERROR)
		return WORTH_ERROR;
	return line->level == LOG_LEVEL_WARNING ? WORTH_WARNING : WORTH_CHANGE;
}

/* Takes a line out of the queue; the caller frees its text. */
static struct log_text take_out(struct log_queue *queue, struct log_waiting *waiting)
{
	struct log_text line = waiting->line;

	TAILQ_REMOVE(&queue->all, waiting, in_all);
	TAILQ_REMOVE(&queue->of_worth[waiting->worth], waiting, in_worth);
	queue->count--;
	queue->bytes -= waiting->bytes;
	queue->user_count -= waiting->worth == WORTH_USER;
	queue->user_bytes -= waiting->worth == WORTH_USER ? waiting->bytes : 0;
	free(waiting);
	return line;
}

static bool has_room(const struct log_queue *queue, enum log_worth worth, size_t bytes)
{
	if (worth == WORTH_USER && (queue->user_count >= LOG_QUEUE_LINES / 2 ||
				    queue->user_bytes + bytes > LOG_QUEUE_BYTES / 2))
		return false;
	return queue->count < LOG_QUEUE_LINES && queue->bytes + bytes <= LOG_QUEUE_BYTES;
}

static void lose(struct log_queue *queue)
{
	queue->lost++;
	queue->lost_ever++;
}

/* Drops the oldest of the lines that matter least, if they matter less than `worth`; false: none does. */
static bool drop_lesser(struct log_queue *queue, enum log_worth worth)
{
	for (int least = 0; least < (int)worth; least++) {
		struct log_waiting *oldest = TAILQ_FIRST(&queue->of_worth[least]);

		if (oldest == NULL)
			continue;
		// the analyzer does not know that both queues have the same elements
		free(take_out(queue, oldest).text); // NOLINT(clang-analyzer-unix.Malloc)
		lose(queue);
		return true;
	}
	return false;
}

void log_queue_put(struct log_queue *queue, struct log_text line, bool spare)
{
	enum log_worth worth = worth_of(&line, spare);
	size_t bytes = strlen(line.text) + sizeof(struct log_waiting);
	bool room = has_room(queue, worth, bytes);
	struct log_waiting *waiting;

	while (!room && drop_lesser(queue, worth))
		room = has_room(queue, worth, bytes);
	if (!room) {
		lose(queue);
		free(line.text);
		return;
	}
	waiting = mem_zalloc(1, sizeof(*waiting));
	waiting->line = line;
	waiting->bytes = bytes;
	waiting->worth = worth;
	TAILQ_INSERT_TAIL(&queue->all, waiting, in_all);
	TAILQ_INSERT_TAIL(&queue->of_worth[worth], waiting, in_worth);
	queue->count++;
	queue->bytes += bytes;
	queue->user_count += worth == WORTH_USER;
	queue->user_bytes += worth == WORTH_USER ? bytes : 0;
}

bool log_queue_take(struct log_queue *queue, struct log_text *line)
{
	struct log_waiting *first = TAILQ_FIRST(&queue->all);

	if (first == NULL)
		return false;
	*line = take_out(queue, first);
	return true;
}

unsigned long log_queue_lost(struct log_queue *queue)
{
	unsigned long lost = queue->lost;

	if (queue->count >= LOG_QUEUE_LINES / 4 || queue->bytes >= LOG_QUEUE_BYTES / 4)
		return 0;
	queue->lost = 0;
	return lost;
}
