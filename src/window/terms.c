#include "window/terms.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

#include "base/mem.h"
#include "base/text.h"

#define TURNS_MS 3000 /* issue "The window": 3 s plus query_timeout */
#define NAME_MOST 300

struct terms *terms_new(const struct config *config)
{
	const struct config_http *http = &config->http;
	struct terms *terms = mem_zalloc(1, sizeof(*terms));

	terms->token = mem_strdup(http->token);
	terms->token_bytes = http->token != NULL ? strlen(http->token) : 0;
	terms->isolated_fails = http->isolated_fails;
	terms->stale_ms = TURNS_MS + config->query_timeout_ms;
	terms->hosts = mem_zalloc(http->host_count + 1, sizeof(*terms->hosts));
	for (size_t i = 0; i < http->host_count; i++)
		terms->hosts[i] = mem_strdup(http->hosts[i]);
	return terms;
}

void terms_free(struct terms **terms_p)
{
	struct terms *terms = *terms_p;

	*terms_p = NULL;
	if (terms == NULL)
		return;
	for (size_t i = 0; i < terms->ports.count; i++) {
		struct port *port = terms->ports.items[i];

		port_unref(&port);
	}
	list_free(&terms->ports);
	port_unref(&terms->agent);
	if (terms->token != NULL)
		explicit_bzero(terms->token, terms->token_bytes);
	free(terms->token);
	mem_free_strings(terms->hosts);
	free(terms);
}

/* ---- the Host header ---- */

/* Copies the name without port and brackets. Returns false for an empty name, and for one that is too long. */
static bool take_name(const char *text, char *out, size_t size)
{
	const char *end = text[0] == '[' ? strchr(text, ']') : strrchr(text, ':');
	size_t len;

	text += text[0] == '[';
	len = end != NULL ? (size_t)(end - text) : strlen(text);
	if (len == 0 || len >= size)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool is_address(const char *name)
{
	unsigned char address[sizeof(struct sockaddr_in6)];

	return uv_inet_pton(AF_INET, name, address) == 0 || uv_inet_pton(AF_INET6, name, address) == 0;
}

static bool is_everywhere(const char *address)
{
	return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", strlen("127.")) == 0 || strcmp(address, "::1") == 0;
}

/*
 * Whether the Host header's name is that of the port. A port at all addresses accepts any address, but no name: DNS can
 * make a name of another site lead to us, and an address it cannot.
 */
static bool is_of_port(const struct port *port, const char *name)
{
	char own[NAME_MOST];

	if (port->text[0] == '/' || !take_name(port->text, own, sizeof(own)))
		return false;
	if (strcasecmp(name, "localhost") == 0)
		return is_loopback(own) || is_everywhere(own);
	return strcmp(name, own) == 0 || (is_everywhere(own) && is_address(name));
}

bool terms_allow_host(const struct terms *terms, const char *host)
{
	char name[NAME_MOST];

	if (!take_name(host, name, sizeof(name)))
		return false;
	for (char *const *own = terms->hosts; *own != NULL; own++) {
		if (strcasecmp(*own, name) == 0 || strcasecmp(*own, host) == 0)
			return true;
	}
	for (size_t i = 0; i < terms->ports.count; i++) {
		if (is_of_port(terms->ports.items[i], name))
			return true;
	}
	return false;
}

/* ---- the token ---- */

bool terms_allow_bearer(const struct terms *terms, const char *authorization)
{
	static const char scheme[] = "Bearer ";
	const char *given;
	unsigned char differs = 0;

	if (terms->token == NULL)
		return true;
	if (authorization == NULL || strncasecmp(authorization, scheme, strlen(scheme)) != 0)
		return false;
	given = authorization + strlen(scheme);
	if (strlen(given) != terms->token_bytes)
		return false;
	for (size_t i = 0; i < terms->token_bytes; i++)
		differs |= (unsigned char)(given[i] ^ terms->token[i]);
	return differs == 0;
}

bool terms_same_token(const struct terms *a, const struct terms *b)
{
	return text_same(a->token, b->token);
}
