/* SPDX-License-Identifier: Apache-2.0
 *
 * What the inspecting files share.
 */
#ifndef KS_INSPECT_H
#define KS_INSPECT_H

#include "sim/control/sim.h"
#include "sim/protocol/record_batch.h"

const char *ks_view_string(ks_arena *view, ks_string text);                  /* NUL-terminated copy; NULL for null */
void ks_view_record(ks_arena *view, const ks_record *from, ksim_record *to); /* copies key, value and headers */

/* "orders[0,1,2] payments[0]": places in order, written compactly. */
typedef struct ks_place {
    const char *owner; /* client; NULL: nobody is named */
    const char *topic; /* NULL: the owner has nothing */
    int32_t partition;
    int64_t value; /* of "orders[0]=5" */
} ks_place;
int ks_place_compare(const void *a, const void *b); /* for qsort */
/* Writes "c1=orders[0,1] payments[2] c2=" of sorted places. */
void ks_places_write(const ks_place *places, int32_t count, ks_buffer *out);

#endif
