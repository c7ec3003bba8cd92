#!/bin/sh
# Each step of the lab prints, byte for byte, what its golden file says; KSIM_REWRITE=1 rewrites the files.
. "$SOURCE/tests/checks/lib.sh"
golden() {
    "$KSIM" demo lab07 "$1" >"$work/actual" || { echo "exit status $?"; return 1; }
    if [ "${KSIM_REWRITE:-}" = 1 ]; then cp "$work/actual" "$SOURCE/tests/lab07/step$1.txt"; fi
    diff -u "$SOURCE/tests/lab07/step$1.txt" "$work/actual"
}
for step in 1 2 3 4 5 6 7 8; do check "step $step prints what its golden file says" golden $step; done
check "two runs of the lab print the same bytes" sh -c '"$KSIM" demo lab07 >"$0/a" && "$KSIM" demo lab07 >"$0/b" && cmp "$0/a" "$0/b"' "$work"
check "two runs of the same seed give the same trace" sh -c '"$KSIM" demo lab07 --seed 11 --trace "$0/a" >/dev/null && "$KSIM" demo lab07 --seed 11 --trace "$0/b" >/dev/null && test -s "$0/a" && cmp "$0/a" "$0/b"' "$work"
check "another seed still keeps every promise of the capstone" sh -c 'for seed in 1 2 3 4 5; do "$KSIM" demo lab07 8 --seed $seed >/dev/null || exit 1; done'

# Step 8 with a file of one's own: how many lines came in, and that as many were handled.
handles() { # lines, then arguments
    lines=$1; shift
    "$KSIM" demo lab07 8 "$@" >"$work/out8" && grep -q "lines in: $lines   written: $lines   handled: $lines " "$work/out8" || { cat "$work/out8"; return 1; }
}
awk 'BEGIN { print "id,user,event"; for (i = 0; i < 2500; i++) printf "%d,\"user, %d\",event %d\n", i, i % 17, i }' >"$work/data.csv"
awk 'BEGIN { for (i = 0; i < 1200; i++) printf "{\"user\":\"u%d\",\"n\":%d}\n", i % 9, i }' >"$work/data.jsonl"
awk 'BEGIN { for (i = 0; i < 700; i++) printf "127.0.0.1 - - GET /page/%d\r\n\n", i }' >"$work/access.log"
: >"$work/empty"
check "the capstone streams a CSV file, keyed by a column's name" handles 2500 --input "$work/data.csv" --key user
check "the capstone streams a CSV file, keyed by a column's number" handles 2500 --input "$work/data.csv" --key 2 --partitions 7 --consumers 5
check "the capstone streams JSON lines, keyed by a member" handles 1200 --input "$work/data.jsonl" --key user --partitions 1
check "the capstone streams any log, whole lines as keys" handles 700 --input "$work/access.log" --consumers 1
check "the capstone takes an empty file" handles 0 --input "$work/empty"
bad_key() { set +e; "$KSIM" demo lab07 8 --input "$work/data.csv" --key nosuch >"$work/o" 2>"$work/e"; s=$?; set -e; cat "$work/e"; [ $s -eq 2 ] && [ "$(wc -l <"$work/e")" -eq 1 ] && grep -q "data.csv:1: no column is named" "$work/e"; }
check "a key that no column has is refused with the line" bad_key
bad_line() { printf '{"user":"a"}\n{"nobody":1}\n' >"$work/bad.jsonl"; set +e; "$KSIM" demo lab07 8 --input "$work/bad.jsonl" --key user >"$work/o" 2>"$work/e"; s=$?; set -e; cat "$work/e"; [ $s -eq 2 ] && grep -q "bad.jsonl:2: it has no such member" "$work/e"; }
check "a line without the key is told with its number, exit status 2" bad_line
finish
