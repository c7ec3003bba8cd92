/* SPDX-License-Identifier: Apache-2.0
 * Files that are written whole or not at all: beside their place first, in a file of their own, then moved there. What is no plain
 * file (a pipe, a device) is written where it is.
 */
#ifndef KS_BASE_WHOLE_FILE_H
#define KS_BASE_WHOLE_FILE_H

#include "sim/base/base.h"

#include <stdio.h>

typedef struct ks_whole_file {
    FILE *file;
    char *place, *part; /* where it will be, links followed, and where it is written first; NULL: no plain file, written at once */
} ks_whole_file;

/* False: it cannot be written; nothing was changed. */
bool ks_whole_file_open(ks_whole_file *whole, const char *path);
/* Ends it. `keep` false: leaves nothing, and what stood there before stays. False: it could not be written whole, and nothing
 * half-written is left. */
bool ks_whole_file_close(ks_whole_file *whole, bool keep);
/* Both at once. */
bool ks_whole_file_write(const char *path, const ks_buffer *text);

#endif
