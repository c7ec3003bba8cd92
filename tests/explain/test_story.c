/* SPDX-License-Identifier: Apache-2.0
 * What is told of a trace: steps, sentences, causes, costs; and what is said of a file that is no trace. The trace is small and
 * made by hand (tests/explain/second-consumer.jsonl), so that every number in the expectations can be checked by eye.
 */
#include "tests/support/test.h"

#include "sim/explain/fold.h"
#include "sim/explain/story_internal.h"

static ks_recording *recording;
static ks_story *story;

static char *file_text(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail_msg("%s is missing", path);
    char *text = malloc(1 << 20);
    *size = fread(text, 1, (1 << 20) - 1, file);
    text[*size] = '\0';
    fclose(file);
    return text;
}

static int open_story(void **state) {
    (void)state;
    char problem[512];
    recording = ks_recording_load(KS_TEST_VECTORS "/../explain/second-consumer.jsonl", problem, sizeof problem);
    if (recording == NULL) fail_msg("%s", problem);
    story = ks_story_new(recording);
    return 0;
}

static int close_story(void **state) {
    (void)state;
    ks_story_free(story);
    ks_recording_free(recording);
    return 0;
}

static void the_narrative_is_the_golden_one(void **state) {
    (void)state;
    static const char *const levels[] = { "story", "protocol", "everything" };
    for (int level = 0; level < 3; level++) {
        ks_buffer out = { 0 };
        char path[512];
        ks_narrate(story, &(ks_filter){ .level = (ks_level)level, .partition = -1 }, &out);
        snprintf(path, sizeof path, "%s/../explain/second-consumer.%s.txt", KS_TEST_VECTORS, levels[level]);
        if (getenv("KSIM_REWRITE") != NULL) {
            FILE *file = fopen(path, "wb");
            fwrite(out.data, 1, out.size, file);
            fclose(file);
        }
        size_t size;
        char *golden = file_text(path, &size);
        if (size != out.size || memcmp(golden, out.data, size) != 0) fail_msg("the narrative at level %s is now\n%s", levels[level], (char *)out.data);
        free(golden);
        ks_buffer_deinit(&out);
    }
}

static void a_held_request_is_answered_in_a_step_of_its_own(void **state) {
    (void)state;
    int32_t join = ks_story_find(story, "5"), answer = ks_story_find(story, "8");
    assert_true(join >= 0 && answer >= 0);
    assert_false(story->steps.items[join].answered);
    assert_true(story->steps.items[join].begins_rebalance);
    assert_int_equal(story->steps.items[answer].kind, KS_STEP_REPLY);
}

static void numbers_are_the_same_under_every_filter(void **state) {
    (void)state;
    ks_buffer out = { 0 };
    ks_narrate(story, &(ks_filter){ .level = KS_LEVEL_EVERYTHING, .node = "c2", .partition = -1 }, &out);
    assert_non_null(strstr((char *)out.data, "\n   8  6.012 s  broker-1 -> c2"));
    assert_null(strstr((char *)out.data, "c1 -> broker-1   Heartbeat"));
    ks_buffer_deinit(&out);
}

/* As the prompt tells a run that goes on: whatever the pieces, no important step is left out, and nothing that came of one. */
static void told_in_pieces_nothing_is_left_out(void **state) {
    (void)state;
    for (int32_t size = 1; size <= 20; size++) {
        ks_buffer pieces = { 0 };
        int32_t all = recording->events.count;
        for (int32_t at = 0; at < all; at += size) {
            recording->events.count = at + size < all ? at + size : all;
            ks_story *so_far = ks_story_new(recording);
            ks_narrate(so_far, &(ks_filter){ .partition = -1, .since = at }, &pieces);
            ks_story_free(so_far);
        }
        recording->events.count = all;
        for (int32_t i = 0; i < story->steps.count; i++) {
            const ks_step *step = &story->steps.items[i];
            char head[32];
            snprintf(head, sizeof head, "%4d  ", step->number);
            if (step->important && step->sub == 0 && strstr((char *)pieces.data, head) == NULL) fail_msg("in pieces of %d step %d is not told", size, step->number);
        }
        assert_non_null(strstr((char *)pieces.data, "c2 takes up orders[1,2]."));
        if (size == 1) assert_true(pieces.size > 2000);
        ks_buffer_deinit(&pieces);
    }
}

static void at_most_so_many_steps_are_told_and_all_are_counted(void **state) {
    (void)state;
    ks_buffer all = { 0 }, some = { 0 };
    int32_t count = ks_narrate(story, &(ks_filter){ .partition = -1 }, &all);
    assert_true(count > 5);
    assert_int_equal(ks_narrate(story, &(ks_filter){ .partition = -1, .most = 2 }, &some), count);
    assert_true(some.size < all.size);
    assert_memory_equal(some.data, all.data, some.size);
    ks_buffer_deinit(&all);
    ks_buffer_deinit(&some);
}

static void pauses_and_repeated_reads_are_counted(void **state) {
    (void)state;
    assert_int_equal(story->pauses.count, 3);
    for (int p = 0; p < 3; p++) {
        const ks_pause *pause = &story->pauses.items[p];
        /* last delivery at 1.004 s + p ms, first fetch of the new owner delivered at 6.021 s + 2p ms */
        assert_i64_equal(pause->to - pause->from, INT64_C(5017000000) + p * INT64_C(1000000));
        assert_i64_equal(pause->read_again, 2);
    }
}

static void why_leads_back_to_who_began_it(void **state) {
    (void)state;
    ks_buffer out = { 0 };
    int32_t second = ks_why_rebalance(story, "billing", 2);
    assert_true(second >= 0);
    ks_why_generation(story, second, &out);
    assert_non_null(strstr((char *)out.data, "triggered by c2, with a JoinGroup in step 5: c2 is new"));
    assert_non_null(strstr((char *)out.data, "step 5, 4.004 s: c2 -> broker-1, coordinator of billing   JoinGroup"));
    assert_non_null(strstr((char *)out.data, "which began with c2: its program, or a timer of its own"));
    assert_non_null(strstr((char *)out.data, "  orders[1]  c1 -> c2, paused for 5.018 s, a lag of 3, 2 read again\n"));
    assert_non_null(strstr((char *)out.data, "what it cost: 3 partitions paused, the longest for 5.019 s; 2 moved to another owner; a lag of 9 when they came again; 6 messages read again\n"));
    ks_advice advice[2];
    assert_int_equal(ks_why_advice(story, second, advice), 2);
    ks_buffer_clear(&out);
    ks_why_say_advice(&advice[0], &out);
    assert_non_null(strstr((char *)out.data, "partition.assignment.strategy=cooperative-sticky"));
    ks_buffer_clear(&out);
    assert_int_equal(ks_why_rebalance(story, "billing", 9), -1);
    assert_int_equal(ks_why_rebalance(story, "nobody", 2), -1);
    assert_true(ks_why_record(story, "orders", 1, 3, &out));
    assert_non_null(strstr((char *)out.data, "billing: delivered 2 times, not committed in this run"));
    assert_false(ks_why_record(story, "orders", 1, 99, &out));
    assert_int_equal(ks_story_find(story, "99"), -1);
    assert_int_equal(ks_story_find(story, "3x"), -1);
    assert_int_equal(ks_story_find(story, ""), -1);
    ks_buffer_deinit(&out);
}

static void text_state(const ks_fold *fold, ks_buffer *out) {
    for (int32_t p = 0; p < fold->partition_count; p++) {
        ks_buffer_printf(out, "%d:%lld-%lld", p, (long long)fold->partitions[p].start, (long long)fold->partitions[p].end);
        for (int32_t g = 0; g < fold->group_count; g++)
            ks_buffer_printf(out, " %d/%lld/%lld", fold->groups[g].shares[p].owner, (long long)fold->groups[g].shares[p].committed,
                             (long long)fold->groups[g].shares[p].position);
        ks_buffer_text(out, "\n");
    }
    for (int32_t g = 0; g < fold->group_count; g++) ks_buffer_printf(out, "%s %d %s\n", fold->groups[g].exists ? fold->groups[g].state.data : "-", fold->groups[g].generation, fold->groups[g].exists ? fold->groups[g].coordinator.data : "");
    for (int32_t n = 0; n < fold->node_count; n++) ks_buffer_printf(out, "%s:%d ", fold->nodes[n].name.data, fold->nodes[n].life);
}

static void stepping_back_gives_what_stepping_forward_gave(void **state) {
    (void)state;
    ks_fold *forward = ks_fold_new(story), *back = ks_fold_new(story);
    ks_buffer a = { 0 }, b = { 0 };
    for (int32_t i = -1; i < story->steps.count; i++) {
        ks_fold_seek(forward, i);
        ks_fold_seek(back, story->steps.count - 1);
        ks_fold_seek(back, i);
        ks_buffer_clear(&a);
        ks_buffer_clear(&b);
        text_state(forward, &a);
        text_state(back, &b);
        assert_string_equal((char *)a.data, (char *)b.data);
    }
    assert_string_equal((char *)a.data, "0:0-5 0/2/5\n1:0-5 1/2/5\n2:0-5 1/2/5\nStable 2 broker-1\nbroker-1:1 producer:1 c1:1 c2:1 ");
    ks_buffer_deinit(&a);
    ks_buffer_deinit(&b);
    ks_fold_free(forward);
    ks_fold_free(back);
}

static void hostile_text_shows_harmlessly(void **state) {
    (void)state;
    ks_buffer out = { 0 };
    ks_words_escape((ks_string){ "a\x1b[31m\n\xff\xc0\x80\xe2\x80\xae\xc3\xa9", 15 }, &out);
    assert_string_equal((char *)out.data, "a\\x1B[31m\\x0A\\xFF\\xC0\\x80\\xE2\\x80\\xAE\xc3\xa9");
    ks_buffer_clear(&out);
    ks_explanation_json(story, "</script><script>alert(1)</script>", &out);
    ks_buffer_append(&out, "", 1);
    assert_null(strstr((char *)out.data, "</script>"));
    assert_null(strstr((char *)out.data, "<b>"));
    json_error_t error;
    json_t *json = json_loads((char *)out.data, 0, &error);
    if (json == NULL) fail_msg("%s", error.text);
    assert_int_equal(json_array_size(json_object_get(json, "steps")), 11 + 3); /* three sub-steps end a pause */
    assert_int_equal(json_array_size(json_object_get(json, "partitions")), 3);
    json_decref(json);
    ks_buffer_clear(&out);
    ks_explanation_svg(story, "<&>", &(ks_filter){ .partition = -1 }, &out);
    assert_non_null(strstr((char *)out.data, "&lt;&amp;&gt;"));
    ks_buffer_deinit(&out);
}

#define COMMIT(rest) "{\"id\":1,\"cause\":0,\"time\":5,\"node\":\"\",\"kind\":\"offsets_committed\",\"fields\":{\"Group\":\"g\",\"Member\":\"\",\"Generation\":-1,\"Topic\":\"t\"," rest "}}\n"
#define P0 "\"Partition\":0,\"LeaderEpoch\":-1,\"Offset\":5,\"Metadata\":\"\""

static void a_file_that_is_no_trace_is_refused_with_its_line(void **state) {
    (void)state;
    static const char head[] = "{\"format\":\"kafkasim-trace\",\"version\":2,\"seed\":7}\n";
    static const struct { bool head; const char *text, *says; } rows[] = {
        { false, "", "t: the file is empty" },
        { false, "hello\n", "t:1: this is neither a trace nor a scenario" },
        { false, "{\"a\":1}\n", "t:1: this is neither a trace" },
        { false, "{\"format\":\"kafkasim-trace\",\"version\":99}\n", "t:1: this program does not read traces of version: 99" },
        { false, "{\"format\":\"kafkasim-trace\",\"version\":1}\n",
          "t:1: this trace was written by an older kafkasim: write it again with this one, which does not read version: 1" },
        { true, "{\"id\":1,\"cause\":0,\"time\":5,\"kind\":\"no_such\",\"fields\":{}}\n", "t:2: no kind of event is called so" },
        { true, "{\"id\":1,\"cause\":0,\"time\":5}\n", "t:2: this is not an event" },
        { true, "{\"id\":1,\"cause\":1,\"time\":5,\"node\":\"\",\"kind\":\"note\",\"fields\":{\"Text\":\"\"}}\n", "t:2: an event's cause must come before it" },
        { true, "{\"id\":1,\"cause\":0,\"time\":5,\"node\":\"\",\"kind\":\"note\",\"fields\":{\"Text\":5}}\n", "t:2: a field has the wrong type or is out of range: Text" },
        { true, "{\"id\":1,\"cause\":0,\"time\":5,\"node\":\"\",\"kind\":\"note\",\"fields\":{\"Text\":\"\"}}", "t:2: the file ends in the middle of a line; was it cut?" },
        { true, "{\"id\":1,\"cause\":0,\"time\":5,\"node\":\"\",\"kind\":\"note\",\"fields\":{\"Text\":\"\"}}\n{\"id\":1,\"cause\":0,\"time\":5,\"node\":\"\",\"kind\":\"note\",\"fields\":{\"Text\":\"\"}}\n", "t:3: event ids must grow" },
        { true, "{\"id\":1,\"cause\":0,\"time\":5,\"node\":\"\",\"kind\":\"note\",\"fields\":{\"Text\":\"\"}}\n{\"id\":2,\"cause\":0,\"time\":4,\"node\":\"\",\"kind\":\"note\",\"fields\":{\"Text\":\"\"}}\n", "t:3: time must not go back" },
        { true, COMMIT("\"Count\":2,\"Partitions\":[{" P0 "}]"), "t:2: a commit lists more or fewer partitions than it counts" },
        { true, COMMIT("\"Count\":0,\"Partitions\":[{" P0 "}]"), "t:2: a commit lists more or fewer partitions than it counts" },
        { true, COMMIT("\"Count\":1,\"Partitions\":{" P0 "}"), "t:2: a field is no array: Partitions" },
        { true, COMMIT("\"Count\":0,\"Partitions\":null"), "t:2: a field is no array: Partitions" },
        { true, COMMIT("\"Count\":1,\"Partitions\":[5]"), "t:2: this event, or a part of it, has no fields" },
        { true, COMMIT("\"Count\":1,\"Partitions\":[{\"Partition\":0,\"LeaderEpoch\":-1,\"Offset\":5}]"), "t:2: a field is missing; was the file edited?: Metadata" },
        { true, COMMIT("\"Count\":1,\"Partitions\":[{\"Partition\":\"0\",\"LeaderEpoch\":-1,\"Offset\":5,\"Metadata\":\"\"}]"), "t:2: a field has the wrong type or is out of range: Partition" },
        { true, COMMIT("\"Count\":1,\"Partitions\":[{\"Leader\":1," P0 "}]"), "t:2: this kind of event has no such field: Leader" },
        { true, "{\"id\":1,\n", "t:2: this is not a JSON object" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[2048], problem[512] = "";
        snprintf(text, sizeof text, "%s%s", rows[i].head ? head : "", rows[i].text);
        ks_recording *r = ks_recording_parse(text, strlen(text), "t", problem, sizeof problem);
        if (r != NULL) fail_msg("this is accepted: %s", text);
        if (strncmp(problem, rows[i].says, strlen(rows[i].says)) != 0) fail_msg("for %s\nit says %s\ninstead of %s", text, problem, rows[i].says);
    }
}

/* A commit of t[0] and t[2] by an administrator. */
static void a_commit_is_read_with_all_its_partitions(void **state) {
    (void)state;
    static const char trace[] = "{\"format\":\"kafkasim-trace\",\"version\":2,\"seed\":7}\n"
                                "{\"id\":1,\"cause\":0,\"time\":5,\"node\":\"b\",\"kind\":\"command\",\"fields\":{\"Name\":\"commit\",\"Arguments\":\"g\"}}\n"
                                "{\"id\":2,\"cause\":1,\"time\":5,\"node\":\"b\",\"kind\":\"offsets_committed\",\"fields\":{\"Group\":\"g\",\"Member\":\"\","
                                "\"Generation\":-1,\"Topic\":\"t\",\"Count\":2,\"Partitions\":[{" P0 "},{\"Partition\":2,\"LeaderEpoch\":-1,\"Offset\":7,\"Metadata\":null}]}}\n";
    char problem[512] = "";
    ks_recording *r = ks_recording_parse(trace, strlen(trace), "t", problem, sizeof problem);
    if (r == NULL) fail_msg("%s", problem);
    ks_story *s = ks_story_new(r);
    ks_buffer out = { 0 };
    ks_words_sentence(s, 0, &out);
    assert_string_equal((char *)out.data, "The committed offsets of g are set from outside: t[0] at 5, t[2] at 7.");
    ks_buffer_deinit(&out);
    for (int32_t p = -1; p < 4; p++)
        assert_int_equal(ks_filter_passes(s, 0, &(ks_filter){ .level = KS_LEVEL_EVERYTHING, .topic = "t", .partition = p }), p != 1 && p != 3);
    ks_fold *fold = ks_fold_new(s);
    ks_fold_seek(fold, 0);
    assert_int_equal(fold->partition_count, 2);
    assert_i64_equal(fold->groups[0].shares[0].committed, 5);
    assert_i64_equal(fold->groups[0].shares[1].committed, 7);
    ks_fold_free(fold);
    ks_story_free(s);
    ks_recording_free(r);
}

/* As many shares of groups in partitions as a view takes, and thousands of steps: keyframes lie farther apart, not deeper in memory. */
static void keyframes_of_a_large_run_keep_to_their_budget(void **state) {
    (void)state;
    enum { GROUPS = 100, PARTITIONS = 9990, STEPS = 3000 };
    ks_buffer text = { 0 };
    ks_buffer_text(&text, "{\"format\":\"kafkasim-trace\",\"version\":2,\"seed\":7}\n"
                          "{\"id\":1,\"cause\":0,\"time\":5,\"node\":\"b\",\"kind\":\"topic_created\",\"fields\":{\"Topic\":\"t\",\"TopicId\":\"8M0KiT44TeuSqUaUS2_oHQ\",\"Partitions\":9990,\"ReplicationFactor\":1}}\n");
    for (int i = 0; i < STEPS; i++) {
        ks_buffer_printf(&text, "{\"id\":%d,\"cause\":0,\"time\":%d,\"node\":\"b\",\"kind\":\"command\",\"fields\":{\"Name\":\"commit\",\"Arguments\":\"g\"}}\n", 2 * i + 2, i + 5);
        ks_buffer_printf(&text, "{\"id\":%d,\"cause\":%d,\"time\":%d,\"node\":\"b\",\"kind\":\"offsets_committed\",\"fields\":{\"Group\":\"g%d\",\"Member\":\"\","
                                "\"Generation\":-1,\"Topic\":\"t\",\"Count\":1,\"Partitions\":[{\"Partition\":%d,\"LeaderEpoch\":-1,\"Offset\":%d,\"Metadata\":null}]}}\n",
                         2 * i + 3, 2 * i + 2, i + 5, i % GROUPS, i % 7, i + 1);
    }
    char problem[512] = "";
    ks_recording *r = ks_recording_parse((const char *)text.data, text.size, "t", problem, sizeof problem);
    if (r == NULL) fail_msg("%s", problem);
    ks_story *s = ks_story_new(r);
    assert_int_equal(s->steps.count, STEPS);
    ks_fold *fold = ks_fold_new(s);
    assert_int_equal(fold->group_count * fold->partition_count, GROUPS * PARTITIONS);
    assert_true(ks_fold_kept(fold) <= KS_FOLD_KEPT_MAX);
    assert_true(ks_fold_kept(fold) > KS_FOLD_KEPT_MAX / 4); /* and use it */
    for (int i = STEPS - 1; i > 0; i -= 333) { /* back, each time from farther on */
        ks_fold_seek(fold, i);
        assert_i64_equal(fold->groups[i % GROUPS].shares[i % 7].committed, i + 1);
        if (i + 1 < STEPS) assert_true(fold->groups[(i + 1) % GROUPS].shares[(i + 1) % 7].committed < i + 2);
    }
    ks_fold_seek(fold, -1);
    assert_i64_equal(fold->groups[0].shares[0].committed, -1);
    ks_fold_seek(fold, STEPS - 1);
    assert_i64_equal(fold->groups[(STEPS - 1) % GROUPS].shares[(STEPS - 1) % 7].committed, STEPS);
    ks_fold_free(fold);
    ks_story_free(s);
    ks_recording_free(r);
    ks_buffer_deinit(&text);
}

/* Mutations of a real trace by a seeded generator: read or refused, and what is read can be told. */
static void any_bytes_are_read_or_refused(void **state) {
    (void)state;
    size_t size;
    char *text = file_text(KS_TEST_VECTORS "/../explain/second-consumer.jsonl", &size), *copy = malloc(size + 1);
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 300; round++) {
        memcpy(copy, text, size);
        size_t length = size;
        for (int m = 0; m < 1 + round % 5; m++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            size_t at = (size_t)(random >> 8) % length;
            if (random % 4 == 0) copy[at] = (char)(random >> 40);
            else if (random % 4 < 3) copy[at] = "0123456789\"{}[],:-"[(random >> 40) % 18];
            else length = at + 1;
        }
        char problem[512] = "";
        ks_recording *r = ks_recording_parse(copy, length, "fuzz", problem, sizeof problem);
        if (r == NULL) {
            assert_true(strncmp(problem, "fuzz:", 5) == 0);
            continue;
        }
        ks_story *s = ks_story_new(r);
        ks_fold *fold = ks_fold_new(s);
        ks_buffer out = { 0 };
        ks_narrate(s, &(ks_filter){ .level = KS_LEVEL_EVERYTHING, .partition = -1 }, &out);
        ks_explanation_json(s, "fuzz", &out);
        ks_buffer_deinit(&out);
        ks_fold_free(fold);
        ks_story_free(s);
        ks_recording_free(r);
    }
    free(text);
    free(copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_narrative_is_the_golden_one),
        cmocka_unit_test(a_held_request_is_answered_in_a_step_of_its_own),
        cmocka_unit_test(numbers_are_the_same_under_every_filter),
        cmocka_unit_test(told_in_pieces_nothing_is_left_out),
        cmocka_unit_test(at_most_so_many_steps_are_told_and_all_are_counted),
        cmocka_unit_test(pauses_and_repeated_reads_are_counted),
        cmocka_unit_test(why_leads_back_to_who_began_it),
        cmocka_unit_test(stepping_back_gives_what_stepping_forward_gave),
        cmocka_unit_test(hostile_text_shows_harmlessly),
        cmocka_unit_test(a_file_that_is_no_trace_is_refused_with_its_line),
        cmocka_unit_test(a_commit_is_read_with_all_its_partitions),
        cmocka_unit_test(keyframes_of_a_large_run_keep_to_their_budget),
        cmocka_unit_test(any_bytes_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, open_story, close_story);
}
