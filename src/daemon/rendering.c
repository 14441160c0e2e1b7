#include "daemon/rendering.h"

#include <stdlib.h>

#include "base/mem.h"

/* When so many have asked, clients that are gone are forgotten: no more than CONTROL_CLIENTS can wait. */
#define ASKED_MOST ((size_t)2 * CONTROL_CLIENTS)

/* An answer that was asked for. */
struct order {
	struct request request;
	struct list clients; /* ids of the clients that wait for it, as pointers */
	bool begun;
};

struct rendering {
	uv_idle_t *idle; /* runs while there are orders: once a turn, before sockets are looked at */
	struct control *control;
	rendering_part *part;
	void *data;
	struct list orders;
	size_t asked; /* clients of all orders */
};

static void free_order(struct order *order)
{
	request_free(&order->request);
	list_free(&order->clients);
	free(order);
}

static unsigned long client_at(const struct order *order, size_t index)
{
	return (unsigned long)(uintptr_t)order->clients.items[index];
}

static void deliver(struct rendering *rendering, struct order *order, struct shared_text *text)
{
	for (size_t i = 0; i < order->clients.count; i++)
		control_answer(rendering->control, client_at(order, i), text);
}

/* Makes a part of the first order; with the last one it sends the answer. */
static void work(struct rendering *rendering)
{
	struct order *order = rendering->orders.items[0];
	struct shared_text *text;

	order->begun = true;
	text = rendering->part(rendering->data, &order->request);
	if (text == NULL)
		return;
	(void)list_shift(&rendering->orders);
	rendering->asked -= order->clients.count;
	deliver(rendering, order, text); /* whoever asks again from inside is behind all others */
	shared_text_unref(&text);
	free_order(order);
}

static void on_idle(uv_idle_t *idle)
{
	struct rendering *rendering = idle->data;
	uint64_t end_ns = uv_hrtime() + (uint64_t)RENDERING_TURN_US * 1000;

	do
		work(rendering);
	while (rendering->orders.count > 0 && uv_hrtime() < end_ns);
	if (rendering->orders.count == 0)
		(void)uv_idle_stop(idle);
}

struct rendering *rendering_new(uv_loop_t *loop, struct control *control, rendering_part *part, void *data)
{
	struct rendering *rendering = mem_zalloc(1, sizeof(*rendering));

	rendering->idle = mem_zalloc(1, sizeof(*rendering->idle));
	(void)uv_idle_init(loop, rendering->idle);
	rendering->idle->data = rendering;
	rendering->control = control;
	rendering->part = part;
	rendering->data = data;
	return rendering;
}

static void forget_gone(struct rendering *rendering)
{
	for (size_t i = rendering->orders.count; i-- > 0;) {
		struct order *order = rendering->orders.items[i];

		for (size_t j = order->clients.count; j-- > 0;) {
			if (control_waits(rendering->control, client_at(order, j)))
				continue;
			(void)list_remove_at(&order->clients, j);
			rendering->asked--;
		}
		if (order->clients.count > 0 || order->begun)
			continue;
		(void)list_remove_at(&rendering->orders, i);
		free_order(order);
	}
}

/* Finds an order for the same request that is not begun; NULL: there is none. */
static struct order *find_order(const struct rendering *rendering, const struct request *request)
{
	for (size_t i = 0; i < rendering->orders.count; i++) {
		struct order *order = rendering->orders.items[i];

		if (!order->begun && request_same(&order->request, request))
			return order;
	}
	return NULL;
}

void rendering_ask(struct rendering *rendering, unsigned long client, struct request *request)
{
	struct order *order;

	if (rendering->asked >= ASKED_MOST)
		forget_gone(rendering);
	order = find_order(rendering, request);
	if (order == NULL) {
		order = mem_zalloc(1, sizeof(*order));
		order->request = *request;
		*request = (struct request){ 0 };
		list_add(&rendering->orders, order);
	}
	list_add(&order->clients, (void *)(uintptr_t)client);
	rendering->asked++;
	(void)uv_idle_start(rendering->idle, on_idle);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

void rendering_free(struct rendering **rendering_p)
{
	struct rendering *rendering = *rendering_p;
	struct order *order;

	*rendering_p = NULL;
	if (rendering == NULL)
		return;
	while ((order = list_shift(&rendering->orders)) != NULL)
		free_order(order);
	list_free(&rendering->orders);
	uv_close((uv_handle_t *)rendering->idle, on_closed);
	free(rendering);
}
