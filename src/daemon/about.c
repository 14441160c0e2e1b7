#include "daemon/about.h"

#include <unistd.h>

static void add_text(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

void about_render(const struct config *first, const struct config *now, bool foreground, struct json *json)
{
	jsonw_key(json, "pid");
	jsonw_int(json, getpid());
	add_text(json, "version", PLUSMOIN_VERSION);
	add_text(json, "configuration", now->path);
	jsonw_key(json, "read");
	jsonw_seconds(json, now->read_ms);
	add_text(json, "daemon_user", first->daemon_user);
	add_text(json, "pid_file", first->pid_file);
	add_text(json, "status_file", now->status_file);
	add_text(json, "log_file", foreground ? NULL : now->log_file);
	add_text(json, "control_socket", first->control_socket);
	jsonw_key(json, "shutdown_grace");
	jsonw_seconds(json, now->shutdown_grace_ms);
}
