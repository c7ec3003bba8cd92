/* SPDX-License-Identifier: Apache-2.0
 * kafka-go's group balancers against the answers recorded from kafka-go (kafka_go_group_balancers.jsonl). */
#include "tests/support/test.h"

#include "sim/client/kafka_go_balancer.h"

static const char vectors[] = "kafka_go_group_balancers.jsonl";

static kafka_group_assign_function *balancer_of(json_t *row) {
    const char *name = json_string_value(json_object_get(row, "balancer"));
    if (strcmp(name, "range") == 0) return ks_kafka_go_range;
    if (strcmp(name, "roundrobin") == 0) return ks_kafka_go_round_robin;
    if (strcmp(name, "rack-affinity") == 0) return ks_kafka_go_rack_affinity;
    fail_msg("unknown balancer %s", name);
    return NULL;
}

/* The normalised answer: every member listed, topics without partitions left out. A member's partitions stand in the order
 * in which they were offered; rack-affinity orders them by rack first, so there they are compared ascending. */
static json_t *answer(const kafka_group_member *members, size_t member_count, const kafka_group_partition *partitions,
                      size_t partition_count, const int32_t *owners) {
    json_t *result = json_object();
    for (size_t m = 0; m < member_count; m++) json_object_set_new(result, members[m].id, json_object());
    for (size_t p = 0; p < partition_count; p++) {
        if (owners[p] < 0) continue;
        assert_true((size_t)owners[p] < member_count);
        json_t *topics = json_object_get(result, members[owners[p]].id);
        if (json_object_get(topics, partitions[p].topic) == NULL)
            json_object_set_new(topics, partitions[p].topic, json_array());
        json_t *list = json_object_get(topics, partitions[p].topic);
        json_array_append_new(list, json_integer(partitions[p].partition));
    }
    return result;
}

static void sort_list(json_t *list) {
    for (size_t i = 1; i < json_array_size(list); i++)
        for (size_t k = i;
             k > 0 && json_integer_value(json_array_get(list, k - 1)) > json_integer_value(json_array_get(list, k));
             k--) {
            json_t *item = json_incref(json_array_get(list, k));
            json_array_remove(list, k);
            json_array_insert_new(list, k - 1, item);
        }
}

static void sort_lists(json_t *assignments) {
    const char *member, *topic;
    json_t *topics, *list;
    json_object_foreach(assignments, member, topics) { json_object_foreach(topics, topic, list) sort_list(list); }
}

static void run_row(json_t *row, int line) {
    json_t *list = json_object_get(row, "members"), *offered = json_object_get(row, "partitions"), *item;
    size_t member_count = json_array_size(list), partition_count = json_array_size(offered), i;
    kafka_group_member *members = calloc(member_count + 1, sizeof *members);
    kafka_group_partition *partitions = calloc(partition_count + 1, sizeof *partitions);
    int32_t *owners = calloc(partition_count + 1, sizeof *owners);
    json_array_foreach(list, i, item) {
        json_t *topics = json_object_get(item, "topics"), *rack = json_object_get(item, "rack");
        const char **names = calloc(json_array_size(topics) + 1, sizeof *names);
        for (size_t t = 0; t < json_array_size(topics); t++) names[t] = json_string_value(json_array_get(topics, t));
        members[i] = (kafka_group_member){ json_string_value(json_object_get(item, "id")), names,
                                           json_array_size(topics), kafka_string(json_string_value(rack)) };
    }
    json_array_foreach(offered, i, item) {
        const char *rack = json_string_value(json_object_get(item, "leader_rack"));
        partitions[i] =
            (kafka_group_partition){ json_string_value(json_object_get(item, "topic")),
                                     (int32_t)json_integer_value(json_object_get(item, "id")), -1, rack ? rack : "" };
        owners[i] = KAFKA_NO_OWNER;
    }
    assert_int_equal(balancer_of(row)(NULL, members, member_count, partitions, partition_count, owners), KAFKA_OK);
    json_t *got = answer(members, member_count, partitions, partition_count, owners);
    if (balancer_of(row) == ks_kafka_go_rack_affinity) {
        sort_lists(got);
        sort_lists(json_object_get(row, "expected"));
    }
    if (!json_equal(got, json_object_get(row, "expected")))
        fail_msg("%s, line %d (%s, %s):\n  got      %s\n  expected %s", vectors, line,
                 json_string_value(json_object_get(row, "balancer")), json_string_value(json_object_get(row, "name")),
                 json_dumps(got, JSON_SORT_KEYS), json_dumps(json_object_get(row, "expected"), JSON_SORT_KEYS));
    json_decref(got);
    for (i = 0; i < member_count; i++) free((void *)members[i].topics);
    free(members);
    free(partitions);
    free(owners);
}

static void the_balancers_answer_as_kafka_go_does(void **state) {
    FILE *file = ks_vectors_open(vectors);
    if (file == NULL) return;
    int line = 0;
    for (json_t *row; (row = ks_vectors_next_json(file, vectors, &line)) != NULL; json_decref(row)) run_row(row, line);
    fclose(file);
    assert_true(line > 0);
}

static void the_rack_goes_out_as_user_data(void **state) {
    kafka_bytes data = { NULL, 0 };
    assert_int_equal(ks_kafka_go_rack_data("eu-1", &data), KAFKA_OK);
    assert_true(kafka_bytes_equal(data, kafka_string("eu-1")));
    assert_int_equal(ks_kafka_go_rack_data(NULL, &data), KAFKA_OK);
    assert_true(kafka_bytes_equal(data, kafka_string("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_balancers_answer_as_kafka_go_does),
        cmocka_unit_test(the_rack_goes_out_as_user_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
