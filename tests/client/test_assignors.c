/* SPDX-License-Identifier: Apache-2.0
 * The client-side assignors against Kafka's own answers (tests/vectors/assignors.jsonl), and their user data. */
#include "tests/support/test.h"

#include "sim/client/assignor.h"

static ks_string text(json_t *json) { return ks_str(json_string_value(json)); }

static ks_string *names(ks_arena *arena, json_t *array, int32_t *count) {
    *count = (int32_t)json_array_size(array);
    ks_string *list = ks_arena_alloc(arena, ((size_t)*count + 1) * sizeof *list);
    for (int32_t i = 0; i < *count; i++) list[i] = text(json_array_get(array, (size_t)i));
    return list;
}

static ks_assignor_topic read_topic(ks_arena *arena, const char *name, json_t *count, json_t *racks) {
    ks_assignor_topic topic = { .name = ks_str(name), .partition_count = (int32_t)json_integer_value(count) };
    if (racks == NULL) return topic;
    ks_replica_racks *list = ks_arena_alloc(arena, ((size_t)topic.partition_count + 1) * sizeof *list);
    for (int32_t p = 0; p < topic.partition_count; p++)
        list[p].racks = names(arena, json_array_get(racks, (size_t)p), &list[p].count);
    topic.replica_racks = list;
    return topic;
}

static ks_assignor_member read_member(ks_arena *arena, json_t *json) {
    json_t *owned = json_object_get(json, "owned"), *generation = json_object_get(json, "generation");
    ks_assignor_member member = { .id = text(json_object_get(json, "id")),
                                  .instance_id = text(json_object_get(json, "instance_id")),
                                  .rack = text(json_object_get(json, "rack")),
                                  .generation = generation ? (int32_t)json_integer_value(generation) : -1 };
    member.topics = names(arena, json_object_get(json, "subscription"), &member.topic_count);
    member.owned_count = (int32_t)json_array_size(owned);
    ks_topic_partitions *list = ks_arena_alloc(arena, ((size_t)member.owned_count + 1) * sizeof *list);
    for (int32_t i = 0; i < member.owned_count; i++) {
        json_t *pair = json_array_get(owned, (size_t)i);
        int32_t *partition = ks_arena_alloc(arena, sizeof *partition);
        *partition = (int32_t)json_integer_value(json_array_get(pair, 1));
        list[i] = (ks_topic_partitions){ text(json_array_get(pair, 0)), partition, 1 };
    }
    member.owned = list;
    return member;
}

static ks_assignor_input read_input(ks_arena *arena, json_t *json) {
    json_t *topics = json_object_get(json, "topics"), *members = json_object_get(json, "members"), *value;
    ks_assignor_topic *topic_list = ks_arena_alloc(arena, (json_object_size(topics) + 1) * sizeof *topic_list);
    ks_assignor_member *member_list = ks_arena_alloc(arena, (json_array_size(members) + 1) * sizeof *member_list);
    ks_assignor_input input = { .topics = topic_list, .members = member_list };
    const char *name;
    json_object_foreach(topics, name, value) topic_list[input.topic_count++] =
        read_topic(arena, name, value, json_object_get(json_object_get(json, "replica_racks"), name));
    for (size_t i = 0; i < json_array_size(members); i++)
        member_list[input.member_count++] = read_member(arena, json_array_get(members, i));
    return input;
}

static bool holds(const ks_assignor_share *share, ks_string topic, int32_t partition) {
    for (int32_t t = 0; t < share->topic_count; t++)
        for (int32_t i = 0; ks_string_equal(share->topics[t].topic, topic) && i < share->topics[t].partition_count; i++)
            if (share->topics[t].partitions[i] == partition) return true;
    return false;
}

static int32_t size_of(const ks_assignor_share *share) {
    int32_t size = 0;
    for (int32_t t = 0; t < share->topic_count; t++) size += share->topics[t].partition_count;
    return size;
}

static bool as_expected(const ks_assignor_input *input, const ks_assignor_share *shares, json_t *json) {
    json_t *expected = json_object_get(json, "expected");
    if (json_object_size(expected) != (size_t)input->member_count) return false;
    for (int32_t m = 0; m < input->member_count; m++) {
        json_t *pairs = json_object_get(expected, input->members[m].id.data);
        if ((size_t)size_of(&shares[m]) != json_array_size(pairs)) return false;
        for (size_t i = 0; i < json_array_size(pairs); i++) {
            json_t *pair = json_array_get(pairs, i);
            if (!holds(&shares[m], text(json_array_get(pair, 0)), (int32_t)json_integer_value(json_array_get(pair, 1))))
                return false;
        }
    }
    return true;
}

static void print_shares(const ks_assignor_input *input, const ks_assignor_share *shares, json_t *json, int line) {
    char *expected = json_dumps(json_object_get(json, "expected"), JSON_COMPACT);
    print_message("assignors.jsonl:%d %s %s\n  expected %s\n  got     ", line,
                  json_string_value(json_object_get(json, "assignor")), json_string_value(json_object_get(json, "case")),
                  expected);
    free(expected);
    for (int32_t m = 0; m < input->member_count; m++) {
        print_message(" %s:", input->members[m].id.data);
        for (int32_t t = 0; t < shares[m].topic_count; t++)
            for (int32_t i = 0; i < shares[m].topics[t].partition_count; i++)
                print_message(" %s-%d", shares[m].topics[t].topic.data, shares[m].topics[t].partitions[i]);
    }
    print_message("\n");
}

/* Kafka's hash maps know no order, so neither may the answer depend on the order of the input. */
static void reverse(ks_assignor_input *input) {
    ks_assignor_member *members = (ks_assignor_member *)input->members;
    for (int32_t i = 0, j = input->member_count - 1; i < j; i++, j--) {
        ks_assignor_member swap = members[i];
        members[i] = members[j];
        members[j] = swap;
    }
    ks_assignor_topic *topics = (ks_assignor_topic *)input->topics;
    for (int32_t i = 0, j = input->topic_count - 1; i < j; i++, j--) {
        ks_assignor_topic swap = topics[i];
        topics[i] = topics[j];
        topics[j] = swap;
    }
}

static void every_vector_gives_kafkas_assignment(void **state) {
    (void)state;
    FILE *file = ks_vectors_open("assignors.jsonl");
    if (file == NULL) return;
    int line = 0, wrong = 0;
    for (json_t *json; (json = ks_vectors_next_json(file, "assignors.jsonl", &line)) != NULL; json_decref(json)) {
        ks_arena *arena = ks_arena_new();
        const ks_assignor *assignor = ks_assignor_find(text(json_object_get(json, "assignor")));
        assert_non_null(assignor);
        ks_assignor_input input = read_input(arena, json);
        ks_assignor_share *shares = ks_arena_alloc(arena, ((size_t)input.member_count + 1) * sizeof *shares);
        for (int turned = 0; turned < 2; turned++, reverse(&input)) {
            assignor->assign(&input, arena, shares);
            if (as_expected(&input, shares, json)) continue;
            wrong++;
            print_shares(&input, shares, json, line);
        }
        ks_arena_free(arena);
    }
    fclose(file);
    assert_true(line > 0);
    assert_int_equal(wrong, 0);
}

/* ---- user data ---- */

static ks_subscription subscription_with(ks_bytes user_data) {
    return (ks_subscription){ .version = 3, .user_data = user_data, .generation_id = 9, .rack_id = KS_NULL_STRING };
}

static void sticky_carries_its_assignment_and_generation_in_user_data(void **state) {
    (void)state;
    ks_arena *arena = ks_arena_new();
    const ks_assignor *sticky = ks_assignor_find(KS_LITERAL("sticky"));
    int32_t partitions[] = { 0, 7, 2 };
    ks_topic_partitions owned[] = { { KS_LITERAL("orders"), partitions, 3 }, { KS_LITERAL("t"), partitions, 1 } };
    ks_bytes data = sticky->user_data(owned, 2, 5, arena);
    ks_subscription subscription = subscription_with(data);
    ks_assignor_member member;
    ks_assignor_member_from(sticky, KS_LITERAL("m"), KS_NULL_STRING, &subscription, arena, &member);
    assert_int_equal(member.generation, 5);
    assert_int_equal(member.owned_count, 2);
    assert_true(ks_string_equal(member.owned[0].topic, KS_LITERAL("orders")));
    assert_int_equal(member.owned[0].partition_count, 3);
    assert_memory_equal(member.owned[0].partitions, partitions, sizeof partitions);
    assert_int_equal(member.owned[1].partition_count, 1);
    ks_arena_free(arena);
}

static void user_data_that_does_not_parse_counts_as_nothing(void **state) {
    (void)state;
    ks_arena *arena = ks_arena_new();
    const ks_assignor *sticky = ks_assignor_find(KS_LITERAL("sticky"));
    int32_t partitions[] = { 0, 7, 2 };
    ks_topic_partitions owned[] = { { KS_LITERAL("orders"), partitions, 3 } };
    ks_bytes data = sticky->user_data(owned, 1, 5, arena);
    for (int32_t size = -1; size < data.size - 4; size++) { /* without its last 4 bytes it is version 0: no generation */
        ks_subscription subscription = subscription_with((ks_bytes){ data.data, size });
        ks_assignor_member member;
        ks_assignor_member_from(sticky, KS_LITERAL("m"), KS_NULL_STRING, &subscription, arena, &member);
        assert_int_equal(member.owned_count, 0);
        assert_int_equal(member.generation, -1);
    }
    ks_arena_free(arena);
}

static void cooperative_sticky_reads_the_subscriptions_own_fields_first(void **state) {
    (void)state;
    ks_arena *arena = ks_arena_new();
    const ks_assignor *cooperative = ks_assignor_find(KS_LITERAL("cooperative-sticky"));
    ks_subscription subscription = subscription_with(cooperative->user_data(NULL, 0, 4, arena));
    ks_assignor_member member;
    ks_assignor_member_from(cooperative, KS_LITERAL("m"), KS_NULL_STRING, &subscription, arena, &member);
    assert_int_equal(member.generation, 9);
    subscription.version = 1; /* knows no generation */
    subscription.generation_id = -1;
    ks_assignor_member_from(cooperative, KS_LITERAL("m"), KS_NULL_STRING, &subscription, arena, &member);
    assert_int_equal(member.generation, 4);
    ks_arena_free(arena);
}

static void assignors_are_found_by_protocol_name_and_by_class_name(void **state) {
    (void)state;
    assert_string_equal(ks_assignor_find(KS_LITERAL("range"))->name, "range");
    assert_string_equal(ks_assignor_find(KS_LITERAL("org.apache.kafka.clients.consumer.CooperativeStickyAssignor"))->name,
                        "cooperative-sticky");
    assert_null(ks_assignor_find(KS_LITERAL("rang")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_gives_kafkas_assignment),
        cmocka_unit_test(sticky_carries_its_assignment_and_generation_in_user_data),
        cmocka_unit_test(user_data_that_does_not_parse_counts_as_nothing),
        cmocka_unit_test(cooperative_sticky_reads_the_subscriptions_own_fields_first),
        cmocka_unit_test(assignors_are_found_by_protocol_name_and_by_class_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
