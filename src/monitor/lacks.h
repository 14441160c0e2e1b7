/*
 * What plusmoin itself lacks for connections (descriptors, ports, a certificate's file): no node is judged by it.
 * Each lack is kept once, with its begin and the number of nodes that meet it. The lack of a file, and its end, the
 * log tells once for all nodes; any other once a node, until a connection to that node is made. Monitor thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "pg/evidence.h"

/* How many different lacks are kept; any further one is counted with the last. */
#define LACKS_MOST 16

/* What the log was told of a node's lack; the worst is the greatest. */
enum lack_told { LACK_UNTOLD, LACK_TOLD_FRESH /* a fresh connection cannot be made */, LACK_TOLD_ALL /* none can */ };

struct lack {
	char words[MESSAGE_BYTES];
	int64_t since_ms; /* wall */
	size_t nodes;     /* how many meet it; 0: the place is free */
	bool is_file;
};

/* Zero-initialised: nothing lacks. */
struct lacks {
	struct lack all[LACKS_MOST];
	unsigned long generation; /* grows with each change */
};

/* The lack that one node meets; zero-initialised: none. */
struct lack_met {
	struct lack *lack; /* one of lacks->all */
	enum lack_told told;
};

/*
 * A connection to `node` was tried: it stands, or (`failure`) cannot be made. `kept`: the node has a kept one.
 * `wall_ms`: now.
 */
void lacks_note(struct lacks *lacks, struct lack_met *met, const char *node, bool kept, const struct evidence *failure,
		int64_t wall_ms);

/* The node leaves the fleet: its lack is forgotten without a line in the log. */
void lacks_leave(struct lacks *lacks, struct lack_met *met);

/* Writes an array of `message`, `since` (epoch seconds) and `nodes` (how many meet it). */
void lacks_render(const struct lacks *lacks, struct json *json);
