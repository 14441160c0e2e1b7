/*
 * The tstamp of a row of table heartbeat, which others write, too: plusmoin in milliseconds, the daemon of 2015 in
 * seconds. What is below TSTAMP_SECONDS is seconds (as milliseconds it would be a time before March 1973), and
 * counts as that second's end: the row was written within it. Pure.
 */
#pragma once

#include <stdint.h>

#define TSTAMP_SECONDS "100000000000" /* for SQL; a beat of ours is never below it */

/* SQL: a row's tstamp in milliseconds, by which rows are put in order; NULL where it is NULL. */
#define TSTAMP_MS_SQL \
	"CASE WHEN tstamp::bigint BETWEEN 0 AND " TSTAMP_SECONDS " - 1" \
	" THEN tstamp::bigint * 1000 + 999 ELSE tstamp::bigint END"

/* Reads what a server sends as a tstamp. Returns milliseconds from 0 to TSTAMP_MAX, whatever the text is. */
int64_t tstamp_read(const char *text);
