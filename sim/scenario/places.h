/* SPDX-License-Identifier: Apache-2.0
 *
 * Partitions as a scenario writes them: "orders[0,2-4]", "orders/2".
 */
#ifndef KS_SCENARIO_PLACES_H
#define KS_SCENARIO_PLACES_H

#include "sim/base/base.h"

typedef struct ks_spot {
    ks_string topic; /* a view of the text it was read from */
    int32_t partition;
} ks_spot;
typedef KS_VEC(ks_spot) ks_spots;

enum { KS_SPOTS_MAX = 100000 };

/* Appends what "orders[0,2-4]" names; "none" and "" name nothing; several topics with blanks between. False: it is not of that form,
 * or there are more than KS_SPOTS_MAX. */
bool ks_spots_parse(ks_string text, ks_spots *spots);
/* "orders/2" into its parts; `partition` is -1 for "orders". False: not of that form. */
bool ks_spot_parse(ks_string text, ks_spot *spot);
/* Sorts by topic and partition, and leaves each one once. */
void ks_spots_sort(ks_spots *spots);
/* Appends "orders[0,1] users[2]" of sorted ones, "none" of none. */
void ks_spots_write(const ks_spots *spots, ks_buffer *out);

/* "orders/0@5..9": offsets, both ends with it. False: not of that form, or backwards. */
typedef struct ks_range {
    ks_string place; /* "orders/0" */
    int64_t from, to;
} ks_range;
bool ks_range_parse(ks_string text, ks_range *range);

#endif
