/*
 * What systemd is told (sd_notify(3)): nothing without NOTIFY_SOCKET. Monitor's
 * thread. Each call is one datagram; libsystemd waits with it while systemd's own
 * queue is full.
 */
#pragma once

#include <stdint.h>

/* Finds out whether systemd listens, and whether it has a watchdog. Called first, while there is one thread. */
void notify_begin(void);

/* Tells systemd that plusmoin is up: what `start` promises holds. */
void notify_ready(void);

/* Tells systemd that a reload has begun; notify_ready() tells that it has ended. */
void notify_reloading(void);
void notify_stopping(void);

/* Tells systemd the line that `systemctl status` shows. */
void notify_status(const char *text);

/* Returns how often notify_alive() is due, in ms: half of the watchdog's interval; 0: there is no watchdog. */
int64_t notify_interval_ms(void);
void notify_alive(void);
