/* SPDX-License-Identifier: Apache-2.0
 * Whole files or none.
 */
#define _XOPEN_SOURCE 700
#include "sim/cli/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool complain(const ks_output *output) {
    fprintf(stderr, "ksim %s: %s cannot be written; does its folder exist, may you write there, and is there room?\n", output->command, output->path);
    return false;
}

/* Where the file is, links followed; as it was given when it is not there yet. Owned: free(). */
static char *place_of(const char *path) {
    char *real = realpath(path, NULL);
    return real != NULL ? real : strdup(path);
}

bool ks_output_open(ks_output *output, const char *command, const char *path) {
    struct stat status;
    *output = (ks_output){ .command = command, .path = path };
    bool exists = stat(path, &status) == 0;
    if (exists && !S_ISREG(status.st_mode)) {
        output->file = fopen(path, "wb");
        return output->file != NULL || complain(output);
    }
    output->place = place_of(path);
    ks_buffer part = { 0 };
    ks_buffer_printf(&part, "%s.part", output->place);
    output->part = ks_buffer_take(&part);
    output->file = fopen(output->part, "wb");
    if (output->file != NULL && exists) fchmod(fileno(output->file), status.st_mode & 07777);
    if (output->file != NULL) return true;
    free(output->place);
    ks_free(output->part);
    return complain(output);
}

bool ks_output_close(ks_output *output, bool keep) {
    bool whole = !ferror(output->file);
    whole = fclose(output->file) == 0 && whole;
    bool fine = whole || !keep;
    if (output->part != NULL && keep && fine) fine = rename(output->part, output->place) == 0;
    if (output->part != NULL && (!keep || !fine)) remove(output->part);
    free(output->place);
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
