#include "base/hash.h"

#include <string.h>

uint32_t hash32_bytes(uint32_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT32_C(16777619);
	return hash;
}

uint32_t hash32_text(uint32_t hash, const char *text)
{
	return hash32_bytes(hash, text, strlen(text));
}

uint64_t hash64_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(1099511628211);
	return hash;
}

uint64_t hash64_text(uint64_t hash, const char *text)
{
	return hash64_bytes(hash, text, strlen(text));
}
