/* SPDX-License-Identifier: Apache-2.0
 * A buffer of text or bytes that grows by doubling. One byte beyond `size` is always there for the closing NUL. */
#include "sim/base/base.h"

#include <stdarg.h>
#include <stdio.h>

void ks_buffer_deinit(ks_buffer *buffer) {
    ks_free(buffer->data);
    *buffer = (ks_buffer){ 0 };
}

void ks_buffer_clear(ks_buffer *buffer) {
    buffer->size = 0;
    if (buffer->data != NULL) buffer->data[0] = '\0';
}

void ks_buffer_reserve(ks_buffer *buffer, size_t more) {
    size_t needed = buffer->size + more + 1;
    ks_assert(needed > more); /* no overflow */
    if (needed <= buffer->capacity) return;
    size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity * 2;
    if (capacity < needed) capacity = needed;
    buffer->data = ks_realloc(buffer->data, capacity);
    buffer->capacity = capacity;
}

void ks_buffer_append(ks_buffer *buffer, const void *data, size_t size) {
    ks_buffer_reserve(buffer, size);
    if (size > 0) memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void ks_buffer_text(ks_buffer *buffer, const char *text) { ks_buffer_append(buffer, text, strlen(text)); }

void ks_buffer_string(ks_buffer *buffer, ks_string text) {
    if (text.size >= 0) ks_buffer_append(buffer, text.data, (size_t)text.size);
}

void ks_buffer_printf(ks_buffer *buffer, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    ks_buffer_reserve(buffer, 64);
    size_t room = buffer->capacity - buffer->size;
    int size = vsnprintf((char *)buffer->data + buffer->size, room, format, arguments);
    va_end(arguments);
    ks_assert(size >= 0);
    if ((size_t)size >= room) {
        ks_buffer_reserve(buffer, (size_t)size);
        vsnprintf((char *)buffer->data + buffer->size, (size_t)size + 1, format, again);
    }
    va_end(again);
    buffer->size += (size_t)size;
}

void ks_buffer_i64(ks_buffer *buffer, int64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do digits[--at] = (char)('0' + left % 10);
    while ((left /= 10) != 0);
    if (value < 0) digits[--at] = '-'; /* 19 digits at most, so there is room for the sign */
    ks_buffer_append(buffer, digits + at, sizeof digits - at);
}

char *ks_buffer_take(ks_buffer *buffer) {
    ks_buffer_reserve(buffer, 0);
    buffer->data[buffer->size] = '\0';
    char *text = (char *)buffer->data;
    *buffer = (ks_buffer){ 0 };
    return text;
}
