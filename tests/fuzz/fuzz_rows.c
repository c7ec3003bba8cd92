/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a data file of a scenario, as CSV and as JSON lines: refused with a sentence that names its line, or rows that are
 * found again. What stands as CSV below a row of one to six names is written out with every field in quotes and read again: the same
 * rows. docs/fuzzing.md says how to run it with libFuzzer.
 */
#include "sim/scenario/rows.h"

int fuzz_rows(const uint8_t *data, size_t size);

enum { MOST_BYTES = 16 * 1024, MOST_ROWS = 200, MOST_FIELDS = 6 };

static void check_problem(const char *name, const char *problem) {
    size_t size = strlen(problem);
    ks_assert(strncmp(problem, name, strlen(name)) == 0 && size > strlen(name) + 1);
    for (size_t i = 0; i < size; i++) ks_assert((uint8_t)problem[i] >= 0x20 && problem[i] != 0x7f); /* it goes to a terminal */
}

static ks_string text_of(const ks_buffer *buffer) { return (ks_string){ buffer->size > 0 ? (const char *)buffer->data : "", (int32_t)buffer->size }; }

static void quote(ks_string field, ks_buffer *out) {
    ks_buffer_text(out, "\"");
    for (int32_t i = 0; i < field.size; i++) ks_buffer_append(out, field.data[i] == '"' ? "\"\"" : &field.data[i], field.data[i] == '"' ? 2 : 1);
    ks_buffer_text(out, "\"");
}

static ks_string name_of(int32_t field) {
    static const char *const names[MOST_FIELDS] = { "a", "b", "c", "d", "e", "f" };
    return ks_str(names[field]);
}

static void field_of(const ks_rows *rows, int64_t row, int32_t field, ks_buffer *out) {
    char problem[1024];
    ks_assert(ks_rows_have(rows, name_of(field), problem, sizeof problem));
    ks_buffer_clear(out);
    ks_rows_field(rows, row, name_of(field), out);
}

/* The rows below a row of so many names, if that is how many fields they have. */
static void check_csv(const uint8_t *data, size_t size, int32_t fields) {
    char problem[1024] = "";
    ks_buffer text = { 0 }, again = { 0 }, field = { 0 }, same = { 0 };
    for (int32_t i = 0; i < fields; i++) {
        ks_buffer_printf(&text, "%s%s", i > 0 ? "," : "", name_of(i).data);
        ks_buffer_printf(&again, "%s\"%s\"", i > 0 ? "," : "", name_of(i).data);
    }
    ks_buffer_text(&text, "\n");
    ks_buffer_text(&again, "\n");
    ks_buffer_append(&text, data, size);
    ks_rows *rows = ks_rows_read("fuzz.csv", (const char *)text.data, text.size, problem, sizeof problem), *second = NULL;
    if (rows == NULL) check_problem("fuzz.csv", problem);
    for (int64_t row = 0; rows != NULL && row < ks_rows_count(rows); row++)
        for (int32_t i = 0; i < fields; i++) {
            field_of(rows, row, i, &field);
            quote(text_of(&field), &again);
            ks_buffer_text(&again, i + 1 < fields ? "," : "\n");
        }
    if (rows != NULL) second = ks_rows_read("fuzz.csv", (const char *)again.data, again.size, problem, sizeof problem);
    ks_assert(rows == NULL || (second != NULL && ks_rows_count(second) == ks_rows_count(rows)));
    for (int64_t row = 0; rows != NULL && row < ks_rows_count(rows); row++)
        for (int32_t i = 0; i < fields; i++) {
            field_of(rows, row, i, &field);
            field_of(second, row, i, &same);
            ks_assert(ks_string_equal(text_of(&field), text_of(&same)));
        }
    ks_rows_close(rows);
    ks_rows_close(second);
    ks_buffer_deinit(&text);
    ks_buffer_deinit(&again);
    ks_buffer_deinit(&field);
    ks_buffer_deinit(&same);
}

/* A whole row lies in the file, and is a row of its own. */
static void check_whole(const char *name, const ks_rows *rows, const uint8_t *data, size_t size) {
    char problem[1024];
    for (int64_t row = 0; row < ks_rows_count(rows) && row < MOST_ROWS; row++) {
        ks_buffer whole = { 0 }, field = { 0 };
        ks_rows_whole(rows, row, &whole);
        ks_assert(whole.size > 0 && whole.size <= size && memchr(data, whole.data[0], size) != NULL);
        if (ks_rows_have(rows, KS_LITERAL("user"), problem, sizeof problem)) ks_rows_field(rows, row, KS_LITERAL("user"), &field);
        else check_problem(name, problem);
        ks_buffer_deinit(&whole);
        ks_buffer_deinit(&field);
    }
}

int fuzz_rows(const uint8_t *data, size_t size) {
    static const char *const called[] = { "fuzz.csv", "fuzz.jsonl" };
    if (size > MOST_BYTES) return 0;
    for (int json = 0; json < 2; json++) {
        char problem[1024] = "";
        ks_rows *rows = ks_rows_read(called[json], (const char *)data, size, problem, sizeof problem);
        if (rows == NULL) {
            check_problem(called[json], problem);
            continue;
        }
        ks_assert(ks_rows_count(rows) > 0);
        check_whole(called[json], rows, data, size);
        ks_rows_close(rows);
    }
    for (int32_t fields = 1; fields <= MOST_FIELDS; fields++) check_csv(data, size, fields);
    return 0;
}

#ifdef KS_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_rows(data, size); }
#endif
