/* SPDX-License-Identifier: Apache-2.0
 * What is said of a scenario whose every line is well formed and that yet cannot be meant: before anything runs, with line and column.
 */
#define _XOPEN_SOURCE 700
#include "tests/support/test.h"

#include <unistd.h>

#include "sim/scenario/command.h"
#include "sim/scenario/scenario.h"

/* What most mistakes stand after: line 1 to 5. */
#define BEFORE \
    "cluster brokers=2\n" \
    "topic orders partitions=3\n" \
    "producer p\n" \
    "consumer c1 group=billing topics=orders\n" \
    "consumer c2 group=audit topics=orders client=kafka-go\n"

static char folder[] = "/tmp/ksim-check-XXXXXX";

static void write_file(const char *name, const char *text, size_t size) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void expect_said(const char *text, size_t size, const char *says) {
    char problem[1024] = "", name[200], whole[1400];
    snprintf(name, sizeof name, "%s/t.ksim", folder);
    ks_scenario *s = ks_scenario_parse(text, size, name, problem, sizeof problem);
    ks_scenario_free(s);
    if (s != NULL) fail_msg("this is accepted: %s", text);
    snprintf(whole, sizeof whole, "%s:%s", name, says);
    if (strncmp(problem, whole, strlen(whole)) != 0) fail_msg("for\n%s\n  it says    %s\n  instead of %s", text, problem, whole);
}

static void expect_accepted(const char *text) {
    char problem[1024] = "", name[200];
    snprintf(name, sizeof name, "%s/t.ksim", folder);
    ks_scenario *s = ks_scenario_parse(text, strlen(text), name, problem, sizeof problem);
    if (s == NULL) fail_msg("for\n%s\n  it says %s", text, problem);
    ks_scenario_free(s);
}

typedef struct row { const char *line, *says; } row;

static void hold(const row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char text[2000];
        int size = snprintf(text, sizeof text, "%s%s", BEFORE, rows[i].line);
        expect_said(text, (size_t)size, rows[i].says);
    }
}
#define HOLD(rows) hold(rows, sizeof rows / sizeof *rows)

static void unknown_names_are_told_with_the_nearest(void **state) {
    (void)state;
    static const row rows[] = {
        { "produce order", "6:9: there is no topic 'order'; did you mean 'orders'?" },
        { "produce orders by=q", "6:19: there is no producer 'q'; did you mean 'p'?" },
        { "join c3", "6:6: there is no consumer 'c3'; did you mean 'c1'?" },
        { "join p", "6:6: 'p' is a producer; `join` takes consumers" },
        { "join c1 c1", "6:9: 'c1' stands here twice" },
        { "until stable biling", "6:14: there is no group 'biling'; did you mean 'billing'?" },
        { "until rule slow", "6:12: there is no rule 'slow'; make it first: rule slow when ... then ..." },
        { "expect lag bill 0", "6:12: there is no group 'bill'; did you mean 'billing'?" },
        { "expect assignment billing c9=orders[0]", "6:27: there is no consumer 'c9'; did you mean 'c1'?" },
        { "expect assignment billing c2=orders[0]", "6:27: 'c2' is of group audit, not of billing" },
        { "expect assignment billing c1=orders[3]", "6:30: orders has 3 partitions, 0 to 2; there is no orders/3" },
        { "expect assignment billing c1=order[0]", "6:30: there is no topic 'order'; did you mean 'orders'?" },
        { "expect assignment billing c1=orders[0] c1=orders[1]", "6:40: 'c1' stands here twice" },
        { "expect assignment billing orders[0]", "6:27: write CONSUMER=TOPIC[P,..], such as c1=orders[0,1]" },
        { "expect committed billing orders/7 0", "6:26: orders has 3 partitions, 0 to 2; there is no orders/7" },
        { "expect committed billing orders 0", "6:26: which partition of orders? write orders/0" },
        { "expect contents orders/x", "6:17: 'orders/x' is not of the form TOPIC/P, such as orders/0" },
        { "consumer c3 group=g topics=order", "6:28: there is no topic 'order'; did you mean 'orders'?" },
        { "rule r when JoinGruop then count", "6:13: 'JoinGruop' is no request of Kafka's; did you mean 'JoinGroup'?" },
        { "rule r when JoinGroup client=c7 then count", "6:30: there is no client and no broker 'c7'; did you mean 'c1'?" },
        { "rule r when JoinGroup then REBALANCE_IN_PROGRES", "6:28: 'REBALANCE_IN_PROGRES' is none of Kafka's errors; did you mean 'REBALANCE_IN_PROGRESS'?" },
        { "rule r when JoinGroup then hodl", "6:28: 'hodl' is no action; did you mean 'hold'?" },
        { "release r", "6:9: there is no rule 'r'" },
        { "cut c1 broker-3", "6:8: there is no 'broker-3'; the brokers are broker-1 to broker-2" },
        { "cut c1 c2", "6:8: clients talk to brokers, not to each other" },
        { "remove-member billing c2", "6:23: 'c2' is of group audit, not of billing" },
        { "expect state billing Stabel", "6:22: 'Stabel' is no state of a group; did you mean 'Stable'?" },
        { "expect error c1 COMMIT_FAILD", "6:17: 'COMMIT_FAILD' is none of Kafka's errors; did you mean 'COMMIT_FAILED'?" },
        { "expect answer c1 Heartbeat REBALANCE", "6:28: 'REBALANCE' is none of Kafka's errors" },
        { "expect answer c1 Heartbet NONE", "6:18: 'Heartbet' is no request of Kafka's; did you mean 'Heartbeat'?" },
    };
    HOLD(rows);
}

static void wrong_words_and_orders_are_told_with_the_form(void **state) {
    (void)state;
    static const row rows[] = {
        { "expect", "6:7: 'expect' needs at least 1 word after it, here are 0" },
        { "expect asignment billing", "6:8: 'expect asignment' is no command; did you mean 'expect assignment'?" },
        { "expect xyzzy billing", "6:8: 'xyzzy' is no expectation; it is one of assignment, state, member, " },
        { "expect lag billing", "6:19: here is something missing: expect lag GROUP N" },
        { "expect lag billing 0 1", "6:22: what is '1'? It is: expect lag GROUP N" },
        { "expect lag billing 0 within=1s", "6:22: 'expect lag' takes no 'within='; it is: expect lag GROUP N" },
        { "expect state billing Stable generation=1 generation=2", "6:42: 'generation=' stands here twice" },
        { "expect nothing lots billing", "6:16: write: expect nothing lost GROUP" },
        { "expect member billing c1", "6:23: expect member GROUP CONSUMER needs epoch=N or state=STATE" },
        { "expect member billing c1 state=STABEL", "6:32: 'STABEL' is no state of a member; did you mean 'STABLE'?" },
        { "expect read-twice billing none", "6:8: nothing was produced so far, so nothing can have been read twice: this could never fail" },
        { "expect nothing lost billing", "6:8: nothing was produced so far, so nothing can have been lost: this could never fail" },
        { "produce orders\nexpect read-twice billing orders/0@5..3", "7:27: 'orders/0@5..3' is neither a number, none, nor TOPIC/P@A..B" },
        { "produce orders\nexpect skipped billing orders/0", "7:24: 'orders/0' is neither a number, none, nor TOPIC/P@A..B" },
        { "until", "6:6: 'until' needs at least 1 word after it, here are 0" },
        { "until stabel billing", "6:7: 'until stabel' is no command; did you mean 'until stable'?" },
        { "until stable", "6:13: here is something missing: until stable GROUP [within=D]" },
        { "until stable billing", "6:14: nobody has joined billing so far; `join` starts a consumer of it" },
        { "say hello world", "6:11: 'say' takes no more than 1 word; what is 'world'? A text with blanks stands in double quotes" },
        { "produce orders value=a b", "6:24: 'produce' takes no more than 1 word; what is 'b'? A text with blanks stands in double quotes" },
        { "until stable billing audit", "6:22: what is 'audit'? It is: until stable GROUP [within=D]" },
        { "until stable billing count=2", "6:22: 'until stable' takes no 'count='; it is: until stable GROUP [within=D]" },
        { "until lag billing -1", "6:19: the lag is a whole number, 0 or more, not '-1'" },
        { "until idle billing", "6:12: what is 'billing'? It is: until idle [within=D]" },
        { "advance -5s", "6:9: advance is a duration such as 500us, 10ms, 3s, 5m, 2h, 7d, not '-5s'" },
        { "advance 5", "6:9: advance is a duration" },
        { "cluster brokers=1", "6:1: 'cluster' comes first, and once" },
        { "slow c1", "6:6: slow needs process=D: what each message costs from now on" },
        { "alter-topic orders", "6:13: alter-topic needs at least one CONFIG=VALUE" },
        { "reset-offsets billing orders", "6:23: reset-offsets needs to=" },
        { "reset-offsets billing orders to=yesterday", "6:33: to= is earliest, latest, current, OFFSET, shift:N, time:DURATION (since the beginning) or ago:DURATION, not 'yesterday'" },
        { "reset-offsets billing orders to=-3", "6:33: to= is earliest" },
        { "rule r if JoinGroup then count", "6:8: a rule is: rule NAME when API" },
        { "rule r when JoinGroup then delay", "6:28: 'then delay' needs a duration after it, such as 3s" },
        { "rule r when JoinGroup then delay 0ms", "6:34: a delay of 0 delays nothing" },
        { "rule r when JoinGroup then count 3s", "6:34: after 'then count' comes no more; what is '3s'?" },
        { "rule r when JoinGroup nth=1 every=2 then count", "6:29: a rule has one of nth=, every=, next= and chance=; here is nth= already" },
        { "rule r when JoinGroup nth=0 then count", "6:27: nth is a whole number, 1 to 2147483647, not '0'" },
        { "rule r when Produce partition=0 then count", "6:21: partition= goes with topic=" },
        { "rule r when Produce topic=orders partition=3 then count", "6:44: partition is a whole number, 0 to 2, not '3'" },
        { "rule r when Produce then count\nrelease r", "7:9: the rule 'r' holds nothing; `then hold` does" },
        { "rule r when Produce then count\nrule r when Produce then count", "7:6: there is a rule 'r' already; `unrule r` removes it" },
        { "delay c1 broker-1 0s", "6:19: a message takes some time; 1us is the least" },
        { "delay c1 broker-1", "6:10: D, the delay of each message one way (or: default), is a duration" },
    };
    HOLD(rows);
}

static void wrong_values_are_told_with_what_is_allowed(void **state) {
    (void)state;
    static const row rows[] = {
        { "topic orders", "6:7: there is a topic 'orders' already" },
        { "topic a/b", "6:7: 'a/b' is no name for a topic: use 1 to 249 letters, digits, '.', '_', '-'" },
        { "topic ..", "6:7: '..' is taken" },
        { "topic t partitions=0", "6:20: partitions is a whole number, 1 to 10000, not '0'" },
        { "topic t partitions=99999", "6:20: partitions is a whole number, 1 to 10000" },
        { "topic t replication=3", "6:21: replication is a whole number, 1 to 2, not '3'" },
        { "topic t retention.sm=5", "6:9: unknown configuration \"retention.sm\", did you mean \"retention.ms\"?" },
        { "topic t retention.ms=soon", "6:22: " },
        { "topic t segment.bytes=-1", "6:23: " },
        { "add-partitions orders 3", "6:23: orders has 3 partitions already; N is the new total" },
        { "add-partitions orders 4\nproduce orders partition=4", "7:26: partition is a whole number, 0 to 3, not '4'" },
        { "delete-topic orders\nproduce orders", "7:9: there is no topic 'orders'" },
        { "produce orders partition=3", "6:26: partition is a whole number, 0 to 2, not '3'" },
        { "produce orders count=0", "6:22: count is 1 to 10000000, not 0" },
        { "produce orders every=0s", "6:22: every= is more than 0; leave it away to send all at once" },
        { "producer p", "6:10: there is a producer 'p' already, from line 3" },
        { "producer c1", "6:10: there is a consumer 'c1' already, from line 4" },
        { "producer admin", "6:10: 'admin' is taken" },
        { "producer broker-1", "6:10: 'broker-1' is taken" },
        { "produce orders\nproducer producer acks=1", "7:10: the producer 'producer' has sent already; declare it before that" },
        { "producer q linger.ms=5", "6:12: 'linger.ms' is no setting of a producer" },
        { "producer q batch.size=0", "6:23: batch.size is a whole number, 1 to 2147483647, not '0'" },
        { "consumer c1 group=g topics=orders", "6:10: there is a consumer 'c1' already, from line 4" },
        { "consumer c3 topics=orders", "6:12: a consumer needs group=G, the group it belongs to" },
        { "consumer c3 group=g", "6:12: a consumer needs topics=T,.., what it subscribes to" },
        { "consumer c3 group=g topics=orders,", "6:28: topics names a topic, or several with commas between" },
        { "consumer c3 group=g topics=orders,orders", "6:28: topics names 'orders' twice" },
        { "consumer c3 group=g topics=orders commit=often", "6:42: commit is auto, each, every:N or manual, not 'often'" },
        { "consumer c3 group=g topics=orders commit=every:0", "6:42: commit is auto, each, every:N or manual, not 'every:0'" },
        { "consumer c3 group=g topics=orders session.timeout=5", "6:35: " },
        { "consumer c3 group=g topics=orders session.timeout.ms=0", "6:35: " },
        { "consumer c3 group=g topics=orders session.timeout.ms=10 heartbeat.interval.ms=20", "6:35: " },
        { "consumer c3 group=g topics=orders group.id=h", "6:35: write group=h instead of group.id=" },
        { "consumer c3 group=g topics=orders commit=auto enable.auto.commit=false", "6:47: commit= and enable.auto.commit= are the same; leave one away" },
        { "consumer c3 group=g topics=orders assignor=rnage", "6:35: " },
        { "consumer c3 group=g topics=orders protocol=consumer assignor=sticky", "6:53: the assignors of the consumer protocol are uniform and range, not 'sticky'" },
        { "consumer c3 group=g topics=orders client=kafka-go protocol=consumer", "6:51: kafka-go knows only protocol=classic" },
        { "consumer c3 group=g topics=orders client=kafka-go session.timeout.ms=soon", "6:51: session.timeout.ms is a whole number, 1 to 2147483647, not 'soon'" },
        { "consumer c3 group=g topics=orders client=kafka-go max.poll.records=5", "6:51: kafka-go's reader has no 'max.poll.records'" },
        { "consumer c3 group=g topics=orders client=kafka-go assignor=sticky", "6:51: kafka-go's assignors are range, roundrobin and rack-affinity, not 'sticky'" },
        { "stop-broker 3", "6:13: a broker's number is a whole number, 1 to 2, not '3'" },
        { "delete-group billing refused=NON_EMPTY_GROP", "6:30: 'NON_EMPTY_GROP' is none of Kafka's errors; did you mean 'NON_EMPTY_GROUP'?" },
    };
    HOLD(rows);
    expect_said("cluster latency=0ms", 19, "1:17: a message takes some time; 1us is the least");
    expect_said("cluster brokers=0", 17, "1:17: brokers is a whole number, 1 to 64, not '0'");
    expect_said("cluster racks=a,b", 17, "1:15: racks names one rack for each of the 3 brokers");
    expect_said("cluster brokers=2 racks=a,", 26, "1:25: racks names one rack for each of the 2 brokers");
    expect_said("cluster group.min.session.timeout=5", 35, "1:9: unknown configuration \"group.min.session.timeout\", did you mean \"group.min.session.timeout.ms\"?");
    expect_said("cluster group.max.size=-5", 25, "1:24: ");
}

static void a_client_is_in_a_state_for_what_is_done_to_it(void **state) {
    (void)state;
    static const row rows[] = {
        { "leave c1", "6:7: 'c1' is not running; `join` starts it" },
        { "crash c1", "6:7: 'c1' is not running" },
        { "commit c1", "6:8: 'c1' is not running" },
        { "restart c1", "6:9: 'c1' is not running; `join` starts it" },
        { "join c1\njoin c1", "7:6: 'c1' is running already" },
        { "join c1\nrestart c1", "7:9: 'c1' is running; `crash` it first" },
        { "join c1\nresume c1", "7:8: 'c1' does not stand still; `pause` it first" },
        { "join c1\ncrash c1\njoin c1", "8:6: 'c1' has crashed; `restart` starts it again" },
        { "join c1\npause c1\nleave c1", "8:7: 'c1' stands still; `resume` it first" },
        { "join c1\nleave c1\nrestart c1", "8:9: 'c1' has left; `join` starts it again" },
        { "join c2\ncrash c1 c2", "7:7: 'c1' is not running" },
        { "crash p\nproduce orders by=p", "7:19: the producer 'p' has crashed; `restart` it first" },
        { "pause p\nproduce orders by=p", "7:19: the producer 'p' stands still; `resume` it first" },
    };
    HOLD(rows);
    expect_accepted(BEFORE "slow c1 process=1s\njoin c1 c2\npause c1\ncrash c1\nrestart c1\ncrash p\nrestart p\nproduce orders by=p\nleave c1\njoin c1\n");
}

static void a_data_file_is_checked_whole(void **state) {
    (void)state;
    char says[400];
    static const struct { const char *name, *text; size_t size; const char *pairs, *says; } files[] = {
        { "empty.csv", "", 0, "", "%s/empty.csv is empty" },
        { "names.csv", "user,event\n", 11, "", "%s/names.csv has a row of names, but no rows below it" },
        { "short.csv", "user,event\nann,go\nbob\n", 22, "", "%s/short.csv:3: this row has 1 field, the first row names 2" },
        { "quote.csv", "user\n\"ann\nbob\n", 14, "", "%s/quote.csv:2: a quote that this row opens is never closed" },
        { "zero.csv", "user\na\0b\n", 9, "", "%s/zero.csv:2: a zero byte: this is no text file" },
        { "field.csv", "user,event\nann,go\n", 18, " key={usr}", "%s/field.csv:1: there is no field 'usr'; the nearest is 'user'" },
        { "array.jsonl", "{\"a\":1}\n[1]\n", 12, "", "%s/array.jsonl:2: this line is JSON, but no object" },
        { "cut.jsonl", "{\"a\":1}\n{\"a\":\n", 14, "", "%s/cut.jsonl:2: this line is no JSON" },
        { "without.jsonl", "{\"a\":1}\n\n{\"b\":1}\n", 17, " key={a}", "%s/without.jsonl:3: this line has no field 'a'" },
        { "text.txt", "hello\n", 6, "", "%s/text.txt is neither CSV nor JSON lines by its name: call it .csv or .jsonl" },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char text[400], format[300];
        write_file(files[i].name, files[i].text, files[i].size);
        int size = snprintf(text, sizeof text, "topic t\nproduce t from=%s%s", files[i].name, files[i].pairs);
        int column = files[i].pairs[0] != '\0' ? 21 + (int)strlen(files[i].name) : 16;
        snprintf(format, sizeof format, "2:%d: %s", column, files[i].says);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(says, sizeof says, format, folder);
#pragma GCC diagnostic pop
        expect_said(text, (size_t)size, says);
    }
    snprintf(says, sizeof says, "2:16: %s/none.csv cannot be opened; does it exist, and may you read it?", folder);
    expect_said("topic t\nproduce t from=none.csv", 31, says);
    expect_said("topic t\nproduce t from=/dev/.csv", 32, "2:16: /dev/.csv cannot be opened");
    char device[] = "topic t\nproduce t from=dir.csv";
    char path[200];
    snprintf(path, sizeof path, "mkdir %s/dir.csv", folder);
    assert_int_equal(system(path), 0);
    snprintf(says, sizeof says, "2:16: %s/dir.csv is no file that can be read whole; is it a folder or a device?", folder);
    expect_said(device, sizeof device - 1, says);
    write_file("fine.csv", "\xEF\xBB\xBFuser,\"the event\"\r\n\"ann, \"\"x\"\"\",\"two\nlines\"\r\n", 46);
    expect_accepted("topic t\nproduce t from=fine.csv key={user} value=\"{n} {the event}\"");
}

static void windows_and_odd_files_are_read(void **state) {
    (void)state;
    expect_accepted("");
    expect_accepted("\xEF\xBB\xBF" BEFORE);
    expect_accepted("topic t\r\nsay a\r\n----\r\none\r\n\r\nsay b\r\n");
    expect_accepted("\ttopic\tt\t# tabs\n\t# comment\nsay b");
    expect_said("topic t\nsay a\0b\n", 16, "2:6: a zero byte; a scenario is a text file");
    expect_said("topic t\nconsumer c group=g topics=t group.instance.id=\"a\\x00b\"", 61, "2:49: a text cannot hold a zero byte");
}

static void a_long_file_and_a_long_line_are_read_in_time(void **state) {
    (void)state;
    char problem[512];
    ks_buffer text = { 0 };
    ks_buffer_text(&text, "topic t\n");
    for (int i = 0; i < 300000; i++) ks_buffer_printf(&text, "topic topic-%d\n", i);
    ks_buffer_text(&text, "produce t value=\"");
    for (int i = 0; i < 5 * 1024 * 1024; i++) ks_buffer_append(&text, "x", 1);
    ks_buffer_text(&text, "\"\n");
    ks_scenario *s = ks_scenario_parse((const char *)text.data, text.size, "long.ksim", problem, sizeof problem);
    if (s == NULL) fail_msg("%s", problem);
    assert_int_equal(s->commands.count, 300002);
    ks_scenario_free(s);
    ks_buffer_deinit(&text);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_names_are_told_with_the_nearest),
        cmocka_unit_test(wrong_words_and_orders_are_told_with_the_form),
        cmocka_unit_test(wrong_values_are_told_with_what_is_allowed),
        cmocka_unit_test(a_client_is_in_a_state_for_what_is_done_to_it),
        cmocka_unit_test(a_data_file_is_checked_whole),
        cmocka_unit_test(windows_and_odd_files_are_read),
        cmocka_unit_test(a_long_file_and_a_long_line_are_read_in_time),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
