/* SPDX-License-Identifier: Apache-2.0
 * Partitioners against the known answers of kafka-go, Java and librdkafka (tests/vectors/partitioners.csv), and the raw
 * hashes beneath them. */
#include "tests/support/test.h"

#include "sim/client/balancer.h"
#include "sim/client/partitioner.h"

static uint32_t crc(kafka_bytes key) { return ks_crc32(key); }

/* How a vector's name is asked: a pure partitioner, or (hasher not NULL) a kafka-go balancer with a custom hasher. */
static const struct named {
    const char *name, *consistent;
    ks_partitioner partitioner;
    kafka_hasher *hasher;
    kafka_balancer_kind kind;
} names[] = {
    { "hash", "", KS_PARTITIONER_HASH, NULL, 0 },
    { "reference_hash", "", KS_PARTITIONER_REFERENCE_HASH, NULL, 0 },
    { "hash_crc32ieee", "", 0, crc, KAFKA_BALANCER_HASH },
    { "reference_hash_crc32ieee", "", 0, crc, KAFKA_BALANCER_REFERENCE_HASH },
    { "crc32", "false", KS_PARTITIONER_CRC32, NULL, 0 },
    { "crc32", "true", KS_PARTITIONER_CRC32_CONSISTENT, NULL, 0 },
    { "murmur2", "false", KS_PARTITIONER_MURMUR2, NULL, 0 },
    { "murmur2", "true", KS_PARTITIONER_MURMUR2_CONSISTENT, NULL, 0 },
    { "java_default", "", KS_PARTITIONER_JAVA_DEFAULT, NULL, 0 },
    { "librdkafka_consistent", "", KS_PARTITIONER_LIBRDKAFKA_CONSISTENT, NULL, 0 },
    { "librdkafka_consistent_random", "", KS_PARTITIONER_LIBRDKAFKA_CONSISTENT_RANDOM, NULL, 0 },
    { "librdkafka_murmur2", "", KS_PARTITIONER_LIBRDKAFKA_MURMUR2, NULL, 0 },
    { "librdkafka_murmur2_random", "", KS_PARTITIONER_LIBRDKAFKA_MURMUR2_RANDOM, NULL, 0 },
    { "librdkafka_fnv1a", "", KS_PARTITIONER_LIBRDKAFKA_FNV1A, NULL, 0 },
    { "librdkafka_fnv1a_random", "", KS_PARTITIONER_LIBRDKAFKA_FNV1A_RANDOM, NULL, 0 },
};

/* Splits a line at its commas, in place; the number of fields. */
static int split(char *line, char *fields[], int limit) {
    int count = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *at = line; count < limit; at++) {
        fields[count++] = at;
        at = strchr(at, ',');
        if (at == NULL) break;
        *at = 0;
    }
    return count;
}

static int32_t ask(const char *name, const char *consistent, kafka_bytes key, int32_t n) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct named *row = &names[i];
        if (strcmp(row->name, name) != 0 || strcmp(row->consistent, consistent) != 0) continue;
        if (row->hasher == NULL) return ks_partition(row->partitioner, key, n);
        return ks_balancer_by_key(&(kafka_balancer){ .kind = row->kind, .hasher = row->hasher }, key, n);
    }
    fail_msg("no partitioner is called %s,%s", name, consistent);
    return -1;
}

static void every_partitioner_gives_the_known_answers(void **state) {
    (void)state;
    FILE *file = ks_vectors_open("partitioners.csv");
    if (file == NULL) return;
    char line[4096], copy[4096], *field[5];
    int rows = 0;
    for (int number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        if (number == 1) continue;
        memcpy(copy, line, sizeof copy);
        if (split(line, field, 5) != 5) fail_msg("partitioners.csv:%d: not five fields: %s", number, copy);
        size_t size = 0;
        bool null = strcmp(field[2], "nil") == 0;
        uint8_t *bytes = null ? NULL : ks_test_unhex(field[2], &size);
        int32_t partition = ask(field[0], field[1], (kafka_bytes){ bytes, size }, atoi(field[3]));
        free(bytes);
        if (partition != atoi(field[4])) fail_msg("partitioners.csv:%d: got %d for %s", number, partition, copy);
        rows++;
    }
    fclose(file);
    if (getenv("KAFKASIM_VECTORS") == NULL) assert_int_equal(rows, 2406);
}

static void the_raw_hashes_are_those_of_their_inventors(void **state) {
    (void)state;
    static const struct {
        const char *key;
        uint32_t fnv1a, crc32, murmur2;
    } rows[] = {
        { "", 0x811c9dc5, 0x00000000, 0x106e08d9 },
        { "user-1", 0xf5537974, 0x7e264614, 0x53b136cc },
        { "kafka", 0x0d33c4e1, 0x5bbc7517, 0xd067cf64 },
        { "20", 0x8df2997f, 0x8a707622, 0xc474305a },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kafka_bytes key = kafka_string(rows[i].key);
        assert_int_equal(ks_fnv1a(key), rows[i].fnv1a);
        assert_int_equal(ks_crc32(key), rows[i].crc32);
        assert_int_equal(ks_murmur2(key), rows[i].murmur2);
    }
}

static void the_hash_that_has_no_absolute_value_finds_a_partition(void **state) {
    (void)state;
    kafka_bytes key = kafka_string("user-p5s8qz2"); /* FNV-1a 0x80000000 */
    assert_int_equal(ks_fnv1a(key), 0x80000000u);
    assert_int_equal(ks_partition(KS_PARTITIONER_HASH, key, 3), 2);
    assert_int_equal(ks_partition(KS_PARTITIONER_REFERENCE_HASH, key, 3), 0);
    assert_int_equal(ks_partition(KS_PARTITIONER_MURMUR2, kafka_string("user-n8imot0"), 3), 0); /* murmur2 0x80000000 */
}

static void what_the_key_does_not_decide_is_not_answered(void **state) {
    (void)state;
    kafka_bytes none = { NULL, 0 };
    assert_int_equal(ks_partition(KS_PARTITIONER_HASH, none, 3), -1);
    assert_int_equal(ks_partition(KS_PARTITIONER_JAVA_DEFAULT, none, 3), -1);
    assert_int_equal(ks_partition(KS_PARTITIONER_CRC32, kafka_string(""), 3), -1);
    assert_int_equal(ks_partition(KS_PARTITIONER_HASH, kafka_string("k"), 0), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_partitioner_gives_the_known_answers),
        cmocka_unit_test(the_raw_hashes_are_those_of_their_inventors),
        cmocka_unit_test(the_hash_that_has_no_absolute_value_finds_a_partition),
        cmocka_unit_test(what_the_key_does_not_decide_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
