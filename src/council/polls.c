#include "council/polls.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "council/slip.h"

/* Takes over both texts. */
static void put(const struct polls *polls, char *key, char *text)
{
	struct missive *missive = missive_new(MISSIVE_PUT);

	missive->key = key;
	missive->text = text;
	clerk_tell(polls->clerk, missive);
}

void polls_ask(const struct polls *polls, const char *node, unsigned long number)
{
	put(polls, slip_ask_key(node), number != 0 ? slip_ask_text(polls->name, number) : NULL);
}

void polls_see(const struct polls *polls, const char *node, unsigned long number, const struct vote *vote, size_t missing)
{
	put(polls, slip_see_key(polls->name, node),
	    vote->says != VOTE_OPEN ? slip_see_text(number, vote, missing) : NULL);
}

void polls_take_news(const struct polls *polls, const struct missive *missive)
{
	struct slip slip;

	if (slip_read(&slip, missive->key, missive->text) && !text_same(slip.monitor, polls->name)) {
		if (slip.is_question)
			polls->events->asked(polls->data, slip.node, slip.number);
		else if (slip.number != 0)
			polls->events->told(polls->data, slip.node, slip.number, &slip.vote, slip.missing);
	}
	slip_clear(&slip);
}

void polls_take_live(const struct polls *polls, const json_t *monitors)
{
	const char **names = mem_zalloc(json_array_size(monitors) + 1, sizeof(*names));
	size_t count = 0;
	size_t i;
	json_t *one;

	json_array_foreach(monitors, i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));

		if (name != NULL)
			names[count++] = name;
	}
	polls->events->live(polls->data, names, count);
	free(names);
}
