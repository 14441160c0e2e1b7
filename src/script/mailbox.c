#include "script/mailbox.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

struct mailbox {
	uv_async_t woken;
	pthread_mutex_t lock;
	struct list messages;
	void (*receive)(void *data, void *message);
	void *data;
	bool closing;
};

static void *take(struct mailbox *mailbox)
{
	void *message;

	pthread_mutex_lock(&mailbox->lock);
	message = list_shift(&mailbox->messages);
	pthread_mutex_unlock(&mailbox->lock);
	return message;
}

static void on_woken(uv_async_t *woken)
{
	struct mailbox *mailbox = woken->data;
	void *message;

	/* a receiver may call mailbox_free(): the memory is freed only by the close callback */
	while (!mailbox->closing && (message = take(mailbox)) != NULL)
		mailbox->receive(mailbox->data, message);
}

struct mailbox *mailbox_new(uv_loop_t *loop, void (*receive)(void *data, void *message),
			    void *data)
{
	struct mailbox *mailbox = mem_zalloc(1, sizeof(*mailbox));

	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->receive = receive;
	mailbox->data = data;
	mailbox->woken.data = mailbox;
	uv_async_init(loop, &mailbox->woken, on_woken);
	return mailbox;
}

void mailbox_send(struct mailbox *mailbox, void *message)
{
	pthread_mutex_lock(&mailbox->lock);
	list_add(&mailbox->messages, message);
	pthread_mutex_unlock(&mailbox->lock);
	uv_async_send(&mailbox->woken);
}

static void on_closed(uv_handle_t *handle)
{
	struct mailbox *mailbox = handle->data;

	list_free(&mailbox->messages);
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

void mailbox_free(struct mailbox **mailbox_p, void (*drop)(void *message))
{
	struct mailbox *mailbox = *mailbox_p;
	void *message;

	*mailbox_p = NULL;
	if (mailbox == NULL)
		return;
	mailbox->closing = true;
	while ((message = take(mailbox)) != NULL)
		drop(message);
	uv_close((uv_handle_t *)&mailbox->woken, on_closed);
}
