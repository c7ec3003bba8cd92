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
finish
