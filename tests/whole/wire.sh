#!/bin/sh
# What the clients of the API send and are sent can be written in the version they chose, and reads the same again.
. "$SOURCE/tests/checks/lib.sh"
ran=0
for program in "$BUILD"/tests/control_test_*; do
    [ -x "$program" ] || continue
    ran=$((ran + 1))
    check "$(basename "$program" | sed 's/control_test_//'): every message survives being encoded and decoded" env KSIM_WIRE_CHECK=1 "$program"
done
check "there were programs to run" test $ran -gt 10
finish
