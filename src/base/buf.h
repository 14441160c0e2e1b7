/*
 * A growing byte string, always terminated, and a list of pointers. Both are
 * values: zero-initialised is empty, the owner frees them. Not shared between
 * threads.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL or terminated */
	size_t len; /* bytes, without the terminator */
	size_t cap;
};

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_char(struct buf *buf, char c);
void buf_add_str(struct buf *buf, const char *text);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *buf, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* Drops the first `len` bytes. */
void buf_drop(struct buf *buf, size_t len);
void buf_clear(struct buf *buf);
void buf_free(struct buf *buf);

/* The text, "" when empty; valid until the next change. */
const char *buf_text(const struct buf *buf);

/* Hands the text to the caller, who frees it; the buffer is empty afterwards. */
char *buf_steal(struct buf *buf);

struct list {
	void **items;
	size_t count;
	size_t front; /* unused places before the items, so that taking from the front or adding there moves nothing */
	size_t cap;   /* places in all */
};

void list_add(struct list *list, void *item);

/* Puts `item` at `index` (<= count); the items from there on move up. In memory the shorter side moves, if it can. */
void list_insert(struct list *list, size_t index, void *item);

/* Removes and returns what is at `index` (< count), keeping the order. */
void *list_remove_at(struct list *list, size_t index);

/* Removes the first occurrence of `item`, keeping the order; false if it was not there. */
bool list_remove(struct list *list, const void *item);
bool list_has(const struct list *list, const void *item);

/* Removes and returns the first item, NULL when empty. */
void *list_shift(struct list *list);

/* Frees the array, not the items. */
void list_free(struct list *list);
