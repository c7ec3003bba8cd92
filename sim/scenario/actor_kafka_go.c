/* SPDX-License-Identifier: Apache-2.0
 * A consumer program over kafka-go's Reader: fetch, work, commit.
 *
 *   auto    ReadMessage: each message is committed before the program sees it
 *   each    FetchMessage, work, CommitMessages
 *   every   the same, for the last of N
 *   manual  only when the scenario says `commit`
 */
#include "sim/api/address.h"
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

/* What a Reader can be told, by Kafka's words where Kafka has them, else after kafka-go's. */
typedef struct setting { const char *name; enum { NUMBER, BOOLEAN, TEXT } type; } setting;
static const setting settings[] = {
    { "heartbeat.interval.ms", NUMBER }, { "session.timeout.ms", NUMBER }, { "rebalance.timeout.ms", NUMBER }, { "join.group.backoff.ms", NUMBER },
    { "max.wait.ms", NUMBER }, { "commit.interval.ms", NUMBER }, { "partition.watch.interval.ms", NUMBER }, { "queue.capacity", NUMBER },
    { "min.bytes", NUMBER }, { "max.bytes", NUMBER }, { "watch.partition.changes", BOOLEAN }, { "auto.offset.reset", TEXT }, { "client.rack", TEXT },
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static int64_t millis(const ks_command_line *declared, const char *name) { return ks_pair_int(declared, name, 0) * KAFKA_MILLISECOND; }

static bool is_right(const ks_pair *pair, ks_buffer *why) {
    const char *names[SETTINGS + 1] = { NULL };
    int64_t number;
    for (int i = 0; i < SETTINGS; i++) {
        names[i] = settings[i].name;
        if (!ks_string_equal(pair->name.text, ks_str(names[i]))) continue;
        ks_string value = pair->value.text;
        if (settings[i].type == NUMBER && (!ks_parse_int(value, &number) || number < 1 || number > INT32_MAX))
            ks_buffer_printf(why, "%s is a whole number, 1 to %d, not '%.100s'", names[i], INT32_MAX, value.data);
        if (settings[i].type == BOOLEAN && !ks_string_equal(value, KS_LITERAL("true")) && !ks_string_equal(value, KS_LITERAL("false")))
            ks_buffer_printf(why, "%s is true or false, not '%.100s'", names[i], value.data);
        return why->size == 0;
    }
    const char *nearest = ks_scenario_nearest(pair->name.text, names);
    ks_buffer_printf(why, "kafka-go's reader has no '%.100s'", pair->name.text.data);
    if (nearest != NULL) ks_buffer_printf(why, "; did you mean '%s'?", nearest);
    return false;
}

static bool balancers(const ks_command_line *declared, ks_arena *arena, kafka_reader_config *config, ks_buffer *why) {
    const char *names = ks_pair_text(declared, "assignor", NULL);
    if (names == NULL) return true;
    kafka_group_balancer *list = ks_arena_alloc(arena, 8 * sizeof *list);
    for (const char *at = names;;) {
        size_t length = strcspn(at, ",");
        ks_string name = { at, (int32_t)length };
        bool room = config->group_balancer_count < 8;
        if (room && ks_string_equal(name, KS_LITERAL("range"))) list[config->group_balancer_count++] = kafka_group_balancer_range();
        else if (room && ks_string_equal(name, KS_LITERAL("roundrobin"))) list[config->group_balancer_count++] = kafka_group_balancer_round_robin();
        else if (room && ks_string_equal(name, KS_LITERAL("rack-affinity"))) list[config->group_balancer_count++] = kafka_group_balancer_rack_affinity(ks_pair_text(declared, "client.rack", ""));
        else {
            ks_buffer_printf(why, "kafka-go's assignors are range, roundrobin and rack-affinity, not '%.*s'", (int)(length < 100 ? length : 100), at);
            return false;
        }
        if (at[length] == '\0') break;
        at += length + 1;
    }
    config->group_balancers = list;
    return true;
}

/* All but its address. */
static bool config_of(const ks_command_line *declared, ks_arena *arena, kafka_reader_config *config, ks_buffer *why) {
    const char *reset = ks_pair_text(declared, "auto.offset.reset", "earliest"); /* as for Java's: lessons read what is there */
    for (int32_t i = 0; i < declared->pair_count; i++)
        if (strchr(declared->pairs[i].name.text.data, '.') != NULL && !is_right(&declared->pairs[i], why)) return false;
    if (strcmp(ks_pair_text(declared, "protocol", "classic"), "classic") != 0) {
        ks_buffer_text(why, "kafka-go knows only protocol=classic");
        return false;
    }
    if (strcmp(reset, "latest") == 0) config->start_offset = KAFKA_LAST_OFFSET;
    else if (strcmp(reset, "earliest") != 0) {
        ks_buffer_printf(why, "auto.offset.reset is earliest or latest for kafka-go, not '%.100s'", reset);
        return false;
    }
    config->heartbeat_interval = millis(declared, "heartbeat.interval.ms");
    config->session_timeout = millis(declared, "session.timeout.ms");
    config->rebalance_timeout = millis(declared, "rebalance.timeout.ms");
    config->join_group_backoff = millis(declared, "join.group.backoff.ms");
    config->max_wait = millis(declared, "max.wait.ms");
    config->commit_interval = millis(declared, "commit.interval.ms");
    config->partition_watch_interval = millis(declared, "partition.watch.interval.ms");
    config->watch_partition_changes = strcmp(ks_pair_text(declared, "watch.partition.changes", "false"), "true") == 0;
    config->queue_capacity = (int32_t)ks_pair_int(declared, "queue.capacity", 0);
    config->min_bytes = (int32_t)ks_pair_int(declared, "min.bytes", 0);
    config->max_bytes = (int32_t)ks_pair_int(declared, "max.bytes", 0);
    return balancers(declared, arena, config, why);
}

bool ks_kafka_go_settings_are_right(const ks_command_line *declared, ks_arena *arena, ks_buffer *why) {
    static const char *const topics[] = { "t" };
    ks_buffer reason = { 0 };
    kafka_address anywhere = { 0 }; /* only that there is one is looked at */
    kafka_reader_config config = { .address = &anywhere, .group_id = ks_pair_text(declared, "group", "g"), .group_topics = topics, .group_topic_count = 1 };
    bool fine = config_of(declared, arena, &config, &reason);
    const char *wrong = fine ? ks_reader_config_check(&config, arena) : NULL;
    if (wrong != NULL) ks_buffer_text(&reason, wrong);
    if (why != NULL && reason.size > 0) ks_buffer_text(why, (const char *)reason.data);
    ks_buffer_deinit(&reason);
    return fine && wrong == NULL;
}

static bool start(ks_actor *actor, char *problem, size_t size) {
    kafka_reader_config config = { .address = actor->address, .group_id = actor->group.data, .group_topics = (const char *const *)actor->topics,
                                   .group_topic_count = (size_t)actor->topic_count };
    ks_buffer why = { 0 };
    bool fine = config_of(actor->declared, actor->arena, &config, &why);
    if (!fine) snprintf(problem, size, "%s", (const char *)why.data);
    ks_buffer_deinit(&why);
    if (!fine) return false;
    life *l = ks_arena_alloc(actor->arena, sizeof *l);
    kafka_reader_config copy = ks_reader_config_copy(&config, actor->arena);
    l->config = ks_reader_config_engine(&copy, actor->arena);
    l->reader = ks_reader_new(&l->config, &events, actor);
    actor->engine = l;
    return true;
}

static void deliver(ks_actor *actor) {
    life *l = actor->engine;
    ks_actor_delivered(actor, l->partition->topic, l->partition->partition, l->offset);
}

static void on_committed(void *owner, kafka_error error) {
    ks_actor *actor = owner;
    life *l = actor->engine;
    actor->committing = false;
    l->committed = true;
    if (error != KAFKA_OK) actor->last_error = error;
    if (actor->policy == KS_COMMIT_AUTO && error == KAFKA_OK) deliver(actor);
    else if (actor->policy == KS_COMMIT_AUTO) l->has_message = false; /* ReadMessage fails: the program never sees it */
    ks_actor_wake(actor);
}

static void commit_at(ks_actor *actor, ks_read_partition *partition, int64_t offset, bool wait) {
    life *l = actor->engine;
    ks_commits *commits = ks_reader_commits(l->reader);
    actor->since_commit = 0;
    if (ks_commits_merge(commits, partition, offset + 1)) {
        l->committed = true;
        if (actor->policy == KS_COMMIT_AUTO) deliver(actor);
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
    if (actor->policy != KS_COMMIT_AUTO) deliver(actor);
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
static int64_t in_hand(const ks_actor *actor) {
    const life *l = actor->engine;
    return l->has_message && (!l->processed || actor->is_busy) ? 1 : 0;
}
static void free_reader(ks_actor *actor) { ks_reader_free(((life *)actor->engine)->reader); }

const ks_actor_kind ks_actor_kafka_go = { start, turn, commit, close_reader, crashed, settled, in_hand, free_reader };
