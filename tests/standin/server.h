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
#include "standin/spans.h"

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

/* What has come and gone since the server was made. */
struct counts {
	unsigned long connections;
	unsigned long sessions; /* that are logged in now; filled by server_counts() */
	unsigned long logins;
	unsigned long statements; /* that were executed, */
	unsigned long parses;
	unsigned long unknown; /* and those that are not plusmoin's */
	unsigned long beats; /* rows written */
	unsigned long syncs; /* round trips: a Sync of a client, or a simple query */
	unsigned long reads; /* of sockets, and their bytes: TLS's refusals and logins too */
	unsigned long bytes_in;
	unsigned long writes;
	unsigned long bytes_out;
	unsigned long segments_in; /* of TCP, with data; filled by server_counts() */
	unsigned long segments_out;
};

void counts_add(struct counts *sum, struct counts more);

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
	struct counts counts;
	struct span own_span;
	struct span *span; /* its own, or that of the first server of its cluster */
};

/* Listens; NULL and a message on stderr when that is impossible. */
struct server *server_new(uv_loop_t *loop, const char *name, const struct sockaddr_in *address);

/* False when it cannot listen. What it was asked while it was silent it answers now. */
bool server_set_door(struct server *server, enum door door);

/* All connections are closed, and nobody listens: a crash. */
void server_die(struct server *server);
void server_close_clients(struct server *server);

/* All of them: what its clients' TCP counts and who is logged in as well. */
struct counts server_counts(const struct server *server);

/* The prepared statements of all its clients are gone. */
void server_forget(struct server *server);

/* A row of another monitor, with this name of its master, and a table for it. No slave may be told so. */
void server_write(struct server *server, const char *master);
