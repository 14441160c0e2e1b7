#include "net/own.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "loop/clock.h"

void own_read(struct own *own)
{
	int64_t now_ms = clock_steady_ms();

	if (own->list != NULL && now_ms - own->read_ms < OWN_AGE_MS)
		return;
	own_free(own);
	own->read_ms = now_ms;
	if (uv_interface_addresses(&own->list, &own->count) != 0)
		*own = (struct own){ .read_ms = now_ms };
}

static bool is_same(const uv_interface_address_t *one, int family, const void *address)
{
	if (one->address.address4.sin_family != family)
		return false;
	if (family == AF_INET)
		return memcmp(&one->address.address4.sin_addr, address, sizeof(struct in_addr)) == 0;
	return memcmp(&one->address.address6.sin6_addr, address, sizeof(struct in6_addr)) == 0;
}

bool own_has(const struct own *own, const char *host)
{
	char text[INET6_ADDRSTRLEN];
	size_t len = strcspn(host, "%"); /* without the zone */
	struct in6_addr address; /* or an in_addr */
	int family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;

	if (host[0] == '/' || host[0] == '@' || strcasecmp(host, "localhost") == 0)
		return true;
	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	if (inet_pton(family, text, &address) != 1)
		return false;
	for (int i = 0; i < own->count; i++) {
		if (is_same(&own->list[i], family, &address))
			return true;
	}
	return false;
}

void own_free(struct own *own)
{
	if (own->list != NULL)
		uv_free_interface_addresses(own->list, own->count);
	*own = (struct own){ 0 };
}
