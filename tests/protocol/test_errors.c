/* SPDX-License-Identifier: Apache-2.0
 * Error codes against Kafka's table and kafka-go's. */
#include "tests/support/test.h"

#include "sim/protocol/error.h"

/* The next row of a CSV without quotes, cut in place into `fields`; false at the end. */
static bool next_row(FILE *file, char line[256], char *fields[], int count) {
    if (fgets(line, 256, file) == NULL) return false;
    line[strcspn(line, "\r\n")] = '\0';
    for (int i = 0; i < count; i++) {
        fields[i] = line;
        line += strcspn(line, ",");
        if (*line == ',') *line++ = '\0';
    }
    return true;
}

static void every_code_has_kafkas_name_and_flags(void **state) {
    char line[256], *fields[4];
    int rows = 0;
    FILE *file = ks_vectors_open("kafka_protocol_errors.csv");
    if (file == NULL) return;
    assert_true(next_row(file, line, fields, 4));
    for (; next_row(file, line, fields, 4); rows++) {
        kafka_error error = (kafka_error)atoi(fields[0]), found;
        assert_string_equal(kafka_error_name(error), fields[1]);
        assert_int_equal(kafka_error_is_retriable(error), strcmp(fields[2], "true") == 0);
        assert_int_equal(ks_error_refreshes_metadata(error), strcmp(fields[3], "true") == 0);
        assert_true(strlen(kafka_error_text(error)) > 5);
        assert_true(ks_error_find_name(fields[1], &found));
        assert_int_equal(found, error);
    }
    fclose(file);
    assert_true(rows >= 129);
}

static void every_code_prints_and_behaves_as_in_kafka_go(void **state) {
    char line[256], *fields[4], text[256], start[256];
    FILE *file = ks_vectors_open("kafka_errors.csv");
    if (file == NULL) return;
    assert_true(next_row(file, line, fields, 4));
    while (next_row(file, line, fields, 4)) {
        kafka_error error = (kafka_error)atoi(fields[0]);
        assert_int_equal(kafka_error_is_temporary(error), strcmp(fields[3], "true") == 0);
        assert_int_equal(kafka_error_is_timeout(error), strcmp(fields[1], "RequestTimedOut") == 0);
        snprintf(start, sizeof start, *fields[2] ? "[%s] %s: " : "[%s] %s", fields[0], fields[2]);
        assert_memory_equal(kafka_error_format(error, text, sizeof text), start, strlen(start));
        assert_true(strlen(text) > strlen(start));
    }
    fclose(file);
}

static void a_title_that_kafka_go_lacks_is_made_from_kafkas_name(void **state) {
    char text[256];
    kafka_error_format(KAFKA_ERR_NETWORK_EXCEPTION, text, sizeof text);
    assert_string_equal(text, "[13] Network Exception: the connection broke before an answer came");
    kafka_error_format(KAFKA_ERR_INELIGIBLE_REPLICA, text, sizeof text);
    assert_memory_equal(text, "[107] Ineligible Replica: ", 26);
    kafka_error_format((kafka_error)999, text, sizeof text);
    assert_string_equal(text, "[999] : ");
}

static void a_client_error_prints_its_sentence_alone(void **state) {
    char text[256];
    assert_string_equal(kafka_error_format(KAFKA_ERR_CANCELED, text, sizeof text), "the context was cancelled");
    assert_string_equal(kafka_error_format(KAFKA_OK, text, sizeof text), "no error");
    assert_true(kafka_error_is_timeout(KAFKA_ERR_DEADLINE_EXCEEDED));
    assert_true(kafka_error_is_temporary(KAFKA_ERR_UNEXPECTED_EOF));
    assert_false(kafka_error_is_temporary(KAFKA_ERR_CLOSED));
}

static void a_short_buffer_cuts_the_text_and_is_never_overrun(void **state) {
    char text[8] = "1234567";
    kafka_error_format(KAFKA_ERR_MESSAGE_TOO_LARGE, text, 5);
    assert_string_equal(text, "[10]");
    assert_memory_equal(text + 5, "67", 3);
    kafka_error_format(KAFKA_ERR_MESSAGE_TOO_LARGE, text, 0);
    assert_string_equal(text, "[10]");
}

static void an_unknown_number_has_a_name_and_a_sentence_too(void **state) {
    assert_string_equal(kafka_error_name((kafka_error)12345), "UNKNOWN_CODE");
    assert_non_null(kafka_error_text((kafka_error)-2));
    assert_false(kafka_error_is_retriable((kafka_error)12345));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_kafkas_name_and_flags),
        cmocka_unit_test(every_code_prints_and_behaves_as_in_kafka_go),
        cmocka_unit_test(a_title_that_kafka_go_lacks_is_made_from_kafkas_name),
        cmocka_unit_test(a_client_error_prints_its_sentence_alone),
        cmocka_unit_test(a_short_buffer_cuts_the_text_and_is_never_overrun),
        cmocka_unit_test(an_unknown_number_has_a_name_and_a_sentence_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
