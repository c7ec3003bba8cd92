/* SPDX-License-Identifier: Apache-2.0
 * Subscriptions and assignments of real clients, read and written to the byte. */
#include "tests/protocol/vectors.h"

#include "sim/protocol/consumer_protocol.h"

static void compare_topics(const json_t *expected, const ks_topic_partitions *got, int32_t count, const char *id) {
    assert_vector(count == (int32_t)json_array_size(expected), id);
    for (int32_t i = 0; i < count; i++) {
        const json_t *topic = json_array_get(expected, (size_t)i), *partitions = json_object_get(topic, "Partitions");
        assert_vector(ks_string_equal(got[i].topic, ks_str(text_of(topic, "Topic"))), id);
        assert_vector(got[i].partition_count == (int32_t)json_array_size(partitions), id);
        for (int32_t k = 0; k < got[i].partition_count; k++)
            assert_vector(got[i].partitions[k] == json_integer_value(json_array_get(partitions, (size_t)k)), id);
    }
}

static void check_subscription(const json_t *line, ks_bytes bytes, ks_arena *arena) {
    const char *id = text_of(line, "id");
    const json_t *fields = json_object_get(line, "fields"), *topics = json_object_get(fields, "Topics");
    ks_subscription subscription;
    assert_vector(ks_subscription_decode(bytes, arena, &subscription), id);
    assert_vector(subscription.version == number_of(line, "version"), id);
    assert_vector(subscription.topic_count == (int32_t)json_array_size(topics), id);
    for (int32_t i = 0; i < subscription.topic_count; i++)
        assert_vector(
            ks_string_equal(subscription.topics[i], ks_str(json_string_value(json_array_get(topics, (size_t)i)))), id);
    assert_bytes(subscription.user_data, unhex(arena, json_object_get(fields, "UserData")), id, "user data");
    const json_t *owned = json_object_get(fields, "OwnedPartitions");
    if (owned != NULL)
        compare_topics(owned, subscription.owned, subscription.owned_count, id);
    else
        assert_vector(subscription.owned_count == (is_true(line, "shorter_than_its_version") ? -1 : 0), id);
    int64_t generation = json_object_get(fields, "GenerationId") ? number_of(fields, "GenerationId") : -1;
    assert_vector(subscription.generation_id == generation, id);
    assert_vector(ks_string_equal(subscription.rack_id, ks_str(json_string_value(json_object_get(fields, "RackId")))),
                  id);
    assert_bytes(ks_subscription_encode(&subscription, arena), bytes, id, "encoding");
}

static void check_assignment(const json_t *line, ks_bytes bytes, ks_arena *arena) {
    const char *id = text_of(line, "id");
    const json_t *fields = json_object_get(line, "fields");
    ks_assignment assignment;
    assert_vector(ks_assignment_decode(bytes, arena, &assignment), id);
    assert_vector(assignment.version == number_of(line, "version"), id);
    compare_topics(json_object_get(fields, "AssignedPartitions"), assignment.topics, assignment.topic_count, id);
    assert_bytes(assignment.user_data, unhex(arena, json_object_get(fields, "UserData")), id, "user data");
    assert_bytes(ks_assignment_encode(&assignment, arena), bytes, id, "encoding");
}

/* Cut anywhere, the bytes are refused or end behind a whole field; never read beyond. */
static void check_cut(ks_bytes bytes, ks_arena *arena) {
    for (int32_t size = 0; size < bytes.size; size++) {
        uint8_t *exact = malloc(size > 0 ? (size_t)size : 1);
        ks_subscription subscription;
        ks_assignment assignment;
        memcpy(exact, bytes.data, (size_t)size);
        ks_subscription_decode((ks_bytes){ exact, size }, arena, &subscription);
        if (ks_assignment_decode((ks_bytes){ exact, size }, arena, &assignment)) assert_true(size >= 6);
        free(exact);
    }
}

static void what_real_clients_send_is_read_and_written(void **state) {
    int line_number = 0;
    FILE *file = ks_vectors_open("consumer_protocol.jsonl");
    if (file == NULL) return;
    for (json_t *line; (line = ks_vectors_next_json(file, "consumer_protocol.jsonl", &line_number)) != NULL;
         json_decref(line)) {
        ks_arena *arena = ks_arena_new();
        ks_bytes bytes = unhex(arena, json_object_get(line, "hex"));
        if (strcmp(text_of(line, "kind"), "subscription") == 0)
            check_subscription(line, bytes, arena);
        else
            check_assignment(line, bytes, arena);
        check_cut(bytes, arena);
        ks_arena_free(arena);
    }
    fclose(file);
    assert_true(line_number >= 18);
}

static void a_full_subscription_survives_the_round_trip(void **state) {
    ks_arena *arena = ks_arena_new();
    ks_string topics[] = { KS_LITERAL("orders"), KS_LITERAL("payments") };
    int32_t partitions[] = { 0, 5, 2 };
    ks_topic_partitions owned[] = { { KS_LITERAL("orders"), partitions, 3 }, { KS_LITERAL("payments"), NULL, 0 } };
    ks_subscription in = { .version = 3,
                           .topics = topics,
                           .topic_count = 2,
                           .user_data = { (const uint8_t *)"x", 1 },
                           .owned = owned,
                           .owned_count = 2,
                           .generation_id = 42,
                           .rack_id = KS_LITERAL("r1") },
                    out;
    assert_true(ks_subscription_decode(ks_subscription_encode(&in, arena), arena, &out));
    assert_int_equal(out.owned_count, 2);
    assert_int_equal(out.owned[0].partitions[1], 5);
    assert_int_equal(out.generation_id, 42);
    assert_true(ks_string_equal(out.rack_id, KS_LITERAL("r1")));
    ks_arena_free(arena);
}

static void numbers_of_any_size_are_printed(void **state) {
    int32_t numbers[] = { 0, 9, 10, 99, 100, 905, 1005, 9999, 10000, 123456789, 1000000000, INT32_MAX, -1, -10, INT32_MIN };
    ks_topic_partitions topics[] = { { KS_LITERAL("a"), numbers, 15 }, { KS_LITERAL("b"), numbers, 1 } };
    ks_buffer text = { 0 };
    ks_topic_partitions_print(topics, 2, &text);
    assert_string_equal(text.data, "a[0,9,10,99,100,905,1005,9999,10000,123456789,1000000000,2147483647,-1,-10,-2147483648] b[0]");
    ks_buffer_deinit(&text);
}

static void bytes_that_are_none_of_it_are_refused(void **state) {
    ks_arena *arena = ks_arena_new();
    ks_subscription subscription;
    ks_assignment assignment;
    assert_false(ks_subscription_decode(KS_NULL_BYTES, arena, &subscription));
    assert_false(
        ks_subscription_decode((ks_bytes){ (const uint8_t *)"\0\0\x7f\xff\xff\xff", 6 }, arena, &subscription));
    assert_false(ks_assignment_decode((ks_bytes){ (const uint8_t *)"\xff\xff\0\0\0\0", 6 }, arena, &assignment));
    assert_false(
        ks_assignment_decode((ks_bytes){ (const uint8_t *)"\0\0\0\0\0\1\xff\xff\0\0\0\0", 12 }, arena, &assignment));
    ks_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_real_clients_send_is_read_and_written),
        cmocka_unit_test(a_full_subscription_survives_the_round_trip),
        cmocka_unit_test(numbers_of_any_size_are_printed),
        cmocka_unit_test(bytes_that_are_none_of_it_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
