/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_go, kafka_join, kafka_sleep over the tasks of sim/task.
 */
#include <kafkasim/task.h>

#include "sim/api/address.h"
#include "sim/task/runtime.h"

kafka_task *kafka_go(kafka_context *context, const char *name, void (*run)(void *argument), void *argument) {
    if (context == NULL || run == NULL || !ks_runtime_right_thread(context->runtime)) return NULL;
    ks_runtime_fruitful(context->runtime);
    return (kafka_task *)ks_task_start(context->runtime, context->node, name ? name : "task", run, argument);
}

void kafka_task_free(kafka_task *handle) {
    ks_task *task = (ks_task *)handle;
    if (task && ks_runtime_right_thread(task->runtime)) ks_task_forget(task);
}

kafka_error kafka_join(kafka_context *context, kafka_task *handle) {
    ks_task *task = (ks_task *)handle;
    if (context == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_address *address = context->address;
    if (task == NULL) return ks_address_fail(address, KAFKA_ERR_INVALID_ARGUMENT, "kafka_join: task is NULL");
    if (task->runtime != context->runtime)
        return ks_address_fail(address, KAFKA_ERR_INVALID_ARGUMENT, "kafka_join: task %s of %s is one of another simulator than the context",
                               task->name, ks_node_name(task->node));
    if (ks_runtime_right_thread(task->runtime) &&
        task->ended) { /* also after the context has ended: it costs no time */
        ks_runtime_fruitful(task->runtime);
        ks_task_forget(task);
        return KAFKA_OK;
    }
    if (task->joiner)
        return ks_address_fail(address, KAFKA_ERR_INVALID_ARGUMENT, "kafka_join: task %s is being joined already",
                               task->name);
    ks_wait wait;
    kafka_error error = ks_wait_begin(&wait, context->runtime, context->node, context, "kafka_join: task %s of %s",
                                      task->name, ks_node_name(task->node));
    if (error) return ks_address_fail(address, error, "kafka_join: task %s", task->name);
    task->joiner = &wait;
    error = ks_wait_park(&wait);
    if (error && !task->ended) {
        task->joiner = NULL;
        return ks_address_fail(address, error, "kafka_join: task %s", task->name);
    }
    ks_task_forget(task); /* it has ended, whatever became of the context at that very instant */
    return KAFKA_OK;
}

kafka_error kafka_sleep(kafka_context *context, kafka_duration duration) {
    if (context == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_address *address = context->address; /* the context may be freed while we sleep under it */
    kafka_error error = ks_runtime_sleep(context->runtime, context->node, context, duration);
    return error ? ks_address_fail(address, error, "kafka_sleep") : KAFKA_OK;
}
