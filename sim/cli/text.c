/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "sim/cli/text.h"

#include <langinfo.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

static bool utf8;

void ks_text_begin(void) {
    setlocale(LC_CTYPE, "");
    utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static size_t length_of(const char *text, size_t size) {
    size_t n = 1;
    while (n < size && ((unsigned char)text[n] & 0xC0) == 0x80) n++;
    return n;
}

/* Columns of one character; -1: it cannot be shown. */
static int width_of(const char *text, size_t size) {
    if ((unsigned char)*text < 0x80) return (unsigned char)*text < 0x20 || *text == 0x7F ? -1 : 1;
    if (!utf8) return -1;
    wchar_t wide;
    mbstate_t state = { 0 };
    size_t n = mbrtowc(&wide, text, size, &state);
    return n == (size_t)-1 || n == (size_t)-2 ? -1 : wcwidth(wide);
}

void ks_text_clean(ks_buffer *text) {
    char *to = (char *)text->data;
    for (size_t i = 0; i < text->size;) {
        const char *from = (const char *)text->data + i;
        size_t n = length_of(from, text->size - i);
        if (*from == '\n' || width_of(from, n) >= 0) {
            memmove(to, from, n);
            to += n;
        } else *to++ = '?';
        i += n;
    }
    if (text->size > 0) text->size = (size_t)(to - (char *)text->data);
    ks_buffer_text(text, "");
}

size_t ks_text_fit(const char *text, size_t size, int columns, int *used) {
    size_t at = 0;
    int column = 0;
    while (at < size) {
        size_t n = length_of(text + at, size - at);
        int width = width_of(text + at, n);
        if (width < 0) width = 1;
        if (column + width > columns) break;
        column += width;
        at += n;
    }
    if (used != NULL) *used = column;
    return at;
}

size_t ks_text_line(const char *text, size_t size, int columns) {
    const char *end = memchr(text, '\n', size);
    if (end != NULL) size = (size_t)(end - text);
    size_t take = ks_text_fit(text, size, columns, NULL);
    if (take == size) return take;
    for (size_t blank = take; blank > 0; blank--)
        if (text[blank] == ' ') return blank;
    return take > 0 ? take : length_of(text, size); /* a letter that is wider than the window */
}

static void blanks(ks_buffer *out, int count) {
    for (; count > 0; count--) ks_buffer_text(out, " ");
}

void ks_text_left(ks_buffer *out, const char *text, size_t size, int columns) {
    int used, tail_columns = columns / 2;
    if (ks_text_fit(text, size, columns, &used) == size) {
        ks_buffer_append(out, text, size);
        blanks(out, columns - used);
        return;
    }
    size_t tail = size; /* the longest end that fits into the second half */
    while (tail > 0) {
        size_t before = tail - 1;
        while (before > 0 && ((unsigned char)text[before] & 0xC0) == 0x80) before--;
        if (ks_text_fit(text + before, size - before, tail_columns, NULL) < size - before) break;
        tail = before;
    }
    ks_text_fit(text + tail, size - tail, tail_columns, &tail_columns);
    size_t head = ks_text_fit(text, size, columns - tail_columns - 1, &used);
    ks_buffer_append(out, text, head);
    ks_buffer_text(out, "~");
    ks_buffer_append(out, text + tail, size - tail);
    blanks(out, columns - used - 1 - tail_columns);
}

void ks_text_right(ks_buffer *out, const char *text, int columns) {
    int used;
    size_t size = strlen(text), fits = ks_text_fit(text, size, columns, &used);
    blanks(out, columns - used);
    ks_buffer_append(out, text, fits);
}

int ks_text_window(void) {
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
