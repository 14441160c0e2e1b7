#include "pg/lives.h"

#define BRIEF_MS 1000      /* cluster-rules.md, "Rounds": breaks within 1 s of being made */
#define FIRST_WAIT_MS 100

int64_t lives_ended(struct lives *lives, int64_t lasted_ms, int64_t most_ms)
{
	int64_t wait_ms = FIRST_WAIT_MS;

	lives->brief = lasted_ms < BRIEF_MS ? lives->brief + 1 : 0;
	if (lives->brief < 2)
		return 0;
	for (int i = 2; i < lives->brief && wait_ms < most_ms; i++)
		wait_ms *= 2;
	return wait_ms < most_ms ? wait_ms : most_ms;
}
