#!/bin/sh
# The ten claims that a simulator of groups must be able to demonstrate, each a scenario (or several) whose expectations hold. (The
# codes of every state and request: tests/broker/test_group_traces.c.)
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"
for file in tests/scenarios/claim-*.ksim; do
    check "$(head -n 1 "$file" | sed 's/^# *//')" "$KSIM" run "$file"
done
all() { for n in 01 02 03 04 05 06 07 08 09 10; do ls tests/scenarios/claim-$n-*.ksim || return 1; done; }
check "each of the ten claims has a scenario" all
finish
