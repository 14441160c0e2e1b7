/*
 * What the daemon leaves on disk: the status file for others, and the state file
 * for its own next run. Monitor's loop.
 */
#pragma once

#include "monitor/monitor.h"

struct records;

struct records *records_new(uv_loop_t *loop, const struct config *config);

/* Whether the status file can be written; else says on stderr why not. Blocking. */
bool records_can_write(const struct config *config);

/*
 * Writes the status if it has changed since the last call, and the state with it; `force`: both in
 * any case. `monitor` NULL: nothing.
 */
void records_write(struct records *records, struct monitor *monitor, bool force);

/* What people have silenced, which outlives the records, has changed: the next records_write() writes the state. */
void records_silence(struct records *records, const struct silences *silences);

/* From now on `told` is called with each text of the status file that is another one than before, which is the caller's. */
void records_tell(struct records *records, void (*told)(void *data, const char *text, size_t len), void *data);

/* The next board is another monitor's: what it shows is written, whatever its generation is. */
void records_forget(struct records *records);

/* Goes over to the files of another configuration; a write under way ends where it began. */
void records_move(struct records *records, const struct config *config);

/* NULL allowed; clears the pointer. */
void records_free(struct records **records);

/* What an earlier run knew, the caller's to free; NULL: nothing. Logs what came of it. Blocking. */
struct saved *records_read(const struct config *config);
