/* SPDX-License-Identifier: Apache-2.0
 * Reading what a person names on a command line: it may be anything, so the kind is asked for and the size is bounded while reading.
 */
#define _POSIX_C_SOURCE 200809L
#include "sim/base/file.h"

#include <stdio.h>
#include <sys/stat.h>

const char *ks_file_read(const char *path, size_t most, bool pipes, ks_buffer *out) {
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (file == NULL) return "cannot be opened; does it exist, and may you read it?";
    const char *problem = NULL;
    if (fstat(fileno(file), &status) != 0 || !(S_ISREG(status.st_mode) || (pipes && S_ISFIFO(status.st_mode))))
        problem = "is no file that can be read whole; is it a folder or a device?";
    char chunk[65536];
    size_t got;
    while (problem == NULL && out->size <= most && (got = fread(chunk, 1, sizeof chunk, file)) > 0) ks_buffer_append(out, chunk, got);
    if (problem == NULL && ferror(file)) problem = "cannot be read to its end";
    fclose(file);
    return problem;
}
