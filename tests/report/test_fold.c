/* SPDX-License-Identifier: Apache-2.0
 * Every view is a fold of the trace alone: after every event that says something the folded state is what inspection says, and what
 * the consumers themselves know: who has what, and where it stands.
 */
#include "tests/control/consumer_fixture.h"

#include "sim/api/consumer_internal.h"
#include "sim/control/sim.h"
#include "sim/explain/fold.h"
#include "sim/protocol/events.h"

typedef struct watch {
    stage *stage;
    ks_recording *recording;
    ks_subscriber subscriber;
    int32_t seen, compared;
    char problem[300]; /* the first one; said where a test may fail, outside the loop */
} watch;

/* Messages and idle fetches change nothing that is folded. */
static bool says_something(const ks_recorded *event) {
    const ks_struct *kind = event->kind;
    return kind != ks_describe_ev_request_sent() && kind != ks_describe_ev_request_received() && kind != ks_describe_ev_response_sent() &&
           kind != ks_describe_ev_response_received() && kind != ks_describe_ev_fetch_parked() && kind != ks_describe_ev_fetch_completed() &&
           kind != ks_describe_ev_metadata_refreshed();
}

static int32_t client_index(const ks_fold *fold, const char *name) {
    for (int32_t c = 0; c < fold->client_count; c++)
        if (ks_string_equal(fold->clients[c], ks_str(name))) return c;
    return -1;
}

#define DIFFERS(w, ...) ((w)->problem[0] != '\0' ? (void)0 : (void)snprintf((w)->problem, sizeof (w)->problem, __VA_ARGS__))

static void compare_owner(watch *w, const ks_fold *fold, const ks_fold_group *group, int32_t p) {
    const ks_fold_partition *partition = &fold->partitions[p];
    for (int i = 0; i < w->stage->count; i++) {
        const program *one = &w->stage->programs[i];
        ks_position at;
        bool crashed = ks_process_is_down(one->address->process);
        bool has = !one->closed && !crashed && ks_consumer_position(one->consumer->engine, partition->topic, partition->partition, &at);
        int32_t owner = group->shares[p].owner;
        if (has != (owner >= 0 && owner == client_index(fold, one->name)))
            DIFFERS(w, "event %d: %s %s partition %d, the fold says otherwise", w->seen, one->name, has ? "has" : "has not", partition->partition);
        if (has && at.known && at.offset != group->shares[p].position)
            DIFFERS(w, "event %d: %s stands at %lld in partition %d, the fold says %lld", w->seen, one->name, (long long)at.offset, partition->partition,
                     (long long)group->shares[p].position);
    }
}

static void compare(watch *w) {
    ksim *sim = w->stage->sim;
    ks_story *story = ks_story_new(w->recording);
    ks_fold *fold = ks_fold_new(story);
    ks_fold_seek(fold, story->steps.count - 1);
    for (int32_t p = 0; p < fold->partition_count; p++) {
        const ks_fold_partition *partition = &fold->partitions[p];
        const ksim_partition *found = ksim_partition_find(sim, partition->topic.data, partition->partition);
        if ((found != NULL) != partition->exists) DIFFERS(w, "event %d: partition %d is there, or is not", w->seen, partition->partition);
        if (found == NULL) continue;
        if (partition->end != found->log_end_offset || partition->start != found->log_start_offset)
            DIFFERS(w, "event %d: partition %d goes from %lld to %lld, the fold says %lld to %lld", w->seen, partition->partition, (long long)found->log_start_offset,
                    (long long)found->log_end_offset, (long long)partition->start, (long long)partition->end);
        for (int32_t g = 0; g < fold->group_count; g++) {
            if (ksim_group_find(sim, fold->groups[g].name.data) == NULL) continue; /* between two coordinators */
            int64_t committed = ksim_committed_offset(sim, fold->groups[g].name.data, partition->topic.data, partition->partition);
            if (fold->groups[g].shares[p].committed != committed)
                DIFFERS(w, "event %d: partition %d is committed at %lld, the fold says %lld", w->seen, partition->partition, (long long)committed,
                        (long long)fold->groups[g].shares[p].committed);
            compare_owner(w, fold, &fold->groups[g], p);
        }
    }
    for (int32_t g = 0; g < fold->group_count; g++) {
        const ksim_group *group = ksim_group_find(sim, fold->groups[g].name.data);
        if (group == NULL) continue;
        if (strcmp(fold->groups[g].state.data, group->state) != 0 || fold->groups[g].generation != group->generation)
            DIFFERS(w, "event %d: the group is %s in %d, the fold says %s in %d", w->seen, group->state, (int)group->generation, fold->groups[g].state.data,
                    fold->groups[g].generation);
    }
    ks_fold_free(fold);
    ks_story_free(story);
    w->compared++;
}

static bool look(ksim *sim, void *context) {
    watch *w = context;
    (void)sim;
    bool news = false;
    for (; w->seen < w->recording->events.count; w->seen++) news = news || says_something(&w->recording->events.items[w->seen]);
    if (news) compare(w);
    return w->problem[0] != '\0';
}

static void end_watch(watch *w) {
    ks_trace_unsubscribe(w->stage->sim->kernel, &w->subscriber);
    ks_recording_free(w->recording);
}

static void watch_for(watch *w, kafka_duration duration) {
    ksim_run_until(w->stage->sim, look, w, "the end", duration);
    if (w->problem[0] == '\0') return;
    end_watch(w);
    fail_msg("%s", w->problem);
}

static program *member(stage *s, const char *name, const char *const *settings) {
    program *p = make_program(s, name, settings);
    start(p, "orders");
    return p;
}

/* Members come, one crashes, one is slow, one leaves; partitions are added, the coordinator moves. */
static void a_life(stage *s, const char *const *settings) {
    watch w = { .stage = s, .recording = ks_recording_new() };
    w.subscriber = (ks_subscriber){ .event = ks_recording_event, .context = w.recording };
    ks_trace_subscribe(s->sim->kernel, &w.subscriber);
    assert_int_equal(ksim_create_topic(s->sim, "orders", 4), KAFKA_OK);
    put_numbers(s, "orders", 4, 12);
    program *a = member(s, "c1", settings);
    watch_for(&w, 2 * KAFKA_SECOND);
    program *b = member(s, "c2", settings);
    watch_for(&w, 12 * KAFKA_SECOND);
    put_numbers(s, "orders", 4, 12);
    member(s, "c3", settings);
    watch_for(&w, 12 * KAFKA_SECOND);
    assert_int_equal(ksim_move_coordinator(s->sim, "billing", 1), KAFKA_OK);
    watch_for(&w, 8 * KAFKA_SECOND);
    assert_int_equal(ksim_crash(s->sim, "c3"), KAFKA_OK);
    put_numbers(s, "orders", 4, 8);
    watch_for(&w, 60 * KAFKA_SECOND);
    kafka_context_cancel(b->ctx);
    watch_for(&w, 12 * KAFKA_SECOND);
    kafka_context_cancel(a->ctx);
    watch_for(&w, 5 * KAFKA_SECOND);
    assert_true(w.compared > 100);
    end_watch(&w);
}

static void members_of_the_classic_protocol(void **state) {
    a_life(*state, (const char *const[]){ "group.id=billing", "auto.offset.reset=earliest", "partition.assignment.strategy=range", NULL });
}

static void members_that_cooperate(void **state) {
    a_life(*state, (const char *const[]){ "group.id=billing", "auto.offset.reset=earliest", "partition.assignment.strategy=cooperative-sticky", NULL });
}

static void members_of_the_consumer_protocol(void **state) {
    a_life(*state, (const char *const[]){ "group.id=billing", "auto.offset.reset=earliest", "group.protocol=consumer", NULL });
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_of_the_classic_protocol, stage_begin, stage_end),
        cmocka_unit_test_setup_teardown(members_that_cooperate, stage_begin, stage_end),
        cmocka_unit_test_setup_teardown(members_of_the_consumer_protocol, stage_begin, stage_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
