/*
 * A notice is one line of a watch. Pure.
 */
#pragma once

#include "etcd/fields.h"
#include "etcd/refusal.h"

struct notice_event {
	struct etcd_pair pair; /* of a deleted key: its name, and the mod_revision of the deletion */
	bool deleted;
};

struct notice {
	struct etcd_header header;
	bool created;
	bool canceled;            /* nothing comes any more, though the connection stays */
	int64_t compact_revision; /* not 0: the watch asked for older revisions than this one, which are gone */
	enum etcd_reason reason;  /* why the watch is canceled; ETCD_REASON_NONE: it is not */
	char *words;              /* why it is canceled, for a log line; "" */
	struct notice_event *events;
	size_t event_count;
};

/* False when the line is none of a watch's; notice_free() is needed either way. */
bool notice_read(struct notice *notice, const char *line, size_t len);
void notice_free(struct notice *notice);
