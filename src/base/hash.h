/*
 * FNV-1a hashes, for tables and comparisons within a program. They do not withstand somebody who looks for two texts
 * with the same hash. Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HASH32_BEGIN UINT32_C(2166136261)
#define HASH64_BEGIN UINT64_C(14695981039346656037)

/* Continue a hash, which is HASH32_BEGIN or HASH64_BEGIN at first, with so many bytes, or with the bytes of a text. */
uint32_t hash32_bytes(uint32_t hash, const void *bytes, size_t len);
uint32_t hash32_text(uint32_t hash, const char *text);
uint64_t hash64_bytes(uint64_t hash, const void *bytes, size_t len);
uint64_t hash64_text(uint64_t hash, const char *text);
