#!/bin/sh
# Every scenario that the project shows holds what it expects, with its own seed and with others.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"
for file in demos/rebalancing/*.ksim; do
    check "$(basename "$file" .ksim) holds what it expects" "$KSIM" run "$file"
done
example() { sed -n '/^    # Two kafka-go/,/^    expect/p' docs/scenarios.md | sed 's/^    //' >"$work/example.ksim" && "$KSIM" run "$work/example.ksim" | grep "2 held, 0 failed"; }
check "the example in docs/scenarios.md is true" example
check "two runs of a scenario give the same trace" sh -c '"$KSIM" run demos/rebalancing/second-consumer-joins.ksim --trace "$0/a" && "$KSIM" run demos/rebalancing/second-consumer-joins.ksim --trace "$0/b" && test -s "$0/a" && cmp "$0/a" "$0/b"' "$work"
cat >"$work/canary.ksim" <<'S'
cluster brokers=1 group.initial.rebalance.delay.ms=0
topic t partitions=2
consumer c group=g topics=t
join c
until stable g
expect assignment g c=t[0]
S
refused() { set +e; "$KSIM" run "$work/canary.ksim" >"$work/o" 2>&1; s=$?; set -e; cat "$work/o"; [ $s -eq 1 ] && grep -q "canary.ksim:6: assignment of group g: is c=t\[0,1\], expected c=t\[0\]" "$work/o"; }
check "a scenario that must fail fails, with its line" refused
not_skipped() {
    printf 'cluster brokers=1 group.initial.rebalance.delay.ms=0\ntopic t\nconsumer c group=g topics=t\nproduce t count=3\njoin c\nadvance 1s\nexpect skipped g none\nexpect skipped g 1\nexpect skipped g t/0@0..2\n' >"$work/skipped.ksim"
    set +e; "$KSIM" run "$work/skipped.ksim" >"$work/o" 2>&1; s=$?; set -e; cat "$work/o"
    [ $s -eq 1 ] && grep -q "skipped.ksim:8: g: 0 records were never delivered, not 1" "$work/o" && grep -q "skipped.ksim:9: t\[0\]@0 was delivered to g 1 time" "$work/o"
}
check "what was delivered was not skipped" not_skipped
both_sides() { # a member that stands still holds what the group has taken from it
    printf 'cluster brokers=1 group.initial.rebalance.delay.ms=0\ntopic t\nconsumer c group=g topics=t session.timeout.ms=6000 heartbeat.interval.ms=1000\njoin c\nuntil stable g\nexpect holds c t[0]\npause c\nadvance 10s\nviews g\nexpect holds c none\ncrash c\nexpect holds c none\n' >"$work/sides.ksim"
    set +e; "$KSIM" explain "$work/sides.ksim" >"$work/o" 2>&1; s=$?; set -e; cat "$work/o"
    [ $s -eq 0 ] && grep -q "sides.ksim:10: c holds t\[0\], not none" "$work/o" && ! grep -q "sides.ksim:12" "$work/o" &&
        tr '\n' ' ' <"$work/o" | tr -s ' ' | grep -q "Seen from the coordinator: g is Empty in generation 2. Seen from c: it holds t\[0\], given in generation 1; 0 messages were delivered to it. But in g t\[0\] is not its own."
}
check "views tells a group from both sides" both_sides
nobody() { printf 'cluster brokers=1\nviews h\n' >"$work/nobody.ksim"; set +e; "$KSIM" run "$work/nobody.ksim" >"$work/o" 2>&1; s=$?; set -e; cat "$work/o"; [ $s -eq 2 ] && grep -q "nobody.ksim:2:7: " "$work/o"; }
check "views of a group that nobody named is refused" nobody
stuck() { printf 'topic t\nrule never when Produce then count\nuntil rule never\n' >"$work/stuck.ksim"; set +e; "$KSIM" run "$work/stuck.ksim" >"$work/o" 2>&1; s=$?; set -e; cat "$work/o"; [ $s -eq 1 ] && grep -q "stuck" "$work/o"; }
check "a run that gets stuck says so, exit status 1" stuck
wrong() { printf 'topic t\njion c\n' >"$work/wrong.ksim"; set +e; "$KSIM" run "$work/wrong.ksim" --trace "$work/no" >"$work/o" 2>&1; s=$?; set -e; cat "$work/o"; [ $s -eq 2 ] && grep -q "wrong.ksim:2:1:.*did you mean 'join'" "$work/o" && [ ! -e "$work/no" ]; }
check "a wrong file is refused with line, column and the nearest word, and nothing is written" wrong
rewrites() {
    printf 'cluster brokers=1 group.initial.rebalance.delay.ms=0\ntopic t\nconsumer c group=g topics=t client=kafka-go\njoin c\nuntil stable g\n----\nstale\n\nleave c\n' >"$work/rewrite.ksim"
    "$KSIM" run "$work/rewrite.ksim" --rewrite && "$KSIM" run "$work/rewrite.ksim" && grep -q "c joined g" "$work/rewrite.ksim" && ! grep -q stale "$work/rewrite.ksim"
}
check "--rewrite refreshes the expected output, and the file then holds" rewrites
check "explain tells a scenario" sh -c '"$KSIM" explain demos/rebalancing/second-consumer-joins.ksim | grep -q "c1 gives up orders\[0,1,2\]"'
refusal() { # scenario, the refused request, what must stand as the reason of the answer
    step=$("$KSIM" explain --level everything "demos/rebalancing/$1.ksim" | grep -E "$2" | awk '{ print $1; exit }')
    "$KSIM" why "demos/rebalancing/$1.ksim" "$step" | grep -A 3 "^answered so because of" | tee "$work/reason" | grep -q "$3" || { echo "step $step:"; cat "$work/reason"; return 1; }
}
check "a heartbeat that learns of a rebalance leads to who began it" refusal second-consumer-joins "Heartbeat.*REBALANCE_IN_PROGRESS" "c2 is new in billing"
check "a fenced process leads to the one that took its place" refusal static-member-twice "Heartbeat.*FENCED_INSTANCE_ID" "B-new is static member"
check "a removed member's commit leads to its removal" refusal zombie-commit "OffsetCommit.*UNKNOWN_MEMBER_ID" "B is removed from g"
check "a late commit leads to the generation that came meanwhile" refusal late-commit "OffsetCommit.*ILLEGAL_GENERATION" "generation 2 of g"
check "why leads back to the joining consumer" sh -c '"$KSIM" why demos/rebalancing/second-consumer-joins.ksim group billing 2 | grep -q "c2 is new in billing"'
finish
