/* SPDX-License-Identifier: Apache-2.0
 * A consumer program over kafka-go's Reader: fetch, work, commit.
 *
 *   auto    ReadMessage: each message is committed before the program sees it
 *   each    FetchMessage, work, CommitMessages
 *   every   the same, for the last of N
 *   manual  only when the scenario says `commit`
 */
#include "sim/api/reader_config.h"
#include "sim/client/consumer_group_reader.h"
#include "sim/scenario/session.h"

typedef struct life {
    ks_reader *reader;
    ks_reader_config config;
    bool has_message, processed, committed; /* the message in hand */
    ks_read_partition *partition;
    int64_t offset;
} life;

static void on_ready(void *owner) { ks_actor_wake(owner); }
static void on_failed(void *owner, kafka_error error, const char *step) {
    (void)step;
    ((ks_actor *)owner)->last_error = error;
}
static void on_changed(void *owner) { (void)owner; }
static void on_closed(void *owner) {
    ks_actor *actor = owner;
    actor->closed = true;
    actor->running = false;
}
static const ks_reader_events events = { on_ready, on_failed, on_changed, on_changed, on_closed };

static int64_t millis(const ks_actor *actor, const char *name) {
    return ks_pair_int(actor->declared, name, 0) * KAFKA_MILLISECOND;
}

static bool known_config(const char *name) {
    static const char *const names[] = { "heartbeat.interval.ms", "session.timeout.ms", "rebalance.timeout.ms", "auto.offset.reset",
                                         "join.group.backoff.ms", "max.wait.ms", "commit.interval.ms", "queue.capacity",
                                         "min.bytes", "max.bytes", "watch.partition.changes", "partition.watch.interval.ms", NULL };
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

static bool balancers(ks_actor *actor, kafka_reader_config *config, char *problem, size_t size) {
    const char *names = ks_pair_text(actor->declared, "assignor", NULL);
    if (names == NULL) return true;
    kafka_group_balancer *list = ks_arena_alloc(actor->arena, 8 * sizeof *list);
    for (const char *at = names; config->group_balancer_count < 8;) {
        size_t length = strcspn(at, ",");
        ks_string name = { at, (int32_t)length };
        if (ks_string_equal(name, KS_LITERAL("range"))) list[config->group_balancer_count++] = kafka_group_balancer_range();
        else if (ks_string_equal(name, KS_LITERAL("roundrobin"))) list[config->group_balancer_count++] = kafka_group_balancer_round_robin();
        else if (ks_string_equal(name, KS_LITERAL("rack-affinity"))) list[config->group_balancer_count++] = kafka_group_balancer_rack_affinity("");
        else {
            snprintf(problem, size, "kafka-go's assignors are range, roundrobin and rack-affinity, not '%.*s'", (int)length, at);
            return false;
        }
        if (at[length] == '\0') break;
        at += length + 1;
    }
    config->group_balancers = list;
    return true;
}

static bool start(ks_actor *actor, char *problem, size_t size) {
    kafka_reader_config config = { .address = actor->address, .group_id = actor->group.data, .group_topics = (const char *const *)actor->topics,
                                   .group_topic_count = (size_t)actor->topic_count };
    for (int32_t i = 0; i < actor->declared->pair_count; i++) {
        const ks_pair *pair = &actor->declared->pairs[i];
        if (strchr(pair->name.text.data, '.') == NULL || known_config(pair->name.text.data)) continue;
        snprintf(problem, size, "kafka-go's reader has no '%s'", pair->name.text.data);
        return false;
    }
    if (strcmp(ks_pair_text(actor->declared, "protocol", "classic"), "classic") != 0) {
        snprintf(problem, size, "kafka-go knows only protocol=classic");
        return false;
    }
    config.heartbeat_interval = millis(actor, "heartbeat.interval.ms");
    config.session_timeout = millis(actor, "session.timeout.ms");
    config.rebalance_timeout = millis(actor, "rebalance.timeout.ms");
    config.join_group_backoff = millis(actor, "join.group.backoff.ms");
    config.max_wait = millis(actor, "max.wait.ms");
    config.commit_interval = millis(actor, "commit.interval.ms");
    config.partition_watch_interval = millis(actor, "partition.watch.interval.ms");
    config.watch_partition_changes = strcmp(ks_pair_text(actor->declared, "watch.partition.changes", "false"), "true") == 0;
    config.queue_capacity = (int32_t)ks_pair_int(actor->declared, "queue.capacity", 0);
    config.min_bytes = (int32_t)ks_pair_int(actor->declared, "min.bytes", 0);
    config.max_bytes = (int32_t)ks_pair_int(actor->declared, "max.bytes", 0);
    const char *reset = ks_pair_text(actor->declared, "auto.offset.reset", "earliest");
    if (strcmp(reset, "latest") == 0) config.start_offset = KAFKA_LAST_OFFSET;
    else if (strcmp(reset, "earliest") != 0) {
        snprintf(problem, size, "auto.offset.reset is earliest or latest for kafka-go, not '%s'", reset);
        return false;
    }
    if (!balancers(actor, &config, problem, size)) return false;
    const char *wrong = ks_reader_config_check(&config, actor->arena);
    if (wrong != NULL) {
        snprintf(problem, size, "%s", wrong);
        return false;
    }
    life *l = ks_arena_alloc(actor->arena, sizeof *l);
    kafka_reader_config settings = ks_reader_config_copy(&config, actor->arena);
    l->config = ks_reader_config_engine(&settings, actor->arena);
    l->reader = ks_reader_new(&l->config, &events, actor);
    actor->engine = l;
    return true;
}

static void on_committed(void *owner, kafka_error error) {
    ks_actor *actor = owner;
    life *l = actor->engine;
    actor->committing = false;
    l->committed = true;
    if (error != KAFKA_OK) actor->last_error = error;
    ks_actor_wake(actor);
}

static void commit_at(ks_actor *actor, ks_read_partition *partition, int64_t offset, bool wait) {
    life *l = actor->engine;
    ks_commits *commits = ks_reader_commits(l->reader);
    actor->since_commit = 0;
    if (ks_commits_merge(commits, partition, offset + 1)) {
        l->committed = true;
        return;
    }
    ks_commit_request *request = ks_commits_request(commits);
    ks_commit_request_add(request, partition, offset + 1);
    if (wait) {
        request->done = on_committed;
        request->owner = actor;
        actor->committing = true;
    } else l->committed = true;
    ks_commits_queue(commits, request);
}

/* Takes the next message in hand; false: there is none. */
static bool take(ks_actor *actor) {
    life *l = actor->engine;
    const ks_fetched *next = ks_reader_peek(l->reader);
    if (next == NULL) return false;
    if (next->error != KAFKA_OK) {
        actor->last_error = next->error;
        ks_reader_taken(l->reader);
        ks_actor_wake(actor);
        return false;
    }
    l->partition = ks_fetched_partition(next);
    l->offset = next->record.offset;
    l->has_message = true;
    l->processed = l->committed = false;
    ks_block *block = next->block;
    ks_reader_taken(l->reader);
    ks_block_release(block);
    ks_reader_tell_delivered(l->reader);
    ks_actor_delivered(actor, l->partition->topic, l->partition->partition, l->offset);
    return true;
}

static bool wants_commit(const ks_actor *actor) {
    return actor->policy == KS_COMMIT_EACH || (actor->policy == KS_COMMIT_EVERY && actor->since_commit >= actor->every);
}

static void turn(ks_actor *actor) {
    life *l = actor->engine;
    while (!actor->committing && !actor->is_busy) {
        if (!l->has_message) {
            if (!take(actor)) return;
            if (actor->policy == KS_COMMIT_AUTO) {
                commit_at(actor, l->partition, l->offset, true);
                continue;
            }
        }
        if (!l->processed) {
            l->processed = true; /* when the work is done */
            actor->since_commit++;
            if (actor->process_ns > 0) {
                ks_actor_work(actor, actor->process_ns);
                return;
            }
        }
        if (!l->committed && wants_commit(actor)) {
            commit_at(actor, l->partition, l->offset, true);
            continue;
        }
        l->has_message = false;
    }
}

static void commit(ks_actor *actor) {
    life *l = actor->engine;
    if (l->partition != NULL && l->processed) commit_at(actor, l->partition, l->offset, false);
}

static void close_reader(ks_actor *actor) { ks_reader_close(((life *)actor->engine)->reader); }
static void crashed(ks_actor *actor) { ks_reader_crashed(((life *)actor->engine)->reader); }
static bool settled(ks_actor *actor) { (void)actor; return true; }
static void free_reader(ks_actor *actor) { ks_reader_free(((life *)actor->engine)->reader); }

const ks_actor_kind ks_actor_kafka_go = { start, turn, commit, close_reader, crashed, settled, free_reader };
