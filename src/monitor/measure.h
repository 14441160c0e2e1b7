/*
 * What the monitor measures of looks, connections and its loop, into the meters (core/meters.h). All of it is cheap:
 * a look pays a clock read twice and a few stores. Where there are no meters nothing is measured. Monitor thread.
 */
#pragma once

#include "monitor/node.h"

/* The watch's look begins, or has ended with what was seen. */
void measure_look(struct watch *watch);
void measure_seen(struct watch *watch, const struct observation *seen);

/* A beat beside a look has its result. */
void measure_beaten(const struct watch *watch, const struct beat_result *result);

/* A connection to its node was tried. */
void measure_tried(const struct watch *watch);

/* Measures how many pairs of masters of one origin there are. */
void measure_splits(const struct watches *watches);
