/* SPDX-License-Identifier: Apache-2.0
 *
 * What a `produce` sends: the texts of its messages, made from a pattern (`{n}` is the message's number, from 0) or from the rows
 * of a CSV or JSON-lines file, whose fields stand in the patterns by their names: key={user} value="{event} {n}". Without value=
 * a message of a file is the whole row. A file is read and checked whole before anything is sent.
 */
#ifndef KS_SCENARIO_TEXTS_H
#define KS_SCENARIO_TEXTS_H

#include "sim/scenario/command.h"

typedef struct ks_rows ks_rows; /* of a file */

typedef struct ks_texts {
    const char *key, *value; /* patterns, borrowed from the command; NULL: no key, the whole row */
    ks_rows *rows;           /* owned; NULL: no file */
    int64_t count;           /* messages */
} ks_texts;

enum { KS_TEXTS_MAX = 10000000, KS_TEXTS_FILE_MAX = 256 * 1024 * 1024, KS_TEXTS_PATH_MAX = 4096 };

/* `command` must outlive it. `folder`: where relative file names begin; "" is the working folder. False: `problem` says what is
 * wrong with the command or file (then with "FILE:LINE: "), `column` where in the command; nothing to close. */
bool ks_texts_open(ks_texts *texts, const ks_command_line *command, const char *folder, int32_t *column, char *problem, size_t size);
void ks_texts_close(ks_texts *texts);
/* The file that `from=` names, as the working folder sees it. False: there is no from=, or its path is too long. */
bool ks_texts_file(const ks_command_line *command, const char *folder, char *path, size_t size);
/* The n-th message, appended to empty buffers. Cost: of its text. */
void ks_texts_make(const ks_texts *texts, int64_t n, ks_buffer *key, bool *has_key, ks_buffer *value);

#endif
