#include "command/places.h"

#include <uv.h>

#include "system/pidfile.h"
#include "window/port.h"

static void add(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

static void add_place(struct json *json, const char *key, const char *text)
{
	int error = 0;
	struct port *port = port_new(text, NULL, &error);

	jsonw_begin_object(json);
	add(json, "key", key);
	add(json, "text", text);
	add(json, "error", port == NULL ? uv_err_name(error) : NULL);
	add(json, "words", port == NULL ? uv_strerror(error) : NULL);
	jsonw_end_object(json);
	port_unref(&port);
}

void places_add(struct json *json, const struct config *config)
{
	const struct config_http *http = &config->http;

	jsonw_key(json, "window");
	if (http->listen_count == 0 && http->agent == NULL) {
		jsonw_null(json);
		return;
	}
	jsonw_begin_object(json);
	jsonw_key(json, "places");
	jsonw_begin_array(json);
	for (size_t i = 0; i < http->listen_count; i++)
		add_place(json, "http.listen", http->listen[i]);
	if (http->agent != NULL)
		add_place(json, "http.agent", http->agent);
	jsonw_end_array(json);
	jsonw_key(json, "runs");
	jsonw_bool(json, pidfile_holder(config->pid_file) >= 0);
	jsonw_key(json, "has_token");
	jsonw_bool(json, http->token != NULL);
	jsonw_end_object(json);
}
