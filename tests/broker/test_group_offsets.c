/* SPDX-License-Identifier: Apache-2.0
 * Committed offsets: what a commit leaves behind at once is what its records leave behind when they are read back.
 */
#include "tests/support/test.h"

#include "sim/broker/group_offsets.h"

enum { TOPICS = 3, PARTITIONS = 10 };

static const ks_string topics[TOPICS] = { { "orders", 6 }, { "returns", 7 }, { "", 0 } };

typedef struct world {
    ks_groups at_once, read_back;
    ks_effects out;
    ks_batch_builder builder;
    ks_arena *arena;
    uint64_t random;
} world;

static uint32_t draw(world *w, uint32_t below) {
    w->random ^= w->random << 13, w->random ^= w->random >> 7, w->random ^= w->random << 17;
    return (uint32_t)(w->random >> 33) % below;
}

static ks_topic_commit make_commit(world *w, int64_t now_ms) {
    static const ks_string words[] = { { "", 0 }, { "", 0 }, { "why", 3 }, { "because", 7 } };
    ks_topic_commit commit = { .commit_ms = now_ms };
    commit.topic = topics[draw(w, TOPICS)];
    commit.count = (int32_t)draw(w, PARTITIONS);
    commit.expire_ms = draw(w, 3) > 0 ? -1 : now_ms + 5;
    commit.offsets = ks_arena_alloc(w->arena, (size_t)commit.count * sizeof *commit.offsets);
    for (int32_t i = 0; i < commit.count; i++) { /* a partition may stand there twice; few different offsets, so that some repeat */
        ks_partition_offset *one = &commit.offsets[i];
        one->partition = (int32_t)draw(w, PARTITIONS);
        one->leader_epoch = (int32_t)draw(w, 3) - 1;
        one->offset = (int64_t)draw(w, 3) - 1;
        one->metadata = words[draw(w, 4)];
    }
    return commit;
}

static ks_group *group_in(ks_groups *groups, int64_t now_ms) {
    ks_group *group = ks_groups_find(groups, KS_LITERAL("g"));
    return group != NULL ? group : ks_group_new(groups, KS_LITERAL("g"), now_ms);
}

static void read_back(world *w, const ks_topic_commit *commit) {
    if (commit->count == 0) return;
    ks_record_iterator iterator;
    ks_record record;
    ks_batch_begin(&w->builder, KS_CODEC_NONE);
    ks_offset_records_add(&w->builder, KS_LITERAL("g"), commit, w->arena);
    ks_records_begin(&iterator, ks_batch_finish(&w->builder));
    while (ks_records_next_batch(&iterator))
        while (ks_records_next(&iterator, &record)) ks_groups_apply(&w->read_back, record.key, record.value, commit->commit_ms, &w->out);
    ks_records_end(&iterator);
}

static bool repeats(const ks_group *group, const ks_topic_commit *commit) {
    for (int32_t i = 0; i < commit->count; i++) {
        const ks_committed *there = ks_group_offset_find(group, commit->topic, commit->offsets[i].partition);
        if (there == NULL || there->offset != commit->offsets[i].offset || !ks_string_equal(ks_committed_metadata(there), commit->offsets[i].metadata)) return false;
    }
    return true;
}

static void compare(const ks_group *a, const ks_group *b) {
    assert_int_equal(ks_group_offset_count(a), ks_group_offset_count(b));
    for (int32_t t = 0; t < TOPICS; t++)
        for (int32_t p = 0; p < PARTITIONS; p++) {
            const ks_committed *one = ks_group_offset_find(a, topics[t], p), *other = ks_group_offset_find(b, topics[t], p);
            assert_int_equal(one == NULL, other == NULL);
            if (one == NULL) continue;
            assert_i64_equal(one->offset, other->offset);
            assert_int_equal(one->leader_epoch, other->leader_epoch);
            assert_true(ks_string_equal(ks_committed_metadata(one), ks_committed_metadata(other)));
            assert_i64_equal(one->commit_ms, other->commit_ms);
            assert_i64_equal(ks_committed_expire_ms(one), ks_committed_expire_ms(other));
        }
}

static void commits_leave_behind_what_their_records_do(void **state) {
    (void)state;
    world w = { .arena = ks_arena_new(), .random = 88172645463325252u };
    int repeated = 0;
    ks_groups_init(&w.at_once, &ks_group_settings_default);
    ks_groups_init(&w.read_back, &ks_group_settings_default);
    ks_effects_init(&w.out);
    for (int64_t now_ms = 1; now_ms <= 3000; now_ms++) {
        ks_topic_commit commit = make_commit(&w, now_ms);
        ks_group *group = group_in(&w.at_once, now_ms), *other = group_in(&w.read_back, now_ms);
        bool same = repeats(group, &commit);
        assert_int_equal(ks_group_offsets_repeat(group, &commit), same);
        repeated += same && commit.count > 0;
        ks_group_offsets_commit(group, &commit);
        read_back(&w, &commit);
        compare(group, other);
        ks_arena_reset(w.arena);
    }
    assert_in_range(repeated, 20, 2000);
    ks_batch_builder_deinit(&w.builder);
    ks_effects_deinit(&w.out);
    ks_groups_deinit(&w.at_once);
    ks_groups_deinit(&w.read_back);
    ks_arena_free(w.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_leave_behind_what_their_records_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
