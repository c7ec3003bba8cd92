/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the steps of a recorded session (tests/real) on the simulator, and writes down what each client sent, was answered and
 * told its application, in the words of the recording: member ids are CLIENT#N, topic ids id:TOPIC (of one that was deleted and made again
 * id:TOPIC#N), times milliseconds.
 */
#ifndef KS_SESSION_PLAYER_H
#define KS_SESSION_PLAYER_H

#include "tests/control/session_admin.h"

#include <kafkasim/consumer.h>
#include <kafkasim/kafka.h>
#include <kafkasim/ksim.h>
#include <kafkasim/reader.h>

#include "sim/base/describe.h"
#include "sim/control/sim.h"
#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"

enum { PLAYER_CLIENTS = 6, PLAYER_WORDS = 24, PLAYER_ORDERS = 16, PLAYER_EXCHANGES = 4096 };

typedef struct player player;

typedef struct player_client {
    player *player;
    const char *name;
    kafka_address *address;
    kafka_context *ctx;
    kafka_consumer *consumer; /* one of these */
    kafka_reader *reader;
    kafka_message read[64];   /* by the reader, and not committed yet: topic, partition, offset */
    size_t read_count;
    char *topics;             /* what `read` points into */
    char *orders[PLAYER_ORDERS];
    int order_count;
    int64_t connections[64]; /* in the order in which they were used */
    int connection_count, member_ids;
    char last[300]; /* told */
    kafka_duration work; /* after each poll that brings records */
    bool reading, closed, crashed, commit_when_revoked;
} player_client;

struct player {
    ksim *sim;
    kafka_time start;
    json_t *events;    /* as in the recording */
    json_t *names;     /* id -> name */
    json_t *topics;    /* name -> how many ids of it were met */
    json_t *delivered; /* client -> partition -> ["0..5"] */
    struct { int64_t connection, correlation; json_t *line; } asked[PLAYER_EXCHANGES]; /* lines are `events`' */
    int asked_count;
    player_client clients[PLAYER_CLIENTS];
    int client_count;
    ks_subscriber subscriber;
};

/* ---- writing down ---- */

static player_client *player_find(player *p, const char *name) {
    for (int i = 0; i < p->client_count; i++)
        if (strcmp(p->clients[i].name, name) == 0) return &p->clients[i];
    return NULL;
}

static int64_t player_now(const player *p) { return (ksim_now(p->sim) - p->start) / KAFKA_MILLISECOND; }

static void player_meet(player *p, player_client *c, const json_t *message) {
    const char *id = json_string_value(json_object_get(message, "MemberId"));
    char name[160];
    if (id == NULL || *id == 0 || json_object_get(p->names, id)) return;
    snprintf(name, sizeof name, "%s#%d", c->name, ++c->member_ids);
    json_object_set_new(p->names, id, json_string(name));
}

static void player_meet_topics(player *p, json_t *node) {
    const char *id = json_string_value(json_object_get(node, "TopicId")), *topic = json_string_value(json_object_get(node, "Name"));
    char name[300];
    if (id && topic && strspn(id, "A") < strlen(id) && json_object_get(p->names, id) == NULL) { /* all A: no id */
        json_int_t nth = json_integer_value(json_object_get(p->topics, topic)) + 1;
        json_object_set_new(p->topics, topic, json_integer(nth));
        if (nth == 1) snprintf(name, sizeof name, "id:%s", topic);
        else snprintf(name, sizeof name, "id:%s#%lld", topic, (long long)nth);
        json_object_set_new(p->names, id, json_string(name));
    }
    const char *key;
    json_t *item;
    size_t i;
    json_object_foreach(node, key, item) player_meet_topics(p, item);
    json_array_foreach(node, i, item) player_meet_topics(p, item);
}

static json_t *player_message(const ks_envelope *message) {
    ks_buffer text = { 0 };
    ks_struct_json_at(message->type, message->body, message->api_version, 0, &text);
    json_error_t error;
    json_t *json = json_loadb((const char *)text.data, (size_t)text.size, 0, &error);
    if (json == NULL) fail_msg("a message of the trace is no JSON: %s: %.*s", error.text, (int)text.size, (const char *)text.data);
    ks_buffer_deinit(&text);
    return json;
}

static int player_connection(player_client *c, int64_t id) {
    for (int i = 0; i < c->connection_count; i++)
        if (c->connections[i] == id) return i + 1;
    if (c->connection_count == 64) fail_msg("%s opens more than 64 connections", c->name);
    c->connections[c->connection_count++] = id;
    return c->connection_count;
}

static void player_saw(void *context, const ks_event *event) {
    player *p = context;
    player_client *c = event->message ? player_find(p, event->node_name) : NULL;
    if (c == NULL || c->crashed) return;
    if (event->kind == ks_describe_ev_request_sent()) {
        const ks_ev_request_sent *sent = event->fields;
        if (p->asked_count == PLAYER_EXCHANGES) fail_msg("more than %d requests in one session", PLAYER_EXCHANGES);
        json_t *line = json_pack("{s:s, s:I, s:i, s:s, s:i, s:o}", "c", c->name, "t", (json_int_t)player_now(p), "k",
                                 player_connection(c, sent->connection), "api", ks_api_name(sent->api_key), "v", (int)sent->api_version, "q",
                                 player_message(event->message));
        player_meet(p, c, json_object_get(line, "q"));
        json_array_append_new(p->events, line);
        p->asked[p->asked_count].connection = sent->connection;
        p->asked[p->asked_count].correlation = sent->correlation_id;
        p->asked[p->asked_count++].line = line;
    } else if (event->kind == ks_describe_ev_response_received()) {
        const ks_ev_response_received *received = event->fields;
        for (int i = p->asked_count - 1; i >= 0; i--) {
            if (p->asked[i].connection != received->connection || p->asked[i].correlation != received->correlation_id) continue;
            json_t *line = p->asked[i].line, *answer = player_message(event->message);
            player_meet(p, c, answer);
            player_meet_topics(p, answer);
            json_object_set_new(line, "d", json_integer(player_now(p) - json_integer_value(json_object_get(line, "t"))));
            json_object_set_new(line, "a", answer);
            return;
        }
    }
}

static void player_tell(player_client *c, const char *what) {
    bool again = strcmp(what, c->last) == 0;
    snprintf(c->last, sizeof c->last, "%s", what);
    if (c->crashed || (again && strncmp(what, "poll ", 5) == 0)) return; /* one that fails again and again is told once */
    json_array_append_new(c->player->events,
                          json_pack("{s:s, s:I, s:s}", "c", c->name, "t", (json_int_t)player_now(c->player), "call", what));
}

static void player_tell_partitions(player_client *c, const char *what, const kafka_topic_partition *partitions, size_t count) {
    char text[1024];
    size_t size = (size_t)snprintf(text, sizeof text, "%s", what);
    for (size_t i = 0; i < count && size < sizeof text; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, " %s-%d", partitions[i].topic, partitions[i].partition);
    player_tell(c, text);
}

static void player_delivered(player_client *c, const kafka_message *m) {
    char key[300], range[64];
    long long from = m->offset, to = m->offset;
    snprintf(key, sizeof key, "%s-%d", m->topic, m->partition);
    json_t *mine = json_object_get(c->player->delivered, c->name);
    if (mine == NULL) json_object_set_new(c->player->delivered, c->name, mine = json_object());
    json_t *ranges = json_object_get(mine, key);
    if (ranges == NULL) json_object_set_new(mine, key, ranges = json_array());
    json_t *last = json_array_get(ranges, json_array_size(ranges) - 1);
    if (last && sscanf(json_string_value(last), "%lld..%lld", &from, &to) == 2 && to == m->offset) {
        snprintf(range, sizeof range, "%lld..%lld", from, to + 1);
        json_string_set(last, range);
    } else {
        snprintf(range, sizeof range, "%lld..%lld", (long long)m->offset, (long long)m->offset + 1);
        json_array_append_new(ranges, json_string(range));
    }
}

/* ---- a client: polls 100 ms at a time, and between polls does what it is told ---- */

static void player_carry_out(player_client *c, const char *order);

static kafka_error player_assigned(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    (void)consumer;
    player_tell_partitions(argument, "assigned", partitions, count);
    return KAFKA_OK;
}

static kafka_error player_revoked(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    player_client *c = argument;
    (void)consumer;
    player_tell_partitions(c, "revoked", partitions, count);
    if (c->commit_when_revoked) player_carry_out(c, "commit-sync");
    return KAFKA_OK;
}

static kafka_error player_lost(void *argument, kafka_consumer *consumer, const kafka_topic_partition *partitions, size_t count) {
    (void)consumer;
    player_tell_partitions(argument, "lost", partitions, count);
    return KAFKA_OK;
}

static int player_compare_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* "o-0@5 o-1@-" */
static void player_offsets_text(const kafka_consumer_offset *offsets, size_t count, char *out, size_t size) {
    char *words[64], text[64][64];
    *out = 0;
    for (size_t i = 0; i < count && i < 64; i++) {
        words[i] = text[i];
        if (offsets[i].offset < 0) snprintf(text[i], 64, "%s-%d@-", offsets[i].topic, offsets[i].partition);
        else snprintf(text[i], 64, "%s-%d@%lld", offsets[i].topic, offsets[i].partition, (long long)offsets[i].offset);
    }
    qsort(words, count, sizeof *words, player_compare_text);
    for (size_t i = 0, used = 0; i < count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "", words[i]);
}

static void player_committed(void *argument, kafka_consumer *consumer, kafka_error error, const kafka_consumer_offset *offsets, size_t count) {
    char list[512], text[640];
    (void)consumer;
    player_offsets_text(offsets, count, list, sizeof list);
    snprintf(text, sizeof text, "committed %s -> %s", list, error ? kafka_error_name(error) : "OK");
    player_tell(argument, text);
}

static int player_split(char *line, char **words) {
    int count = 0;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        if (count == PLAYER_WORDS) fail_msg("more than %d words in a step", PLAYER_WORDS);
        words[count++] = word;
    }
    return count;
}

/* Cuts "o-3" in place. */
static kafka_topic_partition player_partition(char *word) {
    char *dash = strrchr(word, '-');
    if (dash == NULL) fail_msg("\"%s\" is no partition", word);
    *dash = 0;
    return (kafka_topic_partition){ .topic = word, .partition = atoi(dash + 1) };
}

static void player_carry_out(player_client *c, const char *order) {
    char copy[512], text[1100] = "", *words[PLAYER_WORDS];
    snprintf(copy, sizeof copy, "%s", order);
    int count = player_split(copy, words);
    const char *verb = words[0];
    kafka_topic_partition partitions[PLAYER_WORDS];
    size_t n = 0;
    kafka_error error = KAFKA_OK;
    if (strcmp(verb, "subscribe") != 0 && strcmp(verb, "stall") != 0)
        for (int i = 1; i < count; i++)
            if (strchr(words[i], '-')) partitions[n++] = player_partition(words[i]);
    if (strcmp(verb, "subscribe") == 0) {
        kafka_rebalance_listener listener = { player_assigned, player_revoked, player_lost, c };
        error = kafka_consumer_subscribe(c->consumer, (const char *const *)&words[1], (size_t)count - 1, &listener);
        c->reading = true;
        if (error == KAFKA_OK) return;
    } else if (strcmp(verb, "assign") == 0) {
        error = kafka_consumer_assign(c->consumer, partitions, n);
        c->reading = true;
    } else if (strcmp(verb, "unsubscribe") == 0) {
        error = kafka_consumer_unsubscribe(c->consumer);
        c->reading = false;
    } else if (strcmp(verb, "stall") == 0) {
        kafka_sleep(c->ctx, atoll(words[1]) * KAFKA_MILLISECOND);
        return;
    } else if (strcmp(verb, "work") == 0) {
        c->work = atoll(words[1]) * KAFKA_MILLISECOND;
        return;
    } else if (strcmp(verb, "commit-sync") == 0) {
        error = kafka_consumer_commit_sync(c->consumer, c->ctx, NULL, 0);
    } else if (strcmp(verb, "commit-async") == 0) {
        error = kafka_consumer_commit_async(c->consumer, NULL, 0, player_committed, c);
    } else if (strcmp(verb, "commit-revoked") == 0) {
        c->commit_when_revoked = true;
        return;
    } else if (strcmp(verb, "seek") == 0) {
        error = kafka_consumer_seek(c->consumer, partitions[0].topic, partitions[0].partition, atoll(words[2]));
    } else if (strcmp(verb, "seek-beginning") == 0) {
        error = kafka_consumer_seek(c->consumer, partitions[0].topic, partitions[0].partition, KAFKA_FIRST_OFFSET);
    } else if (strcmp(verb, "seek-end") == 0) {
        error = kafka_consumer_seek(c->consumer, partitions[0].topic, partitions[0].partition, KAFKA_LAST_OFFSET);
    } else if (strcmp(verb, "pause") == 0) {
        error = kafka_consumer_pause(c->consumer, partitions, n);
    } else if (strcmp(verb, "resume") == 0) {
        error = kafka_consumer_resume(c->consumer, partitions, n);
    } else if (strcmp(verb, "position") == 0) {
        int64_t offset = 0;
        error = kafka_consumer_position(c->consumer, c->ctx, partitions[0].topic, partitions[0].partition, &offset);
        if (error == KAFKA_OK) snprintf(text, sizeof text, " = %lld", (long long)offset);
    } else if (strcmp(verb, "paused") == 0) {
        const kafka_topic_partition *mine;
        size_t size, used = (size_t)snprintf(text, sizeof text, " =");
        error = kafka_consumer_assignment(c->consumer, &mine, &size);
        text[used] = 0;
        snprintf(text, sizeof text, " = ");
        used = strlen(text);
        for (size_t i = 0; i < size; i++)
            if (kafka_consumer_is_paused(c->consumer, mine[i].topic, mine[i].partition))
                used += (size_t)snprintf(text + used, sizeof text - used, " %s-%d", mine[i].topic, mine[i].partition);
    } else if (strcmp(verb, "committed") == 0) {
        kafka_consumer_offsets *offsets = NULL;
        error = kafka_consumer_committed(c->consumer, c->ctx, partitions, n, &offsets);
        snprintf(text, sizeof text, " = ");
        if (error == KAFKA_OK) player_offsets_text(offsets->items, offsets->count, text + 3, sizeof text - 3);
        kafka_consumer_offsets_free(offsets);
    } else if (strcmp(verb, "close") == 0) {
        c->closed = true;
        error = count > 1 ? kafka_consumer_close_within(c->consumer, atoll(words[1]) * KAFKA_MILLISECOND) : kafka_consumer_close(c->consumer);
    } else {
        fail_msg("no such order: %s", order);
    }
    char told[1700];
    snprintf(told, sizeof told, "%s%s -> %s", order, text, error ? kafka_error_name(error) : "OK");
    player_tell(c, told);
}

static void player_run_client(void *argument) {
    player_client *c = argument;
    while (!c->closed) {
        while (c->order_count > 0 && !c->closed) {
            char *order = c->orders[0];
            memmove(c->orders, c->orders + 1, (size_t)--c->order_count * sizeof *c->orders);
            player_carry_out(c, order);
            free(order);
        }
        if (c->closed) return;
        kafka_records *records = NULL;
        kafka_error error = c->reading ? kafka_consumer_poll(c->consumer, c->ctx, 100 * KAFKA_MILLISECOND, &records)
                                       : kafka_sleep(c->ctx, 100 * KAFKA_MILLISECOND);
        for (size_t i = 0; records && i < records->count; i++) player_delivered(c, &records->messages[i]);
        if (records && records->count > 0 && c->work > 0) kafka_sleep(c->ctx, c->work);
        kafka_records_free(records);
        if (error == KAFKA_ERR_NODE_CRASHED || error == KAFKA_ERR_CANCELED) return;
        if (error) {
            char told[200];
            snprintf(told, sizeof told, "poll -> %s", kafka_error_name(error));
            player_tell(c, told);
            kafka_sleep(c->ctx, 100 * KAFKA_MILLISECOND);
        }
    }
}

/* ---- a client with a reader: reads all the time; its orders are carried out beside that ---- */

static void player_run_reader(void *argument) {
    player_client *c = argument;
    for (kafka_message message = { 0 }; kafka_reader_fetch(c->reader, c->ctx, &message) == KAFKA_OK; kafka_message_release(&message)) {
        player_delivered(c, &message);
        if (c->read_count == sizeof c->read / sizeof *c->read) fail_msg("%s reads more than it can remember", c->name);
        char *topic = strstr(c->topics, message.topic);
        c->read[c->read_count++] = (kafka_message){ .topic = topic, .partition = message.partition, .offset = message.offset };
    }
}

static void player_carry_out_reader_order(void *argument) {
    player_client *c = argument;
    char *order = c->orders[0], told[300];
    memmove(c->orders, c->orders + 1, (size_t)--c->order_count * sizeof *c->orders);
    kafka_error error = KAFKA_OK;
    if (strcmp(order, "commit") == 0) {
        size_t count = c->read_count;
        c->read_count = 0;
        error = kafka_reader_commit(c->reader, c->ctx, c->read, count);
    } else if (strcmp(order, "close") == 0) {
        error = kafka_reader_close(c->reader);
    } else {
        fail_msg("no such order: %s", order);
    }
    snprintf(told, sizeof told, "%s -> %s", order, error ? kafka_error_name(error) : "OK");
    player_tell(c, told);
    free(order);
}

static player_client *player_new_client(player *p, const char *name) {
    if (p->client_count == 0) p->start = ksim_now(p->sim);
    if (p->client_count == PLAYER_CLIENTS) fail_msg("more than %d clients", PLAYER_CLIENTS);
    player_client *c = &p->clients[p->client_count++];
    *c = (player_client){ .player = p, .name = strdup(name), .address = ksim_client(p->sim, name) };
    c->ctx = kafka_context_with_cancel(kafka_background(c->address));
    return c;
}

static kafka_duration player_seconds(const char *text) { return atoll(text) * KAFKA_SECOND; } /* "6s" */

/* reader NAME GROUP TOPIC SETTING=VALUE .. */
static void player_start_reader(player *p, char **words, int count) {
    player_client *c = player_new_client(p, words[1]);
    c->topics = strdup(words[3]);
    const char *topic = c->topics;
    kafka_group_balancer round_robin = kafka_group_balancer_round_robin();
    kafka_reader_config config = { .address = c->address, .group_id = words[2], .group_topics = &topic, .group_topic_count = 1,
                                   .uninterruptible_fetch = true /* as upstream has it */ };
    for (int i = 4; i < count; i++) {
        const char *value = strchr(words[i], '=') + 1;
        if (strncmp(words[i], "session_timeout=", 16) == 0) config.session_timeout = player_seconds(value);
        else if (strncmp(words[i], "commit_interval=", 16) == 0) config.commit_interval = player_seconds(value);
        else if (strcmp(words[i], "watch_partition_changes=true") == 0) config.watch_partition_changes = true;
        else if (strcmp(words[i], "start=last") == 0) config.start_offset = KAFKA_LAST_OFFSET;
        else if (strcmp(words[i], "balancer=roundrobin") == 0) {
            config.group_balancers = &round_robin;
            config.group_balancer_count = 1;
        } else fail_msg("no such setting: %s", words[i]);
    }
    kafka_error error = kafka_reader_new(&config, &c->reader);
    if (error) fail_msg("%s: %s", c->name, kafka_error_detail(c->address));
    kafka_task_free(kafka_go(c->ctx, c->name, player_run_reader, c));
}

static void player_start_client(player *p, char **words, int count) {
    const char *settings[PLAYER_WORDS];
    player_client *c = player_new_client(p, words[1]);
    for (int i = 2; i < count; i++) settings[i - 2] = words[i];
    kafka_error error = kafka_consumer_new(&(kafka_consumer_config){ .address = c->address, .settings = settings,
                                                                     .setting_count = (size_t)count - 2 }, &c->consumer);
    if (error) fail_msg("%s: %s", c->name, kafka_error_detail(c->address));
    kafka_task_free(kafka_go(c->ctx, c->name, player_run_client, c));
}

/* ---- the session ---- */

static void player_order(player *p, char **words, int count) {
    char order[512];
    size_t size = (size_t)snprintf(order, sizeof order, "%s", words[0]);
    player_client *c = count > 1 ? player_find(p, words[1]) : NULL;
    if (c == NULL) fail_msg("step %s: no such client, or no such step", words[0]);
    for (int i = 2; i < count; i++) size += (size_t)snprintf(order + size, sizeof order - size, " %s", words[i]);
    if (c->order_count == PLAYER_ORDERS) fail_msg("too many orders wait for %s", c->name);
    c->orders[c->order_count++] = strdup(order);
    if (c->reader) kafka_task_free(kafka_go(c->ctx, "order", player_carry_out_reader_order, c));
}

/* admin VERB GROUP .. */
static void player_administer(player *p, char **words, int count) {
    player_client *c = player_find(p, words[0]);
    if (c == NULL) c = player_new_client(p, words[0]);
    kafka_client *client;
    ks_buffer told = { 0 };
    for (int i = 1; i < count; i++) ks_buffer_printf(&told, "%s ", words[i]);
    ks_buffer_text(&told, "-> ");
    kafka_error error = kafka_client_new(&(kafka_client_config){ .address = c->address }, &client);
    if (!error) error = session_administer(client, c->ctx, words + 1, count - 1, &told);
    if (error) ks_buffer_text(&told, kafka_error_name(error));
    kafka_client_free(client);
    player_tell(c, (const char *)told.data);
    ks_buffer_deinit(&told);
}

/* One batch, as the recorder's producer makes it. */
static kafka_error player_put(player *p, const char *topic, int32_t partition, size_t count) {
    kafka_message *messages = calloc(count, sizeof *messages);
    for (size_t i = 0; i < count; i++) messages[i] = (kafka_message){ .topic = topic, .partition = partition, .value = kafka_string("v") };
    kafka_error error = ksim_put_messages(p->sim, messages, count);
    free(messages);
    return error;
}

/* partitions TOPIC COUNT, delete-topic TOPIC */
static kafka_error player_change_topic(player *p, char **words) {
    const char *topic = words[1];
    kafka_address *address = ksim_client(p->sim, "recorder");
    kafka_client *client;
    kafka_error error = kafka_client_new(&(kafka_client_config){ .address = address }, &client);
    if (!error && strcmp(words[0], "partitions") == 0)
        error = kafka_client_create_partitions(client, kafka_background(address),
                                               &(kafka_partitions_config){ .topic = topic, .count = atoi(words[2]) }, 1, false, NULL);
    else if (!error) error = kafka_client_delete_topics(client, kafka_background(address), &topic, 1, NULL);
    kafka_client_free(client);
    kafka_address_free(address);
    return error;
}

static void player_step(player *p, char **words, int count) {
    const char *verb = words[0];
    kafka_error error = KAFKA_OK;
    if (strcmp(verb, "broker") == 0) return;
    if (strcmp(verb, "topic") == 0) error = ksim_create_topic(p->sim, words[1], atoi(words[2]));
    else if (strcmp(verb, "run") == 0) error = ksim_run_for(p->sim, atoll(words[1]) * KAFKA_MILLISECOND);
    else if (strcmp(verb, "put") == 0)
        error = player_put(p, words[1], atoi(words[2]), (size_t)atoi(words[3]));
    else if (strcmp(verb, "partitions") == 0 || strcmp(verb, "delete-topic") == 0) error = player_change_topic(p, words);
    else if (strcmp(verb, "consumer") == 0) player_start_client(p, words, count);
    else if (strcmp(verb, "reader") == 0) player_start_reader(p, words, count);
    else if (strcmp(verb, "admin") == 0) player_administer(p, words, count);
    else if (strcmp(verb, "crash") == 0) {
        player_find(p, words[1])->crashed = true;
        ksim_crash(p->sim, words[1]);
    } else player_order(p, words, count);
    if (error) fail_msg("step %s: %s: %s", verb, kafka_error_name(error), ksim_error_detail(p->sim));
}

/* Names for ids, at every depth, also inside longer texts. */
static json_t *player_renamed(const player *p, json_t *node) {
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_string(node)) {
        json_t *text = json_incref(node);
        json_object_foreach(p->names, key, item)
            for (const char *at; (at = strstr(json_string_value(text), key)) != NULL; ) {
                json_t *named = json_sprintf("%.*s%s%s", (int)(at - json_string_value(text)), json_string_value(text), json_string_value(item), at + strlen(key));
                json_decref(text);
                text = named;
            }
        return text;
    }
    if (json_is_array(node)) {
        json_t *copy = json_array();
        json_array_foreach(node, i, item) json_array_append_new(copy, player_renamed(p, item));
        return copy;
    }
    if (!json_is_object(node)) return json_incref(node);
    json_t *copy = json_object();
    json_object_foreach(node, key, item) json_object_set_new(copy, key, player_renamed(p, item));
    return copy;
}

static bool player_is_one_of(const char *api, const char *const *list) {
    while (*list && strcmp(*list, api) != 0) list++;
    return *list != NULL;
}

/* kafka-go reads each partition by a task with a connection of its own. */
static bool player_fetches_besides(const json_t *line) {
    const char *api = json_string_value(json_object_get(line, "api"));
    json_int_t version = json_integer_value(json_object_get(line, "v"));
    return api && ((strcmp(api, "Fetch") == 0 && version < 12) || (strcmp(api, "ListOffsets") == 0 && version < 4));
}

/* Connections by their use, as the recorder names them: "group 1", "data 1"; only others than these are written down. */
static void player_name_connections(json_t *events) {
    static const char *const anywhere[] = { "ApiVersions", "Metadata", "FindCoordinator", NULL };
    static const char *const data[] = { "Fetch", "ListOffsets", "OffsetForLeaderEpoch", NULL };
    json_t *names = json_object(), *counts = json_object(), *line;
    size_t i;
    json_array_foreach(events, i, line) {
        const char *api = json_string_value(json_object_get(line, "api")), *client = json_string_value(json_object_get(line, "c"));
        char key[200], use[200], name[64];
        if (api == NULL) continue;
        snprintf(key, sizeof key, "%s %lld", client, (long long)json_integer_value(json_object_get(line, "k")));
        json_object_del(line, "k");
        if (player_is_one_of(api, anywhere) || player_fetches_besides(line) || strcmp(client, "admin") == 0) continue;
        if (json_object_get(names, key) == NULL) {
            const char *kind = player_is_one_of(api, data) ? "data" : "group";
            snprintf(use, sizeof use, "%s %s", client, kind);
            json_int_t count = json_integer_value(json_object_get(counts, use)) + 1;
            json_object_set_new(counts, use, json_integer(count));
            snprintf(name, sizeof name, "%s %lld", kind, (long long)count);
            json_object_set_new(names, key, json_string(name));
        }
        snprintf(use, sizeof use, "%s 1", player_is_one_of(api, data) ? "data" : "group");
        if (strcmp(json_string_value(json_object_get(names, key)), use) != 0) json_object_set(line, "k", json_object_get(names, key));
    }
    json_decref(names);
    json_decref(counts);
}

/* {"events": [...], "delivered": {...}} of the steps, owned. */
static json_t *player_play(const json_t *steps) {
    player *p = calloc(1, sizeof *p);
    ksim_setting settings[PLAYER_WORDS] = { { NULL, NULL } };
    char broker[512] = "", *words[PLAYER_WORDS];
    json_t *step;
    size_t i;
    json_array_foreach(steps, i, step) {
        if (strncmp(json_string_value(step), "broker ", 7) != 0) continue;
        snprintf(broker, sizeof broker, "%s", json_string_value(step));
        int count = player_split(broker, words);
        for (int k = 1; k < count; k++) {
            char *equals = strchr(words[k], '=');
            *equals = 0;
            settings[k - 1] = (ksim_setting){ words[k], equals + 1 };
        }
    }
    p->sim = ksim_new(&(ksim_config){ .seed = 1, .brokers = 1, .settings = settings });
    assert_non_null(p->sim);
    p->events = json_array();
    p->names = json_object();
    p->topics = json_object();
    p->delivered = json_object();
    p->subscriber = (ks_subscriber){ player_saw, p, NULL };
    ks_trace_subscribe(p->sim->kernel, &p->subscriber);
    json_array_foreach(steps, i, step) {
        char copy[512];
        snprintf(copy, sizeof copy, "%s", json_string_value(step));
        player_step(p, words, player_split(copy, words));
    }
    ks_trace_unsubscribe(p->sim->kernel, &p->subscriber);
    player_name_connections(p->events);
    json_t *seen = json_pack("{s:o, s:o}", "events", player_renamed(p, p->events), "delivered", json_incref(p->delivered));
    for (int k = 0; k < p->client_count; k++) {
        p->clients[k].crashed = true; /* nothing more is written down */
        kafka_context_cancel(p->clients[k].ctx);
    }
    ksim_run_for(p->sim, 40 * KAFKA_SECOND);
    for (int k = 0; k < p->client_count; k++) {
        player_client *c = &p->clients[k];
        for (int o = 0; o < c->order_count; o++) free(c->orders[o]);
        kafka_context_free(c->ctx);
        kafka_consumer_free(c->consumer);
        kafka_reader_free(c->reader);
        free(c->topics);
        kafka_address_free(c->address);
        free((char *)c->name);
    }
    ksim_free(p->sim);
    json_decref(p->events);
    json_decref(p->names);
    json_decref(p->topics);
    json_decref(p->delivered);
    free(p);
    return seen;
}

#endif
