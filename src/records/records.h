/*
 * The records are what the daemon writes to disk: the status file for others, and the
 * state file for its own next run. Monitor's loop.
 */
#pragma once

#include "monitor/monitor.h"

struct records;

struct records *records_new(uv_loop_t *loop, const struct config *config);

/* Whether the status file can be written; if not, says on stderr why. Blocking. */
bool records_can_write(const struct config *config);

/*
 * Writes both files if the board has changed since the last call, and the state file also if silences have; `force`:
 * writes both in any case. `monitor` NULL: writes nothing.
 */
void records_write(struct records *records, struct monitor *monitor, bool force);

/* The silences, which outlive the records, have changed: the next records_write() writes the state file. */
void records_silence(struct records *records, const struct silences *silences);

/* Has `told` called with each new text of the status file, which is valid for the call. */
void records_tell(struct records *records, void (*told)(void *data, const char *text, size_t len), void *data);

/* The daemon has another struct monitor: its next board is written, whatever generation that has. */
void records_forget(struct records *records);

/* Writes from now on to the files of another configuration; a write that is under way ends in the old file. */
void records_move(struct records *records, const struct config *config);

/* NULL allowed; clears the pointer. */
void records_free(struct records **records);

/* Reads what an earlier run has saved, the caller's to free; NULL: nothing. Logs whether it was read. Blocking. */
struct saved *records_read(const struct config *config);
