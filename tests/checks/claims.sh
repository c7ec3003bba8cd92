#!/bin/sh
# The claims that a simulator of groups must be able to demonstrate, each a scenario whose expectations hold. (Heartbeat: 27 while
# preparing, 0 while completing, and the codes of every other cell: tests/broker/test_group_traces.c.)
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"
for file in tests/scenarios/claim-*.ksim; do
    check "$(head -n 1 "$file" | sed 's/^# *//')" "$KSIM" run "$file"
done
finish
