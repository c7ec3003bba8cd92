/* SPDX-License-Identifier: Apache-2.0
 * Text on a terminal is measured in columns, not in bytes: a letter of Chinese takes two, an accent none. What the terminal's character
 * set does not have is shown as '?'.
 */
#ifndef KS_CLI_TEXT_H
#define KS_CLI_TEXT_H

#include "sim/base/base.h"

/* Once, before the others: learns the character set from the environment. */
void ks_text_begin(void);
/* Replaces in place what cannot be shown; `text` is UTF-8 that was made harmless (ks_words_escape). */
void ks_text_clean(ks_buffer *text);
/* Bytes of `text` that fit into `columns`, and how many columns they take (may be NULL). */
size_t ks_text_fit(const char *text, size_t size, int columns, int *used);
/* The same, broken at the last blank where there is one. 0 only for an empty text. */
size_t ks_text_line(const char *text, size_t size, int columns);
/* Appends exactly `columns`: padded, or cut with a '~' in the middle, so that a partition's number at the end can still be read. */
void ks_text_left(ks_buffer *out, const char *text, size_t size, int columns);
void ks_text_right(ks_buffer *out, const char *text, int columns);

/* Columns of the terminal on standard output; 0: it is none. */
int ks_text_window(void);

#endif
