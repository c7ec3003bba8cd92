/* SPDX-License-Identifier: Apache-2.0
 * Strings, memory, arenas, buffers, vectors, blocks, hash tables, assertions. */
#include "sim/base/block.h"
#include "sim/base/hash.h"
#include "sim/base/slabs.h"
#include "tests/support/test.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

/* ---- byte ranges ---- */

static void null_equals_only_null(void **state) {
    (void)state;
    assert_true(ks_string_equal(KS_NULL_STRING, ks_str(NULL)));
    assert_false(ks_string_equal(KS_NULL_STRING, ks_str("")));
    assert_true(ks_string_equal(KS_LITERAL(""), (ks_string){ NULL, 0 }));
    assert_true(ks_string_equal(KS_LITERAL("ab"), ks_str("ab")));
    assert_false(ks_string_equal(KS_LITERAL("ab"), ks_str("ac")));
    assert_true(ks_bytes_equal(KS_NULL_BYTES, KS_NULL_BYTES));
    assert_false(ks_bytes_equal(KS_NULL_BYTES, (ks_bytes){ NULL, 0 }));
}

static void strings_sort_bytewise_null_first(void **state) {
    (void)state;
    const ks_string sorted[] = { KS_NULL_STRING,    KS_LITERAL(""),   KS_LITERAL("A"), KS_LITERAL("a"),
                                 KS_LITERAL("a\0"), KS_LITERAL("aa"), KS_LITERAL("b"), KS_LITERAL("\xc3\xa4") };
    int n = (int)(sizeof sorted / sizeof *sorted);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            int order = ks_string_compare(sorted[i], sorted[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

static void a_topic_id_prints_as_kafka_prints_it(void **state) {
    (void)state;
    char text[23];
    ks_uuid id = { { 0 } };
    assert_true(ks_uuid_is_zero(id));
    assert_string_equal(ks_uuid_text(id, text), "AAAAAAAAAAAAAAAAAAAAAA");
    id.bytes[15] = 1; /* Kafka's METADATA_TOPIC_ID */
    assert_string_equal(ks_uuid_text(id, text), "AAAAAAAAAAAAAAAAAAAAAQ");
    assert_false(ks_uuid_is_zero(id));
    memset(id.bytes, 0xff, 16);
    assert_string_equal(ks_uuid_text(id, text), "_____________________w");
    const uint8_t some[16] = { 0x14, 0xfb, 0x9c, 0x03, 0xd9, 0x7e, 0x3f, 0xbe,
                               0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08 };
    memcpy(id.bytes, some, 16);
    assert_string_equal(ks_uuid_text(id, text), "FPucA9l-P74BAgMEBQYHCA");
}

/* ---- memory ---- */

static void live_blocks_are_counted(void **state) {
    (void)state;
    size_t live = ks_alloc_live();
    void *a = ks_alloc(0), *b = ks_realloc(NULL, 10);
    ks_string c = ks_string_dup(KS_LITERAL("text"));
    b = ks_realloc(b, 1000);
#if !defined(NDEBUG)
    assert_int_equal(ks_alloc_live(), live + 3);
#endif
    assert_string_equal(c.data, "text");
    assert_null(ks_string_dup(KS_NULL_STRING).data);
    ks_free(a), ks_free(b), ks_free((void *)(uintptr_t)c.data), ks_free(NULL);
    assert_int_equal(ks_alloc_live(), live);
}

static uint8_t *take(size_t size, size_t alignment) {
    uint8_t *object = ks_slabs_take(size, alignment);
    assert_non_null(object);
    assert_int_equal((uintptr_t)object % alignment, 0);
    assert_true(ks_slabs_room(*ks_slabs_head(object)) >= size);
    return memset(object, (int)size & 0xff, size);
}

static void give(void *object) { ks_slabs_give(*ks_slabs_head(object), object); }

static void slabs_serve_small_objects_while_a_simulator_lives(void **state) {
    (void)state;
    assert_null(ks_slabs_take(8, KS_SLABS_STEP));
    ks_memory_hold();
    ks_memory_hold();
    uint8_t *small[300], *lines[300];
    for (size_t i = 0; i < 300; i++) small[i] = take(i * 6, KS_SLABS_STEP), lines[i] = take(i * 6, KS_LINE);
    for (size_t i = 0; i < 300; i++)
        for (size_t k = 0; k < i * 6; k++) {
            assert_int_equal(small[i][k], (i * 6) & 0xff);
            assert_int_equal(lines[i][k], (i * 6) & 0xff);
        }
    uint8_t *largest = take(2048, KS_LINE);
    assert_null(ks_slabs_take(2049, KS_SLABS_STEP));
    give(small[20]), give(small[21]);
    assert_ptr_equal(take(126, KS_SLABS_STEP), small[21]); /* the youngest of this size */
    assert_ptr_equal(take(120, KS_SLABS_STEP), small[20]);
    ks_memory_release();
    uint8_t *another = take(8, KS_SLABS_STEP); /* for the other simulator */
    ks_memory_release();
    assert_null(ks_slabs_take(8, KS_SLABS_STEP));
    for (size_t i = 0; i < 300; i++) give(small[i]), give(lines[i]); /* what outlives its simulator is still given back */
    give(largest), give(another);
}

static void memory_keeps_what_it_holds_whatever_its_size_becomes(void **state) {
    (void)state;
    enum { COUNT = 64, ROUNDS = 20000 };
    struct { uint8_t *data; size_t size; } kept[COUNT] = { { 0 } };
    uint64_t random = 1;
    size_t live = ks_alloc_live();
    for (int round = 0; round < ROUNDS; round++) {
        if (round == ROUNDS / 4) ks_memory_hold();
        if (round == ROUNDS / 2) ks_memory_release(); /* what was made in between lives on */
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t i = random >> 33 & (COUNT - 1), size = (random >> 40) % 5000 >> (random >> 60);
        for (size_t k = 0; k < kept[i].size; k++) assert_int_equal(kept[i].data[k], i);
        if (random >> 58 & 1) {
            ks_free(kept[i].data);
            kept[i].data = random >> 59 & 1 ? ks_alloc_lines(size) : ks_alloc(size);
            if (random >> 59 & 1) memset(kept[i].data, 0, size);
            for (size_t k = 0; k < size; k++) assert_int_equal(kept[i].data[k], 0);
            if (random >> 59 & 1) ks_free(kept[i].data), kept[i].data = ks_realloc(NULL, size);
        } else {
            kept[i].data = ks_realloc(kept[i].data, size);
            for (size_t k = 0; k < size && k < kept[i].size; k++) assert_int_equal(kept[i].data[k], i);
        }
        kept[i].size = size;
        memset(kept[i].data, (int)i, size);
    }
    for (int i = 0; i < COUNT; i++) ks_free(kept[i].data);
    assert_int_equal(ks_alloc_live(), live);
}

static void arenas_give_zeroed_aligned_memory_that_stays_until_the_reset(void **state) {
    (void)state;
    size_t live = ks_alloc_live();
    ks_arena *arena = ks_arena_new();
    for (int round = 0; round < 3; round++) {
        uint8_t *kept[200];
        for (size_t i = 0; i < 200; i++) {
            size_t size = i * i;
            kept[i] = ks_arena_alloc(arena, size);
            assert_int_equal((uintptr_t)kept[i] % 16, 0);
            for (size_t k = 0; k < size; k++) assert_int_equal(kept[i][k], 0);
            memset(kept[i], (int)i, size);
        }
        for (size_t i = 0; i < 200; i++)
            for (size_t k = 0; k < i * i; k++) assert_int_equal(kept[i][k], i & 0xff);
        ks_arena_reset(arena);
    }
    ks_arena_free(arena);
    ks_arena_free(NULL);
    assert_int_equal(ks_alloc_live(), live);
}

static void an_arena_in_steady_use_allocates_no_more(void **state) {
    (void)state;
    ks_arena *arena = ks_arena_new();
    size_t live = 0;
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 50; k++) ks_arena_alloc(arena, 300);
        if (i == 10) live = ks_alloc_live();
        if (i >= 10) assert_int_equal(ks_alloc_live(), live);
        ks_arena_reset(arena);
    }
    ks_arena_alloc(arena, 10 << 20); /* a big one is not kept */
    ks_arena_reset(arena);
    ks_arena_free(arena);
}

static void a_small_reset_gives_back_what_grew(void **state) {
    (void)state;
    ks_arena *arena = ks_arena_new();
    size_t live = ks_alloc_live();
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 50; k++) memset(ks_arena_alloc(arena, 300), 1, 300);
        ks_arena_reset_small(arena);
        assert_int_equal(ks_alloc_live(), live);
    }
    uint8_t *memory = ks_arena_alloc(arena, 700);
    assert_int_equal(ks_alloc_live(), live);
    for (int i = 0; i < 700; i++) assert_int_equal(memory[i], 0);
    ks_arena_free(arena);
}

/* Under AddressSanitizer nothing is handed on, so that each use after the reset shows. */
static void what_made_an_arena_grow_serves_the_next_one(void **state) {
    (void)state;
    size_t live = ks_alloc_live();
    ks_memory_hold();
    ks_arena *a = ks_arena_new(), *b = ks_arena_new();
    void *large = memset(ks_arena_alloc(a, 900), 1, 900);
    size_t grown = ks_alloc_live();
    ks_arena_reset_small(a);
    for (int i = 0; i < 10; i++) {
        uint8_t *memory = ks_arena_alloc(b, 900);
#if !defined(__SANITIZE_ADDRESS__) && defined(NDEBUG)
        assert_ptr_equal(memory, large);
#endif
        for (int k = 0; k < 900; k++) assert_int_equal(memory[k], 0);
        memset(memory, 1, 900);
        assert_int_equal(ks_alloc_live(), grown);
        ks_arena_reset_small(b);
    }
    (void)large;
    ks_arena_free(a);
    ks_arena_free(b);
    ks_memory_release();
    assert_int_equal(ks_alloc_live(), live);
}

static void a_reset_arena_is_poisoned(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    ks_arena *arena = ks_arena_new();
    char *a = ks_arena_alloc(arena, 10), *b = ks_arena_alloc(arena, 1);
    assert_false(__asan_address_is_poisoned(a + 9));
    assert_true(__asan_address_is_poisoned(a + 10));
    ks_arena_reset(arena);
    assert_true(__asan_address_is_poisoned(a) && __asan_address_is_poisoned(b));
    ks_arena_free(arena);
#else
    skip();
#endif
}

static void arena_copies_are_terminated_and_null_stays_null(void **state) {
    (void)state;
    ks_arena *arena = ks_arena_new();
    char text[] = "abc";
    ks_string copy = ks_arena_string(arena, ks_str(text));
    ks_bytes bytes = ks_arena_bytes(arena, (ks_bytes){ (uint8_t *)text, 2 });
    text[0] = '!';
    assert_string_equal(copy.data, "abc");
    assert_memory_equal(bytes.data, "ab", 2);
    assert_int_equal(ks_arena_string(arena, KS_NULL_STRING).size, -1);
    assert_null(ks_arena_bytes(arena, KS_NULL_BYTES).data);
    assert_non_null(ks_arena_bytes(arena, (ks_bytes){ NULL, 0 }).data);
    ks_string formatted = ks_arena_printf(arena, "%s-%05d-%2000s", "x", 42, "end");
    assert_int_equal(formatted.size, 2008);
    assert_memory_equal(formatted.data, "x-00042-", 8);
    assert_string_equal(formatted.data + 2005, "end");
    ks_arena_free(arena);
}

static void buffers_grow_and_are_always_terminated(void **state) {
    (void)state;
    ks_buffer buffer = { 0 };
    ks_buffer_clear(&buffer);
    ks_buffer_append(&buffer, NULL, 0);
    assert_string_equal((char *)buffer.data, "");
    ks_buffer_text(&buffer, "a");
    ks_buffer_string(&buffer, KS_NULL_STRING);
    ks_buffer_string(&buffer, KS_LITERAL("bc"));
    ks_buffer_printf(&buffer, " %0*d ", 300, 7);
    assert_int_equal(buffer.size, 305);
    ks_buffer_clear(&buffer);
    const int64_t numbers[] = { 0, 7, -1, 10, INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < 6; i++) {
        ks_buffer_i64(&buffer, numbers[i]);
        ks_buffer_text(&buffer, " ");
    }
    assert_string_equal((char *)buffer.data, "0 7 -1 10 9223372036854775807 -9223372036854775808 ");
    char *text = ks_buffer_take(&buffer);
    assert_null(buffer.data);
    ks_free(text);
    text = ks_buffer_take(&buffer); /* of an empty one */
    assert_string_equal(text, "");
    ks_free(text);
    ks_buffer_deinit(&buffer);
}

static void vectors_grow(void **state) {
    (void)state;
    typedef struct pair {
        int a, b;
    } pair;
    KS_VEC(pair) v = { 0 };
    for (int i = 0; i < 1000; i++) KS_PUSH(v, (pair){ i, -i });
    assert_int_equal(v.count, 1000);
    for (int i = 0; i < 1000; i++) assert_int_equal(v.items[i].b, -i);
    ks_free(v.items);
}

static void blocks_live_until_the_last_reference_is_gone(void **state) {
    (void)state;
    size_t live = ks_alloc_live();
    ks_block *block = ks_block_new(100);
    memset(block->data, 1, 100);
    ks_block_release(ks_block_hold(block));
    assert_int_equal(block->references, 1);
    char text[] = "orders";
    const char *name = ks_block_keep_name(block, ks_str(text));
    assert_ptr_equal(ks_block_keep_name(block, ks_str("orders")), name);
    assert_string_equal(ks_block_keep_name(block, ks_str("order")), "order");
    text[0] = 'x';
    assert_string_equal(name, "orders");
    ks_block_release(block);
    ks_block_release(NULL);
    assert_int_equal(ks_alloc_live(), live);
}

/* ---- hash tables ---- */

typedef struct thing {
    ks_string name;
    int64_t id;
    UT_hash_handle hh, by_id;
} thing;

static void tables_find_by_string_and_number_and_iterate_in_insertion_order(void **state) {
    (void)state;
    thing *names = NULL, *ids = NULL, *found, *next;
    static thing things[500];
    static char texts[500][16];
    for (int i = 0; i < 500; i++) {
        snprintf(texts[i], sizeof texts[i], i == 0 ? "" : "thing-%d", i);
        things[i].name = ks_str(texts[i]);
        things[i].id = (int64_t)i << 40;
        KS_HASH_ADD_STRING(hh, names, name, &things[i]);
        HASH_ADD(by_id, ids, id, sizeof things[i].id, &things[i]);
    }
    int at = 0;
    HASH_ITER(hh, names, found, next) assert_ptr_equal(found, &things[at++]);
    for (int i = 0; i < 500; i++) {
        char text[16];
        memcpy(text, texts[i], sizeof text);
        KS_HASH_FIND_STRING(hh, names, ks_str(text), found);
        assert_ptr_equal(found, &things[i]);
        int64_t id = (int64_t)i << 40;
        HASH_FIND(by_id, ids, &id, sizeof id, found);
        assert_ptr_equal(found, &things[i]);
    }
    KS_HASH_FIND_STRING(hh, names, KS_LITERAL("nothing"), found);
    assert_null(found);
    HASH_CLEAR(hh, names);
    HASH_CLEAR(by_id, ids);
}

static void hashes_of_similar_keys_spread(void **state) {
    (void)state;
    int buckets[64] = { 0 };
    for (int i = 0; i < 6400; i++) {
        char text[32];
        int size = snprintf(text, sizeof text, "consumer-group-%d", i);
        buckets[ks_hash_bytes(text, (size_t)size) % 64]++;
    }
    for (int i = 0; i < 64; i++) assert_in_range(buckets[i], 50, 150);
}

/* ---- assertions ---- */

typedef struct alarm {
    ks_assertion_hook hook;
    jmp_buf back;
    int line;
    const char *condition;
    int order;
} alarm_t;
static int order;

static void ring(void *context, const char *file, int line, const char *condition) {
    alarm_t *a = context;
    assert_non_null(strstr(file, "test_memory.c"));
    a->line = line;
    a->condition = condition;
    a->order = ++order;
    if (a->hook.outer == NULL) longjmp(a->back, 1);
}

static void a_failed_assertion_rings_every_hook_innermost_first(void **state) {
    (void)state;
    alarm_t outer = { .hook = { .report = ring } }, middle = outer, inner = outer;
    outer.hook.context = &outer, middle.hook.context = &middle, inner.hook.context = &inner;
    ks_assertion_hook_push(&outer.hook);
    ks_assertion_hook_push(&middle.hook);
    ks_assertion_hook_push(&inner.hook);
    ks_assertion_hook_pop(&middle.hook); /* not the innermost: allowed */
    order = 0;
    if (setjmp(outer.back) == 0) ks_assert(1 + 1 == 3);
    assert_string_equal(outer.condition, "1 + 1 == 3");
    assert_int_equal(inner.line, outer.line);
    assert_int_equal(inner.order, 1);
    assert_int_equal(outer.order, 2);
    assert_int_equal(middle.order, 0);
    ks_assertion_hook_pop(&inner.hook);
    ks_assertion_hook_pop(&outer.hook);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_equals_only_null),
        cmocka_unit_test(strings_sort_bytewise_null_first),
        cmocka_unit_test(a_topic_id_prints_as_kafka_prints_it),
        cmocka_unit_test(live_blocks_are_counted),
        cmocka_unit_test(slabs_serve_small_objects_while_a_simulator_lives),
        cmocka_unit_test(memory_keeps_what_it_holds_whatever_its_size_becomes),
        cmocka_unit_test(arenas_give_zeroed_aligned_memory_that_stays_until_the_reset),
        cmocka_unit_test(an_arena_in_steady_use_allocates_no_more),
        cmocka_unit_test(a_small_reset_gives_back_what_grew),
        cmocka_unit_test(what_made_an_arena_grow_serves_the_next_one),
        cmocka_unit_test(a_reset_arena_is_poisoned),
        cmocka_unit_test(arena_copies_are_terminated_and_null_stays_null),
        cmocka_unit_test(buffers_grow_and_are_always_terminated),
        cmocka_unit_test(vectors_grow),
        cmocka_unit_test(blocks_live_until_the_last_reference_is_gone),
        cmocka_unit_test(tables_find_by_string_and_number_and_iterate_in_insertion_order),
        cmocka_unit_test(hashes_of_similar_keys_spread),
        cmocka_unit_test(a_failed_assertion_rings_every_hook_innermost_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
