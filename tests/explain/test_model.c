/* SPDX-License-Identifier: Apache-2.0
 * The model of the page: its changes, applied in order, give what the fold of the trace has, after every step.
 */
#include "tests/support/test.h"

#include "sim/explain/fold.h"
#include "sim/explain/story.h"

typedef struct share { json_int_t owner, committed, position; } share;
typedef struct replay { /* what somebody who only has the JSON knows */
    const json_t *partitions, *groups, *members;
    json_int_t starts[64], ends[64];
    share shares[8][64];
} replay;

static json_int_t number(const json_t *object, const char *name) { return json_integer_value(json_object_get(object, name)); }

static void apply(replay *r, const json_t *change) {
    const char *kind = json_string_value(json_object_get(change, "y"));
    json_int_t p = number(change, "p");
    share *s = &r->shares[number(change, "g")][p];
    if (strcmp(kind, "log") == 0) r->ends[p] = number(change, "e");
    else if (strcmp(kind, "start") == 0) r->starts[p] = number(change, "o");
    else if (strcmp(kind, "part") == 0) r->starts[p] = r->ends[p] = 0;
    else if (strcmp(kind, "com") == 0) s->committed = number(change, "o");
    else if (strcmp(kind, "pos") == 0) s->position = number(change, "o");
    else if (strcmp(kind, "own") == 0) {
        bool nobody = json_is_null(json_object_get(change, "m"));
        s->owner = nobody ? -1 : number(change, "m");
        s->position = nobody ? -1 : s->committed;
    }
}

static json_int_t index_in(const json_t *list, ks_string name, const char *field) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *text = json_string_value(field != NULL ? json_object_get(one, field) : one);
        if (strlen(text) == (size_t)name.size && memcmp(text, name.data, (size_t)name.size) == 0) return (json_int_t)i;
    }
    return -1;
}

static void compare(const replay *r, const ks_fold *fold, int step) {
    for (int32_t i = 0; i < fold->partition_count; i++) {
        const ks_fold_partition *partition = &fold->partitions[i];
        char name[300];
        int size = snprintf(name, sizeof name, "%.*s[%d]", (int)partition->topic.size, partition->topic.data, partition->partition);
        json_int_t p = index_in(r->partitions, (ks_string){ name, size }, NULL);
        if (r->starts[p] != partition->start || r->ends[p] != partition->end) fail_msg("step %d: %s is %d..%d in the model", step, name, (int)r->starts[p], (int)r->ends[p]);
        for (int32_t j = 0; j < fold->group_count; j++) {
            const ks_fold_share *there = &fold->groups[j].shares[i];
            const share *here = &r->shares[index_in(r->groups, fold->groups[j].name, "name")][p];
            json_int_t owner = there->owner < 0 ? -1 : index_in(r->members, fold->clients[there->owner], NULL);
            if (here->owner != owner || here->committed != there->committed || here->position != there->position)
                fail_msg("step %d: %s has owner %d, committed %d, position %d in the model; %d, %d, %d in the fold", step, name, (int)here->owner,
                         (int)here->committed, (int)here->position, (int)owner, (int)there->committed, (int)there->position);
        }
    }
}

static ks_recording *trace(const char *tail) { /* the one of the other tests, and what comes after it here */
    FILE *file = fopen(KS_TEST_VECTORS "/../explain/second-consumer.jsonl", "rb");
    assert_non_null(file);
    char *text = malloc(1 << 20), problem[512];
    size_t size = fread(text, 1, 1 << 19, file);
    fclose(file);
    memcpy(text + size, tail, strlen(tail));
    ks_recording *recording = ks_recording_parse(text, size + strlen(tail), "t", problem, sizeof problem);
    if (recording == NULL) fail_msg("%s", problem);
    free(text);
    return recording;
}

#define EVENT(id, kind, fields) "{\"id\":" #id ",\"cause\":0,\"time\":1798761700000000000,\"node\":\"x\",\"kind\":\"" kind "\",\"fields\":{" fields "}}\n"
#define MEMBER "\"Member\":\"\","
#define OWNER MEMBER "\"Generation\":1,"
#define C1 "\"Client\":\"c1\",\"Group\":\"billing\","

/* A crash; a late word, a late delivery of the dead one; a log that begins later; offsets that are deleted; a topic that goes. */
static const char rest[] =
    EVENT(9001, "node_crashed", "\"Name\":\"c2\"")
    EVENT(9002, "client_partitions_assigned", C1 OWNER "\"Partitions\":\"orders[1]\"")
    EVENT(9003, "client_partitions_lost", "\"Client\":\"c2\",\"Group\":\"billing\"," OWNER "\"Partitions\":\"orders[1,2]\"")
    EVENT(9004, "records_delivered", "\"Client\":\"c2\",\"Group\":\"billing\"," MEMBER "\"Topic\":\"orders\",\"Partition\":1,\"FirstOffset\":4,\"LastOffset\":4,\"Count\":1")
    EVENT(9005, "log_start_advanced", "\"Topic\":\"orders\",\"Partition\":0,\"From\":0,\"To\":3,\"Reason\":\"\"")
    EVENT(9006, "records_delivered", C1 MEMBER "\"Topic\":\"orders\",\"Partition\":1,\"FirstOffset\":2,\"LastOffset\":2,\"Count\":1")
    EVENT(9007, "note", "\"Text\":\"so far\"")
    EVENT(9008, "offsets_deleted", "\"Group\":\"billing\",\"Topic\":\"orders\",\"Partition\":1,\"Reason\":\"\"")
    EVENT(9009, "topic_deleted", "\"Topic\":\"orders\"")
    EVENT(9010, "note", "\"Text\":\"the end\"");

static int32_t find(const ks_story *story, const json_t *name) {
    char text[32];
    snprintf(text, sizeof text, "%d", (int)json_integer_value(name));
    int32_t step = ks_story_find(story, json_is_string(name) ? json_string_value(name) : text);
    if (step < 0) fail_msg("there is no step %s", json_is_string(name) ? json_string_value(name) : text);
    return step;
}

static void the_models_changes_give_the_fold(void **state) {
    (void)state;
    ks_recording *recording = trace(rest);
    ks_story *story = ks_story_new(recording);
    ks_fold *fold = ks_fold_new(story);
    ks_buffer out = { 0 };
    ks_explanation_json(story, "t", &out);
    json_error_t error;
    json_t *json = json_loadb((char *)out.data, out.size, 0, &error);
    if (json == NULL) fail_msg("%s", error.text);
    replay r = { json_object_get(json, "partitions"), json_object_get(json, "groups"), json_object_get(json, "members"), { 0 }, { 0 }, { { { 0 } } } };
    for (int g = 0; g < 8; g++)
        for (int p = 0; p < 64; p++) r.shares[g][p] = (share){ -1, -1, -1 };
    const json_t *changes = json_object_get(json, "changes");
    size_t next = 0;
    int compared = 0, subs = 0;
    const json_t *steps = json_object_get(json, "steps");
    for (size_t s = 0; s < json_array_size(steps); s++) {
        const json_t *name = json_object_get(json_array_get(steps, s), "n"); /* 18, or "18.8" */
        int32_t i = find(story, name);
        while (i + 1 < story->steps.count && !ks_step_on_page(&story->steps.items[i + 1])) i++; /* with all that came of it */
        for (; next < json_array_size(changes) && json_equal(json_object_get(json_array_get(changes, next), "s"), name); next++) apply(&r, json_array_get(changes, next));
        ks_fold_seek(fold, i);
        compare(&r, fold, story->steps.items[i].number);
        compared++;
        subs += json_is_string(name);
    }
    assert_int_equal(subs, 3); /* those that end a pause */
    assert_int_equal(next, json_array_size(changes));
    assert_true(compared >= 14);
    json_decref(json);
    ks_buffer_deinit(&out);
    ks_fold_free(fold);
    ks_story_free(story);
    ks_recording_free(recording);
}

/* Lag: what the plot says at the end is what is not committed then; the highest value is kept. */
static void the_lag_plot_ends_with_what_is_not_committed(void **state) {
    (void)state;
    ks_recording *recording = trace("");
    ks_story *story = ks_story_new(recording);
    ks_buffer out = { 0 };
    ks_explanation_json(story, "t", &out);
    json_t *json = json_loadb((char *)out.data, out.size, 0, NULL);
    const json_t *lag = json_object_get(json_array_get(json_object_get(json, "groups"), 0), "lag");
    json_int_t most = 0, last = 0, before = -1;
    for (size_t i = 0; i < json_array_size(lag); i++) {
        json_int_t t = json_integer_value(json_array_get(json_array_get(lag, i), 0));
        if (t < before) fail_msg("the plot goes back in time, to %d", (int)t);
        before = t;
        last = json_integer_value(json_array_get(json_array_get(lag, i), 1));
        if (last > most) most = last;
    }
    assert_int_equal(last, 9);  /* three partitions of five records, two of each committed */
    assert_int_equal(most, 15);
    json_decref(json);
    ks_buffer_deinit(&out);
    ks_story_free(story);
    ks_recording_free(recording);
}

static const json_t *change_of(const json_t *json, const char *kind) { /* the last one */
    const json_t *changes = json_object_get(json, "changes"), *found = NULL;
    for (size_t i = 0; i < json_array_size(changes); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(changes, i), "y")), kind) == 0) found = json_array_get(changes, i);
    if (found == NULL) fail_msg("no change \"%s\"", kind);
    return found;
}

static void expect_text(const json_t *change, const char *name, const char *text) {
    assert_string_equal(json_string_value(json_object_get(change, name)), text);
}

/* KIP-848: what the coordinator wants of a member and how far it has got, each as of its epoch. */
static void a_members_target_and_state_are_told_with_their_epochs(void **state) {
    (void)state;
    ks_recording *recording = trace(EVENT(9001, "group_member_target_changed", "\"Group\":\"billing\",\"Member\":\"m-1\",\"ClientId\":\"c1\",\"Epoch\":7,\"Target\":\"orders[1]\"")
                                    EVENT(9002, "group_member_reconciled", "\"Group\":\"billing\",\"Member\":\"m-1\",\"ClientId\":\"c1\",\"Epoch\":8,\"State\":\"STABLE\",\"Assigned\":\"orders[2]\",\"Revoking\":\"orders[0]\""));
    ks_story *story = ks_story_new(recording);
    ks_buffer out = { 0 };
    ks_explanation_json(story, "t", &out);
    json_t *json = json_loadb((char *)out.data, out.size, 0, NULL);
    const json_t *target = change_of(json, "tgt"), *reconciled = change_of(json, "rec");
    assert_int_equal(number(target, "n"), 7);
    expect_text(target, "o", "orders[1]");
    assert_int_equal(number(target, "m"), index_in(json_object_get(json, "members"), ks_str("c1"), NULL));
    assert_int_equal(number(target, "g"), index_in(json_object_get(json, "groups"), ks_str("billing"), "name"));
    assert_int_equal(number(reconciled, "n"), 8);
    expect_text(reconciled, "st", "STABLE");
    expect_text(reconciled, "r", "orders[0]");
    json_decref(json);
    ks_buffer_deinit(&out);
    ks_story_free(story);
    ks_recording_free(recording);
}

/* Only an edited trace has a topic of two billion partitions: it costs no more than a large one. */
static void an_absurd_number_of_partitions_is_refused(void **state) {
    (void)state;
    static const char *const ranges[] = { "\"From\":-2147483648,\"To\":1", "\"From\":3,\"To\":2147483647", "\"From\":3,\"To\":2" };
    for (int i = 0; i < 3; i++) {
        char text[512], problem[512] = "";
        snprintf(text, sizeof text, "{\"format\":\"kafkasim-trace\",\"version\":2}\n" EVENT(1, "partitions_added", "\"Topic\":\"orders\",%s"), ranges[i]);
        assert_null(ks_recording_parse(text, strlen(text), "t", problem, sizeof problem));
        assert_non_null(strstr(problem, "t:2: a topic has at most 10000 partitions"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_models_changes_give_the_fold),
        cmocka_unit_test(the_lag_plot_ends_with_what_is_not_committed),
        cmocka_unit_test(a_members_target_and_state_are_told_with_their_epochs),
        cmocka_unit_test(an_absurd_number_of_partitions_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
