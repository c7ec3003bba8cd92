/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 8's input: made-up events, or the lines of a file, each with its key.
 */
#ifndef LAB07_CAPSTONE_INPUT_H
#define LAB07_CAPSTONE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct capstone_input capstone_input;

/* Opens the file, or (path NULL) makes up 300 events of 12 users. `key` names the field that is the key: a column's name or
 * number (from 1) of a CSV file whose first line names the columns, or a member of JSON lines; NULL: the whole line. NULL
 * after one line on standard error when the file cannot be read or has no such field. */
capstone_input *capstone_input_open(const char *path, const char *key);
/* The next line without its end, and its key (views until the next call). False at the end, or when `*problem` is set. */
bool capstone_input_next(capstone_input *input, const char **key, size_t *key_size, const char **line, size_t *line_size);
/* Bytes read so far and in all, for the progress bar; all is 0 for made-up events. */
void capstone_input_progress(const capstone_input *input, long *read, long *all);
/* The line that ended the input early (e.g. one without the key's field); 0: none. `why` is static text. */
long capstone_input_failed(const capstone_input *input, const char **why);
void capstone_input_close(capstone_input *input);

#endif
