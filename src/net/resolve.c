#include "net/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "loop/timer.h"

struct name {
	struct resolver *resolver; /* NULL: the resolver is gone */
	char *host;
	uv_getaddrinfo_t request;
	bool under_way;
	struct addresses good; /* count 0: never resolved */
	struct list waiting;   /* of lookups */
};

struct lookup {
	struct name *name;
	struct timer *patience;
	void (*found)(void *data, const struct addresses *addresses,
		      const struct lookup_failure *failure);
	void *data;
};

struct resolver {
	uv_loop_t *loop;
	struct list names; /* sorted by host */
};

bool addresses_take_numeric(struct addresses *addresses, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1)
		return false;
	text_copy(addresses->text[0], sizeof(addresses->text[0]), host);
	addresses->count = 1;
	return true;
}

struct resolver *resolver_new(uv_loop_t *loop)
{
	struct resolver *resolver = mem_zalloc(1, sizeof(*resolver));

	resolver->loop = loop;
	return resolver;
}

static void free_name(struct name *name)
{
	list_free(&name->waiting);
	free(name->host);
	free(name);
}

bool resolver_free(struct resolver **resolver_p)
{
	struct resolver *resolver = *resolver_p;
	bool quiet = true;

	*resolver_p = NULL;
	if (resolver == NULL)
		return true;
	for (size_t i = 0; i < resolver->names.count; i++) {
		struct name *name = resolver->names.items[i];

		name->resolver = NULL;
		if (name->under_way)
			quiet = false; /* its callback frees it */
		else
			free_name(name);
	}
	list_free(&resolver->names);
	free(resolver);
	return quiet;
}

static void take_addresses(struct addresses *out, const struct addrinfo *found)
{
	out->count = 0;
	for (; found != NULL && out->count < RESOLVE_ADDRESSES; found = found->ai_next) {
		char *text = out->text[out->count];

		if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(out->text[0]), NULL,
				0, NI_NUMERICHOST) == 0)
			out->count++;
	}
}

/* Answers one lookup and ends it. */
static void answer(struct lookup *lookup, const struct lookup_failure *failure)
{
	struct name *name = lookup->name;
	struct addresses addresses = name->good;
	void (*found)(void *, const struct addresses *, const struct lookup_failure *) = lookup->found;
	void *data = lookup->data;

	lookup_cancel(&lookup);
	if (addresses.count > 0)
		found(data, &addresses, NULL);
	else
		found(data, NULL, failure);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct name *name = request->data;
	struct lookup_failure failure = { 0 };
	struct lookup *lookup;

	name->under_way = false;
	if (status == 0)
		take_addresses(&name->good, found);
	uv_freeaddrinfo(found);
	if (name->resolver == NULL) {
		free_name(name);
		return;
	}
	failure.own_fault = status == UV_ENOMEM || status == UV_EAI_MEMORY || status == UV_EMFILE ||
			    status == UV_ENFILE;
	text_copy(failure.message, sizeof(failure.message),
		  status == 0 ? "the name has no address" : uv_strerror(status));
	while ((lookup = list_shift(&name->waiting)) != NULL)
		answer(lookup, &failure);
}

static void on_impatient(void *data)
{
	struct lookup *lookup = data;
	struct lookup_failure failure = { .message = "the look-up did not start" };

	if (lookup->name->good.count > 0 || !lookup->name->under_way)
		answer(lookup, &failure);
}

/* Returns the index at which the name of this host is or is to be inserted. */
static size_t place_of(const struct resolver *resolver, const char *host)
{
	size_t low = 0;
	size_t high = resolver->names.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct name *name = resolver->names.items[middle];

		if (strcmp(name->host, host) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct name *find_name(struct resolver *resolver, const char *host)
{
	size_t at = place_of(resolver, host);
	struct name *name = at < resolver->names.count ? resolver->names.items[at] : NULL;

	if (name != NULL && strcmp(name->host, host) == 0)
		return name;
	name = mem_zalloc(1, sizeof(*name));
	name->resolver = resolver;
	name->host = mem_strdup(host);
	name->request.data = name;
	list_insert(&resolver->names, at, name);
	return name;
}

struct lookup *lookup_start(struct resolver *resolver, const char *host, int64_t patience_ms,
			    void (*found)(void *data, const struct addresses *addresses,
					  const struct lookup_failure *failure),
			    void *data)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct name *name = find_name(resolver, host);
	struct lookup *lookup = mem_zalloc(1, sizeof(*lookup));

	lookup->name = name;
	lookup->found = found;
	lookup->data = data;
	lookup->patience = timer_new(resolver->loop, on_impatient, lookup);
	list_add(&name->waiting, lookup);
	if (!name->under_way)
		name->under_way = uv_getaddrinfo(resolver->loop, &name->request, on_found, host,
						 NULL, &hints) == 0;
	timer_start(lookup->patience, name->under_way ? patience_ms : 0);
	return lookup;
}

void lookup_hurry(struct lookup *lookup)
{
	if (lookup != NULL && lookup->name->under_way)
		timer_start(lookup->patience, RESOLVE_PATIENCE_MS);
}

void lookup_cancel(struct lookup **lookup_p)
{
	struct lookup *lookup = *lookup_p;

	*lookup_p = NULL;
	if (lookup == NULL)
		return;
	list_remove(&lookup->name->waiting, lookup);
	timer_free(&lookup->patience);
	free(lookup);
}
