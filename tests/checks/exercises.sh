#!/bin/sh
# The exercises of docs/teaching.md. What the solution expects does not hold in the lesson as it is, and holds after the change.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE/demos/rebalancing"
ran() { set +e; "$KSIM" run "$1" >"$work/said" 2>&1; status=$?; set -e; [ "$status" -eq "$2" ] || { cat "$1" "$work/said"; echo "exit status $status, not $2"; return 1; }; }
solved() { # lesson, a sed script that adds what is expected, a sed script that makes the change
    sed -E "$2" "$1.ksim" >"$work/before.ksim"
    sed -E "$2" "$1.ksim" | sed -E "$3" >"$work/after.ksim"
    ran "$work/before.ksim" 1 && ran "$work/after.ksim" 0
}
numbered() { # every exercise of the plan is one of the checks below, and has its solution
    exercises=$(grep -cE '^[0-9]+\. \*\*' "$SOURCE/docs/teaching.md") solutions=$(grep -cE '^[0-9]+\. ' "$SOURCE/docs/teaching-solutions.md")
    [ "$exercises" -eq 10 ] && [ "$solutions" -eq 10 ] || { echo "$exercises exercises, $solutions solutions, 10 checks"; return 1; }
}
check "every exercise has a solution" numbered
check "exercise 1: with a heartbeat every 500 ms, c1 gives up within 600 ms" solved second-consumer-joins \
    '/^join c2/{n; s/.*/advance 600ms/}' 's/^consumer .*/& heartbeat.interval.ms=500/'
check "exercise 2: a session of 6 s is the shortest that the coordinator accepts" solved crash-eager \
    '/^crash B/a advance 7s\nexpect assignment g A=o[0,1,2,3]' 's/assignor=range/& session.timeout.ms=6000 heartbeat.interval.ms=1000/; s/^advance 40s|^say .*|^expect state.*//'
check "exercise 2: and 5 s are refused" solved crash-eager \
    '/^join A/a advance 1s\nexpect error A INVALID_SESSION_TIMEOUT' 's/assignor=range/& session.timeout.ms=5999 heartbeat.interval.ms=1000/; /^until stable g/,$d'
check "exercise 3: who commits each event reads none of them twice" solved commit-lost-at-crash \
    's/read-twice g .*/read-twice g none/' 's/commit=every:5/commit=each/; s/until lag g 3/until lag g 0/; s/committed g o.0 5/committed g o\/0 8/'
check "exercise 4: three keys that cover three partitions" solved three-keys-one-partition \
    's/^expect contents orders.0.*/expect contents orders\/0 user-100=1/; s/^expect contents orders.1.*/expect contents orders\/1 user-101=2/; s/^expect contents orders.2.*/expect contents orders\/2 user-102=3/' \
    's/key=alice/key=user-100/; s/key=bob/key=user-101/; s/key=carol/key=user-102/'
check "exercise 5: a third cooperative member costs two more generations" solved join-cooperative \
    '$a expect state g Stable generation=5' '/^consumer B/{p; s/consumer B/consumer C/}; $i join C\nuntil stable g'
check "exercise 6: a session longer than the restart costs no rebalance" solved static-member-too-late \
    '$a expect state g Stable generation=2' 's/assignor=range/& session.timeout.ms=70000/; /^expect (state|assignment)/{/generation=2/!d}; $a expect state g Stable generation=2'
check "exercise 7: fewer records a poll keep the slow consumer in its group" solved slow-consumer \
    '$a expect state g Stable generation=2\nexpect read-twice g none' 's/commit=every:100/commit=every:50 max.poll.records=50/; /^advance 65s/,/^expect read-twice g o/{/^advance/!d}'
check "exercise 8: with earliest nothing of a new partition is skipped" solved partitions-added-eager \
    's/^expect skipped .*/expect skipped g none/' 's/auto.offset.reset=latest/auto.offset.reset=earliest/'
check "exercise 9: with auto-commit A commits before it lets go, and nothing is read twice" solved uncommitted-at-a-join \
    's/^expect read-twice .*/expect read-twice g none/' 's/commit=manual/commit=auto/; /^commit A/d; /^expect committed/d'
check "exercise 10: when the last member of the new protocol leaves, the group is a classic one again" solved upgrade-online \
    '/^advance 30s/i until stable g\nexpect assignment g B-old=o[0,1,2,3]' '/^leave B-old/d; s/^join B-new/leave A-new/'
finish
