/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks and channels for application code: Go's `go`, Join, Sleep and channels, deterministic. Tasks of one simulator take
 * turns on its thread; a task runs until it blocks. Each has a stack of its own.
 */
#ifndef KAFKASIM_TASK_H
#define KAFKASIM_TASK_H

#include <kafkasim/context.h>

KAFKA_BEGIN

typedef struct kafka_task kafka_task;
typedef struct kafka_channel kafka_channel;

/** Starts `run(argument)` as a task of the context's client process, at this instant but not before the caller blocks.
 *  name      copied; shown in reports and the trace
 *  returns   owned: kafka_join() or kafka_task_free() */
KAFKA_API kafka_task *kafka_go(kafka_context *context, const char *name, void (*run)(void *argument), void *argument);
/** Waits until the task has returned, and frees it. On an error (the context's) the task lives on and stays owned. */
KAFKA_API kafka_error kafka_join(kafka_context *context, kafka_task *task);
/** Forgets a task: it runs on and cleans up by itself. NULL is allowed. */
KAFKA_API void kafka_task_free(kafka_task *task);
/** Blocks for `duration` of virtual time: what the work in between costs. Wakes early when the context ends. */
KAFKA_API kafka_error kafka_sleep(kafka_context *context, kafka_duration duration);

/** A channel of pointers; `capacity` 0 hands over from sender to receiver directly. Owned: kafka_channel_free(). */
KAFKA_API kafka_channel *kafka_channel_new(kafka_context *context, size_t capacity);
/** Closes it and gives it back; whoever is blocked in it ends with KAFKA_ERR_CLOSED. Items that nobody received are not freed: they
 *  are the program's. Never blocks. NULL is allowed. */
KAFKA_API void kafka_channel_free(kafka_channel *channel);
/** Blocks while full. KAFKA_ERR_CLOSED after kafka_channel_close(). */
KAFKA_API kafka_error kafka_channel_send(kafka_channel *channel, kafka_context *context, void *item);
/** Blocks while empty. KAFKA_ERR_CLOSED once it is closed and drained. */
KAFKA_API kafka_error kafka_channel_receive(kafka_channel *channel, kafka_context *context, void **item);
/** No more sends; receivers drain what is there. Idempotent. */
KAFKA_API void kafka_channel_close(kafka_channel *channel);

KAFKA_END

#endif
