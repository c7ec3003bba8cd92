/* SPDX-License-Identifier: Apache-2.0
 * Writers under random faults: connections reset before and after a request was applied, answers held up, refusals,
 * brokers stopped and started, contexts that end early. Whatever happens: what was acknowledged is in the log; the
 * order of a key is the order of its calls; what was refused for good is not in the log; every call and close returns.
 */
#include "tests/support/test.h"

#include <kafkasim/ksim.h>

enum { TASKS = 3, ROUNDS = 12, MESSAGES = 5, ALL = TASKS * ROUNDS * MESSAGES };

typedef struct world {
    ksim *sim;
    kafka_address *address;
    kafka_context *ctx;
    kafka_writer *writer;
    uint64_t random;
    kafka_error outcome[ALL];
    bool told[ALL];     /* by a return, not by an ended context */
    int64_t first[ALL]; /* offset of the first copy in the log; -1: none */
    int completions, copies, refused, ended_early;
} world;

typedef struct totals {
    int copies, refused, ended_early;
} totals;

static uint32_t draw(world *w, uint32_t bound) {
    w->random = w->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(w->random >> 33) % bound;
}

typedef struct job {
    world *w;
    int task;
} job;

static void write_rounds(void *argument) {
    job *j = argument;
    world *w = j->w;
    for (int round = 0; round < ROUNDS; round++) {
        char text[MESSAGES][16], key[8];
        kafka_message messages[MESSAGES];
        kafka_error errors[MESSAGES];
        int base = (j->task * ROUNDS + round) * MESSAGES;
        snprintf(key, sizeof key, "key-%d", j->task);
        for (int i = 0; i < MESSAGES; i++) {
            snprintf(text[i], sizeof text[i], "%d", base + i);
            messages[i] = (kafka_message){ .key = kafka_string(key), .value = kafka_string(text[i]) };
        }
        bool hasty = draw(w, 6) == 0;
        kafka_context *ctx =
            kafka_context_with_timeout(w->ctx, hasty ? draw(w, 3000) * KAFKA_MILLISECOND : 10 * KAFKA_MINUTE);
        kafka_error error = kafka_writer_write(w->writer, ctx, messages, MESSAGES, errors);
        kafka_context_free(ctx);
        for (int i = 0; i < MESSAGES; i++) {
            w->told[base + i] = error == KAFKA_OK || error == KAFKA_ERR_WRITE_ERRORS;
            w->outcome[base + i] = error == KAFKA_ERR_WRITE_ERRORS ? errors[i] : error;
        }
        kafka_sleep(w->ctx, draw(w, 500) * KAFKA_MILLISECOND);
    }
}

static void complete(void *argument, const kafka_message *messages, size_t count, kafka_error error) {
    (void)messages;
    (void)error;
    ((world *)argument)->completions += (int)count;
}

static void add_rules(world *w) {
    const ksim_rule_config rules[] = {
        { .api = "Produce", .chance = draw(w, 25), .action = KSIM_RESET_AFTER },
        { .api = "Produce", .chance = draw(w, 25), .action = KSIM_RESET_BEFORE },
        { .api = "Produce",
          .chance = draw(w, 20),
          .action = KSIM_ANSWER_ERROR,
          .error = KAFKA_ERR_NOT_ENOUGH_REPLICAS },
        { .api = "Produce", .chance = draw(w, 4), .action = KSIM_ANSWER_ERROR, .error = KAFKA_ERR_INVALID_RECORD },
        { .api = "Produce", .chance = draw(w, 8), .action = KSIM_DELAY_ANSWER, .delay = 12 * KAFKA_SECOND },
        { .api = "Metadata", .chance = draw(w, 20), .action = KSIM_RESET_BEFORE },
        { .api = "ApiVersions", .chance = draw(w, 10), .action = KSIM_RESET_AFTER },
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].chance > 0) assert_non_null(ksim_rule_add(w->sim, &rules[i]));
}

static void disturb(world *w) {
    for (int i = 0; i < 6; i++) {
        int32_t broker = 1 + (int32_t)draw(w, 3);
        kafka_sleep(w->ctx, draw(w, 2000) * KAFKA_MILLISECOND);
        ksim_stop_broker(w->sim, broker);
        kafka_sleep(w->ctx, draw(w, 4000) * KAFKA_MILLISECOND);
        ksim_start_broker(w->sim, broker);
    }
}

static void look_for_copies(world *w) {
    for (int i = 0; i < ALL; i++) w->first[i] = -1;
    for (int32_t partition = 0; partition < 3; partition++) {
        size_t count;
        const ksim_record *records = ksim_records(w->sim, "orders", partition, &count);
        for (size_t i = 0; i < count; i++) {
            char text[16] = { 0 };
            memcpy(text, records[i].value.data, records[i].value.size);
            int number = atoi(text);
            w->copies += w->first[number] >= 0;
            if (w->first[number] < 0) w->first[number] = records[i].offset;
        }
    }
}

static void check(world *w, uint64_t seed) {
    look_for_copies(w);
    for (int task = 0; task < TASKS; task++) {
        int64_t last = -1;
        for (int i = task * ROUNDS * MESSAGES; i < (task + 1) * ROUNDS * MESSAGES; i++) {
            if (w->told[i] && w->outcome[i] == KAFKA_OK && w->first[i] < 0)
                fail_msg("seed %llu: message %d was acknowledged and is nowhere", (unsigned long long)seed, i);
            w->refused += w->told[i] && w->outcome[i] != KAFKA_OK;
            w->ended_early += w->outcome[i] == KAFKA_ERR_DEADLINE_EXCEEDED && !w->told[i];
            if (w->outcome[i] == KAFKA_ERR_CLOSED)
                fail_msg("seed %llu: message %d met a closed writer", (unsigned long long)seed, i);
            if (w->first[i] < 0) continue;
            if (w->first[i] <= last)
                fail_msg("seed %llu: message %d came before the one before it", (unsigned long long)seed, i);
            last = w->first[i];
        }
    }
    assert_int_equal(w->completions, ALL); /* each exactly once, however often it was tried */
}

static void run_seed(uint64_t seed, totals *all) {
    world *w = calloc(1, sizeof *w);
    w->random = seed * 2654435761u;
    w->sim = ksim_new(&(ksim_config){ .seed = seed, .brokers = 3 });
    ksim_new_topic topic = { .name = "orders", .partitions = 3, .replication_factor = 3 };
    assert_int_equal(ksim_create_topics(w->sim, &topic, 1), KAFKA_OK);
    w->address = ksim_client(w->sim, "producer");
    w->ctx = kafka_background(w->address);
    /* a first write, so that the layout is there before the trouble begins */
    kafka_writer_config config = { .address = w->address,
                                   .topic = "orders",
                                   .balancer = kafka_balancer_hash(),
                                   .required_acks = KAFKA_ACKS_ALL,
                                   .batch_size = 1 + (int32_t)draw(w, 8),
                                   .completion = complete,
                                   .completion_argument = w,
                                   .batch_timeout = (1 + draw(w, 50)) * KAFKA_MILLISECOND,
                                   .compression = (kafka_compression)draw(w, 5) };
    assert_int_equal(kafka_writer_new(&config, &w->writer), KAFKA_OK);
    kafka_client *client;
    assert_int_equal(kafka_client_new(&(kafka_client_config){ .address = w->address }, &client), KAFKA_OK);
    assert_int_equal(kafka_client_metadata(client, w->ctx, NULL, 0, NULL), KAFKA_OK);
    add_rules(w);
    job jobs[TASKS];
    kafka_task *tasks[TASKS];
    for (int i = 0; i < TASKS; i++) {
        jobs[i] = (job){ w, i };
        tasks[i] = kafka_go(w->ctx, "writer", write_rounds, &jobs[i]);
    }
    disturb(w);
    for (int i = 0; i < TASKS; i++) assert_int_equal(kafka_join(w->ctx, tasks[i]), KAFKA_OK);
    assert_int_equal(kafka_writer_close(w->writer), KAFKA_OK);
    check(w, seed);
    all->copies += w->copies;
    all->refused += w->refused;
    all->ended_early += w->ended_early;
    kafka_writer_free(w->writer);
    kafka_client_free(client);
    kafka_address_free(w->address);
    ksim_free(w->sim);
    free(w);
}

static void what_was_acknowledged_is_there_in_order_whatever_happens(void **state) {
    (void)state;
    const char *seeds = getenv("KAFKASIM_WRITER_SEEDS");
    uint64_t count = seeds != NULL ? (uint64_t)atoll(seeds) : 60;
    totals all = { 0 };
    for (uint64_t seed = 1; seed <= count; seed++) run_seed(seed, &all);
    print_message("%llu seeds: %d second copies, %d messages refused, %d calls' messages given up early\n",
                  (unsigned long long)count, all.copies, all.refused, all.ended_early);
    assert_true(all.copies > 0 && all.refused > 0 && all.ended_early > 0); /* there was trouble */
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_acknowledged_is_there_in_order_whatever_happens) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
