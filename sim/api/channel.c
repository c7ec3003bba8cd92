/* SPDX-License-Identifier: Apache-2.0
 *
 * Channels as Go has them: a ring of items, and behind it senders and receivers in the order in which they came. An
 * item goes straight from a sender to the receiver that waits longest, so nobody overtakes.
 */
#include <kafkasim/task.h>

#include "sim/api/address.h"
#include "sim/task/runtime.h"

typedef struct waiter { /* a blocked send or receive; lives on the caller's stack */
    ks_wait wait;
    void *item;
    bool done; /* the item was handed over, or the channel was closed */
    struct waiter *next, **link;
} waiter;

typedef struct waiter_queue {
    waiter *first, **last;
} waiter_queue;

struct kafka_channel {
    ks_handle handle;
    ks_runtime *runtime;
    size_t capacity, first, count; /* of the ring */
    bool closed;
    waiter_queue senders, receivers;
    void *items[];
};

static void enqueue(waiter_queue *queue, waiter *item) {
    item->next = NULL;
    item->link = queue->last;
    *queue->last = item;
    queue->last = &item->next;
}

static void remove_from(waiter_queue *queue, waiter *item) {
    *item->link = item->next;
    if (item->next)
        item->next->link = item->link;
    else
        queue->last = item->link;
}

/* The first whose call has not ended otherwise meanwhile (its context, a crash): it is served now. */
static waiter *serve(waiter_queue *queue) {
    for (waiter *item = queue->first, *next; item; item = next) {
        next = item->next;
        if (item->wait.done) continue;
        remove_from(queue, item);
        item->done = true;
        ks_wait_wake(&item->wait, KAFKA_OK);
        return item;
    }
    return NULL;
}

static void drop(void *object) { ks_free(object); }

kafka_channel *kafka_channel_new(kafka_context *context, size_t capacity) {
    if (context == NULL || !ks_runtime_right_thread(context->runtime)) return NULL;
    kafka_channel *channel = ks_alloc(sizeof *channel + capacity * sizeof *channel->items);
    channel->runtime = context->runtime;
    channel->capacity = capacity;
    channel->senders.last = &channel->senders.first;
    channel->receivers.last = &channel->receivers.first;
    ks_handle_open(&channel->handle, context->address, "kafka_channel", "kafka_channel_free", drop, channel);
    return channel;
}

void kafka_channel_close(kafka_channel *channel) {
    if (channel == NULL || channel->closed || !ks_runtime_right_thread(channel->runtime)) return;
    ks_runtime_fruitful(channel->runtime);
    channel->closed = true;
    ks_runtime_notice_jump(channel->runtime);
    if (channel->runtime->freeing) return;
    for (waiter *item = channel->senders.first; item; item = item->next) ks_wait_wake(&item->wait, KAFKA_ERR_CLOSED);
    for (waiter *item = channel->receivers.first; item; item = item->next) ks_wait_wake(&item->wait, KAFKA_ERR_CLOSED);
}

void kafka_channel_free(kafka_channel *channel) {
    if (channel == NULL || !ks_runtime_right_thread(channel->runtime)) return;
    kafka_channel_close(channel);
    if (!channel->runtime->freeing) { /* whoever was blocked is on its way out and finds itself in no queue */
        for (waiter *item = channel->senders.first; item; item = item->next) item->link = NULL;
        for (waiter *item = channel->receivers.first; item; item = item->next) item->link = NULL;
    }
    ks_handle_close(&channel->handle);
    ks_free(channel);
}

/* Blocks in `queue` until served. What was handed over counts, even when the context ended at the same instant. */
static kafka_error wait_in(kafka_channel *channel, waiter_queue *queue, kafka_context *context, waiter *self,
                           const char *call) {
    kafka_error error = ks_wait_begin(&self->wait, channel->runtime, context->node, context,
                                      "%s: a channel of capacity %zu", call, channel->capacity);
    if (error) return ks_address_fail(context->address, error, "%s", call);
    kafka_address *address = context->address;
    self->done = false;
    enqueue(queue, self);
    error = ks_wait_park(&self->wait);
    if (self->done && self->link) return KAFKA_OK;
    if (self->link) remove_from(queue, self);
    return ks_address_fail(address, error ? error : KAFKA_ERR_CLOSED, "%s", call);
}

static kafka_error check(kafka_channel *channel, kafka_context *context, const char *call) {
    if (channel == NULL || context == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    if (!ks_runtime_right_thread(channel->runtime)) return KAFKA_ERR_WRONG_THREAD;
    ks_runtime_notice_jump(channel->runtime);
    if (channel->runtime->freeing) return KAFKA_ERR_RUN_ENDED;
    if (context->runtime != channel->runtime) {
        return ks_address_fail(context->address, KAFKA_ERR_INVALID_ARGUMENT,
                               "%s: the context is of client process %s in another simulator than the channel", call,
                               ks_node_name(context->node));
    }
    return KAFKA_OK;
}

kafka_error kafka_channel_send(kafka_channel *channel, kafka_context *context, void *item) {
    kafka_error error = check(channel, context, "kafka_channel_send");
    if (error) return error;
    if (channel->closed)
        return ks_address_fail(context->address, KAFKA_ERR_CLOSED, "kafka_channel_send: the channel was closed");
    if (context->error == KAFKA_OK) {
        waiter *receiver = channel->count == 0 ? serve(&channel->receivers) : NULL;
        if (receiver || channel->count < channel->capacity) {
            ks_runtime_fruitful(channel->runtime);
            if (receiver)
                receiver->item = item;
            else
                channel->items[(channel->first + channel->count++) % channel->capacity] = item;
            return KAFKA_OK;
        }
    }
    waiter self = { .item = item };
    return wait_in(channel, &channel->senders, context, &self, "kafka_channel_send");
}

kafka_error kafka_channel_receive(kafka_channel *channel, kafka_context *context, void **item) {
    kafka_error error = check(channel, context, "kafka_channel_receive");
    if (error) return error;
    if (item == NULL)
        return ks_address_fail(context->address, KAFKA_ERR_INVALID_ARGUMENT, "kafka_channel_receive: item is NULL");
    if (context->error == KAFKA_OK && channel->count > 0) {
        ks_runtime_fruitful(channel->runtime);
        *item = channel->items[channel->first];
        channel->first = (channel->first + 1) % channel->capacity;
        channel->count--;
        waiter *sender = serve(&channel->senders);
        if (sender) channel->items[(channel->first + channel->count++) % channel->capacity] = sender->item;
        return KAFKA_OK;
    }
    if (context->error == KAFKA_OK) {
        waiter *sender = serve(&channel->senders);
        if (sender) {
            ks_runtime_fruitful(channel->runtime);
            *item = sender->item;
            return KAFKA_OK;
        }
        if (channel->closed) return KAFKA_ERR_CLOSED;
    }
    waiter self = { .item = NULL };
    error = wait_in(channel, &channel->receivers, context, &self, "kafka_channel_receive");
    if (error == KAFKA_OK) *item = self.item;
    return error;
}
