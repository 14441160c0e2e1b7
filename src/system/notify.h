/*
 * What systemd is told (sd_notify(3)): nothing without NOTIFY_SOCKET. Monitor's
 * thread. Each call is one datagram; libsystemd waits with it while systemd's own
 * queue is full.
 */
#pragma once

#include <stdint.h>

/* Finds out whether systemd is there, and its watchdog. First, with one thread. */
void notify_begin(void);

/* It is up: what `start` promises holds. */
void notify_ready(void);

/* A reload has begun; notify_ready() ends it. */
void notify_reloading(void);
void notify_stopping(void);

/* One line for `systemctl status`. */
void notify_status(const char *text);

/* Half of the watchdog's interval, in ms: how often notify_alive() is due. 0: there is none. */
int64_t notify_interval_ms(void);
void notify_alive(void);
