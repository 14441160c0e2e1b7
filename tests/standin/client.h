/*
 * A client's connection to a stand-in: startup, the login that the server asks for, then what dialogue.h knows.
 * Frees itself when its connection has closed.
 */
#pragma once

#include "standin/server.h"

struct client;

/* Takes the connection that waits at the listener. */
void client_accept(struct server *server);

/* Goes on with what has come while the server was silent. */
void client_go_on(struct client *client);
bool client_is_logged_in(const struct client *client);
/* Adds the segments with data that TCP has seen from it and sent to it. */
void client_add_segments(const struct client *client, struct counts *counts);

/* Its prepared statements are gone. */
void client_forget(struct client *client);
void client_close(struct client *client);
