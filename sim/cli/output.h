/* SPDX-License-Identifier: Apache-2.0
 * Files that a command writes, whole or not at all (sim/report/whole_file.h), with a line on standard error when they cannot be.
 */
#ifndef KS_CLI_OUTPUT_H
#define KS_CLI_OUTPUT_H

#include "sim/report/whole_file.h"

typedef struct ks_output {
    ks_whole_file whole;
    const char *command, *path; /* borrowed */
} ks_output;

/* False after one line on standard error. */
bool ks_output_open(ks_output *output, const char *command, const char *path);
/* As ks_whole_file_close(); false after one line on standard error. */
bool ks_output_close(ks_output *output, bool keep);
/* Both at once; "-" is standard output. */
bool ks_write_file(const char *command, const char *path, const ks_buffer *text);

#endif
