#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void reserve(struct buf *buf, size_t more)
{
	size_t need = buf->len + more + 1;
	size_t cap = buf->cap > 0 ? buf->cap : 64;

	if (need <= buf->cap)
		return;
	while (cap < need)
		cap *= 2;
	buf->data = mem_grow(buf->data, cap, 1);
	buf->cap = cap;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	reserve(buf, len);
	if (len > 0)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_add_str(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_vaddf(struct buf *buf, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		return;
	reserve(buf, (size_t)len);
	(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
	buf->len += (size_t)len;
}

void buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vaddf(buf, format, args);
	va_end(args);
}

void buf_drop(struct buf *buf, size_t len)
{
	if (len == 0 || buf->data == NULL)
		return;
	if (len > buf->len)
		len = buf->len;
	memmove(buf->data, buf->data + len, buf->len - len + 1);
	buf->len -= len;
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

const char *buf_text(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

char *buf_steal(struct buf *buf)
{
	char *text = buf->data != NULL ? buf->data : mem_strdup("");

	*buf = (struct buf){ 0 };
	return text;
}

/*
 * Makes a free place behind the items. If more places are free before them than there are items, these move to the
 * start of the array; else the array grows.
 */
static void make_place(struct list *list)
{
	void **start = list->items != NULL ? list->items - list->front : NULL;

	if (list->front + list->count < list->cap)
		return;
	if (start != NULL && list->front > list->count) {
		memmove(start, list->items, list->count * sizeof(void *));
		list->front = 0;
	} else {
		list->cap = list->cap > 0 ? list->cap * 2 : 8;
		start = mem_grow(start, list->cap, sizeof(void *));
	}
	list->items = start + list->front;
}

void list_insert(struct list *list, size_t index, void *item)
{
	if (list->front > 0 && index < list->count / 2) {
		list->items--;
		list->front--;
		memmove(list->items, list->items + 1, index * sizeof(void *));
	} else {
		make_place(list);
		memmove(list->items + index + 1, list->items + index, (list->count - index) * sizeof(void *));
	}
	list->items[index] = item;
	list->count++;
}

void list_add(struct list *list, void *item)
{
	list_insert(list, list->count, item);
}

void *list_remove_at(struct list *list, size_t index)
{
	void *item = list->items[index];

	list->count--;
	if (index <= list->count / 2) {
		memmove(list->items + 1, list->items, index * sizeof(void *));
		list->items++;
		list->front++;
	} else {
		memmove(list->items + index, list->items + index + 1, (list->count - index) * sizeof(void *));
	}
	return item;
}

bool list_remove(struct list *list, const void *item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == item) {
			(void)list_remove_at(list, i);
			return true;
		}
	}
	return false;
}

bool list_has(const struct list *list, const void *item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == item)
			return true;
	}
	return false;
}

void *list_shift(struct list *list)
{
	return list->count > 0 ? list_remove_at(list, 0) : NULL;
}

void list_free(struct list *list)
{
	if (list->items != NULL)
		free(list->items - list->front);
	*list = (struct list){ 0 };
}
