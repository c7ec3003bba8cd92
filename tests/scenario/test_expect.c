/* SPDX-License-Identifier: Apache-2.0
 * Every expectation holds when it should, and fails, saying what is, when it should: an expectation that cannot fail is worth nothing.
 */
#include "tests/support/test.h"

#include "sim/scenario/scenario.h"

static ks_scenario_outcome run(const char *text) {
    char problem[1024];
    ks_scenario_outcome outcome;
    ks_scenario *scenario = ks_scenario_parse(text, strlen(text), "t.ksim", problem, sizeof problem);
    if (scenario == NULL) fail_msg("%s\n%s", problem, text);
    ks_scenario_run(scenario, &(ks_scenario_options){ 0 }, &outcome);
    ks_scenario_free(scenario);
    return outcome;
}

typedef struct row { const char *line, *says; } row; /* says NULL: it holds */

/* Each line after the same commands, in a run of its own. */
static void hold(const char *before, const row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char text[4000];
        snprintf(text, sizeof text, "%s%s\n", before, rows[i].line);
        ks_scenario_outcome outcome = run(text);
        bool held = outcome.failed == 0 && !outcome.wrong && !outcome.stuck;
        if (held != (rows[i].says == NULL)) fail_msg("'%s' %s\n%s", rows[i].line, held ? "holds" : "does not hold", outcome.report);
        if (rows[i].says != NULL && strstr(outcome.report, rows[i].says) == NULL) fail_msg("'%s' says\n  %s  instead of\n  %s", rows[i].line, outcome.report, rows[i].says);
        ks_scenario_outcome_deinit(&outcome);
    }
}
#define HOLD(before, rows) hold(before, rows, sizeof rows / sizeof *rows)

static void assignment_and_state(void **state) {
    (void)state;
    static const char before[] = "cluster brokers=1 group.initial.rebalance.delay.ms=0\ntopic o partitions=3\ntopic u partitions=2\n"
                                 "consumer c1 group=g topics=o,u assignor=range\nconsumer c2 group=g topics=o,u assignor=range\nconsumer c3 group=g topics=o assignor=range\n"
                                 "consumer d group=other topics=o\njoin c1\nuntil stable g\njoin c2\nuntil stable g\n";
    static const row rows[] = {
        { "expect assignment g c1=o[0,1] u[0] c2=o[2] u[1]", NULL },
        { "expect assignment g c2=u[1] o[2] c1=\"u[0] o[0-1]\"", NULL },
        { "expect assignment g c1=o[0,1] u[0] c2=o[2]", "assignment of group g: is c1=o[0,1] u[0] c2=o[2] u[1], expected c1=o[0,1] u[0] c2=o[2]" },
        { "expect assignment g c1=o[0,1] u[0]", "assignment of group g: is c1=" },
        { "expect assignment g c1=o[0,1] u[0] c2=o[2] u[1] c3=none", "expected c1=o[0,1] u[0] c2=o[2] u[1] c3=none" },
        { "expect assignment g c1=o[0,1,2] u[0] c2=o[2] u[1]", "expected c1=o[0,1,2] u[0]" },
        { "expect assignment other", NULL },
        { "expect assignment g", "expected nobody" },
        { "expect assignment other d=none", "is nobody, expected d=none" },
        { "leave c1 c2\nexpect assignment g", NULL },
        { "expect state g Stable", NULL },
        { "expect state g Stable generation=2", NULL },
        { "expect state g Stable generation=1", "g has generation 2, not 1" },
        { "expect state g Empty", "g is Stable, not Empty" },
        { "expect state other Dead", NULL },
        { "expect state other Empty", "other is Dead, not Empty" },
        { "expect member g c1 epoch=2", NULL },
        { "expect member g c1 epoch=1", "c1 is at epoch 2, not 1" },
        { "expect member g c3 epoch=2", "c3 is no member of g" },
        { "expect member g c1 state=STABLE", "c1 is a member of the classic protocol" },
        { "until state g Stable", NULL },
        { "join c3\nuntil state g PreparingRebalance\nexpect state g PreparingRebalance generation=2", NULL },
        { "until state g Empty within=1m", "g is Stable, and did not become Empty" },
        { "join d\nleave d\nuntil stable other", NULL },
        { "join d\nuntil stable other within=1us", "other is not stable: it is Dead, with 0 members" },
    };
    HOLD(before, rows);
    static const row rules[] = {
        { "rule r when Heartbeat client=c1 then count\nuntil rule r count=3", NULL },
        { "rule r when Heartbeat client=c1 then count\nuntil rule r count=3 within=1s", "the rule r fired 0 times, not 3" },
        { "rule r when Heartbeat client=c1 nth=5 then count\nuntil rule r count=2 within=1m", "the rule r fired 1 time, not 2" },
    };
    HOLD(before, rules);
}

static void lag_committed_and_contents(void **state) {
    (void)state;
    static const char before[] = "cluster brokers=1 group.initial.rebalance.delay.ms=0\ntopic o partitions=2\nconsumer c group=g topics=o commit=manual\n"
                                 "produce o partition=0 key=k value=\"v {n}\" count=2\nproduce o partition=0 value=\"a=b\"\nproduce o partition=1 key=x value=y\n";
    static const row rows[] = {
        { "expect lag g 4", NULL }, /* nothing is committed, nobody has joined: everything is to be read */
        { "expect lag g 0", "the lag of g is 4, not 0" },
        { "join c\nuntil stable g\nadvance 1s\nexpect lag g 0", "the lag of g is 4, not 0" },
        { "join c\nuntil stable g\nadvance 1s\ncommit c\nadvance 1s\nexpect lag g 0", NULL },
        { "until lag g 0 within=1m", "the lag of g is still 4" },
        { "until lag g 4 within=1m", NULL },
        { "join c\nuntil stable g\nadvance 1s\ncommit c\nuntil lag g 0 within=1m", NULL },
        { "expect committed g o/0 none", NULL },
        { "expect committed g o/0 -1", NULL },
        { "expect committed g o/0 0", "g has committed nothing of o/0, not 0" },
        { "join c\nuntil stable g\nadvance 1s\ncommit c\nadvance 1s\nexpect committed g o/0 3", NULL },
        { "join c\nuntil stable g\nadvance 1s\ncommit c\nadvance 1s\nexpect committed g o/0 2", "g has committed 3 of o/0, not 2" },
        { "join c\nuntil stable g\nadvance 1s\ncommit c\nadvance 1s\nexpect committed g o/0 none", "g has committed 3 of o/0, not none" },
        { "expect contents o/0 \"k=v 0\" \"k=v 1\" \"=a=b\"", NULL },
        { "expect contents o/0 k=\"v 0\" \"v 1\" =\"a=b\"", NULL },
        { "expect contents o/1 y", NULL },
        { "expect contents o/1 x=y", NULL },
        { "expect contents o/1 x=z", "o/1@0 is \"x=y\", not \"x=z\"" },
        { "expect contents o/1 z=y", "o/1@0 is \"x=y\", not \"z=y\"" },
        { "expect contents o/1 x=y x=y", "o/1 has 1 record, not 2" },
        { "expect contents o/1", "o/1 has 1 record, not 0" },
        { "expect contents o/0 \"k=v 1\" \"k=v 0\" \"=a=b\"", "o/0@0 is \"k=v 0\", not \"k=v 1\"" },
        { "reset-offsets g o to=latest\nexpect lag g 0", NULL },
        { "reset-offsets g o/0 to=1\nexpect committed g o/0 1", NULL },
        { "reset-offsets g o/0 to=1\nreset-offsets g o/0 to=shift:9\nexpect committed g o/0 3", NULL },
        { "reset-offsets g o/0 to=shift:1", "g has committed nothing for o/0: there is nothing to shift from" },
        { "reset-offsets g o/0 to=shift:1 refused=NO_OFFSET_FOR_PARTITION", NULL },
        { "reset-offsets g o/0 to=99\nexpect committed g o/0 3", NULL },
        { "reset-offsets g o/0 to=1\nreset-offsets g o to=current\nexpect committed g o/0 1\nexpect committed g o/1 1", NULL },
        { "advance 1h\nreset-offsets g o to=ago:30m\nexpect lag g 0", NULL },
        { "advance 1h\nreset-offsets g o to=ago:2h\nexpect lag g 4", NULL },
        { "reset-offsets g o to=time:0s\nexpect lag g 4", NULL },
        { "reset-offsets g o to=time:1h\nexpect lag g 0", NULL },
        { "reset-offsets g o to=earliest\ndelete-offsets g o/0\nexpect committed g o/0 none", NULL },
        { "join c\nuntil stable g\nreset-offsets g o to=latest refused=UNKNOWN_MEMBER_ID", NULL },
        { "join c\nuntil stable g\nreset-offsets g o to=latest", "UNKNOWN_MEMBER_ID: g is Stable: offsets are reset only while a group has no members" },
        { "join c\nuntil stable g\ndelete-group g refused=NON_EMPTY_GROUP", NULL },
        { "join c\nuntil stable g\ndelete-group g refused=GROUP_ID_NOT_FOUND", "delete-group was not refused with GROUP_ID_NOT_FOUND: NON_EMPTY_GROUP" },
        { "join c\nuntil stable g\nleave c\ndelete-group g refused=NON_EMPTY_GROUP", "delete-group was not refused with NON_EMPTY_GROUP: it was done" },
        { "join c\nuntil stable g\ndelete-group g", "NON_EMPTY_GROUP" },
    };
    HOLD(before, rows);
}

static void lost_skipped_and_read_twice(void **state) {
    (void)state;
    static const char before[] = "cluster brokers=1 group.initial.rebalance.delay.ms=0\ntopic o partitions=2\n"
                                 "consumer c group=g topics=o commit=manual process=100ms\nconsumer late group=h topics=o auto.offset.reset=latest\n"
                                 "produce o partition=0 count=10\nproduce o partition=1 count=1\n";
    static const row rows[] = {
        { "expect nothing lost g", "o[0]@0 was never delivered to g" },
        { "expect skipped g 11", NULL },
        { "expect skipped g none", "g: 11 records were never delivered, not 0" },
        { "expect skipped g o/0@0..9 o/1@0..0", NULL },
        { "expect skipped g o/0@0..8", "o[0]@9 was delivered to g 0 times" },
        { "expect skipped g o/0@0..10", "o[0] ends at 10: there is no 0..10" },
        { "join c\nadvance 1m\nexpect nothing lost g", NULL },
        { "join c\nadvance 1m\nproduce o\nexpect nothing lost g", " was never delivered to g" },
        { "join c\nadvance 1m\nexpect read-twice g none", NULL },
        { "join c\nadvance 1m\nexpect read-twice g 1", "g: 0 records were delivered more than once, not 1" },
        { "join c\nadvance 1m\nexpect read-twice g o/0@0..9", "o[0]@0 was delivered to g 1 time" },
        { "join c\nadvance 1m\nexpect read-twice g o/0@300..310", "o[0] ends at 10: there is no 300..310" },
        { "join c\nadvance 1m\ncrash c\nrestart c\nadvance 1m\nexpect read-twice g 11", NULL },
        { "join c\nadvance 1m\ncrash c\nrestart c\nadvance 1m\nexpect read-twice g none", "g: 11 records were delivered more than once, not 0" },
        { "join c\nadvance 1m\ncrash c\nrestart c\nadvance 1m\ncrash c\nrestart c\nadvance 1m\nexpect read-twice g 11", NULL }, /* three times is once more than once */
        { "join c\nadvance 1m\ncommit c\nadvance 1s\ncrash c\nrestart c\nadvance 1m\nexpect read-twice g none", NULL },
        { "join c\nadvance 1m\ncrash c\nrestart c\nadvance 1m\nexpect read-twice g o/0@0..9 o/1@0..0", NULL },
        { "join late\nuntil stable h\nadvance 1s\nproduce o partition=0\nadvance 1s\nexpect skipped h o/0@0..9", NULL },
        { "join late\nuntil stable h\nadvance 1s\nexpect nothing lost h", "o[0]@0 was never delivered to h" },
    };
    HOLD(before, rows);
    /* A record that retention deleted before anybody read it is lost, though nothing of it is left in the log. */
    static const char short_lived[] = "cluster brokers=1 group.initial.rebalance.delay.ms=0 log.retention.check.interval.ms=1000\ntopic t retention.ms=1000 segment.ms=1000\n"
                                      "consumer c group=g topics=t\nproduce t\nadvance 1h\nproduce t\nadvance 1h\nproduce t\njoin c\nuntil stable g\nadvance 1s\n";
    static const row deleted[] = { { "expect nothing lost g", "t[0]@0 was never delivered to g" } };
    HOLD(short_lived, deleted);
    /* kafka-go's ReadMessage commits before the program has the message: a crash in between loses it, and that is no delivery. */
    static const char at_most_once[] = "cluster brokers=1 group.initial.rebalance.delay.ms=0\ntopic t\nconsumer c group=g topics=t client=kafka-go\nproduce t\n"
                                       "rule r when OffsetCommit then hold-answer\njoin c\nuntil rule r\ncrash c\nunrule r\nrestart c\nadvance 2m\nexpect committed g t/0 1\n";
    static const row once[] = { { "expect nothing lost g", "t[0]@0 was never delivered to g" } };
    HOLD(at_most_once, once);
}

static void revoked_lost_error_and_answer(void **state) {
    (void)state;
    static const char before[] = "cluster brokers=1 group.initial.rebalance.delay.ms=0\ntopic o partitions=4\n"
                                 "consumer c1 group=g topics=o assignor=range\nconsumer cc1 group=g topics=o assignor=range\n"
                                 "join c1\nuntil stable g\njoin cc1\nuntil stable g\n";
    static const row rows[] = {
        { "expect revoked c1 o[0,1,2,3]", NULL },
        { "expect revoked c1 o[0-3]", NULL },
        { "expect revoked c1 o[2,3]", "c1 has given up o[0,1,2,3], not o[2,3]" },
        { "expect revoked c1 none", "c1 has given up o[0,1,2,3], not none" },
        { "expect revoked cc1 none", NULL },
        { "expect revoked cc1 o[0,1,2,3]", "cc1 has given up none, not o[0,1,2,3]" },
        { "advance 1s\nexpect revoked c1 none", NULL }, /* long ago by now */
        { "expect lost c1 none", NULL },
        { "expect lost c1 o[0,1]", "c1 has lost none, not o[0,1]" },
        { "pause cc1\nadvance 1m\nresume cc1\nuntil stable g\nexpect lost cc1 o[2,3]", NULL },
        { "pause cc1\nadvance 1m\nresume cc1\nuntil stable g\nexpect lost cc1 o[0,1,2,3]", "cc1 has lost o[2,3], not o[0,1,2,3]" },
        { "leave cc1\nexpect revoked cc1 o[2,3]", NULL }, /* a name that ends like another is another */
        { "leave cc1\nexpect revoked c1 o[2,3]", "c1 has given up none, not o[2,3]" },
        { "expect holds c1 o[0,1]", NULL },
        { "expect holds c1 none", "c1 holds o[0,1], not none" },
        { "expect holds cc1 o[0,1]", "cc1 holds o[2,3], not o[0,1]" },
        { "pause cc1\nadvance 1m\nexpect assignment g c1=o[0-3]\nexpect holds cc1 o[2,3]", NULL }, /* it does not know yet */
        { "crash cc1\nexpect holds cc1 none", NULL },
        { "expect error c1 NONE", NULL },
        { "expect error c1 COMMIT_FAILED", "the last error of c1 is NONE, not COMMIT_FAILED" },
        { "expect answer c1 Heartbeat REBALANCE_IN_PROGRESS", NULL },
        { "expect answer c1 Heartbeat REBALANCE_IN_PROGRESS count=1", NULL },
        { "expect answer c1 Heartbeat REBALANCE_IN_PROGRESS count=2", "c1 got the answer REBALANCE_IN_PROGRESS to a Heartbeat 1 time, not 2" },
        { "expect answer cc1 Heartbeat REBALANCE_IN_PROGRESS", "cc1 got no answer REBALANCE_IN_PROGRESS to a Heartbeat" },
        { "expect answer cc1 Heartbeat REBALANCE_IN_PROGRESS count=0", NULL },
        { "expect answer c1 LeaveGroup NONE", "c1 got no answer NONE to a LeaveGroup" },
        { "advance 10s\nexpect answer c1 Heartbeat NONE\nexpect answer c1 Heartbeat REBALANCE_IN_PROGRESS count=0", NULL },
        { "rule r when OffsetCommit then UNKNOWN_MEMBER_ID\nproduce o count=10\nadvance 20s\nexpect answer c1 OffsetCommit UNKNOWN_MEMBER_ID", NULL },
    };
    HOLD(before, rows);
}

static void idle_and_stuck(void **state) {
    (void)state;
    static const char before[] = "cluster brokers=1 group.initial.rebalance.delay.ms=0\ntopic o\nconsumer c group=g topics=o\n";
    static const row rows[] = {
        { "until idle", NULL },
        { "join c\nuntil stable g\nuntil idle", NULL },
        { "produce o count=3\nslow c process=20s\njoin c\nuntil idle\nexpect nothing lost g\nexpect lag g 0", NULL },
        { "produce o every=100ms count=1000\nuntil idle within=10s", "things still happen" },
        { "produce o every=100ms count=10\nuntil idle\nexpect lag g 10", NULL },
        { "rule r when JoinGroup then hold\njoin c\nuntil stable g within=10s", "g is not stable" },
        { "rule r when JoinGroup then GROUP_AUTHORIZATION_FAILED\njoin c\nuntil stable g within=10s", "the last error of c is GROUP_AUTHORIZATION_FAILED" },
        { "stop-broker 1\nproduce o", " of 1 messages" },
        { "produce o refused=NOT_LEADER_OR_FOLLOWER", "produce was not refused with NOT_LEADER_OR_FOLLOWER: it was done" },
        { "alter-topic o max.message.bytes=100\nproduce o value=0123456789012345678901234567890123456789012345678901234567890123456789 refused=MESSAGE_TOO_LARGE", NULL },
    };
    HOLD(before, rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assignment_and_state),
        cmocka_unit_test(lag_committed_and_contents),
        cmocka_unit_test(lost_skipped_and_read_twice),
        cmocka_unit_test(revoked_lost_error_and_answer),
        cmocka_unit_test(idle_and_stuck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
