#include "council/differences.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "core/likeness.h"

static void compare(struct buf *words, const json_t *other, const char *own_name, const char *settings)
{
	const char *name = json_string_value(json_object_get(other, "name"));
	const char *others = json_string_value(json_object_get(other, "settings"));
	struct buf parts = { 0 };

	if (text_same(name, own_name))
		return;
	for (int part = 0; name != NULL && others != NULL && part < LIKENESSES; part++) {
		if (!likeness_same(others, settings, (enum likeness)part))
			buf_addf(&parts, "%s%s", parts.len > 0 ? ", " : "", likeness_name((enum likeness)part));
	}
	if (parts.len > 0)
		buf_addf(words, "%s%s of %s", words->len > 0 ? "; " : "", buf_text(&parts), name);
	buf_free(&parts);
}

void differences_take(struct differences *differences, const json_t *monitors, const char *name,
		      const char *settings)
{
	struct buf words = { 0 };

	for (size_t i = 0; i < json_array_size(monitors); i++)
		compare(&words, json_array_get(monitors, i), name, settings);
	if (words.len > 0 && !text_same(buf_text(&differences->words), buf_text(&words)))
		log_error("monitors_differ: settings of other monitors differ from ours: %s", buf_text(&words));
	buf_free(&differences->words);
	differences->words = words;
}
