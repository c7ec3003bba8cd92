/* SPDX-License-Identifier: Apache-2.0
 * Files that are written whole or not at all: beside their place first, then moved there. What is no plain file (a pipe, a device)
 * is written where it is.
 */
#ifndef KS_CLI_OUTPUT_H
#define KS_CLI_OUTPUT_H

#include "sim/base/base.h"

#include <stdio.h>

typedef struct ks_output {
    FILE *file;
    const char *command, *path; /* borrowed */
    char *place, *part;         /* where it will be, links followed, and where it is written first; NULL: no plain file, written at once */
} ks_output;

/* False after one line on standard error. */
bool ks_output_open(ks_output *output, const char *command, const char *path);
/* Ends it. `keep` false: leaves nothing, and what stood there before stays. False after one line on standard error: it could not be
 * written whole, and nothing half-written is left. */
bool ks_output_close(ks_output *output, bool keep);
/* Both at once; "-" is standard output. */
bool ks_write_file(const char *command, const char *path, const ks_buffer *text);

#endif
