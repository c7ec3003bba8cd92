/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

FILE *ks_vectors_open(const char *name) {
    const char *own = getenv("KAFKASIM_VECTORS");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", own ? own : KS_TEST_VECTORS, name);
    FILE *file = fopen(path, "r");
    if (file == NULL && own == NULL) fail_msg("vector file %s is missing", path);
    if (file == NULL) print_message("passed over: KAFKASIM_VECTORS has no %s\n", name);
    return file;
}

json_t *ks_vectors_next_json(FILE *file, const char *name, int *line) {
    json_error_t error;
    int c;
    do c = getc(file); while (c == '\n' || c == '\r' || c == ' ');
    if (c == EOF) return NULL;
    ungetc(c, file);
    (*line)++;
    json_t *json = json_loadf(file, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &error);
    if (json == NULL) fail_msg("%s, record %d: %s", name, *line, error.text);
    return json;
}

static int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    fail_msg("'%c' is not a hex digit", c);
    return 0;
}

uint8_t *ks_test_unhex(const char *hex, size_t *size) {
    size_t length = strlen(hex);
    uint8_t *bytes = malloc(length / 2 + 1);
    for (size_t i = 0; i < length / 2; i++) bytes[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    *size = length / 2;
    return bytes;
}
