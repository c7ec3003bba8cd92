/* SPDX-License-Identifier: Apache-2.0
 * The server-side assignors against Kafka's own answers, and over random groups against what must always hold. */
#include "tests/support/test.h"

#include "sim/broker/assignor.h"

/* ---- a group as the vectors tell it ---- */

typedef struct world {
    ks_arena *arena;
    const char **topic_names, **member_ids;
    ks_server_topic *topics;
    ks_server_member *members;
    int32_t *order;
    ks_server_assignor_input in;
} world;

static int compare_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static int32_t find_name(const char **names, int32_t count, const char *name) {
    for (int32_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

static int compare_i32(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void read_topics(world *w, json_t *topics) {
    int32_t count = (int32_t)json_object_size(topics);
    w->topic_names = ks_arena_alloc(w->arena, ((size_t)count + 1) * sizeof *w->topic_names);
    w->topics = ks_arena_alloc(w->arena, ((size_t)count + 1) * sizeof *w->topics);
    const char *name;
    json_t *partitions;
    int32_t n = 0;
    json_object_foreach(topics, name, partitions) w->topic_names[n++] = name;
    qsort(w->topic_names, (size_t)count, sizeof *w->topic_names, compare_text);
    for (int32_t t = 0; t < count; t++) {
        int32_t size = (int32_t)json_integer_value(json_object_get(topics, w->topic_names[t]));
        int32_t *owner = ks_arena_alloc(w->arena, ((size_t)size + 1) * sizeof *owner);
        for (int32_t p = 0; p < size; p++) owner[p] = -1;
        w->topics[t] = (ks_server_topic){ size, owner, ks_arena_alloc(w->arena, ((size_t)size + 1) * sizeof(int32_t)) };
    }
    w->in.topics = w->topics;
    w->in.topic_count = count;
}

static void read_member(world *w, int32_t index, json_t *member) {
    json_t *subscription = json_object_get(member, "subscription"), *instance = json_object_get(member, "instance_id");
    int32_t *topics = ks_arena_alloc(w->arena, (json_array_size(subscription) + 1) * sizeof *topics), count = 0;
    for (size_t i = 0; i < json_array_size(subscription); i++) {
        int32_t topic = find_name(w->topic_names, w->in.topic_count, json_string_value(json_array_get(subscription, i)));
        if (topic >= 0) topics[count++] = topic;
    }
    qsort(topics, (size_t)count, sizeof *topics, compare_i32);
    w->member_ids[index] = json_string_value(json_object_get(member, "id"));
    w->members[index] = (ks_server_member){ ks_str(json_string_value(instance)), topics, count };
    json_t *owned = json_object_get(member, "owned");
    for (size_t i = 0; i < json_array_size(owned); i++) {
        json_t *pair = json_array_get(owned, i);
        int32_t topic = find_name(w->topic_names, w->in.topic_count, json_string_value(json_array_get(pair, 0)));
        int32_t partition = (int32_t)json_integer_value(json_array_get(pair, 1));
        if (topic >= 0 && partition < w->topics[topic].partition_count)
            ((int32_t *)w->topics[topic].owner)[partition] = index;
    }
}

static void read_world(world *w, json_t *json) {
    memset(w, 0, sizeof *w);
    w->arena = ks_arena_new();
    read_topics(w, json_object_get(json, "topics"));
    json_t *members = json_object_get(json, "members");
    int32_t count = (int32_t)json_array_size(members);
    w->member_ids = ks_arena_alloc(w->arena, ((size_t)count + 1) * sizeof *w->member_ids);
    w->members = ks_arena_alloc(w->arena, ((size_t)count + 1) * sizeof *w->members);
    w->order = ks_arena_alloc(w->arena, ((size_t)count + 1) * sizeof *w->order);
    for (int32_t i = 0; i < count; i++) read_member(w, i, json_array_get(members, (size_t)i));
    for (int32_t i = 0; i < count; i++) { /* rank by id: quadratic, small */
        int32_t rank = 0;
        for (int32_t j = 0; j < count; j++) rank += strcmp(w->member_ids[j], w->member_ids[i]) < 0;
        w->order[rank] = i;
    }
    w->in.members = w->members;
    w->in.member_count = w->in.order_count = count;
    w->in.order = w->order;
}

static void compare_with_expected(world *w, json_t *json, int line) {
    json_t *expected = json_object_get(json, "expected");
    size_t stated = 0, assigned = 0;
    const char *member;
    json_t *pairs;
    json_object_foreach(expected, member, pairs) {
        int32_t index = find_name(w->member_ids, w->in.member_count, member);
        for (size_t i = 0; i < json_array_size(pairs); i++, stated++) {
            json_t *pair = json_array_get(pairs, i);
            const char *name = json_string_value(json_array_get(pair, 0));
            int32_t partition = (int32_t)json_integer_value(json_array_get(pair, 1));
            int32_t topic = find_name(w->topic_names, w->in.topic_count, name);
            int32_t got = w->topics[topic].target[partition];
            if (got != index)
                fail_msg("server_assignors.jsonl:%d %s: %s-%d is expected at %s, not at %s", line,
                         json_string_value(json_object_get(json, "case")), name, partition, member,
                         got < 0 ? "nobody" : w->member_ids[got]);
        }
    }
    for (int32_t t = 0; t < w->in.topic_count; t++)
        for (int32_t p = 0; p < w->topics[t].partition_count; p++) assigned += w->topics[t].target[p] >= 0;
    if (assigned != stated) fail_msg("server_assignors.jsonl:%d: %zu partitions assigned, not %zu", line, assigned, stated);
}

static void every_vector_gives_kafkas_assignment(void **state) {
    (void)state;
    FILE *file = ks_vectors_open("server_assignors.jsonl");
    if (file == NULL) return;
    int line = 0, unequal = 0;
    for (json_t *json; (json = ks_vectors_next_json(file, "server_assignors.jsonl", &line)) != NULL; json_decref(json)) {
        world w;
        read_world(&w, json);
        bool equal = strcmp(json_string_value(json_object_get(json, "subscription_type")), "homogeneous") == 0;
        if (equal != ks_server_subscriptions_equal(&w.in)) unequal++;
        ks_server_assign_fn *assign = ks_server_assignor_find(ks_str(json_string_value(json_object_get(json, "assignor"))));
        assert_non_null(assign);
        assign(&w.in, w.arena);
        compare_with_expected(&w, json, line);
        ks_arena_free(w.arena);
    }
    fclose(file);
    print_message("%d lines, %d of them with another subscription type than stated\n", line, unequal);
    assert_true(line > 0);
}

/* ---- random groups ---- */

static uint32_t draw(uint64_t *seed, uint32_t below) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*seed >> 33) % below);
}

/* A group of up to 12 members (with holes) over up to 6 topics; `owner` arrays may name members that left. */
static void random_world(world *w, uint64_t *seed, bool equal) {
    memset(w, 0, sizeof *w);
    w->arena = ks_arena_new();
    int32_t slots = 1 + (int32_t)draw(seed, 12);
    w->in.topic_count = 1 + (int32_t)draw(seed, 6);
    w->topics = ks_arena_alloc(w->arena, (size_t)w->in.topic_count * sizeof *w->topics);
    w->members = ks_arena_alloc(w->arena, (size_t)slots * sizeof *w->members);
    w->order = ks_arena_alloc(w->arena, (size_t)slots * sizeof *w->order);
    for (int32_t t = 0; t < w->in.topic_count; t++) {
        int32_t size = (int32_t)draw(seed, 12);
        int32_t *owner = ks_arena_alloc(w->arena, ((size_t)size + 1) * sizeof *owner);
        for (int32_t p = 0; p < size; p++) owner[p] = (int32_t)draw(seed, (uint32_t)slots + 1) - 1;
        w->topics[t] = (ks_server_topic){ size, draw(seed, 5) ? owner : NULL,
                                          ks_arena_alloc(w->arena, ((size_t)size + 1) * sizeof(int32_t)) };
    }
    for (int32_t m = 0; m < slots; m++) {
        int32_t *topics = ks_arena_alloc(w->arena, (size_t)w->in.topic_count * sizeof *topics), count = 0;
        for (int32_t t = 0; t < w->in.topic_count; t++)
            if (equal || draw(seed, 3)) topics[count++] = t;
        char *instance = draw(seed, 3) ? NULL : (char *)ks_arena_printf(w->arena, "i%u", draw(seed, 90)).data;
        w->members[m] = (ks_server_member){ ks_str(instance), topics, count };
        if (draw(seed, 6)) w->order[w->in.order_count++] = m;
    }
    for (int32_t i = w->in.order_count - 1; i > 0; i--) { /* member numbers have nothing to do with the order of ids */
        int32_t j = (int32_t)draw(seed, (uint32_t)i + 1), swap = w->order[i];
        w->order[i] = w->order[j];
        w->order[j] = swap;
    }
    w->in.topics = w->topics;
    w->in.members = w->members;
    w->in.member_count = slots;
    w->in.order = w->order;
}

static bool subscribes(const world *w, int32_t member, int32_t topic) {
    for (int32_t i = 0; i < w->members[member].topic_count; i++)
        if (w->members[member].topics[i] == topic) return true;
    return false;
}

static bool present(const world *w, int32_t member) {
    for (int32_t i = 0; i < w->in.order_count; i++)
        if (w->order[i] == member) return true;
    return false;
}

static void check_ownership(const world *w) {
    for (int32_t t = 0; t < w->in.topic_count; t++) {
        bool wanted = false;
        for (int32_t i = 0; i < w->in.order_count; i++) wanted |= subscribes(w, w->order[i], t);
        for (int32_t p = 0; p < w->topics[t].partition_count; p++) {
            int32_t owner = w->topics[t].target[p];
            assert_int_equal(owner >= 0, wanted);
            if (wanted) assert_true(present(w, owner) && subscribes(w, owner, t));
        }
    }
}

static int32_t load_of(const world *w, int32_t member) {
    int32_t load = 0;
    for (int32_t t = 0; t < w->in.topic_count; t++)
        for (int32_t p = 0; p < w->topics[t].partition_count; p++) load += w->topics[t].target[p] == member;
    return load;
}

static void partitions_go_to_subscribers_whatever_the_group(void **state) {
    (void)state;
    uint64_t seed = 848;
    for (int round = 0; round < 20000; round++) {
        world w;
        random_world(&w, &seed, draw(&seed, 2) == 0);
        (draw(&seed, 2) ? ks_server_assign_uniform : ks_server_assign_range)(&w.in, w.arena);
        check_ownership(&w);
        ks_arena_free(w.arena);
    }
}

/* Nobody can have kept more than: for each member the smaller of its quota and what it had. With equal subscriptions
 * "uniform" reaches this bound (the quota of the first T mod M members is one higher). */
static void uniform_is_balanced_and_keeps_all_that_fits(void **state) {
    (void)state;
    uint64_t seed = 4;
    for (int round = 0; round < 20000; round++) {
        world w;
        random_world(&w, &seed, true);
        ks_server_assign_uniform(&w.in, w.arena);
        int32_t total = 0;
        for (int32_t t = 0; t < w.in.topic_count; t++) total += w.topics[t].partition_count;
        for (int32_t i = 0; i < w.in.order_count; i++) {
            int32_t member = w.order[i], had = 0, kept = 0;
            int32_t quota = total / w.in.order_count + (i < total % w.in.order_count);
            assert_int_equal(load_of(&w, member), quota);
            for (int32_t t = 0; t < w.in.topic_count; t++)
                for (int32_t p = 0; w.topics[t].owner && p < w.topics[t].partition_count; p++) {
                    had += w.topics[t].owner[p] == member;
                    kept += w.topics[t].owner[p] == member && w.topics[t].target[p] == member;
                }
            assert_int_equal(kept, had < quota ? had : quota);
        }
        ks_arena_free(w.arena);
    }
}

/* After the sweeps no single partition can move from a subscriber to another that has at least two less. */
static void uniform_leaves_no_obvious_move_with_unequal_subscriptions(void **state) {
    (void)state;
    uint64_t seed = 5;
    for (int round = 0; round < 20000; round++) {
        world w;
        random_world(&w, &seed, false);
        ks_server_assign_uniform(&w.in, w.arena);
        for (int32_t t = 0; t < w.in.topic_count; t++)
            for (int32_t p = 0; p < w.topics[t].partition_count; p++) {
                int32_t owner = w.topics[t].target[p];
                if (owner < 0) continue;
                for (int32_t i = 0; i < w.in.order_count; i++)
                    if (subscribes(&w, w.order[i], t)) assert_true(load_of(&w, owner) - load_of(&w, w.order[i]) <= 1);
            }
        ks_arena_free(w.arena);
    }
}

static void a_second_run_on_its_own_result_changes_nothing(void **state) {
    (void)state;
    uint64_t seed = 6;
    for (int round = 0; round < 20000; round++) {
        world w;
        random_world(&w, &seed, draw(&seed, 2) == 0);
        ks_server_assign_fn *assign = draw(&seed, 2) ? ks_server_assign_uniform : ks_server_assign_range;
        assign(&w.in, w.arena);
        int32_t *before[8];
        for (int32_t t = 0; t < w.in.topic_count; t++) {
            before[t] = w.topics[t].target;
            w.topics[t].owner = before[t];
            w.topics[t].target = ks_arena_alloc(w.arena, ((size_t)w.topics[t].partition_count + 1) * sizeof(int32_t));
        }
        assign(&w.in, w.arena);
        for (int32_t t = 0; t < w.in.topic_count; t++)
            assert_memory_equal(before[t], w.topics[t].target, (size_t)w.topics[t].partition_count * sizeof(int32_t));
        ks_arena_free(w.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_gives_kafkas_assignment),
        cmocka_unit_test(partitions_go_to_subscribers_whatever_the_group),
        cmocka_unit_test(uniform_is_balanced_and_keeps_all_that_fits),
        cmocka_unit_test(uniform_leaves_no_obvious_move_with_unequal_subscriptions),
        cmocka_unit_test(a_second_run_on_its_own_result_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
