/* SPDX-License-Identifier: Apache-2.0
 * Rows of CSV and JSON lines.
 */
#include "sim/scenario/rows.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/base/file.h"
#include "sim/scenario/command.h"
#include "sim/scenario/texts.h"

typedef struct row {
    int64_t at, size; /* in the file, without the line's end */
    int64_t line;     /* from 1 */
} row;

struct ks_rows {
    char *path;
    ks_buffer text;
    bool json;
    KS_VEC(row) rows;
    KS_VEC(ks_buffer) names; /* CSV: of the fields */
};

static bool fail(const ks_rows *rows, int64_t line, char *problem, size_t size, const char *format, ...) __attribute__((format(printf, 5, 6)));
static bool fail(const ks_rows *rows, int64_t line, char *problem, size_t size, const char *format, ...) {
    char what[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    ks_buffer harmless = { 0 }; /* names in it, and what the JSON reader saw, are the file's */
    ks_buffer_harmless(&harmless, ks_str(what));
    char *text = ks_buffer_take(&harmless);
    if (line > 0) snprintf(problem, size, "%.400s:%lld: %s", rows->path, (long long)line, text);
    else snprintf(problem, size, "%.400s %s", rows->path, text);
    ks_free(text);
    return false;
}

/* ---- reading ---- */

static bool is_json(const char *path) {
    static const char *const endings[] = { ".jsonl", ".ndjson", ".json" };
    size_t size = strlen(path);
    for (int i = 0; i < 3; i++)
        if (size > strlen(endings[i]) && strcmp(path + size - strlen(endings[i]), endings[i]) == 0) return true;
    return false;
}

static bool read_file(ks_rows *rows, char *problem, size_t size) { /* no pipe: the file is read again when the scenario runs */
    const char *wrong = ks_file_read(rows->path, KS_TEXTS_FILE_MAX, false, &rows->text);
    return wrong == NULL || fail(rows, 0, problem, size, "%s", wrong);
}

static bool is_small_enough(const ks_rows *rows, char *problem, size_t size) {
    return rows->text.size <= KS_TEXTS_FILE_MAX || fail(rows, 0, problem, size, "is larger than %d MiB; cut it into parts", KS_TEXTS_FILE_MAX >> 20);
}

/* ---- CSV ---- */

/* The field at `*at`, appended to `out` (NULL: passed over); `*at` then stands on the comma behind it or on `end`. */
static void csv_field(const char *text, int64_t *at, int64_t end, ks_buffer *out) {
    int64_t i = *at;
    if (i < end && text[i] == '"') {
        for (i++; i < end; i++) {
            if (text[i] == '"' && (i + 1 >= end || text[i + 1] != '"')) break;
            if (text[i] == '"') i++;
            if (out != NULL) ks_buffer_append(out, text + i, 1);
        }
        if (i < end) i++;
    }
    for (; i < end && text[i] != ','; i++)
        if (out != NULL) ks_buffer_append(out, text + i, 1);
    *at = i;
}

static int32_t csv_count(const char *text, int64_t at, int64_t end) {
    int32_t count = 1;
    for (csv_field(text, &at, end, NULL); at < end; count++) {
        at++;
        csv_field(text, &at, end, NULL);
    }
    return count;
}

/* Where the row that begins at `at` ends: a line's end inside quotes belongs to it. False: a quote is never closed. */
static bool csv_end(const ks_rows *rows, int64_t *at, int64_t *line) {
    bool quoted = false;
    for (; *at < (int64_t)rows->text.size; ++*at) {
        char ch = (char)rows->text.data[*at];
        if (ch == '"') quoted = !quoted; /* a doubled quote closes and opens */
        else if (ch == '\n') {
            ++*line;
            if (!quoted) return true;
        }
    }
    ++*line;
    return !quoted;
}

static bool csv_row(ks_rows *rows, const row *one, char *problem, size_t size) {
    const char *text = (const char *)rows->text.data;
    int32_t count = csv_count(text, one->at, one->at + one->size);
    if (rows->names.count > 0 && count != rows->names.count)
        return fail(rows, one->line, problem, size, "this row has %d field%s, the first row names %d", count, count == 1 ? "" : "s", rows->names.count);
    if (rows->names.count > 0) {
        KS_PUSH(rows->rows, *one);
        return true;
    }
    int64_t at = one->at;
    for (int32_t i = 0; i < count; i++, at++) {
        ks_buffer name = { 0 };
        ks_buffer_text(&name, "");
        csv_field(text, &at, one->at + one->size, &name);
        ks_buffer_append(&name, "", 1);
        name.size--;
        KS_PUSH(rows->names, name);
    }
    return true;
}

static int32_t csv_index(const ks_rows *rows, ks_string field) {
    for (int32_t i = 0; i < rows->names.count; i++)
        if ((int32_t)rows->names.items[i].size == field.size && memcmp(rows->names.items[i].data, field.data, (size_t)field.size) == 0) return i;
    return -1;
}

/* ---- JSON lines ---- */

static json_t *json_row(const ks_rows *rows, const row *one) { return json_loadb((const char *)rows->text.data + one->at, (size_t)one->size, 0, NULL); }

static bool json_line(ks_rows *rows, const row *one, char *problem, size_t size) {
    json_error_t why;
    json_t *object = json_loadb((const char *)rows->text.data + one->at, (size_t)one->size, 0, &why);
    bool fine = json_is_object(object);
    if (object == NULL) fail(rows, one->line, problem, size, "this line is no JSON: %s", why.text);
    else if (!fine) fail(rows, one->line, problem, size, "this line is JSON, but no object; write {\"name\": value, ...}");
    json_decref(object);
    if (fine) KS_PUSH(rows->rows, *one);
    return fine;
}

/* ---- all ---- */

static bool split(ks_rows *rows, char *problem, size_t size) {
    int64_t end = (int64_t)rows->text.size, line = 0;
    int64_t start = end >= 3 && memcmp(rows->text.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* a byte order mark */
    for (int64_t at = start; at < end; at++) {
        row one = { .at = at, .line = line + 1 };
        if (rows->json) {
            while (at < end && rows->text.data[at] != '\n') at++;
            line++;
        } else if (!csv_end(rows, &at, &line)) return fail(rows, one.line, problem, size, "a quote that this row opens is never closed");
        one.size = at - one.at;
        if (one.size > 0 && rows->text.data[one.at + one.size - 1] == '\r') one.size--;
        if (one.size > 0 && memchr(rows->text.data + one.at, 0, (size_t)one.size) != NULL) return fail(rows, one.line, problem, size, "a zero byte: this is no text file");
        if (one.size > 0 && !(rows->json ? json_line(rows, &one, problem, size) : csv_row(rows, &one, problem, size))) return false;
        if (rows->rows.count > KS_TEXTS_MAX) return fail(rows, one.line, problem, size, "more than %d rows; cut it into parts", KS_TEXTS_MAX);
    }
    if (rows->rows.count > 0) return true;
    return fail(rows, 0, problem, size, rows->names.count > 0 ? "has a row of names, but no rows below it" : "is empty");
}

static ks_rows *rows_new(const char *path) {
    ks_rows *rows = ks_alloc(sizeof *rows);
    rows->path = ks_strndup(path, strlen(path));
    rows->json = is_json(path);
    return rows;
}

static bool is_named(const ks_rows *rows, char *problem, size_t size) {
    size_t length = strlen(rows->path);
    bool named = rows->json || (length > 4 && strcmp(rows->path + length - 4, ".csv") == 0);
    return named || fail(rows, 0, problem, size, "is neither CSV nor JSON lines by its name: call it .csv or .jsonl");
}

/* NULL unless it is fine. */
static ks_rows *or_nothing(ks_rows *rows, bool fine) {
    if (fine) return rows;
    ks_rows_close(rows);
    return NULL;
}

ks_rows *ks_rows_open(const char *path, char *problem, size_t size) {
    ks_rows *rows = rows_new(path);
    return or_nothing(rows, is_named(rows, problem, size) && read_file(rows, problem, size) && is_small_enough(rows, problem, size) &&
                                split(rows, problem, size));
}

ks_rows *ks_rows_read(const char *path, const char *text, size_t text_size, char *problem, size_t size) {
    ks_rows *rows = rows_new(path);
    ks_buffer_append(&rows->text, text, text_size);
    return or_nothing(rows, is_named(rows, problem, size) && is_small_enough(rows, problem, size) && split(rows, problem, size));
}

void ks_rows_close(ks_rows *rows) {
    if (rows == NULL) return;
    for (int32_t i = 0; i < rows->names.count; i++) ks_buffer_deinit(&rows->names.items[i]);
    ks_free(rows->names.items);
    ks_free(rows->rows.items);
    ks_buffer_deinit(&rows->text);
    ks_free(rows->path);
    ks_free(rows);
}

int64_t ks_rows_count(const ks_rows *rows) { return rows->rows.count; }

bool ks_rows_have(const ks_rows *rows, ks_string field, char *problem, size_t size) {
    if (!rows->json) {
        if (csv_index(rows, field) >= 0) return true;
        const char **names = ks_alloc((size_t)(rows->names.count + 1) * sizeof *names);
        for (int32_t i = 0; i < rows->names.count; i++) names[i] = (const char *)rows->names.items[i].data;
        const char *nearest = ks_scenario_nearest(field, names);
        fail(rows, 1, problem, size, "there is no field '%.*s'; the nearest is '%.200s'", (int)field.size, field.data, nearest != NULL ? nearest : names[0]);
        ks_free(names);
        return false;
    }
    char *name = ks_strndup(field.data, (size_t)field.size);
    int64_t without = 0;
    for (int32_t i = 0; without == 0 && i < rows->rows.count; i++) {
        json_t *object = json_row(rows, &rows->rows.items[i]);
        if (json_object_get(object, name) == NULL) without = rows->rows.items[i].line;
        json_decref(object);
    }
    ks_free(name);
    return without == 0 || fail(rows, without, problem, size, "this line has no field '%.*s'", (int)field.size, field.data);
}

static void json_text(json_t *value, ks_buffer *out) {
    if (json_is_string(value)) ks_buffer_append(out, json_string_value(value), json_string_length(value));
    else if (!json_is_null(value)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
        ks_buffer_text(out, text);
        free(text);
    }
}

void ks_rows_field(const ks_rows *rows, int64_t index, ks_string field, ks_buffer *out) {
    const row *one = &rows->rows.items[index];
    if (rows->json) {
        char *name = ks_strndup(field.data, (size_t)field.size);
        json_t *object = json_row(rows, one);
        json_text(json_object_get(object, name), out);
        json_decref(object);
        ks_free(name);
        return;
    }
    int64_t at = one->at;
    for (int32_t i = csv_index(rows, field); i > 0; i--, at++) csv_field((const char *)rows->text.data, &at, one->at + one->size, NULL);
    csv_field((const char *)rows->text.data, &at, one->at + one->size, out);
}

void ks_rows_whole(const ks_rows *rows, int64_t index, ks_buffer *out) {
    const row *one = &rows->rows.items[index];
    ks_buffer_append(out, rows->text.data + one->at, (size_t)one->size);
}
