/* SPDX-License-Identifier: Apache-2.0
 * Whole files or none.
 */
#define _POSIX_C_SOURCE 200809L
#include "sim/cli/output.h"

#include <string.h>
#include <sys/stat.h>

static bool is_special(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static bool complain(const ks_output *output) {
    fprintf(stderr, "ksim %s: %s cannot be written; does its folder exist, may you write there, and is there room?\n", output->command, output->path);
    return false;
}

bool ks_output_open(ks_output *output, const char *command, const char *path) {
    *output = (ks_output){ .command = command, .path = path };
    if (!is_special(path)) {
        size_t size = strlen(path);
        output->part = ks_alloc(size + 6);
        memcpy(output->part, path, size);
        memcpy(output->part + size, ".part", 6);
    }
    output->file = fopen(output->part != NULL ? output->part : path, "wb");
    if (output->file != NULL) return true;
    ks_free(output->part);
    return complain(output);
}

bool ks_output_close(ks_output *output, bool keep) {
    bool whole = !ferror(output->file);
    whole = fclose(output->file) == 0 && whole;
    bool fine = whole || !keep;
    if (output->part != NULL && keep && fine) fine = rename(output->part, output->path) == 0;
    if (output->part != NULL && (!keep || !fine)) remove(output->part);
    ks_free(output->part);
    *output = (ks_output){ .command = output->command, .path = output->path };
    return fine || complain(output);
}

bool ks_write_file(const char *command, const char *path, const ks_buffer *text) {
    ks_output output = { .command = command, .path = "standard output" };
    if (strcmp(path, "-") == 0) {
        bool fine = fwrite(text->data, 1, text->size, stdout) == text->size;
        return (fflush(stdout) == 0 && fine) || complain(&output);
    }
    if (!ks_output_open(&output, command, path)) return false;
    fwrite(text->data, 1, text->size, output.file); /* a failure is the file's ferror */
    return ks_output_close(&output, true);
}
