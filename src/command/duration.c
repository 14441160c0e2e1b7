#include "command/duration.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MOST 9

static const struct {
	char letter;
	int64_t seconds;
} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

#define UNITS (sizeof(units) / sizeof(units[0]))

/* Returns the number of the unit that the text begins with, from `first` on; UNITS: there is none. */
static size_t find_unit(const char *text, size_t first)
{
	size_t unit = first;

	while (unit < UNITS && units[unit].letter != text[0])
		unit++;
	return unit;
}

int64_t duration_read(const char *text, int64_t most, const char **why)
{
	int64_t seconds = 0;
	size_t next = 0;

	*why = "that is no duration";
	do {
		size_t digits = strspn(text, "0123456789");
		size_t unit = find_unit(text + digits, next);

		if (digits == 0 || digits > DIGITS_MOST || unit == UNITS)
			return 0;
		seconds += strtoll(text, NULL, 10) * units[unit].seconds;
		next = unit + 1;
		text += digits + 1;
	} while (text[0] != '\0');
	*why = seconds == 0 ? "that is no time at all" : "that is too long";
	return seconds <= most ? seconds : 0;
}
