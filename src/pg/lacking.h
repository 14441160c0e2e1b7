/*
 * What of our own lacks (descriptors, memory, ports) has been told of a node: each lack once, until a
 * connection can be made again. Pure.
 */
#pragma once

#include <stdbool.h>

/* What cannot be made, the worse the greater. */
enum lacking { LACKING_NOTHING, LACKING_FRESH /* a fresh connection */, LACKING_ALL /* any */ };

/* A connection cannot be made, and one is `kept` or not: whether that is worse than what was told. */
bool lacking_is_news(enum lacking *told, bool kept);
