/* SPDX-License-Identifier: Apache-2.0
 * Files that a command writes, whole or not at all (sim/base/whole_file.h), with a line on standard error when they cannot be, or when
 * they would replace what the command reads or writes elsewhere.
 */
#ifndef KS_CLI_OUTPUT_H
#define KS_CLI_OUTPUT_H

#include "sim/base/whole_file.h"

typedef struct ks_output {
    ks_whole_file whole;
    const char *command, *path; /* borrowed */
} ks_output;

/* That what `option` writes to `path` is not `other`, a file that the command reads or writes too; `what` names it: "its input", "--svg".
 * Links are followed; a device or a pipe replaces nothing. Either path may be NULL: not asked for. False after one line on standard
 * error. */
bool ks_output_apart(const char *command, const char *option, const char *path, const char *what, const char *other);
/* False after one line on standard error. */
bool ks_output_open(ks_output *output, const char *command, const char *path);
/* As ks_whole_file_close(); false after one line on standard error. */
bool ks_output_close(ks_output *output, bool keep);
/* Both at once; "-" is standard output. */
bool ks_write_file(const char *command, const char *path, const ks_buffer *text);

#endif
