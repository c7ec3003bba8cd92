/* SPDX-License-Identifier: Apache-2.0
 * Java's consumers under random faults: crashes, pauses, brokers that stop, coordinators and leaders that move, links that are
 * cut and reset. After everything is healed each record was delivered at least once, and the group is shared out again. */
#include "tests/control/consumer_fixture.h"

enum { PARTITIONS = 4, RECORDS = 400, SLOTS = 3 };

typedef struct chaos {
    ksim *sim;
    uint64_t seed;
    program *members[SLOTS];
    program *all[64];
    int made;
    const char *settings[8];
    bool seen[PARTITIONS][RECORDS];
    int64_t duplicates;
} chaos;

static chaos *current; /* one at a time: what the members' loops write to */

static uint32_t draw(chaos *c, uint32_t below) {
    c->seed = c->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((c->seed >> 33) % below);
}

static void consume(void *argument) {
    program *p = argument;
    while (kafka_context_error(p->ctx) == KAFKA_OK) {
        kafka_records *records = NULL;
        kafka_error error = kafka_consumer_poll(p->consumer, p->ctx, 100 * KAFKA_MILLISECOND, &records);
        if (error == KAFKA_ERR_NODE_CRASHED || error == KAFKA_ERR_CANCELED || error == KAFKA_ERR_FENCED_INSTANCE_ID) break;
        if (error) p->last_error = error;
        if (error) kafka_sleep(p->ctx, 100 * KAFKA_MILLISECOND);
        for (size_t i = 0; records && i < records->count; i++) {
            bool *seen = &current->seen[records->messages[i].partition][records->messages[i].offset];
            current->duplicates += *seen;
            *seen = true;
        }
        kafka_records_free(records);
    }
    kafka_consumer_close(p->consumer);
    p->closed = true;
}

static void start_member(chaos *c, int slot) {
    char name[16];
    snprintf(name, sizeof name, "c%d", c->made);
    program *p = calloc(1, sizeof *p);
    c->all[c->made++] = p;
    c->members[slot] = p;
    p->address = ksim_client(c->sim, name);
    p->ctx = kafka_context_with_cancel(kafka_background(p->address));
    p->name = kafka_address_client(p->address);
    size_t count = 0;
    while (c->settings[count]) count++;
    assert_int_equal(kafka_consumer_new(&(kafka_consumer_config){ .address = p->address, .settings = c->settings, .setting_count = count }, &p->consumer), KAFKA_OK);
    subscribe(p, "orders");
    kafka_task_free(kafka_go(p->ctx, name, consume, p));
}

static void one_fault(chaos *c) {
    int slot = (int)draw(c, SLOTS);
    int32_t broker = 1 + (int32_t)draw(c, 3);
    char node[16];
    snprintf(node, sizeof node, "broker-%d", broker);
    const char *client = c->members[slot]->name;
    switch (draw(c, 9)) {
    case 0:
        if (c->made == 60) break;
        ksim_crash(c->sim, client);
        start_member(c, slot);
        break;
    case 1:
        ksim_pause(c->sim, client);
        ksim_run_for(c->sim, draw(c, 60) * KAFKA_SECOND);
        ksim_resume(c->sim, client);
        break;
    case 2:
        ksim_stop_broker(c->sim, broker);
        ksim_run_for(c->sim, draw(c, 40) * KAFKA_SECOND);
        ksim_start_broker(c->sim, broker);
        break;
    case 3:
        ksim_move_coordinator(c->sim, "billing", broker);
        break;
    case 4:
        ksim_move_leader(c->sim, "orders", (int32_t)draw(c, PARTITIONS), broker);
        break;
    case 5:
        ksim_cut(c->sim, client, node);
        ksim_run_for(c->sim, draw(c, 60) * KAFKA_SECOND);
        ksim_heal(c->sim, client, node);
        break;
    case 6:
        ksim_reset(c->sim, client, node, NULL);
        break;
    case 7:
        ksim_expel_member(c->sim, "billing", client);
        break;
    case 8:
        ksim_expire_session(c->sim, "billing", client);
        break;
    }
}

static void live_through(chaos *c) {
    int put = 0;
    ksim_create_topic(c->sim, "orders", PARTITIONS);
    for (int slot = 0; slot < SLOTS; slot++) start_member(c, slot);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < RECORDS / 20 * PARTITIONS; i++, put++)
            while (ksim_put(c->sim, "orders", put % PARTITIONS, "k", "v") != KAFKA_OK) ksim_run_for(c->sim, KAFKA_SECOND);
        one_fault(c);
        ksim_run_for(c->sim, draw(c, 20) * KAFKA_SECOND);
    }
    ksim_run_for(c->sim, 180 * KAFKA_SECOND);
}

static void check(chaos *c) {
    int64_t missing = 0;
    for (int p = 0; p < PARTITIONS; p++)
        for (int i = 0; i < RECORDS; i++) missing += !c->seen[p][i];
    if (missing > 0) fail_msg("seed %llu: %lld records were never delivered\n%s", (unsigned long long)ksim_seed(c->sim), (long long)missing, ksim_last_steps(c->sim, 60));
    assert_i64_equal(ksim_lag(c->sim, "billing", "orders"), 0);
    size_t owned = 0;
    for (int slot = 0; slot < SLOTS; slot++) {
        const kafka_topic_partition *partitions;
        size_t count;
        kafka_consumer_assignment(c->members[slot]->consumer, &partitions, &count);
        owned += count;
    }
    assert_int_equal(owned, PARTITIONS);
}

static void run_seeds(const char *a, const char *b, uint64_t seeds) {
    static const ksim_setting brokers[] = { { "group.initial.rebalance.delay.ms", "100" }, { NULL, NULL } };
    const char *more = getenv("KSIM_CHAOS_SEEDS");
    int64_t duplicates = 0;
    if (more) seeds = strtoull(more, NULL, 10);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        chaos c = { .seed = seed, .settings = { "group.id=billing", "auto.offset.reset=earliest", a, b, NULL } };
        current = &c;
        c.sim = ksim_new(&(ksim_config){ .seed = seed, .settings = brokers });
        live_through(&c);
        check(&c);
        duplicates += c.duplicates;
        for (int i = 0; i < c.made; i++) kafka_context_cancel(c.all[i]->ctx);
        ksim_run_for(c.sim, 60 * KAFKA_SECOND);
        for (int i = 0; i < c.made; i++) {
            assert_true(c.all[i]->closed);
            kafka_context_free(c.all[i]->ctx);
            kafka_consumer_free(c.all[i]->consumer);
            kafka_address_free(c.all[i]->address);
            free(c.all[i]);
        }
        ksim_free(c.sim);
    }
    assert_true(duplicates > 0); /* the faults did hurt */
}

static void eager_members_lose_nothing(void **state) {
    (void)state;
    run_seeds("partition.assignment.strategy=range", "session.timeout.ms=10000", 25);
}

static void cooperative_members_lose_nothing(void **state) {
    (void)state;
    run_seeds("partition.assignment.strategy=cooperative-sticky", "session.timeout.ms=10000", 25);
}

static void sticky_members_lose_nothing(void **state) {
    (void)state;
    run_seeds("partition.assignment.strategy=sticky", "max.poll.records=17", 15);
}

static void members_of_the_consumer_protocol_lose_nothing(void **state) {
    (void)state;
    run_seeds("group.protocol=consumer", NULL, 25);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eager_members_lose_nothing),
        cmocka_unit_test(cooperative_members_lose_nothing),
        cmocka_unit_test(sticky_members_lose_nothing),
        cmocka_unit_test(members_of_the_consumer_protocol_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
