/* SPDX-License-Identifier: Apache-2.0
 * What the trace says of commits: one event for each topic of a commit, and of what is refused one for each topic and error.
 */
#include "tests/control/admin_fixture.h"

#define SIM DESK_SIM(d)

typedef struct notes { /* the fields of the events about commits, one a line */
    char text[4096];
    size_t size;
} notes;

static void note_commit(void *context, const ksim_event *event) {
    notes *n = context;
    const char *kind = ksim_event_kind(event);
    if (strcmp(kind, "offsets_committed") != 0 && strcmp(kind, "offset_commit_refused") != 0) return;
    n->size += (size_t)snprintf(n->text + n->size, sizeof n->text - n->size, "%s %s\n", kind, strstr(ksim_event_json(event), "\"fields\":") + 9);
    assert_true(n->size < sizeof n->text);
}

static void expect(desk *d, kafka_commit_request request, kafka_error error, const char *expected) {
    notes n = { "", 0 };
    ksim_subscription *subscription = ksim_trace_subscribe(SIM, note_commit, &n);
    assert_error(kafka_client_offset_commit(d->client, d->ctx, &request, NULL), error);
    ksim_trace_unsubscribe(SIM, subscription);
    assert_string_equal(n.text, expected);
}

static void a_commit_is_one_event_for_each_of_its_topics(void **state) {
    desk *d = *state;
    const kafka_group_offset offsets[] = { { "orders", 2, 7, "why", KAFKA_OK }, { "orders", 0, 5, NULL, KAFKA_OK }, { "returns", 0, 1, NULL, KAFKA_OK } };
    expect(d, (kafka_commit_request){ .group = "billing", .generation = -1, .offsets = offsets, .count = 3 }, KAFKA_OK,
           "offsets_committed {\"Group\":\"billing\",\"Member\":\"\",\"Generation\":-1,\"Topic\":\"orders\",\"Count\":2,\"Partitions\":["
           "{\"Partition\":2,\"LeaderEpoch\":-1,\"Offset\":7,\"Metadata\":\"why\"},{\"Partition\":0,\"LeaderEpoch\":-1,\"Offset\":5,\"Metadata\":\"\"}]}}\n"
           "offsets_committed {\"Group\":\"billing\",\"Member\":\"\",\"Generation\":-1,\"Topic\":\"returns\",\"Count\":1,\"Partitions\":["
           "{\"Partition\":0,\"LeaderEpoch\":-1,\"Offset\":1,\"Metadata\":\"\"}]}}\n");
}

static void what_the_group_refuses_is_one_event_for_each_topic(void **state) {
    desk *d = *state;
    const kafka_group_offset offsets[] = { { "orders", 0, 5, NULL, KAFKA_OK }, { "orders", 1, 6, NULL, KAFKA_OK }, { "returns", 0, 1, NULL, KAFKA_OK } };
    expect(d, (kafka_commit_request){ .group = "billing", .generation = 3, .member = "somebody", .offsets = offsets, .count = 3 }, KAFKA_ERR_ILLEGAL_GENERATION,
           "offset_commit_refused {\"Group\":\"billing\",\"Member\":\"somebody\",\"Generation\":3,\"Topic\":\"orders\",\"ErrorCode\":22,\"Count\":2,"
           "\"Partitions\":[{\"Partition\":0,\"LeaderEpoch\":-1,\"Offset\":5,\"Metadata\":\"\"},{\"Partition\":1,\"LeaderEpoch\":-1,\"Offset\":6,\"Metadata\":\"\"}]}}\n"
           "offset_commit_refused {\"Group\":\"billing\",\"Member\":\"somebody\",\"Generation\":3,\"Topic\":\"returns\",\"ErrorCode\":22,\"Count\":1,"
           "\"Partitions\":[{\"Partition\":0,\"LeaderEpoch\":-1,\"Offset\":1,\"Metadata\":\"\"}]}}\n");
}

/* A topic that is not there is refused before there is a commit to tell of. */
static void what_is_refused_of_a_topic_and_what_is_not_are_two_events(void **state) {
    desk *d = *state;
    const kafka_group_offset offsets[] = { { "orders", 0, 5, "much too long", KAFKA_OK }, { "orders", 1, 6, "short", KAFKA_OK },
                                           { "orders", 7, 1, NULL, KAFKA_OK },            { "nowhere", 0, 1, NULL, KAFKA_OK },
                                           { "orders", 2, 8, "too long, too", KAFKA_OK } };
    kafka_group_offsets *results = NULL;
    notes n = { "", 0 };
    ksim_subscription *subscription = ksim_trace_subscribe(SIM, note_commit, &n);
    assert_error(kafka_client_offset_commit(d->client, d->ctx, &(kafka_commit_request){ .group = "billing", .generation = -1, .offsets = offsets, .count = 5 }, &results),
                 KAFKA_OK);
    ksim_trace_unsubscribe(SIM, subscription);
    static const kafka_error expected[] = { KAFKA_ERR_OFFSET_METADATA_TOO_LARGE, KAFKA_OK, KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION,
                                            KAFKA_ERR_UNKNOWN_TOPIC_OR_PARTITION, KAFKA_ERR_OFFSET_METADATA_TOO_LARGE };
    assert_int_equal(results->count, 5);
    for (size_t i = 0; i < results->count; i++)
        for (size_t o = 0; o < 5; o++)
            if (strcmp(results->items[i].topic, offsets[o].topic) == 0 && results->items[i].partition == offsets[o].partition)
                assert_int_equal(results->items[i].error, expected[o]);
    kafka_group_offsets_free(results);
    assert_string_equal(n.text,
                        "offset_commit_refused {\"Group\":\"billing\",\"Member\":\"\",\"Generation\":-1,\"Topic\":\"orders\",\"ErrorCode\":12,\"Count\":2,"
                        "\"Partitions\":[{\"Partition\":0,\"LeaderEpoch\":-1,\"Offset\":5,\"Metadata\":\"much too long\"},{\"Partition\":2,\"LeaderEpoch\":-1,\"Offset\":8,\"Metadata\":\"too long, too\"}]}}\n"
                        "offsets_committed {\"Group\":\"billing\",\"Member\":\"\",\"Generation\":-1,\"Topic\":\"orders\",\"Count\":1,"
                        "\"Partitions\":[{\"Partition\":1,\"LeaderEpoch\":-1,\"Offset\":6,\"Metadata\":\"short\"}]}}\n");
    for (int32_t p = 0; p < 3; p++) assert_i64_equal(ksim_committed_offset(SIM, "billing", "orders", p), p == 1 ? 6 : -1);
}

static int begin_with_short_metadata(void **state) {
    static const ksim_setting settings[] = { { "offset.metadata.max.bytes", "5" }, { NULL, NULL } };
    return desk_begin_with(state, settings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DESK(a_commit_is_one_event_for_each_of_its_topics),
        DESK(what_the_group_refuses_is_one_event_for_each_topic),
        cmocka_unit_test_setup_teardown(what_is_refused_of_a_topic_and_what_is_not_are_two_events, begin_with_short_metadata, desk_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
