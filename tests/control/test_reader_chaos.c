/* SPDX-License-Identifier: Apache-2.0
 * Readers of one group under random faults: whatever happens, no call hangs, nothing leaks, and once all is healed every record
 * that was written has been read at least once and every offset is committed. */
#include "tests/control/reader_fixture.h"

enum { MEMBERS = 3, PARTITIONS = 4, SEEDS = 25, OPERATIONS = 120, RECORDS_MAX = 4000 };

typedef struct chaos {
    ksim *sim;
    uint64_t random;
    kafka_address *addresses[MEMBERS];
    kafka_reader *readers[MEMBERS];
    bool down[MEMBERS], paused[MEMBERS], stopped[4];
    int written, seen[RECORDS_MAX];
} chaos;

static uint32_t draw(chaos *c, uint32_t bound) {
    c->random = c->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(c->random >> 33) % bound;
}

static const char *name_of(int member) {
    static const char *const names[MEMBERS] = { "c0", "c1", "c2" };
    return names[member];
}

static void open_reader(chaos *c, int member) {
    if (c->readers[member] != NULL || c->down[member]) return;
    kafka_reader_config config = { .address = c->addresses[member],
                                   .topic = "orders",
                                   .group_id = "billing",
                                   .queue_capacity = (int32_t)(1 + draw(c, 5)),
                                   .max_bytes = (int32_t)(100 + draw(c, 2000)),
                                   .commit_interval = draw(c, 2) ? KAFKA_SECOND : 0,
                                   .max_wait = KAFKA_SECOND,
                                   .uninterruptible_fetch = draw(c, 4) == 0,
                                   .watch_partition_changes = draw(c, 3) == 0 };
    assert_ok(c->addresses[member], kafka_reader_new(&config, &c->readers[member]));
}

static void free_reader(chaos *c, int member) {
    kafka_reader_free(c->readers[member]);
    c->readers[member] = NULL;
}

static void read_some(chaos *c, int member, int count) {
    if (c->readers[member] == NULL || c->paused[member]) return;
    kafka_context *ctx =
        kafka_context_with_timeout(kafka_background(c->addresses[member]), (1 + draw(c, 3000)) * KAFKA_MILLISECOND);
    kafka_message message;
    for (int i = 0; i < count; i++) {
        kafka_error error = kafka_reader_fetch(c->readers[member], ctx, &message);
        if (error == KAFKA_ERR_DEADLINE_EXCEEDED || error == KAFKA_ERR_NODE_CRASHED || error == KAFKA_ERR_EOF) break;
        if (error) continue;
        char text[16] = { 0 };
        memcpy(text, message.value.data, message.value.size);
        c->seen[atoi(text)]++;
        if (draw(c, 4)) kafka_reader_commit(c->readers[member], ctx, &message, 1);
        kafka_message_release(&message);
    }
    kafka_context_free(ctx);
}

static void write_some(chaos *c, int count) {
    for (int b = 1; b <= 3; b++)
        if (c->stopped[b]) return;
    for (int i = 0; i < count && c->written < RECORDS_MAX; i++, c->written++) {
        char value[16];
        snprintf(value, sizeof value, "%d", c->written);
        assert_sim(c->sim, ksim_put(c->sim, "orders", (int32_t)draw(c, PARTITIONS), NULL, value));
    }
}

static void crash_or_restart(chaos *c, int member) {
    if (c->paused[member]) return;
    if (!c->down[member]) {
        assert_sim(c->sim, ksim_crash(c->sim, name_of(member)));
    } else {
        assert_sim(c->sim, ksim_restart(c->sim, name_of(member)));
        free_reader(c, member); /* it died with its process */
        kafka_address_free(c->addresses[member]);
        c->addresses[member] = ksim_client(c->sim, name_of(member));
    }
    c->down[member] = !c->down[member];
}

static void pause_or_resume(chaos *c, int member) {
    if (c->down[member]) return;
    assert_sim(c->sim, c->paused[member] ? ksim_resume(c->sim, name_of(member)) : ksim_pause(c->sim, name_of(member)));
    c->paused[member] = !c->paused[member];
}

static void stop_or_start(chaos *c, int32_t broker) {
    int stopped = c->stopped[1] + c->stopped[2] + c->stopped[3];
    if (!c->stopped[broker] && stopped > 0) return;
    assert_sim(c->sim, c->stopped[broker] ? ksim_start_broker(c->sim, broker) : ksim_stop_broker(c->sim, broker));
    c->stopped[broker] = !c->stopped[broker];
}

static void step(chaos *c) {
    int member = (int)draw(c, MEMBERS);
    int32_t broker = (int32_t)(1 + draw(c, 3)), partition = (int32_t)draw(c, PARTITIONS);
    char name[16];
    snprintf(name, sizeof name, "broker-%d", (int)broker);
    switch (draw(c, 14)) {
    case 0:
    case 1:
    case 2: open_reader(c, member); break;
    case 3:
    case 4:
    case 5: read_some(c, member, 1 + (int)draw(c, 40)); break;
    case 6:
    case 7: write_some(c, 1 + (int)draw(c, 30)); break;
    case 8: crash_or_restart(c, member); break;
    case 9:
        if (draw(c, 2)) pause_or_resume(c, member);
        break;
    case 10: stop_or_start(c, broker); break;
    case 11: assert_sim(c->sim, ksim_reset(c->sim, name_of(member), name, NULL)); break;
    case 12:
        if (c->readers[member] != NULL && !c->down[member] && !c->paused[member]) {
            if (draw(c, 2)) assert_ok(c->addresses[member], kafka_reader_close(c->readers[member]));
            free_reader(c, member);
        }
        break;
    case 13:
        if (draw(c, 2))
            ksim_move_leader(c->sim, "orders", partition, broker); /* may be refused */
        else
            ksim_move_coordinator(c->sim, "billing", broker);
        break;
    }
    assert_sim(c->sim, ksim_run_for(c->sim, draw(c, 4000) * KAFKA_MILLISECOND));
}

static void heal(chaos *c) {
    for (int32_t b = 1; b <= 3; b++)
        if (c->stopped[b]) stop_or_start(c, b);
    for (int m = 0; m < MEMBERS; m++) {
        if (c->paused[m]) pause_or_resume(c, m);
        if (c->down[m]) crash_or_restart(c, m);
        open_reader(c, m);
    }
    assert_sim(c->sim, ksim_run_for(c->sim, 2 * KAFKA_MINUTE));
    assert_sim(c->sim, ksim_run_until_group_stable(c->sim, "billing"));
}

static void read_out(chaos *c, int member) {
    kafka_context *background = kafka_background(c->addresses[member]);
    kafka_context *ctx = kafka_context_with_timeout(background, 5 * KAFKA_SECOND);
    kafka_message message;
    while (kafka_reader_fetch(c->readers[member], ctx, &message) == KAFKA_OK) {
        char text[16] = { 0 };
        memcpy(text, message.value.data, message.value.size);
        c->seen[atoi(text)]++;
        kafka_reader_commit(c->readers[member], background, &message, 1);
        kafka_message_release(&message);
    }
    kafka_context_free(ctx);
}

/* Reads and commits everything that is left. A commit may still fail: when the brokers elect preferred leaders again, the
 * coordinator moves too. What was taken without a commit before is read again by a member that joins anew. */
static void drain(chaos *c) {
    for (int round = 0; round < 6 && (round == 0 || ksim_lag(c->sim, "billing", "orders") > 0); round++) {
        int member = round % MEMBERS;
        assert_ok(c->addresses[member], kafka_reader_close(c->readers[member]));
        free_reader(c, member);
        open_reader(c, member);
        assert_sim(c->sim, ksim_run_until_group_stable(c->sim, "billing"));
        for (int m = 0; m < MEMBERS; m++) read_out(c, m);
        assert_sim(c->sim, ksim_run_for(c->sim, 2 * KAFKA_SECOND));
    }
}

static void one_seed(uint64_t seed) {
    chaos *c = calloc(1, sizeof *c);
    static const ksim_setting settings[] = { { "group.initial.rebalance.delay.ms", "0" }, { NULL, NULL } };
    c->sim = ksim_new(&(ksim_config){ .seed = seed, .settings = settings, .latency = seed % 5 ? 0 : KSIM_NO_LATENCY });
    c->random = seed * UINT64_C(0x9E3779B97F4A7C15);
    assert_sim(c->sim, ksim_create_topic(c->sim, "orders", PARTITIONS));
    for (int m = 0; m < MEMBERS; m++) c->addresses[m] = ksim_client(c->sim, name_of(m));
    for (int i = 0; i < OPERATIONS; i++) step(c);
    heal(c);
    drain(c);
    for (int i = 0; i < c->written; i++)
        if (c->seen[i] == 0)
            fail_msg("seed %llu: record %d of %d was never read", (unsigned long long)seed, i, c->written);
    for (int m = 0; m < MEMBERS; m++) {
        assert_ok(c->addresses[m], kafka_reader_close(c->readers[m]));
        free_reader(c, m);
        kafka_address_free(c->addresses[m]);
    }
    if (c->written > 0) assert_i64_equal(ksim_lag(c->sim, "billing", "orders"), 0);
    ksim_free(c->sim);
    free(c);
}

static void every_record_is_read_whatever_happens(void **state) {
    const char *only = getenv("KSIM_SEED");
    size_t live = ks_alloc_live();
    if (only != NULL) {
        one_seed(strtoull(only, NULL, 0));
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        one_seed(seed);
        if (ks_alloc_live() != live) fail_msg("seed %llu leaks", (unsigned long long)seed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_record_is_read_whatever_happens) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
