/* SPDX-License-Identifier: Apache-2.0
 * Whole files or none, said aloud.
 */
#include "sim/cli/output.h"

#include <string.h>

static bool complain(const char *command, const char *path) {
    fprintf(stderr, "ksim %s: %s cannot be written; does its folder exist, may you write there, and is there room?\n", command, path);
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
