/* SPDX-License-Identifier: Apache-2.0
 * Reading, sorting and writing partitions.
 */
#include "sim/scenario/places.h"

#include <stdlib.h>

#include "sim/scenario/command.h"

static bool number(ks_string text, int32_t *at, int32_t *value) {
    int32_t start = *at;
    int64_t n;
    while (*at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9') ++*at;
    if (!ks_parse_int((ks_string){ text.data + start, *at - start }, &n) || n >= INT32_MAX) return false;
    *value = (int32_t)n;
    return true;
}

static bool one_topic(ks_string text, int32_t *at, ks_spots *spots) {
    ks_string topic = { text.data + *at, 0 };
    while (*at + topic.size < text.size && text.data[*at + topic.size] != '[' && text.data[*at + topic.size] != ' ') topic.size++;
    *at += topic.size;
    if (topic.size == 0 || *at >= text.size || text.data[*at] != '[') return false;
    do {
        int32_t from, to;
        ++*at;
        if (!number(text, at, &from)) return false;
        to = from;
        if (*at < text.size && text.data[*at] == '-') {
            ++*at;
            if (!number(text, at, &to) || to < from) return false;
        }
        if (to - from >= KS_SPOTS_MAX || spots->count > KS_SPOTS_MAX) return false;
        for (int32_t p = from; p <= to; p++) KS_PUSH(*spots, (ks_spot){ topic, p });
    } while (*at < text.size && text.data[*at] == ',');
    return *at < text.size && text.data[(*at)++] == ']';
}

bool ks_spots_parse(ks_string text, ks_spots *spots) {
    if (ks_string_equal(text, KS_LITERAL("none"))) return true;
    for (int32_t at = 0; at < text.size;) {
        if (text.data[at] == ' ') at++;
        else if (!one_topic(text, &at, spots)) return false;
    }
    return true;
}

bool ks_spot_parse(ks_string text, ks_spot *spot) {
    int32_t slash = 0, at;
    while (slash < text.size && text.data[slash] != '/') slash++;
    *spot = (ks_spot){ { text.data, slash }, -1 };
    if (slash == 0) return false;
    if (slash == text.size) return true;
    at = slash + 1;
    return number(text, &at, &spot->partition) && at == text.size;
}

static int compare(const void *a, const void *b) {
    const ks_spot *x = a, *y = b;
    int topics = ks_string_compare(x->topic, y->topic);
    return topics != 0 ? topics : x->partition < y->partition ? -1 : x->partition > y->partition;
}

void ks_spots_sort(ks_spots *spots) {
    int32_t kept = 0;
    if (spots->count > 0) qsort(spots->items, (size_t)spots->count, sizeof *spots->items, compare);
    for (int32_t i = 0; i < spots->count; i++)
        if (kept == 0 || compare(&spots->items[kept - 1], &spots->items[i]) != 0) spots->items[kept++] = spots->items[i];
    spots->count = kept;
}

void ks_spots_write(const ks_spots *spots, ks_buffer *out) {
    if (spots->count == 0) ks_buffer_text(out, "none");
    for (int32_t i = 0; i < spots->count; i++) {
        const ks_spot *one = &spots->items[i];
        bool same = i > 0 && ks_string_equal(one->topic, spots->items[i - 1].topic);
        if (same) ks_buffer_printf(out, ",%d", one->partition);
        else ks_buffer_printf(out, "%s%.*s[%d", i > 0 ? "] " : "", (int)one->topic.size, one->topic.data, one->partition);
    }
    if (spots->count > 0) ks_buffer_text(out, "]");
}

bool ks_range_parse(ks_string text, ks_range *range) {
    int32_t at = 0, dots = 0;
    while (at < text.size && text.data[at] != '@') at++;
    for (dots = at + 1; dots + 1 < text.size && !(text.data[dots] == '.' && text.data[dots + 1] == '.'); dots++) continue;
    if (dots + 1 >= text.size) return false;
    range->place = (ks_string){ text.data, at };
    return ks_parse_int((ks_string){ text.data + at + 1, dots - at - 1 }, &range->from) &&
           ks_parse_int((ks_string){ text.data + dots + 2, text.size - dots - 2 }, &range->to) && range->from >= 0 && range->from <= range->to;
}
