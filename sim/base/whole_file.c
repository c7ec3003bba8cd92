/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "sim/base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the file is, links followed; as it was given when it is not there yet. Owned: free(). */
static char *place_of(const char *path) {
    char *real = realpath(path, NULL);
    return real != NULL ? real : strdup(path);
}

enum { MOST_PARTS = 1000 }; /* at once beside one place, with what killed programs left */

/* A file of its own beside the place: one that stands there already, or a link, is somebody else's. The system applies the umask to
 * `mode`: to ask for the umask is to change it, for all threads. O(parts that stand there). */
static FILE *open_part(const char *place, mode_t mode, char **part) {
    for (int i = 0; i < MOST_PARTS; i++) {
        ks_buffer name = { 0 };
        if (i == 0) ks_buffer_printf(&name, "%s.part", place);
        else ks_buffer_printf(&name, "%s.part%d", place, i);
        *part = ks_buffer_take(&name);
        int file = open(*part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        bool taken = file < 0 && errno == EEXIST;
        FILE *stream = file >= 0 ? fdopen(file, "wb") : NULL;
        if (stream != NULL) return stream;
        if (file >= 0) {
            close(file);
            remove(*part);
        }
        ks_free(*part);
        *part = NULL;
        if (!taken) return NULL;
    }
    return NULL;
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
    whole->file = open_part(whole->place, exists ? status.st_mode & 0777 : 0666, &whole->part);
    if (whole->file != NULL && exists) fchmod(fileno(whole->file), status.st_mode & 07777);
    if (whole->file != NULL) return true;
    free(whole->place);
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
