#include "window/waiting.h"

#include <stdlib.h>

#include "loop/clock.h"

static struct waiting_one *find(struct waiting *waiting, unsigned long number)
{
	for (size_t i = 0; i < WAITING_MOST; i++) {
		if (waiting->places[i].number == number)
			return &waiting->places[i];
	}
	return NULL;
}

unsigned long waiting_begin(struct waiting *waiting, struct MHD_Connection *connection, char **text, bool *answered)
{
	struct waiting_one *one = find(waiting, 0);

	if (one == NULL || !pace_allows(&waiting->pace, WAITING_A_SECOND))
		return 0;
	*one = (struct waiting_one){
		.number = ++waiting->last,
		.connection = connection,
		.text = text,
		.answered = answered,
		.since_ms = clock_steady_ms(),
	};
	MHD_suspend_connection(connection);
	return one->number;
}

static void go_on(struct waiting_one *one, char *text)
{
	*one->text = text;
	*one->answered = true;
	MHD_resume_connection(one->connection);
	*one = (struct waiting_one){ 0 };
}

void waiting_answer(struct waiting *waiting, unsigned long number, char *text)
{
	struct waiting_one *one = find(waiting, number);

	if (one != NULL)
		go_on(one, text);
	else
		free(text);
}

void waiting_sweep(struct waiting *waiting, bool all)
{
	int64_t now_ms = clock_steady_ms();

	for (size_t i = 0; i < WAITING_MOST; i++) {
		struct waiting_one *one = &waiting->places[i];

		if (one->number != 0 && (all || now_ms - one->since_ms > WAITING_MS))
			go_on(one, NULL);
	}
}

void waiting_forget(struct waiting *waiting, const struct MHD_Connection *connection)
{
	for (size_t i = 0; i < WAITING_MOST; i++) {
		if (waiting->places[i].number != 0 && waiting->places[i].connection == connection)
			waiting->places[i] = (struct waiting_one){ 0 };
	}
}
