/* SPDX-License-Identifier: Apache-2.0
 * The trace: subscribers, files, their format, the last steps. */
#define _POSIX_C_SOURCE 200809L
#include "tests/control/fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct lines {
    json_t *items[4096];
    size_t count;
} lines;

static void keep_line(void *context, const char *line, size_t size) {
    lines *to = context;
    json_error_t error;
    json_t *json = json_loadb(line, size, 0, &error);
    if (json == NULL) fail_msg("not JSON: %s: %.*s", error.text, (int)size, line);
    assert_true(to->count < 4096);
    to->items[to->count++] = json;
}

static void drop_lines(lines *list) {
    for (size_t i = 0; i < list->count; i++) json_decref(list->items[i]);
}

static const char *text_of(const json_t *json, const char *key) {
    return json_string_value(json_object_get(json, key));
}
static int64_t number_of(const json_t *json, const char *key) { return json_integer_value(json_object_get(json, key)); }

static const json_t *find_kind(const lines *list, const char *kind) {
    for (size_t i = 1; i < list->count; i++) {
        if (strcmp(text_of(list->items[i], "kind"), kind) == 0) return list->items[i];
    }
    fail_msg("no event %s", kind);
    return NULL;
}

static void a_trace_is_versioned_json_lines_whose_events_know_their_causes(void **state) {
    static lines list;
    list.count = 0;
    assert_ksim_ok(*state, ksim_trace_to(*state, keep_line, &list, KSIM_TRACE_JSON));
    ksim_create_topic(*state, "orders", 2);
    ksim_put(*state, "orders", 1, "k", "v");
    assert_ksim_ok(*state, ksim_trace_close(*state));
    ksim_put(*state, "orders", 1, "k", "after the end");
    assert_string_equal(text_of(list.items[0], "format"), "kafkasim-trace");
    assert_int_equal(number_of(list.items[0], "version"), 2);
    assert_int_equal(number_of(list.items[0], "seed"), 7);
    assert_i64_equal(number_of(list.items[0], "start"), INT64_C(1798761600) * KAFKA_SECOND);
    assert_contains(text_of(list.items[0], "codecs"), "zstd");
    int64_t last_id = 0, last_time = 0;
    for (size_t i = 1; i < list.count; i++) {
        assert_true(number_of(list.items[i], "id") > last_id);
        assert_true(number_of(list.items[i], "cause") < number_of(list.items[i], "id"));
        assert_true(number_of(list.items[i], "time") >= last_time);
        assert_non_null(text_of(list.items[i], "node"));
        assert_non_null(json_object_get(list.items[i], "fields"));
        assert_null(json_object_get(list.items[i], "message"));
        last_id = number_of(list.items[i], "id");
        last_time = number_of(list.items[i], "time");
    }
    const json_t *appended = find_kind(&list, "records_appended"), *cause = NULL;
    assert_string_equal(text_of(json_object_get(appended, "fields"), "Topic"), "orders");
    for (size_t i = 1; i < list.count; i++) {
        if (number_of(list.items[i], "id") == number_of(appended, "cause")) cause = list.items[i];
    }
    assert_string_equal(text_of(cause, "kind"), "request_received");
    assert_string_equal(text_of(cause, "node"), text_of(appended, "node"));
    drop_lines(&list);
}

static void contents_show_requests_and_records_cut_at_64_bytes(void **state) {
    static lines list;
    char value[101];
    memset(value, 'x', 100);
    value[100] = 0;
    list.count = 0;
    ksim_create_topic(*state, "orders", 1);
    ksim_trace_to(*state, keep_line, &list, KSIM_TRACE_JSON_CONTENTS);
    ksim_put(*state, "orders", 0, NULL, value);
    ksim_trace_close(*state);
    const json_t *records = json_object_get(find_kind(&list, "records_appended"), "records");
    assert_int_equal(json_array_size(records), 1);
    assert_true(json_is_null(json_object_get(json_array_get(records, 0), "key")));
    assert_int_equal(strlen(text_of(json_array_get(records, 0), "value")), 64);
    assert_int_equal(number_of(json_array_get(records, 0), "value_rest"), 36);
    const json_t *message = json_object_get(find_kind(&list, "request_received"), "message");
    assert_int_equal(number_of(message, "Acks"), -1);
    drop_lines(&list);
}

static void a_large_seed_is_written_as_text(void **state) {
    static lines list;
    (void)state;
    list.count = 0;
    ksim *sim = ksim_new(&(ksim_config){ .seed = UINT64_MAX });
    ksim_trace_to(sim, keep_line, &list, KSIM_TRACE_JSON);
    ksim_free(sim);
    assert_string_equal(text_of(list.items[0], "seed"), "18446744073709551615");
    drop_lines(&list);
}

static void a_trace_goes_to_a_file_until_the_end(void **state) {
    char path[] = "/tmp/kafkasim-trace-XXXXXX", line[4096];
    int fd = mkstemp(path), count = 0;
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    ksim *sim = ksim_new(NULL);
    assert_ksim_ok(sim, ksim_trace_to_file(sim, path, KSIM_TRACE_TEXT));
    ksim_create_topic(sim, "orders", 300);
    ksim_free(sim);
    FILE *file = fopen(path, "r");
    while (fgets(line, sizeof line, file)) {
        if (count == 0) assert_contains(line, "kafkasim 0.1.0, seed 1, zlib");
        count++;
    }
    fclose(file);
    unlink(path);
    assert_true(count > 300);
}

static const char earlier[] = "an earlier trace\n";

/* What the file holds, and nothing stands beside it. */
static void expect_file(const char *path, const char *begins) {
    char part[64], text[256] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    if (strncmp(text, begins, strlen(begins)) != 0) fail_msg("the file holds \"%s\", not \"%s...\"", text, begins);
    snprintf(part, sizeof part, "%s.part", path);
    if (access(part, F_OK) == 0) fail_msg("%s was left behind", part);
}

static int in_a_process_of_its_own(int (*run)(const char *path), const char *path) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL) _exit(9);
        _exit(run(path));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int dies_at_once(const char *path) {
    ksim *sim = ksim_new(NULL);
    if (ksim_trace_to_file(sim, path, KSIM_TRACE_TEXT) != KAFKA_OK || ksim_create_topic(sim, "orders", 300) != KAFKA_OK) return 9;
    return 3;
}

static int has_no_room(const char *path) {
    struct rlimit room = { 100, 100 };
    signal(SIGXFSZ, SIG_IGN);
    ksim *sim = ksim_new(NULL);
    if (setrlimit(RLIMIT_FSIZE, &room) != 0 || ksim_trace_to_file(sim, path, KSIM_TRACE_TEXT) != KAFKA_OK) return 9;
    ksim_create_topic(sim, "orders", 300);
    return ksim_trace_close(sim) == KAFKA_ERR_IO ? 3 : 9;
}

static int loops_for_ever(const char *path) {
    ksim *sim = ksim_new(NULL);
    if (ksim_trace_to_file(sim, path, KSIM_TRACE_TEXT) != KAFKA_OK || ksim_create_topic(sim, "orders", 300) != KAFKA_OK) return 9;
    for (kafka_context *ctx = kafka_background(ksim_client(sim, "c1"));;) kafka_sleep(ctx, 0);
}

/* Nothing is lost to a program that dies, or has no room, before it has something better; what it had when it was stopped is kept. */
static void an_earlier_trace_stays_until_the_new_one_is_whole(void **state) {
    (void)state;
    char path[] = "/tmp/kafkasim-trace-XXXXXX", part[64];
    int fd = mkstemp(path);
    assert_int_equal(write(fd, earlier, sizeof earlier - 1), sizeof earlier - 1);
    close(fd);
    snprintf(part, sizeof part, "%s.part", path);
    int status = in_a_process_of_its_own(dies_at_once, path);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    assert_int_equal(unlink(part), 0); /* what it had written */
    expect_file(path, earlier);
    status = in_a_process_of_its_own(has_no_room, path);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    expect_file(path, earlier);
    status = in_a_process_of_its_own(loops_for_ever, path);
    assert_true(WIFSIGNALED(status));
    expect_file(path, "kafkasim 0.1.0, seed 1");
    unlink(path);
}

static void files_that_cannot_be_written_are_refused(void **state) {
    assert_int_equal(ksim_trace_to_file(*state, "/nowhere/at/all", KSIM_TRACE_JSON), KAFKA_ERR_IO);
    assert_contains(ksim_error_detail(*state), "/nowhere/at/all: No such file");
    assert_int_equal(ksim_trace_to_file(*state, NULL, KSIM_TRACE_JSON), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_trace_to_file(*state, "/tmp/x", (ksim_trace_format)9), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_trace_to(*state, NULL, NULL, KSIM_TRACE_JSON), KAFKA_ERR_INVALID_ARGUMENT);
    assert_int_equal(ksim_trace_close(*state), KAFKA_OK);
    if (access("/dev/full", W_OK) != 0) return;
    assert_int_equal(ksim_trace_to_file(*state, "/dev/full", KSIM_TRACE_JSON), KAFKA_OK);
    ksim_create_topic(*state, "orders", 1000);
    assert_int_equal(ksim_trace_close(*state), KAFKA_ERR_IO);
    assert_contains(ksim_error_detail(*state), "/dev/full could not be written whole");
}

typedef struct heard {
    ksim *sim;
    int events, appended;
    uint64_t last;
    size_t records;
    char text[256];
} heard;

static void hears(void *context, const ksim_event *event) {
    heard *to = context;
    kafka_bytes topic, key, value;
    int64_t partition;
    assert_true(ksim_event_id(event) > to->last);
    assert_true(ksim_event_cause(event) < ksim_event_id(event));
    assert_true(ksim_event_time(event) >= ksim_now(to->sim));
    assert_int_equal(ksim_run_for(to->sim, 1), KAFKA_ERR_WRONG_PLACE);
    to->last = ksim_event_id(event);
    to->events++;
    if (strcmp(ksim_event_kind(event), "records_appended") != 0) {
        assert_false(ksim_event_record(event, 0, &key, &value));
        return;
    }
    to->appended++;
    assert_true(ksim_event_bytes(event, "Topic", &topic));
    assert_memory_equal(topic.data, "orders", 6);
    assert_true(ksim_event_int(event, "Partition", &partition));
    assert_false(ksim_event_int(event, "Topic", &partition));
    assert_false(ksim_event_bytes(event, "NoSuchField", &topic));
    for (to->records = 0; ksim_event_record(event, to->records, &key, &value); to->records++) {
        char expected[16];
        snprintf(expected, sizeof expected, "v%d", (int)to->records);
        assert_int_equal(value.size, strlen(expected));
        assert_memory_equal(value.data, expected, value.size);
    }
    assert_true(ksim_event_record(event, 2, &key, NULL)); /* from the beginning again */
    assert_memory_equal(key.data, "k2", 2);
    assert_false(ksim_event_record(event, to->records, NULL, NULL));
    assert_contains(ksim_event_node(event), "broker-");
    snprintf(to->text, sizeof to->text, "%.200s", ksim_event_json(event));
}

static void a_subscriber_hears_every_event_with_its_fields_and_records(void **state) {
    heard to = { .sim = *state };
    ksim_create_topic(*state, "orders", 1);
    ksim_subscription *subscription = ksim_trace_subscribe(*state, hears, &to);
    const kafka_message messages[] = {
        { .topic = "orders", .key = kafka_string("k0"), .value = kafka_string("v0") },
        { .topic = "orders", .key = kafka_string("k1"), .value = kafka_string("v1") },
        { .topic = "orders", .key = kafka_string("k2"), .value = kafka_string("v2") },
    };
    ksim_put_messages(*state, messages, 3);
    assert_int_equal(to.appended, 1);
    assert_int_equal(to.records, 3);
    assert_true(to.events > 5);
    assert_contains(to.text, "\"kind\":\"records_appended\"");
    int events = to.events;
    ksim_trace_unsubscribe(*state, subscription);
    ksim_trace_unsubscribe(*state, NULL);
    ksim_put_messages(*state, messages, 3);
    assert_int_equal(to.events, events);
}

static void the_last_steps_leave_out_what_goes_on_all_the_time(void **state) {
    ksim_create_topic(*state, "orders", 1);
    ksim_put(*state, "orders", 0, NULL, "x");
    const char *steps = ksim_last_steps(*state, 5);
    size_t count = 0;
    for (const char *at = steps; *at; at++) count += *at == '\n';
    assert_int_equal(count, 5);
    assert_contains(steps, "orders");
    assert_null(strstr(steps, "request_sent"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_trace_is_versioned_json_lines_whose_events_know_their_causes),
        TEST(contents_show_requests_and_records_cut_at_64_bytes),
        cmocka_unit_test(a_large_seed_is_written_as_text),
        cmocka_unit_test(a_trace_goes_to_a_file_until_the_end),
        cmocka_unit_test(an_earlier_trace_stays_until_the_new_one_is_whole),
        TEST(files_that_cannot_be_written_are_refused),
        TEST(a_subscriber_hears_every_event_with_its_fields_and_records),
        TEST(the_last_steps_leave_out_what_goes_on_all_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
