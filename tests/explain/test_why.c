/* SPDX-License-Identifier: Apache-2.0
 * Advice: the table that is documented is the table that is given.
 */
#include "tests/support/test.h"

#include "sim/explain/remedies.h"

static char *documented(void) {
    FILE *file = fopen(KS_TEST_VECTORS "/../../docs/why.md", "rb");
    if (file == NULL) fail_msg("docs/why.md is missing");
    char *text = calloc(1, 1 << 18);
    size_t size = fread(text, 1, (1 << 18) - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void the_documented_table_is_the_one_that_is_used(void **state) {
    (void)state;
    char *text = documented();
    const char *table = strstr(text, "| trigger | client | setting | value | what it does |\n");
    assert_non_null(table);
    ks_buffer rows = { 0 };
    for (int32_t i = 0; i < ks_remedy_count; i++)
        for (int32_t s = 0; s < 2; s++) {
            const ks_setting_row *row = &ks_remedies[i].settings[s];
            if (row->name == NULL) continue;
            ks_buffer_printf(&rows, "| %s | %s | `%s`%s | %s | %s |\n", ks_remedies[i].trigger, ks_remedies[i].client, row->name,
                             row->of_brokers ? " of the brokers" : "", row->value, row->does);
        }
    table = strchr(strchr(table, '\n') + 1, '\n') + 1;
    if (getenv("KSIM_REWRITE") != NULL) {
        FILE *file = fopen(KS_TEST_VECTORS "/../../docs/why.md", "wb");
        fwrite(text, 1, (size_t)(table - text), file);
        fwrite(rows.data, 1, rows.size, file);
        fclose(file);
    } else if (strcmp(table, (char *)rows.data) != 0) fail_msg("docs/why.md does not end with this table:\n%s", (char *)rows.data);
    ks_buffer_deinit(&rows);
    free(text);
}

static void no_trigger_and_client_stand_twice(void **state) {
    (void)state;
    for (int32_t i = 0; i < ks_remedy_count; i++) {
        assert_non_null(ks_remedies[i].settings[0].name);
        for (int32_t o = 0; o < i; o++)
            assert_false(strcmp(ks_remedies[i].trigger, ks_remedies[o].trigger) == 0 && strcmp(ks_remedies[i].client, ks_remedies[o].client) == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_table_is_the_one_that_is_used),
        cmocka_unit_test(no_trigger_and_client_stand_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
