/* SPDX-License-Identifier: Apache-2.0
 * The built tables, printed in the form of wire_schemas.csv, and the table of APIs, against Kafka's definitions. */
#include "tests/support/test.h"

#include "sim/protocol/messages.h"

typedef char text[600];

static const char *type_name(ks_type type) {
    static const char *const names[] = {
        [KS_TYPE_bool] = "bool",     [KS_TYPE_int8] = "int8",       [KS_TYPE_int16] = "int16",
        [KS_TYPE_int32] = "int32",   [KS_TYPE_int64] = "int64",     [KS_TYPE_uint16] = "uint16",
        [KS_TYPE_uint32] = "uint32", [KS_TYPE_float64] = "float64", [KS_TYPE_string] = "string",
        [KS_TYPE_bytes] = "bytes",   [KS_TYPE_records] = "records", [KS_TYPE_uuid] = "uuid",
        [KS_TYPE_struct] = "struct",
    };
    return names[type];
}

static const char *range(int16_t since, int16_t until, char to[32]) {
    if (since == KS_NEVER) return "";
    if (until == KS_VERSION_MAX)
        snprintf(to, 32, "%d+", since);
    else
        snprintf(to, 32, until == since ? "%d" : "%d-%d", since, until);
    return to;
}

/* Cells of a row that the CSV may spell in several ways, in one spelling: "", "0" and "false" are no default. */
static const char *default_value(const ks_field *field, char to[32]) {
    if (field->fallback_null) return "null";
    if (field->type >= KS_TYPE_string || field->array || field->fallback == 0) return "";
    snprintf(to, 32, "%lld", (long long)field->fallback);
    return to;
}

static void normalise_default(char *cell) {
    if (strcmp(cell, "true") == 0) strcpy(cell, "1");
    if (strcmp(cell, "0") == 0 || strcmp(cell, "false") == 0 || strcmp(cell, "False") == 0) *cell = '\0';
    if (strncmp(cell, "0x", 2) == 0) {
        char number[32];
        snprintf(number, sizeof number, "%lld", strtoll(cell, NULL, 16));
        strcpy(cell, number);
    }
}

static char *next_cell(char **line) {
    char *cell = *line;
    *line += strcspn(*line, ",");
    if (**line == ',') *(*line)++ = '\0';
    return cell;
}

/* The CSV's next row of a described API, struct names taken out; false at the end. */
static bool next_row(FILE *file, text row) {
    text line;
    while (fgets(line, sizeof line, file) != NULL) {
        char *at = line, *cells[14];
        line[strcspn(line, "\r\n")] = '\0';
        for (int i = 0; i < 14; i++) cells[i] = next_cell(&at);
        if (strcmp(cells[0], "key") == 0) continue;
        if (ks_api_find((int16_t)atoi(cells[0])) == NULL) continue;
        char fallback[32];
        snprintf(fallback, sizeof fallback, "%s", cells[11]);
        normalise_default(fallback);
        snprintf(row, sizeof(text), "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s", cells[0], cells[1], cells[2], cells[3],
                 cells[4], cells[5], cells[7], cells[8], cells[9], cells[10], fallback, cells[12], cells[13]);
        return true;
    }
    return false;
}

typedef struct walk {
    FILE *file;
    const ks_api *api;
    const char *direction;
    int rows;
} walk;

static void check_row(walk *w, const ks_field *field, const char *path) {
    text expected, got;
    char flexible[8] = "", versions[32], nullable[32], tag[8] = "", tagged[32], fallback[32];
    if (w->api->flexible_since != KS_NEVER) snprintf(flexible, sizeof flexible, "%d", w->api->flexible_since);
    if (field->tagged_since != KS_NEVER) snprintf(tag, sizeof tag, "%d", field->tag);
    snprintf(got, sizeof got, "%d,%s,%s,%s,%s,%s%s,%s,%s,%s,%s,%s,%s,%s", w->api->key, w->api->name, w->direction,
             flexible, path, field->array ? "[]" : "", type_name(field->type),
             range(field->since, field->until, versions), range(field->nullable_since, field->nullable_until, nullable),
             tag, range(field->tagged_since, KS_VERSION_MAX, tagged), default_value(field, fallback),
             field->ignorable ? "1" : "", field->map_key ? "1" : "");
    if (!next_row(w->file, expected)) fail_msg("not in the CSV: %s", got);
    assert_string_equal(got, expected);
    w->rows++;
}

static void check_struct(walk *w, const ks_struct *type, const char *prefix) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        const ks_field *field = &type->fields[i];
        char path[300];
        snprintf(path, sizeof path, "%s%s", prefix, field->name);
        check_row(w, field, path);
        if (field->type != KS_TYPE_struct) continue;
        strcat(path, field->array ? "[]." : ".");
        check_struct(w, field->sub(), path);
    }
}

static void every_field_is_as_kafka_defines_it(void **state) {
    text row;
    walk w = { .file = ks_vectors_open("wire_schemas.csv") };
    if (w.file == NULL) return;
    for (int32_t i = 0; i < ks_api_count(); i++) {
        w.api = ks_api_at(i);
        w.direction = "request";
        check_struct(&w, w.api->request(), "");
        w.direction = "response";
        check_struct(&w, w.api->response(), "");
    }
    assert_false(next_row(w.file, row));
    assert_true(w.rows > 400);
    fclose(w.file);
}

static void every_api_is_served_in_the_versions_of_the_table(void **state) {
    char line[1024];
    enum { KEY, NAME, TIER, FLEXIBLE_FROM, SIM_MIN, SIM_MAX, ADVERTISE_MIN, COLUMNS };
    int found = 0;
    FILE *file = ks_vectors_open("wire_api_versions.csv");
    if (file == NULL) return;
    while (fgets(line, sizeof line, file) != NULL) {
        char *at = line, *cells[COLUMNS];
        for (int i = 0; i < COLUMNS; i++) cells[i] = next_cell(&at);
        if (strcmp(cells[KEY], "key") == 0) continue;
        assert_string_equal(ks_api_name((int16_t)atoi(cells[KEY])), cells[NAME]);
        const ks_api *api = ks_api_find((int16_t)atoi(cells[KEY]));
        if (api == NULL) continue;
        assert_int_equal(api->since, atoi(cells[SIM_MIN]));
        assert_int_equal(api->until, atoi(cells[SIM_MAX]));
        assert_int_equal(api->advertise_since, atoi(cells[ADVERTISE_MIN]));
        if (api->flexible_since != KS_NEVER) assert_int_equal(api->flexible_since, atoi(cells[FLEXIBLE_FROM]));
        assert_ptr_equal(ks_api_find_name(api->name), api);
        found++;
    }
    assert_int_equal(found, ks_api_count());
    fclose(file);
}

static void apis_are_found_by_key_and_name_and_strangers_are_not(void **state) {
    assert_null(ks_api_find(-1));
    assert_null(ks_api_find(17));
    assert_null(ks_api_find(INT16_MAX));
    assert_null(ks_api_find_name("joingroup"));
    assert_string_equal(ks_api_name(11), "JoinGroup");
    assert_string_equal(ks_api_name(17), "SaslHandshake");
    assert_string_equal(ks_api_name(-3), "unknown API");
    for (int32_t i = 1; i < ks_api_count(); i++) assert_true(ks_api_at(i - 1)->key < ks_api_at(i)->key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_as_kafka_defines_it),
        cmocka_unit_test(every_api_is_served_in_the_versions_of_the_table),
        cmocka_unit_test(apis_are_found_by_key_and_name_and_strangers_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
