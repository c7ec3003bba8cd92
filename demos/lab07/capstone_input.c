/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "demos/lab07/capstone_input.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MADE_UP = 300, USERS = 12 };

struct capstone_input {
    FILE *file; /* NULL: made-up events */
    char *line;
    size_t capacity;
    long number, read, all; /* line number; bytes */
    const char *key;        /* as asked; NULL: whole line */
    int column;             /* CSV: from 1; 0: JSON lines or whole line */
    char *field;            /* the key of the current line */
    bool had_nul;
    const char *problem;
};

/* RFC 4180: the n-th field (from 1) of a line, unquoted into `out` (as large as the line). False: there are fewer. */
static bool csv_field(const char *line, size_t size, int n, char *out, size_t *out_size) {
    size_t i = 0;
    for (int field = 1;; field++) {
        size_t length = 0;
        if (i < size && line[i] == '"') {
            for (i++; i < size; i++) {
                if (line[i] == '"' && i + 1 < size && line[i + 1] == '"') i++;
                else if (line[i] == '"') break;
                out[length++] = line[i];
            }
            i += i < size;
        }
        while (i < size && line[i] != ',') out[length++] = line[i++];
        if (field == n) {
            *out_size = length;
            return true;
        }
        if (i >= size) return false;
        i++;
    }
}

static bool next_line(capstone_input *input, size_t *size) {
    ssize_t got = getline(&input->line, &input->capacity, input->file);
    if (got < 0) {
        if (ferror(input->file)) input->problem = "it could not be read";
        return false;
    }
    input->number++;
    input->read += got;
    while (got > 0 && (input->line[got - 1] == '\n' || input->line[got - 1] == '\r')) got--;
    *size = (size_t)got;
    input->field = realloc(input->field, *size + 1);
    return true;
}

/* A first line that is no JSON object names the columns. */
static bool find_column(capstone_input *input, const char *path) {
    size_t size;
    if (!next_line(input, &size)) return true; /* an empty file has no lines, and no key is missed */
    if (size > 0 && input->line[0] == '{') {
        rewind(input->file);
        input->number = input->read = 0;
        return true;
    }
    char *end;
    long number = strtol(input->key, &end, 10);
    size_t length;
    for (int n = 1; csv_field(input->line, size, n, input->field, &length); n++) {
        if ((*end == '\0' && number == n) || (length == strlen(input->key) && memcmp(input->field, input->key, length) == 0)) {
            input->column = n;
            return true;
        }
    }
    fprintf(stderr, "%s:1: no column is named (or numbered) '%s'\n", path, input->key);
    return false;
}

capstone_input *capstone_input_open(const char *path, const char *key) {
    capstone_input *input = calloc(1, sizeof *input);
    input->key = key;
    if (path == NULL) return input;
    struct stat about;
    if (stat(path, &about) != 0 || (input->file = fopen(path, "rb")) == NULL) {
        fprintf(stderr, "%s: cannot be opened; does it exist, and may you read it?\n", path);
    } else if (S_ISDIR(about.st_mode)) {
        fprintf(stderr, "%s: is a directory; name a file\n", path);
    } else {
        input->all = (long)about.st_size;
        if (key == NULL || find_column(input, path)) return input;
    }
    capstone_input_close(input);
    return NULL;
}

static bool json_key(capstone_input *input, size_t size, const char **key, size_t *key_size) {
    json_error_t error;
    json_t *object = json_loadb(input->line, size, 0, &error), *value = json_object_get(object, input->key);
    if (value == NULL) {
        input->problem = object == NULL ? "it is not a JSON object" : "it has no such member";
        json_decref(object);
        return false;
    }
    char *text = json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(object);
    free(input->field);
    input->field = text;
    *key = text;
    *key_size = strlen(text);
    return true;
}

bool capstone_input_next(capstone_input *input, const char **key, size_t *key_size, const char **line, size_t *line_size) {
    static const char *const types[] = { "login", "view", "order", "logout" };
    if (input->file == NULL) {
        if (input->number == MADE_UP) return false;
        input->line = realloc(input->line, 64);
        input->field = realloc(input->field, 32);
        *key_size = (size_t)snprintf(input->field, 32, "user-%ld", (input->number * 7) % USERS);
        *line_size = (size_t)snprintf(input->line, 64, "%s %ld", types[input->number % 4], input->number);
        *key = input->field;
        *line = input->line;
        input->number++;
        return true;
    }
    size_t size;
    do {
        if (input->problem != NULL || !next_line(input, &size)) return false;
    } while (size == 0); /* empty lines hold nothing */
    *key = *line = input->line;
    *key_size = *line_size = size;
    if (input->key == NULL) return true;
    if (input->column == 0) return json_key(input, size, key, key_size);
    *key = input->field;
    if (csv_field(input->line, size, input->column, input->field, key_size)) return true;
    input->problem = "it has too few columns";
    return false;
}

void capstone_input_progress(const capstone_input *input, long *read, long *all) {
    *read = input->read;
    *all = input->all;
}

long capstone_input_failed(const capstone_input *input, const char **why) {
    *why = input->problem;
    return input->problem ? input->number : 0;
}

void capstone_input_close(capstone_input *input) {
    if (input == NULL) return;
    if (input->file != NULL) fclose(input->file);
    free(input->line);
    free(input->field);
    free(input);
}
