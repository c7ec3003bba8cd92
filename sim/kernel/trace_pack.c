/* SPDX-License-Identifier: Apache-2.0
 * Packing and unpacking by plans; the idea is told in trace_pack.h. */
#include "sim/kernel/trace_pack.h"

enum { STRING_MAX = 64, NULL_STRING = 255 };

typedef struct run { /* plain bytes that lie side by side */
    uint16_t offset, size;
} run;

typedef struct branch { /* an array or a pointer */
    uint16_t offset;
    bool array;
    ks_plan *item; /* of what it leads to; owned */
} branch;

/* Packed: first the runs, then the strings, then what the branches lead to. */
struct ks_plan {
    ks_plan_head head; /* first */
    size_t size;           /* of the struct or item */
    int32_t fixed;         /* bytes that even the shortest packed copy takes */
    KS_VEC(run) runs;
    KS_VEC(uint16_t) strings; /* their offsets */
    KS_VEC(branch) branches;
};

/* ---- plans ---- */

static void plan_free(ks_plan *plan) {
    if (plan == NULL) return;
    for (int32_t i = 0; i < plan->branches.count; i++) plan_free(plan->branches.items[i].item);
    ks_free(plan->runs.items);
    ks_free(plan->strings.items);
    ks_free(plan->branches.items);
    ks_free(plan);
}

/* A gap of less than a pointer is the compiler's: it is copied along. */
static void add_plain(ks_plan *plan, uint16_t offset, size_t size) {
    run *last = plan->runs.count > 0 ? &plan->runs.items[plan->runs.count - 1] : NULL;
    size_t end = last == NULL ? 0 : (size_t)last->offset + last->size;
    if (last == NULL || offset - end >= sizeof(void *)) {
        KS_PUSH(plan->runs, (run){ offset, (uint16_t)size });
        plan->fixed += (int32_t)size;
    } else {
        plan->fixed += (int32_t)(offset + size - end);
        last->size = (uint16_t)(offset + size - last->offset);
    }
}

static void add_fields(ks_plan *plan, const ks_struct *kind, size_t offset);

static void add_single(ks_plan *plan, const ks_field *field, size_t offset) {
    ks_assert(offset + ks_field_element_size(field) <= UINT16_MAX);
    switch (field->type) {
    case KS_TYPE_string:
    case KS_TYPE_bytes:
    case KS_TYPE_records:
        if (field->lasting) {
            add_plain(plan, (uint16_t)offset, sizeof(ks_string));
        } else {
            KS_PUSH(plan->strings, (uint16_t)offset);
            plan->fixed++;
        }
        return;
    case KS_TYPE_struct: add_fields(plan, field->sub(), offset); return;
    case KS_TYPE_bool:
    case KS_TYPE_int8:
    case KS_TYPE_int16:
    case KS_TYPE_int32:
    case KS_TYPE_int64:
    case KS_TYPE_uint16:
    case KS_TYPE_uint32:
    case KS_TYPE_float64:
    case KS_TYPE_uuid: add_plain(plan, (uint16_t)offset, ks_field_element_size(field)); return;
    }
}

static void add_branch(ks_plan *plan, const ks_field *field, size_t offset) {
    ks_plan *item = ks_alloc(sizeof *item);
    item->size = ks_field_element_size(field);
    add_single(item, field, 0);
    ks_assert(offset <= UINT16_MAX);
    KS_PUSH(plan->branches, (branch){ (uint16_t)offset, field->array, item });
    plan->fixed += (int32_t)sizeof(int32_t);
}

static void add_fields(ks_plan *plan, const ks_struct *kind, size_t offset) {
    for (uint32_t i = 0; i < kind->field_count; i++) {
        const ks_field *field = &kind->fields[i];
        if (field->array || field->pointer)
            add_branch(plan, field, offset + field->offset);
        else
            add_single(plan, field, offset + field->offset);
    }
}

ks_plan *ks_plan_make(ks_plans *plans, const ks_struct *kind, size_t slot) {
    ks_plan *plan = ks_alloc(sizeof *plan);
    plan->head.kind = kind;
    plan->head.trivial = plans->trivial != NULL && plans->trivial(kind, -1, 0);
    plan->size = kind->size;
    add_fields(plan, kind, 0);
    ks_assert(plan->fixed <= KS_PACKED_MAX);
    ks_assert(++plans->count < KS_PLANS); /* one slot stays free: it ends a search */
    plans->slots[slot].kind = kind;
    plans->slots[slot].plan = plan;
    return plan;
}


void ks_plans_deinit(ks_plans *plans) {
    for (int32_t i = 0; i < KS_PLANS; i++) plan_free(plans->slots[i].plan);
}

/* ---- packing: `spare` is what is left for strings and items when everything fixed has its place ---- */

/* Strings and byte ranges have one shape; read as bytes, so that no alias rule is broken. */
_Static_assert(sizeof(ks_string) == sizeof(ks_bytes) && offsetof(ks_string, size) == offsetof(ks_bytes, size), "one shape");

static inline uint8_t *pack_string(const uint8_t *from, uint8_t *to, int32_t *spare) {
    ks_string text;
    memcpy(&text, from, sizeof text);
    if (text.size < 0) {
        *to = NULL_STRING;
        return to + 1;
    }
    int32_t kept = text.size < STRING_MAX ? text.size : STRING_MAX;
    if (kept > *spare) kept = *spare;
    *spare -= kept;
    *to = (uint8_t)kept;
    return ks_copy_short(to + 1, text.data, (size_t)kept);
}

static uint8_t *pack_branches(const ks_plan *plan, const uint8_t *from, uint8_t *to, int32_t *spare);

static inline uint8_t *pack(const ks_plan *plan, const uint8_t *from, uint8_t *to, int32_t *spare) {
    for (const run *r = plan->runs.items, *end = r + plan->runs.count; r < end; r++) to = ks_copy_short(to, from + r->offset, r->size);
    for (const uint16_t *s = plan->strings.items, *end = s + plan->strings.count; s < end; s++) to = pack_string(from + *s, to, spare);
    if (plan->branches.count == 0) return to; /* of nearly all kinds */
    int32_t left = *spare;
    to = pack_branches(plan, from, to, &left);
    *spare = left;
    return to;
}

/* A pointer is an array of one, or null. */
static ks_any_array items_of(const branch *b, const uint8_t *from) {
    ks_any_array array;
    if (b->array) {
        memcpy(&array, from, sizeof array);
    } else {
        memcpy(&array.items, from, sizeof array.items);
        array.count = array.items != NULL;
    }
    return array;
}

static uint8_t *pack_branch(const branch *b, const uint8_t *from, uint8_t *to, int32_t *spare) {
    ks_any_array array = items_of(b, from);
    const ks_plan *item = b->item;
    if (item->fixed > 0 && array.count > *spare / item->fixed) array.count = *spare / item->fixed;
    memcpy(to, &array.count, sizeof array.count);
    to += sizeof array.count;
    if (array.count > 0) *spare -= array.count * item->fixed;
    for (int32_t i = 0; i < array.count; i++) to = pack(item, (const uint8_t *)array.items + (size_t)i * item->size, to, spare);
    return to;
}

static uint8_t *pack_branches(const ks_plan *plan, const uint8_t *from, uint8_t *to, int32_t *spare) {
    for (int32_t i = 0; i < plan->branches.count; i++)
        to = pack_branch(&plan->branches.items[i], from + plan->branches.items[i].offset, to, spare);
    return to;
}

uint8_t *ks_fields_pack(const ks_plan *plan, const void *fields, uint8_t *to) {
    int32_t spare = KS_PACKED_MAX - plan->fixed;
    return pack(plan, fields, to, &spare);
}

/* ---- unpacking ---- */

static const uint8_t *unpack_string(const uint8_t *from, uint8_t *to) {
    int32_t size = *from++;
    ks_string text = size == NULL_STRING ? KS_NULL_STRING : (ks_string){ (const char *)from, size };
    memcpy(to, &text, sizeof text);
    return text.size < 0 ? from : from + text.size;
}

static const uint8_t *unpack_branch(const branch *b, const uint8_t *from, uint8_t *to, ks_arena *arena);

static const uint8_t *unpack(const ks_plan *plan, const uint8_t *from, uint8_t *to, ks_arena *arena) {
    for (int32_t i = 0; i < plan->runs.count; i++) {
        const run *r = &plan->runs.items[i];
        memcpy(to + r->offset, from, r->size);
        from += r->size;
    }
    for (int32_t i = 0; i < plan->strings.count; i++) from = unpack_string(from, to + plan->strings.items[i]);
    for (int32_t i = 0; i < plan->branches.count; i++)
        from = unpack_branch(&plan->branches.items[i], from, to + plan->branches.items[i].offset, arena);
    return from;
}

static const uint8_t *unpack_branch(const branch *b, const uint8_t *from, uint8_t *to, ks_arena *arena) {
    ks_any_array array = { 0 };
    memcpy(&array.count, from, sizeof array.count);
    from += sizeof array.count;
    if (array.count > 0) array.items = ks_arena_alloc(arena, (size_t)array.count * b->item->size);
    for (int32_t i = 0; i < array.count; i++) from = unpack(b->item, from, (uint8_t *)array.items + (size_t)i * b->item->size, arena);
    memcpy(to, &array, b->array ? sizeof array : sizeof array.items); /* `items` stands first */
    return from;
}

void *ks_fields_unpack(const ks_plan *plan, const uint8_t *packed, ks_arena *arena) {
    uint8_t *fields = ks_arena_alloc(arena, plan->size);
    unpack(plan, packed, fields, arena);
    return fields;
}
