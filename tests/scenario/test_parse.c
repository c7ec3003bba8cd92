/* SPDX-License-Identifier: Apache-2.0
 * The language's border: what is a scenario, and what is said of what is none.
 */
#include "tests/support/test.h"

#include "sim/scenario/command.h"
#include "sim/scenario/scenario.h"

static ks_scenario *parse(const char *text, char *problem) {
    problem[0] = '\0';
    return ks_scenario_parse(text, strlen(text), "t.ksim", problem, 512);
}

static void a_line_is_words_pairs_and_a_comment(void **state) {
    (void)state;
    char problem[512];
    ks_scenario *s = parse("# first\n\ncluster brokers=3 group.initial.rebalance.delay.ms=0 # no delay\ntopic orders\n"
                           "produce orders key=\"a \\\"b\\\" \\x41#\" count=3\n", problem);
    assert_non_null(s);
    assert_int_equal(s->commands.count, 3);
    assert_int_equal(s->commands.items[0].verb, KS_VERB_cluster);
    assert_int_equal(s->commands.items[0].line, 3);
    assert_i64_equal(ks_pair_int(&s->commands.items[0], "brokers", 0), 3);
    assert_string_equal(ks_pair_text(&s->commands.items[0], "group.initial.rebalance.delay.ms", ""), "0");
    assert_string_equal(s->commands.items[2].words[0].text.data, "orders");
    assert_string_equal(ks_pair_text(&s->commands.items[2], "key", ""), "a \"b\" A#");
    ks_scenario_free(s);
}

static void expected_output_belongs_to_the_command_above(void **state) {
    (void)state;
    char problem[512];
    ks_scenario *s = parse("say a\n----\none\ntwo\n\nsay b\n", problem);
    assert_non_null(s);
    assert_int_equal(s->commands.count, 2);
    assert_string_equal(s->commands.items[0].expected.data, "one\ntwo\n");
    assert_int_equal(s->commands.items[0].expected_line, 2);
    assert_int_equal(s->commands.items[0].expected_end, 5);
    assert_int_equal(s->commands.items[1].expected.size, -1);
    assert_int_equal(s->commands.items[1].line, 6);
    ks_scenario_free(s);
}

static void every_mistake_is_told_with_its_place_and_the_remedy(void **state) {
    (void)state;
    static const struct { const char *text, *says; } rows[] = {
        { "jion c1", "t.ksim:1:1: 'jion' is not a command; did you mean 'join'?" },
        { "xyzzyxyzzy", "t.ksim:1:1: 'xyzzyxyzzy' is not a command" },
        { "\n  topic orders partition=3", "t.ksim:2:16: 'topic' takes no 'partition='; did you mean 'partitions='?" },
        { "topic orders partitions=many", "t.ksim:1:25: partitions is a whole number, not 'many'" },
        { "topic orders partitions=-1", "t.ksim:1:25: partitions is a whole number, not '-1'" },
        { "topic orders partitions=", "t.ksim:1:25: 'partitions=' needs a value" },
        { "topic orders partitions=1 partitions=2", "t.ksim:1:27: 'partitions=' stands here twice" },
        { "topic", "t.ksim:1:6: 'topic' needs 1 word after it, here are 0" },
        { "topic a b", "t.ksim:1:9: 'topic' takes no more than 1 word; what is 'b'?" },
        { "join", "t.ksim:1:5: 'join' needs at least 1 word after it, here are 0" },
        { "cluster latency=5", "t.ksim:1:17: latency is a duration such as 500us, 10ms, 3s, 5m, 2h, 7d, not '5'" },
        { "producer p acks=2", "t.ksim:1:17: acks is one of all|1|0, not '2'" },
        { "say \"never closed", "t.ksim:1:5: this quote is never closed" },
        { "say \"\\q\"", "t.ksim:1:6: after a backslash comes one of \\ \" n t xHH" },
        { "say a\x01", "t.ksim:1:6: a control character (byte 0x01) may stand in quotes only, as \\x01" },
        { "topic t\ncluster", "t.ksim:2:1: 'cluster' comes first, and once" },
        { "cluster\ncluster", "t.ksim:2:1: 'cluster' comes first, and once" },
        { "----", "t.ksim:1:1: '----' begins the expected output of the command above it; here is none" },
        { "say a\n----\nx\n\n----\ny", "t.ksim:5:1: '----' begins the expected output of the command above it; here is none" },
        { "rule r when Produce chance=3/2 then count", "t.ksim:1:28: chance is a ratio such as 1/3, not '3/2'" },
        { "cluster broker=3", "t.ksim:1:9: 'cluster' takes no 'broker='; did you mean 'brokers='?" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char problem[512];
        ks_scenario *s = parse(rows[i].text, problem);
        if (s != NULL) fail_msg("this is accepted: %s", rows[i].text);
        if (strcmp(problem, rows[i].says) != 0) fail_msg("for '%s'\n  it says   %s\n  instead of %s", rows[i].text, problem, rows[i].says);
    }
}

static void durations_sizes_and_ratios_are_exact(void **state) {
    (void)state;
    int64_t a, b;
    assert_true(ks_parse_duration(KS_LITERAL("500us"), &a));
    assert_i64_equal(a, 500000);
    assert_true(ks_parse_duration(KS_LITERAL("7d"), &a));
    assert_i64_equal(a, INT64_C(604800) * 1000000000);
    assert_false(ks_parse_duration(KS_LITERAL("99999999999999999999d"), &a));
    assert_false(ks_parse_duration(KS_LITERAL("-1s"), &a));
    assert_true(ks_parse_size(KS_LITERAL("64KiB"), &a));
    assert_i64_equal(a, 65536);
    assert_true(ks_parse_ratio(KS_LITERAL("1/3"), &a, &b));
    assert_i64_equal(b, 3);
    assert_false(ks_parse_ratio(KS_LITERAL("1/0"), &a, &b));
}

/* Any bytes: parsed or refused with a sentence, never a crash and nothing leaked. The corpus is a grown scenario, mutated by a
 * seeded generator. */
static void any_bytes_are_parsed_or_refused(void **state) {
    (void)state;
    static const char corpus[] = "cluster brokers=3 seed=7 latency=1ms\ntopic orders partitions=4\nconsumer c1 group=g topics=orders client=java\n"
                                 "join c1 # now\nuntil stable g within=10s\n----\nc1=orders[0,1]\n\nproduce orders key=\"k\\x01{n}\" count=10\n"
                                 "rule r when Heartbeat client=c1 next=2 then delay 3s\nexpect assignment g c1=orders[0,1,2,3]\n";
    uint64_t random = 88172645463325252u;
    char text[sizeof corpus], problem[256];
    for (int round = 0; round < 20000; round++) {
        memcpy(text, corpus, sizeof corpus);
        size_t size = sizeof corpus - 1;
        for (int m = 0; m < 1 + round % 7; m++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            size_t at = (size_t)(random >> 8) % size;
            if (random % 3 == 0) text[at] = (char)(random >> 40);
            else if (random % 3 == 1) text[at] = "\"\\=# \n-\t"[(random >> 40) % 8];
            else size = at + 1;
        }
        problem[0] = '\0';
        ks_scenario *s = ks_scenario_parse(text, size, "fuzz", problem, sizeof problem);
        if (s == NULL && strncmp(problem, "fuzz:", 5) != 0) fail_msg("refused without a place: '%s'", problem);
        ks_scenario_free(s);
    }
}

static void all_mistakes_are_told_in_order_without_what_follows_from_them(void **state) {
    (void)state;
    static const char text[] = "cluster brokers=1\n"
                               "toipc orders partitions=3\n"                       /* so nothing that names orders, */
                               "consumer c1 group=billing topics=orders\n"         /* and then c1 or billing, is told */
                               "topic fine partitions=2\n"
                               "consumer c2 group=h topics=fine\n"
                               "join c1\n"
                               "until stable billing\n"
                               "----\n"                                            /* belongs to what was wrong */
                               "1.000 s  nonsense\n"
                               "\n"
                               "join c9\n"
                               "expect lag h many\n"
                               "expect state h Stabel\n"                           /* depends on nothing that was wrong */
                               "expect lag billing 0 often=1\n"                    /* may follow from there being no billing */
                               "  advance 3x\n";
    char problem[KS_PROBLEMS_SIZE];
    assert_null(ks_scenario_parse(text, strlen(text), "t.ksim", problem, sizeof problem));
    assert_string_equal(problem, "t.ksim:2:1: 'toipc' is not a command; did you mean 'topic'?\n"
                                 "t.ksim:11:6: there is no consumer 'c9'; did you mean 'c2'?\n"
                                 "t.ksim:12:14: the lag is a whole number, 0 or more, not 'many'\n"
                                 "t.ksim:13:16: 'Stabel' is no state of a group; did you mean 'Stable'?\n"
                                 "t.ksim:15:11: advance is a duration such as 500us, 10ms, 3s, 5m, 2h, 7d, not '3x'");
    char little[100]; /* whole lines only */
    assert_null(ks_scenario_parse(text, strlen(text), "t.ksim", little, sizeof little));
    assert_string_equal(little, "t.ksim:2:1: 'toipc' is not a command; did you mean 'topic'?");
}

static void of_many_mistakes_the_first_twenty_are_told(void **state) {
    (void)state;
    ks_buffer text = { 0 };
    for (int i = 0; i < 1000; i++) ks_buffer_printf(&text, "jion c%d\n", i);
    char problem[KS_PROBLEMS_SIZE], last[100];
    assert_null(ks_scenario_parse((const char *)text.data, text.size, "t.ksim", problem, sizeof problem));
    int lines = 1;
    for (const char *at = problem; (at = strchr(at, '\n')) != NULL; at++) lines++;
    assert_int_equal(lines, 20);
    snprintf(last, sizeof last, "\nt.ksim:20:1: 'jion' is not a command; did you mean 'join'?");
    assert_string_equal(problem + strlen(problem) - strlen(last), last);
    ks_buffer_deinit(&text);
}

static void a_cluster_that_is_wrong_leaves_only_what_is_wrong_anyway(void **state) {
    (void)state;
    char problem[KS_PROBLEMS_SIZE];
    static const char text[] = "cluster brokers=many\ntopic t replication=5\nmove-leader t/0 7\nsay \"open\n";
    assert_null(ks_scenario_parse(text, strlen(text), "t.ksim", problem, sizeof problem));
    assert_string_equal(problem, "t.ksim:1:17: brokers is a whole number, not 'many'\nt.ksim:4:5: this quote is never closed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_words_pairs_and_a_comment),
        cmocka_unit_test(expected_output_belongs_to_the_command_above),
        cmocka_unit_test(every_mistake_is_told_with_its_place_and_the_remedy),
        cmocka_unit_test(all_mistakes_are_told_in_order_without_what_follows_from_them),
        cmocka_unit_test(of_many_mistakes_the_first_twenty_are_told),
        cmocka_unit_test(a_cluster_that_is_wrong_leaves_only_what_is_wrong_anyway),
        cmocka_unit_test(durations_sizes_and_ratios_are_exact),
        cmocka_unit_test(any_bytes_are_parsed_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
