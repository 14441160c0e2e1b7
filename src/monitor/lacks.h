/*
 * What plusmoin itself lacks for connections (descriptors, ports, a certificate's file): nobody is judged by it.
 * Each lack is kept once, however many nodes meet it: since when, and how many. A file's is told in the log once for
 * all of them, and its end; any other once a node, until a connection to that can be made. Monitor thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "pg/evidence.h"

/* Different ones that are kept; what a machine lacks beyond is counted with the last. */
#define LACKS_MOST 16

/* What of it has been told of a node, the worse the greater. */
enum lack_told { LACK_UNTOLD, LACK_TOLD_FRESH /* a fresh connection cannot be made */, LACK_TOLD_ALL /* none can */ };

struct lack {
	char words[MESSAGE_BYTES];
	int64_t since_ms; /* wall */
	size_t nodes;     /* that meet it; 0: the place is free */
	bool is_file;
};

/* Zero-initialised: nothing lacks. */
struct lacks {
	struct lack all[LACKS_MOST];
	unsigned long generation; /* another one after each change */
};

/* Of one node; zero-initialised: nothing lacks. */
struct lack_met {
	struct lack *lack; /* one of lacks->all */
	enum lack_told told;
};

/*
 * A connection to `node` was tried, which stands or (`failure`) cannot be made; it has a `kept` one or not.
 * `wall_ms`: now.
 */
void lacks_note(struct lacks *lacks, struct lack_met *met, const char *node, bool kept, const struct evidence *failure,
		int64_t wall_ms);

/* The node goes; that is no end to be told. */
void lacks_leave(struct lacks *lacks, struct lack_met *met);

/* An array of `message`, `since` (epoch seconds) and `nodes` (how many meet it). */
void lacks_render(const struct lacks *lacks, struct json *json);
