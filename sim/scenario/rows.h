/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of a data file in memory: CSV (RFC 4180, the first row names the fields) or JSON lines (an object a line), told apart
 * by the file's name. Checked whole when it is opened, in time linear in its size.
 */
#ifndef KS_SCENARIO_ROWS_H
#define KS_SCENARIO_ROWS_H

#include "sim/base/base.h"

typedef struct ks_rows ks_rows;

/* NULL: `problem` says "FILE:LINE: what is wrong". */
ks_rows *ks_rows_open(const char *path, char *problem, size_t size);
/* The same of a file of that name that holds `text`. */
ks_rows *ks_rows_read(const char *path, const char *text, size_t text_size, char *problem, size_t size);
void ks_rows_close(ks_rows *rows); /* NULL is allowed */
int64_t ks_rows_count(const ks_rows *rows);
/* Does every row have the field? False: `problem` names a row without it, or the nearest field. */
bool ks_rows_have(const ks_rows *rows, ks_string field, char *problem, size_t size);
/* Appends a field's text: of CSV without its quotes, of JSON a string's text, null nothing, else its JSON. Cost: of the row. */
void ks_rows_field(const ks_rows *rows, int64_t row, ks_string field, ks_buffer *out);
void ks_rows_whole(const ks_rows *rows, int64_t row, ks_buffer *out); /* the row as it stands in the file */

#endif
