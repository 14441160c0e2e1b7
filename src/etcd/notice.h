/*
 * One line of a watch. Pure.
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
	int64_t compact_revision; /* 0, or what it asked for is older than this, and gone */
	enum etcd_reason reason;  /* why it is canceled, or what error it is; ETCD_REASON_NONE: neither */
	char *words;              /* likewise, for a log; "" */
	struct notice_event *events;
	size_t event_count;
};

/* False when the line is none of a watch's; there is something to free either way. */
bool notice_read(struct notice *notice, const char *line, size_t len);
void notice_free(struct notice *notice);
