/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_consumer: the blocking face of the Java consumer engine (sim/client/java_consumer.h). Callbacks run on the stack of the call
 * that polls: the engine asks for one, the call runs it and goes on. */
#include "sim/api/consumer_internal.h"

enum { CLOSE_TIMEOUT_S = 30 };

/* ---- checks ---- */

kafka_error ks_consumer_enter(kafka_consumer *consumer, const char *call, bool anywhere) {
    if (consumer == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = ks_address_check(consumer->address, call);
    if (error) return error;
    if (consumer->closed) return ks_process_fail(consumer->address->process, KAFKA_ERR_CLOSED, "%s: this consumer has already been closed", call);
    if (anywhere) return KAFKA_OK;
    if (consumer->in_callback)
        return ks_process_fail(consumer->address->process, KAFKA_ERR_WRONG_PLACE,
                               "%s: not inside a callback of the consumer; return from it first", call);
    if (consumer->busy)
        return ks_process_fail(consumer->address->process, KAFKA_ERR_WRONG_PLACE,
                               "%s: another call is blocked in this consumer; a consumer is for one task at a time", call);
    return KAFKA_OK;
}

kafka_error ks_consumer_alive(kafka_consumer *consumer, const char *call) {
    if (!ks_consumer_is_dead(consumer->engine)) return KAFKA_OK;
    return ks_process_fail(consumer->address->process, KAFKA_ERR_NODE_CRASHED, "%s: client process %s has crashed", call,
                           consumer->address->name);
}

/* ---- making ---- */

static void wake(void *owner) {
    kafka_consumer *consumer = owner;
    if (consumer->wait) ks_wait_wake(consumer->wait, KAFKA_OK);
}

static void time_is_over(ks_timer *timer) { wake(timer->owner); }

static void drop(void *object) { ks_consumer_destroy(object); }

static kafka_error read_own_assignors(const kafka_consumer_config *config, kafka_consumer *consumer, ks_java_assignor **list) {
    *list = ks_alloc((config->assignor_count + 1) * sizeof **list);
    for (size_t i = 0; i < config->assignor_count; i++) {
        const kafka_assignor *given = &config->assignors[i];
        if (given->name == NULL || *given->name == 0 || given->assign == NULL)
            return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_CONFIG_VALUE,
                                   "kafka_consumer_new: assignors[%zu] needs a name and a function", i);
        ks_own_assignor *own = ks_alloc(sizeof *own);
        own->assignor = *given;
        KS_PUSH(consumer->own, own);
        (*list)[i] = (ks_java_assignor){ .name = ks_str(given->name), .assign = ks_own_assign, .argument = own,
                                         .protocol = given->cooperative ? KS_REBALANCE_COOPERATIVE : KS_REBALANCE_EAGER };
    }
    return KAFKA_OK;
}

static kafka_error make_engine(const kafka_consumer_config *config, kafka_consumer *consumer) {
    ks_java_assignor *own = NULL;
    ks_java_config settings;
    ks_buffer why = { 0 };
    kafka_error error = read_own_assignors(config, consumer, &own);
    if (error == KAFKA_OK) {
        error = ks_java_config_init(&settings, config->settings, config->setting_count, own, (int32_t)config->assignor_count, &why);
        if (error) ks_process_fail(consumer->address->process, error, "kafka_consumer_new: %s", why.data ? (const char *)why.data : "");
    }
    ks_free(own);
    ks_buffer_deinit(&why);
    if (error) return error;
    ks_consumer_events events = { wake, consumer };
    consumer->engine = ks_consumer_new(consumer->address->process, consumer->address->text, &settings, &events);
    if (consumer->engine) return KAFKA_OK;
    ks_java_config_deinit(&settings);
    return ks_process_fail(consumer->address->process, KAFKA_ERR_NODE_CRASHED, "kafka_consumer_new: client process %s is down",
                           consumer->address->name);
}

kafka_error kafka_consumer_new(const kafka_consumer_config *config, kafka_consumer **out) {
    if (config == NULL || config->address == NULL) return KAFKA_ERR_INVALID_ARGUMENT;
    kafka_error error = ks_address_check(config->address, "kafka_consumer_new");
    if (error) return error;
    const char *missing = out == NULL                                              ? "consumer"
                          : config->settings == NULL && config->setting_count > 0  ? "settings"
                          : config->assignors == NULL && config->assignor_count > 0 ? "assignors"
                                                                                    : NULL;
    if (missing)
        return ks_process_fail(config->address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_consumer_new: %s is NULL", missing);
    kafka_consumer *consumer = ks_alloc(sizeof *consumer);
    consumer->address = config->address;
    consumer->commits_end = &consumer->commits;
    consumer->callback_arena = ks_arena_new();
    ks_timer_init(&consumer->timer, ks_process_node(config->address->process), time_is_over, consumer);
    error = make_engine(config, consumer);
    if (error) {
        ks_consumer_destroy(consumer);
        return error;
    }
    ks_handle_open(&consumer->handle, config->address, "kafka_consumer", "kafka_consumer_close", drop, consumer);
    *out = consumer;
    return KAFKA_OK;
}

static void free_commits(kafka_consumer *consumer) {
    for (ks_finished_commit *one = consumer->commits, *next; one; one = next) {
        next = one->next;
        if (one->arena) ks_arena_free(one->arena);
        ks_free(one);
    }
}

void ks_consumer_destroy(kafka_consumer *consumer) {
    ks_handle_close(&consumer->handle);
    ks_timer_stop(&consumer->timer);
    ks_consumer_free(consumer->engine); /* drops what commit_async has under way */
    free_commits(consumer);
    ks_arena_free(consumer->callback_arena);
    ks_free(consumer->assignment.items);
    for (int32_t i = 0; i < consumer->own.count; i++) ks_free(consumer->own.items[i]);
    ks_free(consumer->own.items);
    ks_free(consumer);
}

void kafka_consumer_free(kafka_consumer *consumer) {
    if (consumer == NULL || !ks_runtime_right_thread(consumer->address->runtime)) return;
    consumer->closed = consumer->freed = true;
    if (consumer->wait) ks_wait_wake(consumer->wait, KAFKA_ERR_CLOSED);
    if (!consumer->busy && !consumer->in_callback) ks_consumer_destroy(consumer); /* else whoever is inside does when it leaves */
}

/* ---- what to read ---- */

kafka_error kafka_consumer_subscribe(kafka_consumer *consumer, const char *const *topics, size_t count,
                                     const kafka_rebalance_listener *listener) {
    kafka_error error = ks_consumer_enter(consumer, "kafka_consumer_subscribe", false);
    if (error || (error = ks_consumer_alive(consumer, "kafka_consumer_subscribe"))) return error;
    kafka_address *address = consumer->address;
    if (topics == NULL && count > 0)
        return ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_consumer_subscribe: topics is NULL");
    if (count == 0) return kafka_consumer_unsubscribe(consumer);
    ks_string *names = ks_alloc(count * sizeof *names);
    for (size_t i = 0; i < count && error == KAFKA_OK; i++) {
        names[i] = ks_str(topics[i]);
        if (names[i].size <= 0)
            error = ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_consumer_subscribe: topics[%zu] is NULL or empty", i);
    }
    if (error == KAFKA_OK) error = ks_consumer_subscribe(consumer->engine, names, (int32_t)count);
    if (error == KAFKA_OK) consumer->listener = listener ? *listener : (kafka_rebalance_listener){ 0 };
    ks_free(names);
    return error;
}

kafka_error kafka_consumer_assign(kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    kafka_error error = ks_consumer_enter(consumer, "kafka_consumer_assign", false);
    if (error || (error = ks_consumer_alive(consumer, "kafka_consumer_assign"))) return error;
    kafka_address *address = consumer->address;
    if (partitions == NULL && count > 0)
        return ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_consumer_assign: partitions is NULL");
    if (count == 0) return kafka_consumer_unsubscribe(consumer);
    ks_topic_partitions *list = ks_alloc(count * sizeof *list);
    int32_t *numbers = ks_alloc(count * sizeof *numbers);
    for (size_t i = 0; i < count && error == KAFKA_OK; i++) {
        numbers[i] = partitions[i].partition;
        list[i] = (ks_topic_partitions){ ks_str(partitions[i].topic), &numbers[i], 1 };
        if (list[i].topic.size <= 0 || numbers[i] < 0)
            error = ks_process_fail(address->process, KAFKA_ERR_INVALID_ARGUMENT,
                                    "kafka_consumer_assign: partitions[%zu] has no topic or a negative number", i);
    }
    if (error == KAFKA_OK) error = ks_consumer_assign(consumer->engine, list, (int32_t)count);
    ks_free(list);
    ks_free(numbers);
    return error;
}

kafka_error kafka_consumer_assignment(kafka_consumer *consumer, const kafka_topic_partition **partitions, size_t *count) {
    kafka_error error = ks_consumer_enter(consumer, "kafka_consumer_assignment", true);
    if (error) return error;
    if (partitions == NULL || count == NULL)
        return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_consumer_assignment: %s is NULL",
                               partitions == NULL ? "partitions" : "count");
    const ks_topic_partitions *topics;
    int32_t topic_count = ks_consumer_assignment(consumer->engine, &topics);
    consumer->assignment.count = 0;
    for (int32_t t = 0; t < topic_count; t++)
        for (int32_t i = 0; i < topics[t].partition_count; i++)
            KS_PUSH(consumer->assignment, (kafka_topic_partition){ topics[t].topic.data, topics[t].partitions[i] });
    *partitions = consumer->assignment.items;
    *count = (size_t)consumer->assignment.count;
    return KAFKA_OK;
}

kafka_consumer_membership kafka_consumer_group_metadata(const kafka_consumer *consumer) {
    if (consumer == NULL) return (kafka_consumer_membership){ .member = "", .generation = -1 };
    const ks_java_config *config = ks_consumer_config(consumer->engine);
    ks_member_view member = ks_consumer_member(consumer->engine);
    return (kafka_consumer_membership){ config->group_id, member.member_id.data, config->group_instance_id, member.generation };
}

/* ---- the end ---- */

kafka_error kafka_consumer_unsubscribe(kafka_consumer *consumer) {
    kafka_error error = ks_consumer_enter(consumer, "kafka_consumer_unsubscribe", false);
    if (error || (error = ks_consumer_alive(consumer, "kafka_consumer_unsubscribe"))) return error;
    ks_consumer_unsubscribe(consumer->engine);
    return ks_consumer_finish(consumer, "kafka_consumer_unsubscribe");
}

kafka_error kafka_consumer_close_within(kafka_consumer *consumer, kafka_duration timeout) {
    if (consumer && consumer->closed && !consumer->freed) return KAFKA_OK;
    kafka_error error = ks_consumer_enter(consumer, "kafka_consumer_close", false);
    if (error) return error;
    if (timeout < 0)
        return ks_process_fail(consumer->address->process, KAFKA_ERR_INVALID_ARGUMENT, "kafka_consumer_close: the timeout is negative");
    error = ks_consumer_alive(consumer, "kafka_consumer_close");
    if (error == KAFKA_OK) {
        ks_consumer_close(consumer->engine, timeout);
        error = ks_consumer_finish(consumer, "kafka_consumer_close");
        const char *what;
        if (error == KAFKA_OK && (error = ks_consumer_close_error(consumer->engine, &what)))
            ks_process_fail(consumer->address->process, error, "kafka_consumer_close: %s failed: %s", what, kafka_error_text(error));
    }
    consumer->closed = true;
    return error;
}

kafka_error kafka_consumer_close(kafka_consumer *consumer) {
    return kafka_consumer_close_within(consumer, CLOSE_TIMEOUT_S * KAFKA_SECOND);
}
