/* SPDX-License-Identifier: Apache-2.0
 * Random requests of every API about topics and logs in every version, while brokers stop and start and leaders move:
 * each is answered, parked or its connection closed; every answer fits its version; the logs' invariants hold
 * throughout. */
#include "tests/broker/support/world.h"

static uint64_t random_state;

static uint32_t below(uint32_t bound) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % bound;
}

static const int16_t apis[] = { KS_API_produce,
                                KS_API_fetch,
                                KS_API_list_offsets,
                                KS_API_metadata,
                                KS_API_api_versions,
                                KS_API_create_topics,
                                KS_API_delete_topics,
                                KS_API_delete_records,
                                KS_API_offset_for_leader_epoch,
                                KS_API_describe_configs,
                                KS_API_alter_configs,
                                KS_API_create_partitions,
                                KS_API_incremental_alter_configs,
                                KS_API_describe_cluster,
                                KS_API_describe_topic_partitions };
enum { API_COUNT = sizeof apis / sizeof *apis };

/* ---- filling a struct from its description ---- */

static int64_t some_number(void) {
    static const int64_t odd[] = { INT32_MAX, INT32_MIN, 100, 1000, 1 << 20, 12345678 };
    return below(8) == 0 ? odd[below(6)] : (int64_t)below(14) - 6;
}

static ks_string some_string(bool nullable) {
    static const char *const words[] = { "t",
                                         "t",
                                         "t",
                                         "z",
                                         "seg",
                                         "new",
                                         "a.b",
                                         "a_b",
                                         "",
                                         "bad name",
                                         KS_OFFSETS_TOPIC,
                                         "retention.ms",
                                         "segment.bytes",
                                         "cleanup.policy",
                                         "compact",
                                         "delete",
                                         "100",
                                         "-1",
                                         "x",
                                         "1",
                                         "log.retention.ms" };
    if (nullable && below(4) == 0) return KS_NULL_STRING;
    return ks_str(words[below(sizeof words / sizeof *words)]);
}

static ks_bytes some_records(world *w, ks_arena *arena, bool nullable) {
    if (nullable && below(10) == 0) return KS_NULL_BYTES;
    ks_batch_begin(&w->builder, (ks_codec)below(5));
    for (uint32_t i = 0, count = 1 + below(4); i < count; i++) {
        ks_batch_add(&w->builder, below(2) ? KS_NULL_BYTES : text_bytes("k"), text_bytes("some value"), NULL, 0,
                     ks_now_ms(w->kernel) - 1000 + below(2000));
    }
    ks_bytes batch = ks_arena_bytes(arena, ks_batch_finish(&w->builder));
    if (below(4) == 0) ((uint8_t *)batch.data)[below((uint32_t)batch.size)] ^= (uint8_t)(1 + below(255));
    if (below(10) == 0) { /* something behind it */
        uint8_t *longer = ks_arena_alloc(arena, (size_t)batch.size + 40);
        memcpy(longer, batch.data, (size_t)batch.size);
        memcpy(longer + batch.size, batch.data, 40);
        batch = (ks_bytes){ longer, batch.size + (int32_t)below(40) };
    }
    if (below(10) == 0) batch.size = (int32_t)below((uint32_t)batch.size);
    return batch;
}

static ks_uuid some_id(world *w) {
    ks_topic *topic = ks_cluster_topic_find(w->cluster, some_string(false));
    return topic != NULL ? topic->id : (ks_uuid){ { (uint8_t)below(2) } };
}

static void fill_struct(world *w, ks_arena *arena, const ks_struct *type, int16_t version, void *value);

static void fill_value(world *w, ks_arena *arena, const ks_field *field, int16_t version, void *at) {
    bool nullable = field->nullable_since >= 0 && version >= field->nullable_since && !field->array;
    switch (field->type) {
    case KS_TYPE_bool: *(bool *)at = below(2); break;
    case KS_TYPE_int8: *(int8_t *)at = (int8_t)(below(3) == 0 ? some_number() : (int64_t)(2 * below(3))); break;
    case KS_TYPE_int16: *(int16_t *)at = (int16_t)((int64_t)below(5) - 2); break;
    case KS_TYPE_int32: *(int32_t *)at = (int32_t)some_number(); break;
    case KS_TYPE_int64: *(int64_t *)at = below(20) == 0 ? INT64_MIN + 5 : some_number(); break;
    case KS_TYPE_uint16: *(uint16_t *)at = (uint16_t)below(10); break;
    case KS_TYPE_uint32: *(uint32_t *)at = below(10); break;
    case KS_TYPE_float64: *(double *)at = 0; break;
    case KS_TYPE_string: *(ks_string *)at = some_string(nullable); break;
    case KS_TYPE_bytes:
    case KS_TYPE_records: *(ks_bytes *)at = some_records(w, arena, nullable); break;
    case KS_TYPE_uuid: *(ks_uuid *)at = some_id(w); break;
    case KS_TYPE_struct: fill_struct(w, arena, field->sub(), version, at); break;
    }
}

static size_t size_of(const ks_field *field) {
    static const size_t sizes[] = { [KS_TYPE_bool] = 1,
                                    [KS_TYPE_int8] = 1,
                                    [KS_TYPE_int16] = 2,
                                    [KS_TYPE_int32] = 4,
                                    [KS_TYPE_int64] = 8,
                                    [KS_TYPE_uint16] = 2,
                                    [KS_TYPE_uint32] = 4,
                                    [KS_TYPE_float64] = 8,
                                    [KS_TYPE_string] = sizeof(ks_string),
                                    [KS_TYPE_bytes] = sizeof(ks_bytes),
                                    [KS_TYPE_records] = sizeof(ks_bytes),
                                    [KS_TYPE_uuid] = 16 };
    return field->type == KS_TYPE_struct ? field->sub()->size : sizes[field->type];
}

static void fill_struct(world *w, ks_arena *arena, const ks_struct *type, int16_t version, void *value) {
    ks_struct_default(type, value);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        uint8_t *at = (uint8_t *)value + field->offset;
        if (version < field->since || version > field->until ||
            (field->tagged_since != KS_NEVER && version < field->tagged_since))
            continue;
        bool nullable = field->nullable_since >= 0 && version >= field->nullable_since;
        if (field->array) {
            ks_any_array *array = (ks_any_array *)at;
            array->count = nullable && below(4) == 0 ? -1 : (int32_t)below(4);
            if (array->count <= 0) continue;
            array->items = ks_arena_alloc(arena, (size_t)array->count * size_of(field));
            for (int32_t j = 0; j < array->count; j++)
                fill_value(w, arena, field, version, (uint8_t *)array->items + (size_t)j * size_of(field));
        } else if (field->pointer) {
            if (below(2)) continue;
            *(void **)at = ks_arena_alloc(arena, field->sub()->size);
            fill_struct(w, arena, field->sub(), version, *(void **)at);
        } else {
            fill_value(w, arena, field, version, at);
        }
    }
}

/* ---- the run ---- */

static void check_invariants(const world *w) {
    for (const ks_topic *topic = ks_cluster_topic_first(w->cluster); topic != NULL; topic = ks_topic_next(topic)) {
        assert_true(topic->partition_count > 0);
        for (int32_t i = 0; i < topic->partition_count; i++) {
            const ks_partition *p = topic->partitions[i];
            assert_true(ks_log_start_offset(p->log) <= ks_log_high_watermark(p->log)); /* LG-2 */
            assert_true(ks_log_high_watermark(p->log) <= ks_log_end_offset(p->log));
            assert_true(p->isr_count >= 1 && p->isr_count <= p->replica_count);
            if (p->leader == KS_NO_LEADER) continue;
            assert_true(ks_cluster_broker_find(w->cluster, p->leader)->up);
            assert_true(ks_partition_in_sync(p, p->leader) && ks_partition_has_replica(p, p->leader));
        }
    }
}

static void disturb(world *w) {
    ks_broker *broker = ks_cluster_broker_find(w->cluster, 1 + (int32_t)below(3));
    ks_topic *topic = ks_cluster_topic_find(w->cluster, some_string(false));
    switch (below(6)) {
    case 0:
        if (broker->up) ks_node_crash(broker->node);
        break;
    case 1:
    case 2:
        if (!broker->up) ks_node_start(broker->node);
        break;
    case 3:
        if (topic != NULL)
            ks_partition_move_leader(topic->partitions[below((uint32_t)topic->partition_count)], broker->id);
        break;
    case 4:
        if (topic != NULL) ks_partition_append(topic->partitions[0], make_batch(w, 1, "v", ks_now_ms(w->kernel)), NULL);
        break;
    case 5: run_ms(w, below(400000)); break;
    }
}

static void make_topics(world *w) {
    if (ks_cluster_topic_find(w->cluster, KS_LITERAL("t")) == NULL) make_topic(w, "t", 3, 2);
    if (ks_cluster_topic_find(w->cluster, KS_LITERAL("z")) == NULL)
        make_configured(w, "z", "compression.type", "zstd", "retention.ms", "60000", NULL);
    if (ks_cluster_topic_find(w->cluster, KS_LITERAL("seg")) == NULL)
        make_configured(w, "seg", "segment.bytes", "200", "retention.bytes", "900", NULL);
}

static void step(world *w) {
    int16_t key = apis[below(API_COUNT)];
    const ks_api *api = ks_api_find(key);
    int16_t version = (int16_t)(api->since + (int16_t)below((uint32_t)(api->until - api->since + 1)));
    ks_envelope *request = request_new(w, key, version);
    fill_struct(w, request->arena, api->request(), version, request->body);
    int32_t broker = 1 + (int32_t)below(3);
    int i = (int)below(WORLD_LINES);
    if (w->lines[i].connection != NULL && w->lines[i].response == NULL) { /* parked: give up on it */
        ks_connection_close(w->lines[i].connection);
        w->lines[i].connection = NULL;
    }
    post(w, i, broker, request);
    run_ms(w, 3);
}

static void every_request_is_survived(void **state) {
    (void)state;
    int answers = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        world w;
        random_state = seed;
        world_init(&w, &(ks_cluster_config){ .brokers = 3 });
        for (int i = 0; i < 3000; i++) {
            bool any_up = ks_cluster_controller(w.cluster) > 0;
            if (i % 20 == 0 && any_up) make_topics(&w);
            if (below(10) == 0) disturb(&w);
            step(&w);
            for (int l = 0; l < WORLD_LINES; l++) answers += w.lines[l].response != NULL;
            if (i % 10 == 0) check_invariants(&w);
        }
        world_deinit(&w);
    }
    assert_true(answers > 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_request_is_survived) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
