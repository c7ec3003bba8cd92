#!/bin/sh
# Each lesson is told, word for word, as its golden file says (tests/lessons/NAME.txt), and so is each table of what the protocols
# cost; KSIM_REWRITE=1 rewrites the files. The exercises of docs/teaching.md: the answer holds, and without it the run says no.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE/demos/rebalancing"
golden() { # name, then the command
    lesson=$1; shift
    "$@" >"$work/actual" || { echo "exit status $?"; cat "$work/actual"; return 1; }
    if [ "${KSIM_REWRITE:-}" = 1 ]; then cp "$work/actual" "$SOURCE/tests/lessons/$lesson.txt"; fi
    diff -u "$SOURCE/tests/lessons/$lesson.txt" "$work/actual"
}
for file in *.ksim; do
    check "$(basename "$file" .ksim) is told as its golden file says" golden "$(basename "$file" .ksim)" "$KSIM" explain "$file"
done
check "first-member-joins with all requests of the group is told as its golden file says" golden first-member-joins.protocol "$KSIM" explain first-member-joins.ksim --level protocol
for twins in join leave crash partitions-added; do
    check "what the protocols cost ($twins) is what its golden file says" golden "costs-$twins" "$KSIM" costs $twins-*.ksim
done
leftover() { # golden files of lessons that are not there any more
    for file in "$SOURCE"/tests/lessons/*.txt; do
        lesson=$(basename "$file" .txt)
        case $lesson in *.protocol) [ -e "${lesson%.protocol}.ksim" ] ;; costs-*) [ -e "${lesson#costs-}-eager.ksim" ] ;; *) [ -e "$lesson.ksim" ] ;; esac || { echo "$file belongs to no lesson"; return 1; }
    done
}
check "every golden file belongs to a lesson" leftover
asks_first() { for file in *.ksim; do sed '/^[^#]/,$d' "$file" | grep -q 'Ask first' || { echo "$file asks nothing"; return 1; }; done; }
check "every lesson begins with the question to ask first" asks_first
short() { for file in *.ksim; do [ "$(grep -cvE '^(#|$)' "$file")" -le 32 ] || { echo "$file is too long for a lesson"; return 1; }; done; }
check "no lesson is longer than a class has patience for" short
finish
