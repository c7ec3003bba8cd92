/* SPDX-License-Identifier: Apache-2.0
 * Patterns filled from numbers and from the rows of a file.
 */
#include "sim/scenario/texts.h"

#include <stdio.h>

#include "sim/scenario/rows.h"

static bool in_name(char ch) { return ch != '\0' && ch != '}' && ch != '{' && ch != '"' && ch != ':' && ch != ','; }

/* The name between the braces at `at`; size 0: these braces are text, as in JSON. */
static ks_string placeholder(const char *at) {
    int32_t size = 0;
    if (*at != '{') return (ks_string){ at, 0 };
    while (in_name(at[1 + size])) size++;
    return (ks_string){ at + 1, at[1 + size] == '}' ? size : 0 };
}

static bool is_number(ks_string name) { return ks_string_equal(name, KS_LITERAL("n")); }

static void fill(const ks_texts *texts, const char *pattern, int64_t n, ks_buffer *out) {
    while (*pattern != '\0') {
        ks_string name = placeholder(pattern);
        if (name.size > 0 && is_number(name)) ks_buffer_i64(out, n);
        else if (name.size == 0 || texts->rows == NULL) {
            ks_buffer_append(out, pattern++, 1);
            continue;
        } else ks_rows_field(texts->rows, n, name, out);
        pattern += name.size + 2;
    }
}

void ks_texts_make(const ks_texts *texts, int64_t n, ks_buffer *key, bool *has_key, ks_buffer *value) {
    *has_key = texts->key != NULL;
    if (texts->key != NULL) fill(texts, texts->key, n, key);
    if (texts->value != NULL) fill(texts, texts->value, n, value);
    else ks_rows_whole(texts->rows, n, value);
}

/* Every field that a pattern names is in every row. */
static bool fields_are_there(const ks_texts *texts, const char *pattern, char *problem, size_t size) {
    for (; pattern != NULL && *pattern != '\0'; pattern++) {
        ks_string name = placeholder(pattern);
        if (name.size > 0 && !is_number(name) && !ks_rows_have(texts->rows, name, problem, size)) return false;
    }
    return true;
}

bool ks_texts_file(const ks_command_line *command, const char *folder, char *path, size_t size) {
    const char *name = ks_pair_text(command, "from", NULL);
    return name != NULL && snprintf(path, size, "%s%s", name[0] == '/' ? "" : folder, name) < (int)size;
}

bool ks_texts_open(ks_texts *texts, const ks_command_line *command, const char *folder, int32_t *column, char *problem, size_t size) {
    const ks_pair *from = ks_pair_find(command, "from"), *count = ks_pair_find(command, "count");
    *texts = (ks_texts){ .key = ks_pair_text(command, "key", NULL), .value = ks_pair_text(command, "value", from ? NULL : "message {n}"),
                         .count = ks_pair_int(command, "count", 1) };
    if (count != NULL && (texts->count < 1 || texts->count > KS_TEXTS_MAX)) {
        *column = count->value.column;
        snprintf(problem, size, "count is 1 to %d, not %lld", KS_TEXTS_MAX, (long long)texts->count);
        return false;
    }
    if (from == NULL) return true;
    *column = from->value.column;
    char path[KS_TEXTS_PATH_MAX];
    if (!ks_texts_file(command, folder, path, sizeof path)) {
        snprintf(problem, size, "from= names a file by a path that is too long");
        return false;
    }
    texts->rows = ks_rows_open(path, problem, size);
    if (texts->rows == NULL) return false;
    int64_t rows = ks_rows_count(texts->rows);
    if (count == NULL || texts->count > rows) texts->count = rows;
    for (int i = 0; i < 2; i++) {
        const ks_pair *pattern = ks_pair_find(command, i ? "value" : "key");
        if (pattern == NULL || fields_are_there(texts, pattern->value.text.data, problem, size)) continue;
        *column = pattern->value.column;
        ks_texts_close(texts);
        return false;
    }
    return true;
}

void ks_texts_close(ks_texts *texts) {
    ks_rows_close(texts->rows);
    *texts = (ks_texts){ 0 };
}
