/* SPDX-License-Identifier: Apache-2.0
 * A consumer program over Java's KafkaConsumer: poll, work through what came, poll again. Between two polls the group sees only
 * heartbeats.
 *
 *   auto    enable.auto.commit=true
 *   each    commitSync after each message;  every: after N;  manual: only when the scenario says `commit`
 */
#include "sim/client/java_consumer.h"
#include "sim/scenario/session.h"

typedef struct life {
    ks_consumer *consumer;
    KS_VEC(ks_offset) batch; /* what the last poll returned; offset: of the record */
    int32_t at;              /* next of it to be worked on */
    bool polling, working, closing;
    ks_offset_op *commit;
    KS_VEC(ks_offset) done;  /* positions to commit: one a partition */
} life;

static void on_wake(void *owner) { ks_actor_wake(owner); }

/* Kafka's settings for a `consumer` command. */
static bool settings_of(const ks_command_line *declared, ks_arena *arena, ks_java_config *config, ks_buffer *why) {
    KS_VEC(const char *) settings = { 0 };
    ks_commit_policy policy;
    int64_t every;
    const char *protocol = ks_pair_text(declared, "protocol", NULL), *assignor = ks_pair_text(declared, "assignor", NULL), *commit = ks_pair_text(declared, "commit", NULL);
    bool modern = strcmp(protocol != NULL ? protocol : ks_pair_text(declared, "group.protocol", "classic"), "consumer") == 0;
    KS_PUSH(settings, ks_arena_printf(arena, "group.id=%s", ks_pair_text(declared, "group", "g")).data);
    KS_PUSH(settings, "auto.offset.reset=earliest"); /* lessons read what is there; latest where the scenario says so */
    if (protocol != NULL) KS_PUSH(settings, ks_arena_printf(arena, "group.protocol=%s", protocol).data);
    if (commit != NULL && ks_commit_policy_parse(ks_str(commit), &policy, &every) && policy != KS_COMMIT_AUTO) KS_PUSH(settings, "enable.auto.commit=false");
    if (assignor != NULL) KS_PUSH(settings, ks_arena_printf(arena, "%s=%s", modern ? "group.remote.assignor" : "partition.assignment.strategy", assignor).data);
    for (int32_t i = 0; i < declared->pair_count; i++)
        if (strchr(declared->pairs[i].name.text.data, '.') != NULL)
            KS_PUSH(settings, ks_arena_printf(arena, "%s=%s", declared->pairs[i].name.text.data, declared->pairs[i].value.text.data).data);
    bool fine = ks_java_config_init(config, settings.items, (size_t)settings.count, NULL, 0, why) == KAFKA_OK;
    ks_free(settings.items);
    return fine;
}

bool ks_java_settings_are_right(const ks_command_line *declared, ks_arena *arena, ks_buffer *why) {
    ks_buffer reason = { 0 };
    ks_java_config *config = ks_alloc(sizeof *config);
    bool fine = settings_of(declared, arena, config, &reason);
    if (fine && config->modern && config->group_remote_assignor != NULL && strcmp(config->group_remote_assignor, "uniform") != 0 &&
        strcmp(config->group_remote_assignor, "range") != 0) {
        ks_buffer_printf(&reason, "the assignors of the consumer protocol are uniform and range, not '%s'", config->group_remote_assignor);
        fine = (ks_java_config_deinit(config), false);
    } else if (fine) ks_java_config_deinit(config);
    if (why != NULL && !fine) ks_buffer_printf(why, "%.*s", (int)reason.size, (const char *)reason.data);
    ks_buffer_deinit(&reason);
    ks_free(config);
    return fine;
}

static bool start(ks_actor *actor, char *problem, size_t size) {
    ks_java_config *config = ks_alloc(sizeof *config);
    ks_buffer why = { 0 };
    if (!settings_of(actor->declared, actor->arena, config, &why)) {
        snprintf(problem, size, "%.*s", (int)why.size, (const char *)why.data);
        ks_buffer_deinit(&why);
        ks_free(config);
        return false;
    }
    ks_buffer_deinit(&why);
    life *l = ks_arena_alloc(actor->arena, sizeof *l);
    l->consumer = ks_consumer_new(actor->address->process, actor->address->text, config, &(ks_consumer_events){ .wake = on_wake, .owner = actor });
    ks_free(config);
    if (l->consumer == NULL) {
        snprintf(problem, size, "the process '%s' is dead", actor->name.data);
        return false;
    }
    ks_string *topics = ks_arena_alloc(actor->arena, (size_t)actor->topic_count * sizeof *topics);
    for (int32_t i = 0; i < actor->topic_count; i++) topics[i] = ks_str(actor->topics[i]);
    actor->engine = l;
    if (ks_consumer_subscribe(l->consumer, topics, actor->topic_count) != KAFKA_OK) {
        snprintf(problem, size, "%s", ks_process_detail(actor->address->process));
        return false;
    }
    return true;
}

static void on_committed(void *owner, kafka_error error, const ks_offset *offsets, int32_t count) {
    (void)offsets;
    (void)count;
    ks_actor *actor = owner;
    life *l = actor->engine;
    l->commit = NULL;
    actor->committing = false;
    if (error != KAFKA_OK) actor->last_error = error; /* what is still its own then goes with the next commit */
    else l->done.count = 0;
    ks_actor_wake(actor);
}

static void done_up_to(life *l, const ks_offset *record) {
    for (int32_t i = 0; i < l->done.count; i++) {
        ks_offset *one = &l->done.items[i];
        if (one->partition != record->partition || !ks_string_equal(one->topic, record->topic)) continue;
        one->offset = record->offset + 1;
        return;
    }
    ks_offset next = *record;
    next.offset++;
    next.leader_epoch = -1;
    next.metadata = KS_LITERAL("");
    KS_PUSH(l->done, next);
}

static void commit_done(ks_actor *actor) {
    life *l = actor->engine;
    actor->since_commit = 0;
    if (l->done.count == 0 || actor->committing) return;
    actor->committing = true;
    ks_offset_op *op = ks_consumer_commit(l->consumer, l->done.items, l->done.count, 60 * KS_S, on_committed, actor);
    if (actor->committing) l->commit = op;
}

/* What was given up and not committed is somebody else's now. */
static void forget_given_up(life *l) {
    const ks_topic_partitions *topics;
    int32_t count, kept = 0;
    if (ks_consumer_callback(l->consumer, &topics, &count) == KS_PARTITIONS_ASSIGNED) return;
    for (int32_t i = 0; i < l->done.count; i++) {
        const ks_offset *one = &l->done.items[i];
        bool gone = false;
        for (int32_t t = 0; t < count; t++)
            for (int32_t p = 0; ks_string_equal(topics[t].topic, one->topic) && p < topics[t].partition_count; p++) gone |= topics[t].partitions[p] == one->partition;
        if (!gone) l->done.items[kept++] = *one;
    }
    l->done.count = kept;
}

static void take_records(ks_actor *actor) {
    life *l = actor->engine;
    ks_consumer_record taken;
    l->batch.count = l->at = 0;
    while (ks_consumer_take(l->consumer, &taken)) {
        ks_string topic = taken.topic;
        for (int32_t i = 0; i < actor->topic_count; i++) /* a name that outlives the record */
            if (ks_string_equal(topic, ks_str(actor->topics[i]))) topic = ks_str(actor->topics[i]);
        KS_PUSH(l->batch, ((ks_offset){ .topic = topic, .partition = taken.partition, .offset = taken.record.offset }));
        ks_actor_delivered(actor, topic, taken.partition, taken.record.offset);
    }
}

/* Works through the batch of the last poll; true: it is through. */
static bool work(ks_actor *actor) {
    life *l = actor->engine;
    while (l->at < l->batch.count) {
        if (!l->working && actor->process_ns > 0) {
            l->working = true;
            ks_actor_work(actor, actor->process_ns);
            return false;
        }
        l->working = false;
        done_up_to(l, &l->batch.items[l->at++]);
        actor->since_commit++;
        if (actor->policy == KS_COMMIT_EACH || (actor->policy == KS_COMMIT_EVERY && actor->since_commit >= actor->every)) {
            commit_done(actor);
            if (actor->committing) return false;
        }
    }
    return true;
}

static void end_poll(life *l) {
    if (l->polling) ks_consumer_poll_end(l->consumer);
    l->polling = false;
}

static void turn(ks_actor *actor) {
    life *l = actor->engine;
    if (actor->committing) return;
    while (l->closing || work(actor)) {
        if (!l->polling) {
            ks_consumer_poll_begin(l->consumer);
            l->polling = true;
        }
        switch (ks_consumer_step(l->consumer)) {
        case KS_POLL_RECORDS:
            take_records(actor);
            end_poll(l);
            break;
        case KS_POLL_CALLBACK:
            forget_given_up(l);
            ks_consumer_callback_done(l->consumer, KAFKA_OK);
            break;
        case KS_POLL_FAILED:
            actor->last_error = ks_consumer_error(l->consumer);
            end_poll(l);
            ks_actor_work(actor, 100 * KS_MS); /* a program that logs the exception and polls again */
            return;
        case KS_POLL_DONE:
            end_poll(l);
            actor->closed = true;
            actor->running = false;
            return;
        case KS_POLL_WAITING:
            return;
        }
    }
}

static void commit(ks_actor *actor) { commit_done(actor); } /* commitSync */

static void close_consumer(ks_actor *actor) {
    life *l = actor->engine;
    l->closing = true;
    actor->is_busy = false;
    ks_timer_stop(&actor->busy);
    end_poll(l);
    ks_consumer_close(l->consumer, 30 * KS_S);
    ks_actor_wake(actor);
}

static void forget(life *l) {
    if (l->commit != NULL) ks_offset_op_drop(l->commit);
    l->commit = NULL;
}

static void crashed(ks_actor *actor) { forget(actor->engine); }

static bool settled(ks_actor *actor) {
    const ks_consumer *consumer = ((life *)actor->engine)->consumer;
    if (ks_consumer_config(consumer)->modern) return true; /* KIP-848: the coordinator's Stable says that all have reconciled */
    return ks_consumer_member(consumer).settled;
}

static int64_t in_hand(const ks_actor *actor) {
    const life *l = actor->engine;
    return l->batch.count - l->at;
}

static void free_consumer(ks_actor *actor) {
    life *l = actor->engine;
    forget(l);
    ks_consumer_free(l->consumer);
    ks_free(l->batch.items);
    ks_free(l->done.items);
}

const ks_actor_kind ks_actor_java = { start, turn, commit, close_consumer, crashed, settled, in_hand, free_consumer };
