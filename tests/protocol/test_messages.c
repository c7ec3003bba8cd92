/* SPDX-License-Identifier: Apache-2.0
 * What is known of any message or event from its description: defaults, copies, equality, JSON, text, summaries,
 * errors. */
#include "tests/support/test.h"

#include <kafkasim/error.h>

#include "sim/protocol/events.h"
#include "sim/protocol/messages.h"
#include "sim/protocol/summary.h"

static int set_up(void **state) {
    *state = ks_kernel_new(&(ks_kernel_config){ .seed = 1 });
    return 0;
}

static int tear_down(void **state) {
    ks_kernel_free(*state);
    return 0;
}

static ks_envelope *request_of(ks_kernel *kernel, int16_t key, int16_t version) {
    return ks_envelope_new(kernel, key, version, ks_api_find(key)->request());
}

static ks_envelope *response_of(ks_kernel *kernel, int16_t key, int16_t version) {
    ks_envelope *envelope = ks_envelope_new(kernel, key, version, ks_api_find(key)->response());
    envelope->is_response = true;
    return envelope;
}

/* Makes `array` (any array member) hold `n` default elements of described type `name`. */
#define MAKE(envelope, array, name, n)                                                                                 \
    do {                                                                                                               \
        (array).count = (n);                                                                                           \
        (array).items = ks_arena_alloc((envelope)->arena, sizeof *(array).items * (size_t)(n));                        \
        for (int32_t i_ = 0; i_ < (n); i_++) ks_struct_default(ks_describe_##name(), &(array).items[i_]);              \
    } while (0)

/* ---- descriptions ---- */

static void a_new_struct_has_kafkas_defaults(void **state) {
    ks_fetch_request fetch;
    memset(&fetch, 0xa5, sizeof fetch);
    ks_struct_default(ks_describe_fetch_request(), &fetch);
    assert_int_equal(fetch.replica_id, -1);
    assert_int_equal(fetch.replica_state.replica_epoch, -1);
    assert_int_equal(fetch.max_bytes, INT32_MAX);
    assert_int_equal(fetch.cluster_id.size, -1);
    assert_int_equal(fetch.rack_id.size, 0);
    assert_int_equal(fetch.topics.count, 0);
    const ks_struct *type = ks_describe_fetch_request();
    for (uint32_t i = 0; i < type->field_count; i++) assert_true(ks_field_is_default(&type->fields[i], &fetch));
    fetch.replica_state.replica_id = 3;
    assert_false(ks_field_is_default(ks_struct_field(type, "ReplicaState"), &fetch));
}

static ks_envelope *filled_join(ks_kernel *kernel) {
    ks_envelope *envelope = request_of(kernel, KS_API_join_group, 9);
    ks_join_group_request *join = envelope->body;
    join->group_id = KS_LITERAL("billing");
    join->member_id = KS_LITERAL("c1-1");
    join->reason = KS_LITERAL("say \"hi\"\n\xff");
    MAKE(envelope, join->protocols, join_group_request_protocol, 2);
    join->protocols.items[0].name = KS_LITERAL("range");
    join->protocols.items[0].metadata = (ks_bytes){ (const uint8_t *)"\x01\xab", 2 };
    join->protocols.items[1].name = KS_LITERAL("sticky");
    return envelope;
}

static void a_copy_is_equal_and_lives_on_its_own(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *envelope = filled_join(kernel);
    ks_join_group_request *join = envelope->body, copy;
    char *name = (char *)ks_arena_alloc(envelope->arena, 6);
    memcpy(name, "range", 5);
    join->protocols.items[0].name = (ks_string){ name, 5 };
    ks_arena *arena = ks_arena_new();
    ks_struct_copy(envelope->type, &copy, join, arena, false);
    assert_true(ks_struct_equal(envelope->type, &copy, join));
    name[0] = 'R';
    assert_false(ks_struct_equal(envelope->type, &copy, join));
    ks_envelope_free(kernel, envelope);
    assert_true(ks_string_equal(copy.protocols.items[0].name, KS_LITERAL("range")));
    copy.protocols.count = 1;
    ks_arena_free(arena);
}

static void a_difference_anywhere_is_seen_at_versions_that_carry_it(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *a = filled_join(kernel), *b = filled_join(kernel);
    assert_true(ks_struct_equal(a->type, a->body, b->body));
    ((ks_join_group_request *)b->body)->reason = KS_NULL_STRING;
    assert_false(ks_struct_equal(a->type, a->body, b->body));
    assert_true(ks_struct_equal_at(a->type, a->body, b->body, 7));
    assert_false(ks_struct_equal_at(a->type, a->body, b->body, 8));
    ((ks_join_group_request *)a->body)->reason = KS_NULL_STRING;
    ((ks_join_group_request *)a->body)->protocols.items[1].metadata = KS_NULL_BYTES; /* null is not empty */
    assert_false(ks_struct_equal(a->type, a->body, b->body));
    ks_envelope_free(kernel, a);
    ks_envelope_free(kernel, b);
}

static void json_uses_kafkas_names_and_always_parses(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *envelope = filled_join(kernel);
    ks_buffer out = { 0 };
    ks_struct_json(envelope->type, envelope->body, 1, &out);
    json_error_t error;
    json_t *json = json_loadb((const char *)out.data, out.size, 0, &error);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "GroupId")), "billing");
    assert_string_equal(json_string_value(json_object_get(json, "Reason")), "say \"hi\"\n\xef\xbf\xbd");
    assert_true(json_is_null(json_object_get(json, "GroupInstanceId")));
    json_t *first = json_array_get(json_object_get(json, "Protocols"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "Metadata")), "01"); /* cut at one byte */
    json_decref(json);
    ks_buffer_deinit(&out);
    ks_envelope_free(kernel, envelope);
}

static void text_for_people_is_compact(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *envelope = filled_join(kernel);
    ks_buffer out = { 0 };
    ks_struct_print(envelope->type, envelope->body, &out);
    assert_string_equal(
        (char *)out.data,
        "{group_id=billing session_timeout_ms=0 rebalance_timeout_ms=-1 member_id=c1-1 group_instance_id=null "
        "protocol_type=\"\" protocols=[{name=range metadata=<2 bytes>} {name=sticky metadata=<0 bytes>}] "
        "reason=\"say \\\"hi\\\"\\n\\ufffd\"}");
    ks_buffer_deinit(&out);
    ks_envelope_free(kernel, envelope);
}

/* ---- kinds of events ---- */

static void every_kind_of_event_is_found_by_its_name_and_none_twice(void **state) {
    assert_true(ks_event_kind_count() > 50);
    for (int32_t i = 0; i < ks_event_kind_count(); i++) {
        const ks_struct *kind = ks_event_kind_at(i);
        assert_memory_equal(kind->name, "ev_", 3);
        assert_ptr_equal(ks_event_kind_find(kind->name), kind);
        assert_ptr_equal(ks_event_kind_find(ks_event_kind_name(kind)), kind);
        for (uint32_t k = 0; k < kind->field_count; k++) { /* flat fields, and lists of flat parts: what the loader of traces reads */
            assert_true(kind->fields[k].array == (kind->fields[k].type == KS_TYPE_struct));
            const ks_struct *part = kind->fields[k].array ? kind->fields[k].sub() : NULL;
            for (uint32_t p = 0; part != NULL && p < part->field_count; p++) assert_true(!part->fields[p].array && part->fields[p].type != KS_TYPE_struct);
        }
    }
    assert_ptr_equal(ks_event_kind_find("group_state_changed"), ks_describe_ev_group_state_changed());
    assert_ptr_equal(ks_event_kind_find("request_sent"), ks_describe_ev_request_sent());
    assert_null(ks_event_kind_find("group_state_will_change"));
}

/* ---- summaries ---- */

static ks_summary about(ks_kernel *kernel, ks_envelope *request, ks_envelope *response) {
    ks_summary summary;
    ks_message_summarise(request, response, &summary);
    return summary;
}

static void a_summary_says_whom_a_request_is_about(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *envelope = request_of(kernel, KS_API_offset_commit, 7);
    ks_offset_commit_request *commit = envelope->body;
    commit->group_id = KS_LITERAL("billing");
    commit->generation_id_or_member_epoch = 4;
    MAKE(envelope, commit->topics, offset_commit_request_topic, 2);
    commit->topics.items[0].name = KS_LITERAL("orders");
    MAKE(envelope, commit->topics.items[0].partitions, offset_commit_request_partition, 1);
    commit->topics.items[0].partitions.items[0].partition_index = 5;
    ks_summary summary = about(kernel, envelope, NULL);
    assert_true(ks_string_equal(summary.group, KS_LITERAL("billing")));
    assert_int_equal(summary.member.size, -1);
    assert_int_equal(summary.generation, 4);
    assert_true(ks_string_equal(summary.topic, KS_LITERAL("orders")));
    assert_int_equal(summary.partition, 5);
    assert_int_equal(summary.error_code, 0);
    ks_envelope_free(kernel, envelope);
}

static void a_summary_knows_the_odd_ones(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *envelope = request_of(kernel, KS_API_produce, 7);
    ks_produce_request *produce = envelope->body;
    MAKE(envelope, produce->topic_data, produce_request_topic_produce_data, 1);
    produce->topic_data.items[0].name = KS_LITERAL("orders");
    MAKE(envelope, produce->topic_data.items[0].partition_data, produce_request_partition_produce_data, 1);
    produce->topic_data.items[0].partition_data.items[0].index = 2;
    ks_summary summary = about(kernel, envelope, NULL);
    assert_true(ks_string_equal(summary.topic, KS_LITERAL("orders")));
    assert_int_equal(summary.partition, 2);
    ks_envelope_free(kernel, envelope);

    envelope = request_of(kernel, KS_API_find_coordinator, 2);
    ks_find_coordinator_request *find = envelope->body;
    find->key = KS_LITERAL("billing");
    assert_true(ks_string_equal(about(kernel, envelope, NULL).group, KS_LITERAL("billing")));
    find->key_type = 1;
    assert_int_equal(about(kernel, envelope, NULL).group.size, -1);
    ks_envelope_free(kernel, envelope);

    envelope = request_of(kernel, KS_API_describe_groups, 0);
    ks_describe_groups_request *describe = envelope->body;
    ks_string groups[] = { KS_LITERAL("g1"), KS_LITERAL("g2") };
    describe->groups.items = groups;
    describe->groups.count = 2;
    assert_true(ks_string_equal(about(kernel, envelope, NULL).group, KS_LITERAL("g1")));
    ks_envelope_free(kernel, envelope);

    envelope = filled_join(kernel); /* a protocol's name is no topic */
    assert_int_equal(about(kernel, envelope, NULL).topic.size, -1);
    ks_envelope_free(kernel, envelope);

    envelope = request_of(kernel, KS_API_leave_group, 3);
    ks_leave_group_request *leave = envelope->body;
    MAKE(envelope, leave->members, leave_group_request_member_identity, 1);
    leave->members.items[0].member_id = KS_LITERAL("c9-1");
    assert_true(ks_string_equal(about(kernel, envelope, NULL).member, KS_LITERAL("c9-1")));
    ks_envelope_free(kernel, envelope);
}

static void a_summary_of_a_response_has_its_first_error_and_what_it_gives(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *request = filled_join(kernel), *response = response_of(kernel, KS_API_join_group, 9);
    ks_join_group_response *join = response->body;
    ((ks_join_group_request *)request->body)->member_id = KS_LITERAL("");
    join->error_code = 79;
    join->member_id = KS_LITERAL("c1-7");
    join->generation_id = 3;
    ks_summary summary = about(kernel, request, response);
    assert_true(ks_string_equal(summary.group, KS_LITERAL("billing")));
    assert_true(ks_string_equal(summary.member, KS_LITERAL("c1-7")));
    assert_int_equal(summary.generation, 3);
    assert_int_equal(summary.error_code, 79);
    ks_envelope_free(kernel, request);
    ks_envelope_free(kernel, response);

    response = response_of(kernel, KS_API_fetch, 10);
    ks_fetch_response *fetch = response->body;
    MAKE(response, fetch->responses, fetch_response_fetchable_topic_response, 2);
    MAKE(response, fetch->responses.items[1].partitions, fetch_response_partition_data, 3);
    fetch->responses.items[1].partitions.items[2].error_code = 6;
    request = request_of(kernel, KS_API_fetch, 10);
    assert_int_equal(about(kernel, request, response).error_code, 6);
    fetch->error_code = 70;
    assert_int_equal(about(kernel, request, response).error_code, 70);
    ks_envelope_free(kernel, request);
    ks_envelope_free(kernel, response);
}

/* ---- answering with a chosen error ---- */

static void an_error_stands_at_the_top_where_there_is_a_top(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *request = filled_join(kernel), *response = response_of(kernel, KS_API_join_group, 9);
    assert_true(ks_message_set_error(request, response, KAFKA_ERR_NOT_COORDINATOR));
    ks_join_group_response *join = response->body;
    assert_int_equal(join->error_code, 16);
    assert_int_equal(join->generation_id, -1);
    assert_true(ks_string_equal(join->member_id, KS_LITERAL("c1-1")));
    ks_envelope_free(kernel, request);
    ks_envelope_free(kernel, response);

    request = request_of(kernel, KS_API_find_coordinator, 2);
    response = response_of(kernel, KS_API_find_coordinator, 2);
    assert_true(ks_message_set_error(request, response, 15));
    assert_int_equal(((ks_find_coordinator_response *)response->body)->node_id, -1);
    assert_int_equal(((ks_find_coordinator_response *)response->body)->port, -1);
    ks_envelope_free(kernel, request);
    ks_envelope_free(kernel, response);
}

static void an_error_stands_in_each_partition_asked_for(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *request = request_of(kernel, KS_API_produce, 9), *response = response_of(kernel, KS_API_produce, 9);
    ks_produce_request *produce = request->body;
    MAKE(request, produce->topic_data, produce_request_topic_produce_data, 2);
    produce->topic_data.items[0].name = KS_LITERAL("a");
    produce->topic_data.items[1].name = KS_LITERAL("b");
    MAKE(request, produce->topic_data.items[1].partition_data, produce_request_partition_produce_data, 2);
    produce->topic_data.items[1].partition_data.items[1].index = 7;
    assert_true(ks_message_set_error(request, response, 19));
    ks_produce_response *answer = response->body;
    assert_int_equal(answer->responses.count, 2);
    assert_int_equal(answer->responses.items[0].partition_responses.count, 0);
    assert_true(ks_string_equal(answer->responses.items[1].name, KS_LITERAL("b")));
    ks_produce_response_partition_produce_response *partition =
        &answer->responses.items[1].partition_responses.items[1];
    assert_int_equal(partition->index, 7);
    assert_int_equal(partition->error_code, 19);
    assert_int_equal(partition->base_offset, -1);
    assert_int_equal(partition->log_append_time_ms, -1);
    ks_envelope_free(kernel, request);
    ks_envelope_free(kernel, response);
}

static ks_envelope *fetch_of(ks_kernel *kernel, int16_t version) {
    ks_envelope *request = request_of(kernel, KS_API_fetch, version);
    ks_fetch_request *fetch = request->body;
    MAKE(request, fetch->topics, fetch_request_topic, 1);
    fetch->topics.items[0].topic = KS_LITERAL("orders");
    MAKE(request, fetch->topics.items[0].partitions, fetch_request_partition, 1);
    fetch->topics.items[0].partitions.items[0].partition = 4;
    return request;
}

static void an_error_of_a_fetch_is_its_partitions_unless_it_is_the_sessions(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *request = fetch_of(kernel, 11), *response = response_of(kernel, KS_API_fetch, 11);
    ks_fetch_response *fetch = response->body;
    assert_true(ks_message_set_error(request, response, 6));
    assert_int_equal(fetch->error_code, 0);
    assert_int_equal(fetch->responses.items[0].partitions.items[0].error_code, 6);
    assert_int_equal(fetch->responses.items[0].partitions.items[0].partition_index, 4);
    assert_int_equal(fetch->responses.items[0].partitions.items[0].high_watermark, -1);
    assert_true(ks_message_set_error(request, response, 70));
    assert_int_equal(fetch->error_code, 70);
    assert_int_equal(fetch->responses.count, 0);
    ks_envelope_free(kernel, request);
    ks_envelope_free(kernel, response);
}

static void a_plain_list_of_names_gets_an_entry_for_each(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *request = request_of(kernel, KS_API_describe_groups, 5),
                *response = response_of(kernel, KS_API_describe_groups, 5);
    ks_string groups[] = { KS_LITERAL("g1"), KS_LITERAL("g2") };
    ((ks_describe_groups_request *)request->body)->groups.items = groups;
    ((ks_describe_groups_request *)request->body)->groups.count = 2;
    assert_true(ks_message_set_error(request, response, 14));
    ks_describe_groups_response *answer = response->body;
    assert_int_equal(answer->groups.count, 2);
    assert_true(ks_string_equal(answer->groups.items[1].group_id, KS_LITERAL("g2")));
    assert_int_equal(answer->groups.items[1].error_code, 14);
    ks_envelope_free(kernel, request);
    ks_envelope_free(kernel, response);
}

static void where_an_error_goes_depends_on_version_and_code(void **state) {
    ks_kernel *kernel = *state;
    for (int16_t version = 1; version <= 8; version++) {
        ks_envelope *request = request_of(kernel, KS_API_offset_fetch, version),
                    *response = response_of(kernel, KS_API_offset_fetch, version);
        ks_offset_fetch_request *fetch = request->body;
        ks_offset_fetch_response *answer = response->body;
        int32_t partitions[] = { 3 };
        MAKE(request, fetch->topics, offset_fetch_request_topic, 1);
        fetch->topics.items[0].name = KS_LITERAL("orders");
        fetch->topics.items[0].partition_indexes.items = partitions;
        fetch->topics.items[0].partition_indexes.count = 1;
        MAKE(request, fetch->groups, offset_fetch_request_group, 1);
        fetch->groups.items[0].group_id = KS_LITERAL("billing");
        assert_true(ks_message_set_error(request, response, 16));
        if (version == 1) {
            assert_int_equal(answer->topics.items[0].partitions.items[0].error_code, 16);
            assert_int_equal(answer->topics.items[0].partitions.items[0].partition_index, 3);
            assert_int_equal(answer->topics.items[0].partitions.items[0].committed_offset, -1);
        } else if (version < 8) {
            assert_int_equal(answer->error_code, 16);
            assert_true(ks_message_set_error(request, response, 88)); /* a partition's */
            assert_int_equal(answer->error_code, 0);
            assert_int_equal(answer->topics.items[0].partitions.items[0].error_code, 88);
        } else {
            assert_int_equal(answer->groups.items[0].error_code, 16);
            assert_true(ks_string_equal(answer->groups.items[0].group_id, KS_LITERAL("billing")));
        }
        ks_envelope_free(kernel, request);
        ks_envelope_free(kernel, response);
    }
}

static void every_api_can_answer_with_an_error_in_every_version(void **state) {
    ks_kernel *kernel = *state;
    for (int32_t i = 0; i < ks_api_count(); i++) {
        const ks_api *api = ks_api_at(i);
        for (int16_t version = api->since; version <= api->until; version++) {
            ks_envelope *request = request_of(kernel, api->key, version),
                        *response = response_of(kernel, api->key, version);
            /* one element, all of its fields default, in every array of the request, two deep */
            for (uint32_t f = 0; f < request->type->field_count; f++) {
                const ks_field *field = &request->type->fields[f];
                if (!field->array) continue;
                ks_any_array *array = (ks_any_array *)((char *)request->body + field->offset);
                array->count = 1;
                array->items = ks_arena_alloc(request->arena, ks_field_element_size(field));
                if (field->type == KS_TYPE_string) *(ks_string *)array->items = KS_LITERAL("x");
                if (field->type != KS_TYPE_struct) continue;
                ks_struct_default(field->sub(), array->items);
                for (uint32_t g = 0; g < field->sub()->field_count; g++) {
                    const ks_field *inner = &field->sub()->fields[g];
                    if (!inner->array) continue;
                    ks_any_array *second = (ks_any_array *)((char *)array->items + inner->offset);
                    second->count = 1;
                    second->items = ks_arena_alloc(request->arena, ks_field_element_size(inner));
                    if (inner->type == KS_TYPE_struct) ks_struct_default(inner->sub(), second->items);
                }
            }
            if (!ks_message_set_error(request, response, 15))
                fail_msg("%s v%d has no place for an error", api->name, version);
            ks_summary summary;
            ks_message_summarise(request, response, &summary);
            if (summary.error_code != 15) fail_msg("%s v%d: the error set is not found again", api->name, version);
            ks_envelope_free(kernel, request);
            ks_envelope_free(kernel, response);
        }
    }
}

static void an_answer_keeps_all_but_its_errors_and_records(void **state) {
    ks_kernel *kernel = *state;
    ks_envelope *from = response_of(kernel, KS_API_metadata, 6), *to = response_of(kernel, KS_API_metadata, 6);
    ks_metadata_response *metadata = from->body, *copy = to->body;
    MAKE(from, metadata->brokers, metadata_response_broker, 3);
    MAKE(from, metadata->topics, metadata_response_topic, 1);
    metadata->topics.items[0].name = KS_LITERAL("orders");
    assert_true(ks_message_replace_error(from, to, 5));
    ks_envelope_free(kernel, from);
    assert_int_equal(copy->brokers.count, 3);
    assert_int_equal(copy->topics.items[0].error_code, 5);
    assert_true(ks_string_equal(copy->topics.items[0].name, KS_LITERAL("orders")));
    ks_envelope_free(kernel, to);

    from = response_of(kernel, KS_API_fetch, 10);
    to = response_of(kernel, KS_API_fetch, 10);
    ks_fetch_response *fetch = from->body, *other = to->body;
    MAKE(from, fetch->responses, fetch_response_fetchable_topic_response, 1);
    MAKE(from, fetch->responses.items[0].partitions, fetch_response_partition_data, 1);
    fetch->responses.items[0].partitions.items[0].records = (ks_bytes){ (const uint8_t *)"abc", 3 };
    assert_true(ks_message_replace_error(from, to, 1));
    assert_int_equal(other->responses.items[0].partitions.items[0].records.size, 0);
    assert_int_equal(other->responses.items[0].partitions.items[0].error_code, 1);
    ks_envelope_free(kernel, from);
    ks_envelope_free(kernel, to);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_struct_has_kafkas_defaults),
        TEST(a_copy_is_equal_and_lives_on_its_own),
        TEST(a_difference_anywhere_is_seen_at_versions_that_carry_it),
        TEST(json_uses_kafkas_names_and_always_parses),
        TEST(text_for_people_is_compact),
        TEST(every_kind_of_event_is_found_by_its_name_and_none_twice),
        TEST(a_summary_says_whom_a_request_is_about),
        TEST(a_summary_knows_the_odd_ones),
        TEST(a_summary_of_a_response_has_its_first_error_and_what_it_gives),
        TEST(an_error_stands_at_the_top_where_there_is_a_top),
        TEST(an_error_stands_in_each_partition_asked_for),
        TEST(an_error_of_a_fetch_is_its_partitions_unless_it_is_the_sessions),
        TEST(a_plain_list_of_names_gets_an_entry_for_each),
        TEST(where_an_error_goes_depends_on_version_and_code),
        TEST(every_api_can_answer_with_an_error_in_every_version),
        TEST(an_answer_keeps_all_but_its_errors_and_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
