/* SPDX-License-Identifier: Apache-2.0
 * Balancers as an application sees them: known sequences of kafka-go's stateful ones, what a student's lab prints. */
#include "tests/support/test.h"

#include <kafkasim/balancer.h>

static kafka_balancer by_name(const char *name, const json_t *chunk) {
    if (strcmp(name, "round_robin") == 0) return kafka_balancer_round_robin_chunked((int32_t)json_integer_value(chunk));
    if (strcmp(name, "least_bytes") == 0) return kafka_balancer_least_bytes();
    if (strcmp(name, "hash") == 0) return kafka_balancer_hash();
    fail_msg("balancer_sequences.jsonl: unknown balancer %s", name);
    return kafka_balancer_hash();
}

/* The vectors' lists may have gaps, as kafka-go's interface allows: round robin picks from the list, least bytes from
 * the sorted list, hash answers the index. A writer's list is always 0 .. n-1. */
static int from_list(const char *name, const json_t *list, int32_t index) {
    if (strcmp(name, "hash") == 0) return index;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_int_t value = json_integer_value(json_array_get(list, i));
        int32_t below = 0;
        for (size_t j = 0; j < json_array_size(list); j++) below += json_integer_value(json_array_get(list, j)) < value;
        if ((strcmp(name, "least_bytes") == 0 ? below : (int32_t)i) == index) return (int)value;
    }
    return -1;
}

static void run_steps(const json_t *sequence, int line) {
    static const uint8_t bytes[1 << 20];
    const char *name = json_string_value(json_object_get(sequence, "balancer"));
    kafka_router *router = kafka_router_new(by_name(name, json_object_get(sequence, "chunk_size")), 1);
    size_t index;
    json_t *step;
    json_array_foreach(json_object_get(sequence, "steps"), index, step) {
        const char *hex = json_string_value(json_object_get(step, "key"));
        size_t size = 0;
        uint8_t *key = hex != NULL ? ks_test_unhex(hex, &size) : NULL;
        kafka_message message = { .key = { key, size },
                                  .value = { bytes, (size_t)json_integer_value(json_object_get(step, "value_len")) } };
        json_t *list = json_object_get(step, "partitions");
        int32_t chosen = from_list(name, list, kafka_router_choose(router, &message, (int32_t)json_array_size(list)));
        int expected = (int)json_integer_value(json_object_get(step, "expected"));
        free(key);
        if (chosen != expected)
            fail_msg("balancer_sequences.jsonl:%d: %s, step %zu: %d, not %d", line, name, index, chosen, expected);
    }
    kafka_router_free(router);
}

static void stateful_balancers_go_through_the_known_sequences(void **state) {
    (void)state;
    FILE *file = ks_vectors_open("balancer_sequences.jsonl");
    if (file == NULL) return;
    int line = 0;
    for (json_t *sequence; (sequence = ks_vectors_next_json(file, "balancer_sequences.jsonl", &line)) != NULL;) {
        run_steps(sequence, line);
        json_decref(sequence);
    }
    fclose(file);
    assert_true(line > 0 || getenv("KAFKASIM_VECTORS") != NULL);
}

static void the_lab_s_keys_go_where_kafka_go_sends_them(void **state) {
    (void)state;
    static const struct {
        const char *key;
        int over3;
    } rows[] = {
        { "user-1", 0 },   { "user-2", 0 },   { "user-3", 2 },  { "user-7", 1 },  { "user-100", 0 },
        { "user-101", 1 }, { "user-102", 2 }, { "order-1", 1 }, { "order-2", 1 }, { "order-3", 0 },
        { "order-5", 2 },  { "alice", 2 },    { "bob", 2 },     { "carol", 2 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(kafka_balancer_partition(kafka_balancer_hash(), kafka_string(rows[i].key), 3), rows[i].over3);
    assert_int_equal(kafka_balancer_partition(kafka_balancer_hash(), kafka_string("alice"), 6), 5);
    assert_int_equal(kafka_balancer_partition(kafka_balancer_reference_hash(), kafka_string("user-1"), 3), 2);
    assert_int_equal(kafka_balancer_partition(kafka_balancer_murmur2(false), kafka_string("user-4"), 3), 1);
    assert_int_equal(kafka_balancer_partition(kafka_balancer_round_robin(), kafka_string("user-4"), 3), -1);
}

static void a_zeroed_balancer_is_round_robin(void **state) {
    (void)state;
    kafka_balancer zeroed = { 0 };
    kafka_router *router = kafka_router_new(zeroed, 0);
    kafka_message message = { .key = kafka_string("same") };
    for (int i = 0; i < 7; i++) assert_int_equal(kafka_router_choose(router, &message, 3), i % 3);
    assert_int_equal(kafka_router_choose(router, &message, 0), -1);
    kafka_router_free(router);
    assert_string_equal(kafka_balancer_name(zeroed), "round-robin");
}

static void random_rules_reach_every_partition_and_repeat_with_their_seed(void **state) {
    (void)state;
    kafka_message message = { .value = kafka_string("no key") };
    kafka_router *a = kafka_router_new(kafka_balancer_random(), 7),
                 *b = kafka_router_new(kafka_balancer_murmur2(false), 7);
    int seen[5] = { 0 };
    for (int i = 0; i < 500; i++) {
        int32_t partition = kafka_router_choose(a, &message, 5);
        assert_in_range(partition, 0, 4);
        assert_int_equal(partition, kafka_router_choose(b, &message, 5));
        seen[partition]++;
    }
    for (int i = 0; i < 5; i++) assert_in_range(seen[i], 60, 140);
    kafka_router_free(a);
    kafka_router_free(b);
}

static int32_t last(void *argument, const kafka_message *message, int32_t count) {
    (void)message;
    (*(int *)argument)++;
    return count - 1;
}

static void a_function_of_the_application_decides(void **state) {
    (void)state;
    int calls = 0;
    kafka_message message = { 0 };
    kafka_router *router = kafka_router_new(kafka_balancer_function(last, &calls), 0);
    assert_int_equal(kafka_router_choose(router, &message, 4), 3);
    assert_int_equal(calls, 1);
    kafka_router_free(router);
    router = kafka_router_new(kafka_balancer_function(NULL, NULL), 0);
    assert_int_equal(kafka_router_choose(router, &message, 4), -1);
    kafka_router_free(router);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stateful_balancers_go_through_the_known_sequences),
        cmocka_unit_test(the_lab_s_keys_go_where_kafka_go_sends_them),
        cmocka_unit_test(a_zeroed_balancer_is_round_robin),
        cmocka_unit_test(random_rules_reach_every_partition_and_repeat_with_their_seed),
        cmocka_unit_test(a_function_of_the_application_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
