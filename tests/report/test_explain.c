/* SPDX-License-Identifier: Apache-2.0
 * The explanation from C, against a real run: the fold of the trace equals what inspection says, at every step.
 */
#define _DEFAULT_SOURCE
#include "tests/support/test.h"

#include <kafkasim/cmocka.h>
#include <kafkasim/ksim.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/control/sim.h"
#include "sim/explain/fold.h"

static char *read_all(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    char *text = calloc(1, 1 << 22);
    size_t size = fread(text, 1, (1 << 22) - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void consume(void *argument) {
    kafka_context *ctx = ((void **)argument)[0];
    kafka_address *address = ((void **)argument)[1];
    kafka_reader *reader;
    if (kafka_reader_new(&(kafka_reader_config){ .address = address, .group_id = "g", .topic = "t" }, &reader) != KAFKA_OK) return;
    kafka_message message = { 0 };
    while (kafka_reader_read(reader, ctx, &message) == KAFKA_OK) kafka_message_release(&message);
    kafka_reader_close(reader);
    kafka_reader_free(reader);
}

static void an_explanation_is_written_whole_or_not_at_all(void **state) {
    (void)state;
    char path[] = "/tmp/ksim-explain-XXXXXX";
    int fd = mkstemp(path);
    close(fd);
    ksim *sim = ksim_new(&(ksim_config){ .seed = 3 });
    assert_int_equal(ksim_explain_to_file(sim, path, KSIM_EXPLAIN_HTML, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(ksim_error_detail(sim), "ksim_explain_begin"));
    assert_int_equal(ksim_explain_begin(sim), KAFKA_OK);
    assert_int_equal(ksim_create_topic(sim, "t", 2), KAFKA_OK);
    assert_int_equal(ksim_explain_to_file(sim, path, KSIM_EXPLAIN_STORY, NULL), KAFKA_OK);
    char *text = read_all(path);
    assert_non_null(strstr(text, "The topic t is made, with 2 partitions."));
    free(text);
    assert_int_equal(ksim_explain_to_file(sim, path, KSIM_EXPLAIN_HTML, "a <title>"), KAFKA_OK);
    text = read_all(path);
    assert_non_null(strstr(text, "</html>"));
    free(text);
    assert_int_equal(ksim_explain_to_file(sim, "/no/such/folder/x", KSIM_EXPLAIN_HTML, NULL), KAFKA_ERR_IO);
    assert_int_equal(ksim_explain_to_file(sim, path, (ksim_explanation)77, NULL), KAFKA_ERR_INVALID_ARGUMENT);
    unlink(path);
    assert_int_equal(symlink("/dev/full", path), 0); /* what is no plain file is written where it is, and stays what it is */
    assert_int_equal(ksim_explain_to_file(sim, path, KSIM_EXPLAIN_STORY, NULL), KAFKA_ERR_IO);
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(ksim_explain_begin(NULL), KAFKA_ERR_INVALID_ARGUMENT);
    ksim_free(sim);
    unlink(path);
}

static void a_failing_check_leaves_the_page_behind_when_asked(void **state) {
    (void)state;
    char folder[] = "/tmp/ksim-pages-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a_test.html", folder);
    setenv("KSIM_PAGES", folder, 1);
    ksim *sim = ksim_new(NULL);
    assert_int_equal(ksim_explain_failures(sim, "a test"), KAFKA_OK);
    assert_int_equal(ksim_create_topic(sim, "t", 1), KAFKA_OK);
    assert_null(ksim_check_records(sim, "t", 0, ""));
    assert_int_equal(access(path, F_OK), -1);
    const char *report = ksim_check_records(sim, "t", 0, "never");
    assert_non_null(report);
    assert_non_null(strstr(report, path));
    assert_non_null(strstr(report, "The topic t is made")); /* the last steps are told in words */
    assert_int_equal(access(path, F_OK), 0);
    ksim_free(sim);
    unsetenv("KSIM_PAGES");
    unlink(path);
    rmdir(folder);
}

static void inner_test(void **state) {
    ksim *sim = *state;
    assert_int_equal(ksim_create_topic(sim, "t", 1), KAFKA_OK);
    assert_int_equal(1, ksim_seed(sim) == 2 ? 2 : 1); /* a plain assertion of cmocka's, which knows of no simulator */
}

/* In a process of its own, since a test that fails inside of a test is one. */
static void a_plain_assertion_leaves_the_page_behind_too(void **state) {
    (void)state;
    char folder[] = "/tmp/ksim-pages-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/inner_test.html", folder);
    setenv("KSIM_PAGES", folder, 1);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL) _exit(9);
        const struct CMUnitTest inner[] = { ksim_test_over_seeds(inner_test, 3) };
        _exit(cmocka_run_group_tests(inner, NULL, NULL));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    unsetenv("KSIM_PAGES");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1); /* one test failed */
    char *page = read_all(path);
    assert_non_null(page);
    assert_non_null(strstr(page, "\"seed\":\"2\""));
    assert_non_null(strstr(page, "The topic t is made"));
    free(page);
    unlink(path);
    rmdir(folder);
}

/* Every view is a fold of the trace alone: at each moment it equals what inspection says. */
static void the_fold_of_the_trace_equals_what_inspection_says(void **state) {
    (void)state;
    ksim *sim = ksim_new(&(ksim_config){ .seed = 5, .settings = (ksim_setting[]){ { "group.initial.rebalance.delay.ms", "0" }, { NULL, NULL } } });
    ks_recording *recording = ks_recording_new();
    ks_subscriber subscriber = { .event = ks_recording_event, .context = recording };
    ks_trace_subscribe(sim->kernel, &subscriber);
    assert_int_equal(ksim_create_topic(sim, "t", 3), KAFKA_OK);
    kafka_address *addresses[3];
    kafka_context *contexts[3];
    kafka_task *tasks[3];
    void *arguments[3][2];
    int owned = 0;
    for (int round = 0; round < 40; round++) {
        if (round % 10 == 0 && round < 30) {
            char name[8];
            int i = round / 10;
            snprintf(name, sizeof name, "c%d", i);
            addresses[i] = ksim_client(sim, name);
            contexts[i] = kafka_context_with_cancel(kafka_background(addresses[i]));
            arguments[i][0] = contexts[i];
            arguments[i][1] = addresses[i];
            tasks[i] = kafka_go(contexts[i], name, consume, arguments[i]);
        }
        if (round == 32) assert_int_equal(ksim_crash(sim, "c1"), KAFKA_OK);
        assert_int_equal(ksim_put(sim, "t", round % 3, "k", "v"), KAFKA_OK);
        ksim_run_for(sim, (round % 7) * 700 * KAFKA_MILLISECOND);
        ks_story *story = ks_story_new(recording);
        ks_fold *fold = ks_fold_new(story);
        ks_fold_seek(fold, story->steps.count - 1);
        for (int32_t p = 0; p < fold->partition_count; p++) {
            assert_i64_equal(fold->partitions[p].end, ksim_partition_find(sim, "t", fold->partitions[p].partition)->log_end_offset);
            for (int32_t g = 0; g < fold->group_count; g++)
                assert_i64_equal(fold->groups[g].shares[p].committed, ksim_committed_offset(sim, "g", "t", fold->partitions[p].partition));
        }
        for (int32_t n = 0; n < fold->node_count; n++) {
            bool dead = round >= 32 && strcmp(fold->nodes[n].name.data, "c1") == 0;
            assert_int_equal(fold->nodes[n].life, dead ? KS_FOLD_DOWN : KS_FOLD_UP);
        }
        assert_true(fold->node_count > 3);
        const ksim_group *group = ksim_group_find(sim, "g");
        for (int32_t g = 0; g < fold->group_count && group != NULL; g++) {
            assert_string_equal(fold->groups[g].state.data, group->state);
            assert_int_equal(fold->groups[g].generation, group->generation);
        }
        /* Half a round trip later the members have what the coordinator gave them, but for the dead. */
        for (size_t m = 0; group != NULL && round % 7 != 0 && strcmp(group->state, "Stable") == 0 && m < group->member_count; m++)
            for (size_t a = 0; a < group->members[m].assigned_count; a++)
                for (int32_t p = 0; p < fold->partition_count; p++) {
                    if (fold->partitions[p].partition != group->members[m].assigned[a].partition) continue;
                    int32_t owner = fold->groups[0].shares[p].owner;
                    bool dead = round >= 32 && strcmp(group->members[m].client, "c1") == 0;
                    if (dead) assert_int_equal(owner, -1);
                    else assert_string_equal(owner >= 0 ? fold->clients[owner].data : "nobody", group->members[m].client);
                    owned++;
                }
        ks_fold_free(fold);
        ks_story_free(story);
    }
    assert_true(owned > 30);
    for (int i = 0; i < 3; i++) {
        kafka_context_cancel(contexts[i]);
        kafka_join(kafka_background(addresses[i]), tasks[i]);
        kafka_context_free(contexts[i]);
        kafka_address_free(addresses[i]);
    }
    ks_trace_unsubscribe(sim->kernel, &subscriber);
    ks_recording_free(recording);
    ksim_free(sim);
}

/* The ring has no room for all of it; what it lacks is counted. */
static void of_a_commit_that_was_cut_the_last_steps_say_how_much_is_missing(void **state) {
    (void)state;
    enum { MANY = 40 };
    ksim *sim = ksim_new(&(ksim_config){ .seed = 3 });
    kafka_address *address = ksim_client(sim, "admin");
    kafka_client *client;
    kafka_group_offset offsets[MANY];
    for (int32_t p = 0; p < MANY; p++) offsets[p] = (kafka_group_offset){ "many", p, p + 100, NULL, KAFKA_OK };
    assert_int_equal(ksim_create_topic(sim, "many", MANY), KAFKA_OK);
    assert_int_equal(kafka_client_new(&(kafka_client_config){ .address = address }, &client), KAFKA_OK);
    const kafka_commit_request request = { .group = "g", .generation = -1, .offsets = offsets, .count = MANY };
    assert_int_equal(kafka_client_offset_commit(client, kafka_background(address), &request, NULL), KAFKA_OK);
    const char *told = strstr(ksim_last_steps(sim, 3), "many[0] at 100, many[1] at 101,"), *rest = told != NULL ? strstr(told, " and ") : NULL;
    assert_non_null(rest);
    int named = 0, more = 0;
    for (const char *at = told; (at = strstr(at, "many[")) != NULL && at < rest; at++) named++;
    assert_int_equal(sscanf(rest, " and %d more.", &more), 1);
    assert_int_equal(named + more, MANY);
    kafka_client_free(client);
    kafka_address_free(address);
    ksim_free(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_explanation_is_written_whole_or_not_at_all),
        cmocka_unit_test(a_failing_check_leaves_the_page_behind_when_asked),
        cmocka_unit_test(a_plain_assertion_leaves_the_page_behind_too),
        cmocka_unit_test(the_fold_of_the_trace_equals_what_inspection_says),
        cmocka_unit_test(of_a_commit_that_was_cut_the_last_steps_say_how_much_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
