/* SPDX-License-Identifier: Apache-2.0
 * Whole files or none, said aloud.
 */
#define _POSIX_C_SOURCE 200809L
#include "sim/cli/output.h"

#include "sim/cli/open.h"

#include <string.h>
#include <sys/stat.h>

static bool complain(const char *command, const char *path) {
    fprintf(stderr, "ksim %s: %s cannot be written; does its folder exist, may you write there, and is there room?\n", command, path);
    return false;
}

/* Of the folder that a path names a file in. */
static bool folder_status(const char *path, struct stat *status) {
    ks_buffer folder = { 0 };
    ks_buffer_printf(&folder, "%.*s.", (int)(ks_base_name(path) - path), path);
    bool found = stat((const char *)folder.data, status) == 0;
    ks_buffer_deinit(&folder);
    return found;
}

/* Also when it is not there yet. */
static bool same_file(const char *a, const char *b) {
    struct stat one, two;
    bool there = stat(a, &one) == 0;
    if (there != (stat(b, &two) == 0)) return false;
    if (there && !S_ISREG(one.st_mode)) return false;
    if (!there && (strcmp(ks_base_name(a), ks_base_name(b)) != 0 || !folder_status(a, &one) || !folder_status(b, &two))) return false;
    return one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

bool ks_output_apart(const char *command, const char *option, const char *path, const char *what, const char *other) {
    if (path == NULL || other == NULL || !same_file(path, other)) return true;
    fprintf(stderr, "ksim %s: %s %s would replace %s, %s; give %s a file of its own\n", command, option, path, what, other, option);
    return false;
}

bool ks_output_open(ks_output *output, const char *command, const char *path) {
    *output = (ks_output){ .command = command, .path = path };
    return ks_whole_file_open(&output->whole, path) || complain(command, path);
}

bool ks_output_close(ks_output *output, bool keep) {
    return ks_whole_file_close(&output->whole, keep) || complain(output->command, output->path);
}

bool ks_write_file(const char *command, const char *path, const ks_buffer *text) {
    if (strcmp(path, "-") != 0) return ks_whole_file_write(path, text) || complain(command, path);
    bool fine = fwrite(text->data, 1, text->size, stdout) == text->size;
    return (fflush(stdout) == 0 && fine) || complain(command, "standard output");
}
