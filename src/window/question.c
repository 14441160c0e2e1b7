#include "window/question.h"

#include <stdlib.h>

#include "base/mem.h"

void questions_ask(struct questions *questions, unsigned long number, const char *node)
{
	struct question *question = mem_zalloc(1, sizeof(*question));
	struct question *last = atomic_load(&questions->asked);

	question->number = number;
	question->node = mem_strdup(node);
	do {
		question->next = last;
	} while (!atomic_compare_exchange_weak(&questions->asked, &last, question));
}

struct question *questions_take(struct questions *questions)
{
	struct question *newest = atomic_exchange(&questions->asked, NULL);
	struct question *oldest = NULL;

	while (newest != NULL) {
		struct question *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

void question_free(struct question **question)
{
	free((*question)->node);
	free(*question);
	*question = NULL;
}
