/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files that a person names: traces, scenarios, rows.
 */
#ifndef KS_FILE_H
#define KS_FILE_H

#include "sim/base/base.h"

/* Appends the file to the empty buffer `out`. NULL, or what is wrong and what to do, to be written behind the path. A regular
 * file or, when `pipes`, a pipe (which can be read only once); folders and devices are refused. Reading stops soon after `most`
 * bytes: a buffer with more than these is a file that is too large, which the caller says. Blocks while it reads. */
const char *ks_file_read(const char *path, size_t most, bool pipes, ks_buffer *out);

#endif
