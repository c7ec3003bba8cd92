/* SPDX-License-Identifier: Apache-2.0
 * Leaders and in-sync sets when brokers stop and start, preferred leaders, watches, and placement over racks (TC-4 to
 * TC-8). */
#include "tests/broker/support/world.h"

#include "sim/broker/placement.h"

static int setup(void **state) {
    *state = calloc(1, sizeof(world));
    world_init(*state, &(ks_cluster_config){ .brokers = 3, .plain_placement = true });
    return 0;
}

static int teardown(void **state) {
    world_deinit(*state);
    free(*state);
    return 0;
}

static void stop(world *w, int32_t broker) { ks_node_crash(ks_cluster_broker_find(w->cluster, broker)->node); }
static void start(world *w, int32_t broker) { ks_node_start(ks_cluster_broker_find(w->cluster, broker)->node); }

static void assert_isr(const ks_partition *partition, int32_t count, int32_t a, int32_t b, int32_t c) {
    const int32_t expected[] = { a, b, c };
    assert_int_equal(partition->isr_count, count);
    for (int32_t i = 0; i < count; i++) assert_int_equal(ks_partition_isr(partition)[i], expected[i]);
}

static void a_stopped_brokers_partitions_move_to_the_next_in_sync_replica(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 3, 3); /* 1 2 3, 2 3 1, 3 1 2 */
    produce(w, topic, 0, make_batch(w, 2, "v", 5));
    stop(w, 1);
    assert_int_equal(topic->partitions[0]->leader, 2);
    assert_int_equal(topic->partitions[0]->leader_epoch, 1);
    assert_isr(topic->partitions[0], 2, 2, 3, 0);
    assert_int_equal(topic->partitions[1]->leader, 2);
    assert_int_equal(topic->partitions[1]->leader_epoch, 0);
    assert_isr(topic->partitions[1], 2, 2, 3, 0);
    assert_i64_equal(produce(w, topic, 0, make_batch(w, 2, "v", 5))->base_offset, 2); /* the log goes on */
    assert_true(fetch(w, topic, 0, 0)->records.size > 0);
    assert_int_equal(ks_log_epoch_at(topic->partitions[0]->log, 0), 0);
    assert_int_equal(ks_log_epoch_at(topic->partitions[0]->log, 2), 1);
    start(w, 1);
    assert_int_equal(topic->partitions[0]->leader, 2); /* it stays until the preferred leader is elected */
    assert_isr(topic->partitions[0], 3, 2, 3, 1);
}

static void preferred_leaders_lead_again_after_300_seconds(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 3, 3);
    stop(w, 1);
    run_ms(w, 1000000);
    assert_int_equal(topic->partitions[0]->leader, 2);
    start(w, 1);
    run_ms(w, 299000);
    assert_int_equal(topic->partitions[0]->leader, 2);
    run_ms(w, 2000);
    assert_int_equal(topic->partitions[0]->leader, 1);
    assert_int_equal(topic->partitions[0]->leader_epoch, 2);
    assert_int_equal(topic->partitions[1]->leader_epoch, 0);
    int64_t next;
    assert_false(ks_kernel_next(w->kernel, &next));
}

static void that_can_be_switched_off(void **state) {
    (void)state;
    world w;
    const ks_config_entry off = { "auto.leader.rebalance.enable", "false" };
    world_init(&w, &(ks_cluster_config){ .brokers = 2, .plain_placement = true, .settings = &off, .setting_count = 1 });
    ks_topic *topic = make_topic(&w, "t", 1, 2);
    stop(&w, 1);
    start(&w, 1);
    run_ms(&w, 1000000);
    assert_int_equal(topic->partitions[0]->leader, 2);
    world_deinit(&w);
}

static void the_last_in_sync_replica_is_waited_for(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 2); /* 1 2 */
    stop(w, 1);
    stop(w, 2);
    assert_int_equal(topic->partitions[0]->leader, KS_NO_LEADER);
    assert_isr(topic->partitions[0], 1, 2, 0, 0);
    assert_int_equal(topic->partitions[0]->leader_epoch, 2);
    ks_produce_response *refused = ask(w, 3, produce_request(w, 9, 1, topic, 0, make_batch(w, 1, "v", 5)));
    assert_int_equal(refused->responses.items[0].partition_responses.items[0].error_code,
                     KAFKA_ERR_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(ks_partition_append(topic->partitions[0], make_batch(w, 1, "v", 5), NULL),
                     KAFKA_ERR_NOT_LEADER_OR_FOLLOWER);
    start(w, 1); /* not in sync: it may not lead */
    assert_int_equal(topic->partitions[0]->leader, KS_NO_LEADER);
    start(w, 2);
    assert_int_equal(topic->partitions[0]->leader, 2);
    assert_isr(topic->partitions[0], 2, 2, 1, 0);
    assert_int_equal(topic->partitions[0]->leader_epoch, 3);
}

static void an_unclean_election_takes_any_live_replica(void **state) {
    world *w = *state;
    ks_topic_config *config = ks_topic_config_new(ks_cluster_settings(w->cluster));
    ks_topic_config_set(config, KS_LITERAL("unclean.leader.election.enable"), KS_LITERAL("true"),
                        ks_cluster_settings(w->cluster), NULL);
    ks_topic_spec spec = { .name = KS_LITERAL("t"), .partitions = 1, .replication_factor = 2, .config = config };
    ks_topic *topic;
    assert_int_equal(ks_cluster_create_topic(w->cluster, &spec, &topic, NULL), KAFKA_OK);
    ks_topic_config_release(config);
    stop(w, 1);
    stop(w, 2);
    start(w, 1);
    assert_int_equal(topic->partitions[0]->leader, 1);
    assert_isr(topic->partitions[0], 1, 1, 0, 0);
}

static void a_leader_is_moved_by_hand_to_a_live_in_sync_replica_only(void **state) {
    world *w = *state;
    ks_topic *topic = make_topic(w, "t", 1, 2);
    assert_int_equal(ks_partition_move_leader(topic->partitions[0], 3), KAFKA_ERR_INVALID_REQUEST);
    assert_int_equal(ks_partition_move_leader(topic->partitions[0], 1), KAFKA_ERR_ELECTION_NOT_NEEDED);
    assert_int_equal(ks_partition_move_leader(topic->partitions[0], 2), KAFKA_OK);
    stop(w, 1);
    assert_int_equal(ks_partition_move_leader(topic->partitions[0], 1), KAFKA_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE);
}

static void topics_made_while_a_broker_is_down_start_without_it(void **state) { /* TC-7 */
    world *w = *state;
    stop(w, 1);
    ks_topic *topic = make_topic(w, "t", 3, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_not_equal(topic->partitions[i]->leader, 1);
        assert_int_equal(topic->partitions[i]->isr_count, 2);
    }
    stop(w, 2);
    stop(w, 3);
    assert_int_equal(ks_cluster_create_simple_topic(w->cluster, "u", 1, 1, NULL), KAFKA_ERR_INVALID_REPLICATION_FACTOR);
    assert_int_equal(ks_cluster_controller(w->cluster), -1);
}

/* ---- watches ---- */

typedef struct witness {
    char told[400];
} witness;

static void tell(witness *to, const char *format, ...) {
    size_t size = strlen(to->told);
    va_list list;
    va_start(list, format);
    vsnprintf(to->told + size, sizeof to->told - size, format, list);
    va_end(list);
}
static void on_leader(void *context, ks_partition *p, int32_t from, int32_t to) {
    if (!p->topic->internal) tell(context, "%s-%d:%d>%d ", p->topic->name.data, p->index, from, to);
}
static void on_created(void *context, ks_topic *topic) { tell(context, "+%s ", topic->name.data); }
static void on_deleted(void *context, ks_topic *topic) { tell(context, "-%s ", topic->name.data); }
static void on_added(void *context, ks_topic *topic, int32_t first) {
    tell(context, "%s[%d..%d] ", topic->name.data, first, topic->partition_count);
}
static void on_down(void *context, ks_broker *broker) { tell(context, "down%d ", broker->id); }
static void on_up(void *context, ks_broker *broker) { tell(context, "up%d ", broker->id); }
static void on_config(void *context, ks_topic *topic) { tell(context, "config:%s ", topic->name.data); }

static void watches_are_told_after_the_change(void **state) {
    world *w = *state;
    witness seen_by = { "" };
    ks_cluster_watch watch = { .leader_changed = on_leader,
                               .topic_created = on_created,
                               .topic_deleted = on_deleted,
                               .partitions_added = on_added,
                               .config_changed = on_config,
                               .broker_down = on_down,
                               .broker_up = on_up,
                               .context = &seen_by };
    ks_cluster_watch empty = { .context = NULL };
    ks_cluster_watch_start(w->cluster, &empty);
    ks_cluster_watch_start(w->cluster, &watch);
    ks_topic *topic = make_topic(w, "t", 1, 1);
    ks_cluster_add_partitions(topic, 2, NULL, false, NULL);
    stop(w, 1);
    start(w, 1);
    ks_topic_set_config(topic, ks_topic_config_copy(topic->config, ks_cluster_settings(w->cluster)));
    ks_cluster_delete_topic(w->cluster, topic);
    assert_string_equal(seen_by.told, "+t t[1..2] t-0:1>-1 t-1:1>-1 down1 t-0:-1>1 t-1:-1>1 up1 config:t -t ");
    ks_cluster_watch_stop(w->cluster, &watch);
    make_topic(w, "u", 1, 1);
    assert_null(strstr(seen_by.told, "+u"));
    ks_cluster_watch_stop(w->cluster, &empty);
}

/* ---- placement ---- */

static void place(const ks_placement_broker *brokers, int32_t count, int32_t partitions, int32_t factor,
                  const char *expected) {
    int32_t replicas[64];
    char text[400] = "";
    ks_place(brokers, count, partitions, factor, NULL, NULL, replicas);
    for (int32_t i = 0; i < partitions * factor; i++) {
        size_t size = strlen(text);
        snprintf(text + size, sizeof text - size, "%d%s", replicas[i], (i + 1) % factor == 0 ? " / " : " ");
    }
    assert_string_equal(text, expected);
}

static void replicas_go_round_the_racks(void **state) { /* TC-5, TC-6 */
    (void)state;
    const ks_string a = KS_LITERAL("a"), b = KS_LITERAL("b"), c = KS_LITERAL("c");
    const ks_placement_broker nine[] = { { 1, a }, { 2, a }, { 3, a }, { 4, b }, { 5, b },
                                         { 6, b }, { 7, c }, { 8, c }, { 9, c } };
    place(nine, 9, 3, 3, "1 4 7 / 5 8 2 / 9 3 6 / "); /* A0 B0 C0, B1 C1 A1, C2 A2 B2 */
    const ks_placement_broker flat[] = { { 1, KS_NULL_STRING }, { 2, KS_NULL_STRING }, { 3, KS_NULL_STRING } };
    place(flat, 3, 4, 2, "1 2 / 2 3 / 3 1 / 1 2 / ");
    const ks_placement_broker fenced[] = { { 1, KS_NULL_STRING, true }, { 2, KS_NULL_STRING }, { 3, KS_NULL_STRING } };
    place(fenced, 3, 2, 3, "2 3 1 / 3 2 1 / "); /* a fenced broker follows, when no other is left */
    const ks_placement_broker uneven[] = { { 1, a, true }, { 2, b }, { 3, b } };
    place(uneven, 3, 3, 2, "2 1 / 3 1 / 2 1 / "); /* a rack without live brokers cannot lead */
}

static void placement_is_drawn_unless_plain_and_the_same_for_the_same_seed(void **state) {
    (void)state;
    int different = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        int32_t leaders[2];
        for (int i = 0; i < 2; i++) {
            ks_kernel *kernel = ks_kernel_new(&(ks_kernel_config){ .seed = seed });
            ks_cluster *cluster = ks_cluster_new(kernel, &(ks_cluster_config){ .brokers = 5 });
            ks_topic *topic;
            ks_cluster_create_simple_topic(cluster, "t", 1, 1, &topic);
            leaders[i] = topic->partitions[0]->leader;
            ks_cluster_free(cluster);
            ks_kernel_free(kernel);
        }
        assert_int_equal(leaders[0], leaders[1]);
        different += leaders[0] != 1;
    }
    assert_true(different > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stopped_brokers_partitions_move_to_the_next_in_sync_replica, setup, teardown),
        cmocka_unit_test_setup_teardown(preferred_leaders_lead_again_after_300_seconds, setup, teardown),
        cmocka_unit_test(that_can_be_switched_off),
        cmocka_unit_test_setup_teardown(the_last_in_sync_replica_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unclean_election_takes_any_live_replica, setup, teardown),
        cmocka_unit_test_setup_teardown(a_leader_is_moved_by_hand_to_a_live_in_sync_replica_only, setup, teardown),
        cmocka_unit_test_setup_teardown(topics_made_while_a_broker_is_down_start_without_it, setup, teardown),
        cmocka_unit_test_setup_teardown(watches_are_told_after_the_change, setup, teardown),
        cmocka_unit_test(replicas_go_round_the_racks),
        cmocka_unit_test(placement_is_drawn_unless_plain_and_the_same_for_the_same_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
