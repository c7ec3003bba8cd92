/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "sim/report/whole_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where the file is, links followed; as it was given when it is not there yet. Owned: free(). */
static char *place_of(const char *path) {
    char *real = realpath(path, NULL);
    return real != NULL ? real : strdup(path);
}

bool ks_whole_file_open(ks_whole_file *whole, const char *path) {
    struct stat status;
    *whole = (ks_whole_file){ 0 };
    bool exists = stat(path, &status) == 0;
    if (exists && !S_ISREG(status.st_mode)) {
        whole->file = fopen(path, "wb");
        return whole->file != NULL;
    }
    whole->place = place_of(path);
    ks_buffer part = { 0 };
    ks_buffer_printf(&part, "%s.part", whole->place);
    whole->part = ks_buffer_take(&part);
    whole->file = fopen(whole->part, "wb");
    if (whole->file != NULL && exists) fchmod(fileno(whole->file), status.st_mode & 07777);
    if (whole->file != NULL) return true;
    free(whole->place);
    ks_free(whole->part);
    return false;
}

bool ks_whole_file_close(ks_whole_file *whole, bool keep) {
    bool written = !ferror(whole->file);
    written = fclose(whole->file) == 0 && written;
    bool fine = written || !keep;
    if (whole->part != NULL && keep && fine) fine = rename(whole->part, whole->place) == 0;
    if (whole->part != NULL && (!keep || !fine)) remove(whole->part);
    free(whole->place);
    ks_free(whole->part);
    *whole = (ks_whole_file){ 0 };
    return fine;
}

bool ks_whole_file_write(const char *path, const ks_buffer *text) {
    ks_whole_file whole;
    if (!ks_whole_file_open(&whole, path)) return false;
    fwrite(text->data, 1, text->size, whole.file); /* a failure is the file's ferror */
    return ks_whole_file_close(&whole, true);
}
