/*
 * One stand-in for a PostgreSQL server: an address, what it does to who comes, what it replicates. Its clients
 * are sessions of PostgreSQL's protocol 3.0 that know plusmoin's statements and nothing else.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "standin/model.h"

#define SERVER_NAME_BYTES 64

enum door {
	DOOR_SERVES,
	DOOR_REFUSES, /* nobody listens; what stands goes on */
	DOOR_SILENT,  /* connections are taken, and nobody gets an answer, those that stand neither */
	DOOR_CLOSES,  /* to a new one's first word; what stands goes on; likewise: */
	DOOR_RESETS,
	DOOR_GARBAGE,
	DOOR_TLS, /* says yes to TLS, and nothing more */
	DOOR_FATAL, /* lets nobody in, with the SQLSTATE `fatal` */
};

enum lock { LOCK_TRUST, LOCK_PASSWORD, LOCK_SCRAM };

struct server {
	uv_loop_t *loop;
	char name[SERVER_NAME_BYTES];
	struct sockaddr_in address;
	uv_tcp_t *listener; /* NULL: nobody listens */
	struct list clients;
	struct model model;
	enum door door;
	char fatal[6];
	enum lock lock;
	uint32_t iterations; /* of SCRAM */
	int64_t trickle_ms;  /* between two bytes of what it says; 0: at once */
	unsigned long connections;
	unsigned long logins;
	unsigned long statements;
	unsigned long unknown; /* statements that are not plusmoin's */
};

/* Listens; NULL and a message on stderr when that is impossible. */
struct server *server_new(uv_loop_t *loop, const char *name, const struct sockaddr_in *address);

/* False when it cannot listen. What it was asked while it was silent it answers now. */
bool server_set_door(struct server *server, enum door door);

/* All connections are closed, and nobody listens: a crash. */
void server_die(struct server *server);
void server_close_clients(struct server *server);

/* How many of its clients are logged in. */
size_t server_sessions(const struct server *server);
