/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cli/open.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/cli/command.h"

const char *ks_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool ks_open(const char *command, const char *path, bool has_seed, uint64_t seed, ks_opened *opened) {
    char problem[1024];
    *opened = (ks_opened){ 0 };
    (void)has_seed;
    (void)seed;
    opened->recording = ks_recording_load(path, problem, sizeof problem);
    if (opened->recording == NULL) {
        fprintf(stderr, "ksim %s: %s\n", command, problem);
        return false;
    }
    opened->story = ks_story_new(opened->recording);
    return true;
}

void ks_opened_close(ks_opened *opened) {
    ks_story_free(opened->story);
    ks_recording_free(opened->recording);
    free(opened->report);
    *opened = (ks_opened){ 0 };
}

bool ks_write_file(const char *command, const char *path, const ks_buffer *text) {
    if (strcmp(path, "-") == 0) return fwrite(text->data, 1, text->size, stdout) == text->size;
    size_t size = strlen(path);
    char *part = malloc(size + 6); /* written beside it first, so that nothing half-written stays */
    memcpy(part, path, size);
    memcpy(part + size, ".part", 6);
    FILE *file = fopen(part, "wb");
    bool fine = file != NULL && fwrite(text->data, 1, text->size, file) == text->size;
    if (file != NULL) fine = (fclose(file) == 0) && fine;
    fine = fine && rename(part, path) == 0;
    if (!fine) {
        remove(part);
        fprintf(stderr, "ksim %s: %s cannot be written; does its folder exist, and is there room?\n", command, path);
    }
    free(part);
    return fine;
}
