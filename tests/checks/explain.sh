#!/bin/sh
# What is told of special cases (tests/explain/cases): each .txt is a transcript of commands and their answers. KSIM_REWRITE=1 writes
# the answers anew; the difference is read like code.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE/tests/explain/cases"
replay() {
    grep '^\$ ksim ' "$1" | while read -r line; do
        printf '%s\n' "$line"
        set +e
        eval "\"\$KSIM\" ${line#\$ ksim }" 2>&1 # shell words: these are our own files
        set -e
    done >"$work/now"
    if [ -n "${KSIM_REWRITE:-}" ]; then cp "$work/now" "$1"; fi
    grep -q . "$work/now" && diff -u "$1" "$work/now"
}
for file in *.txt; do check "what is told of ${file%.txt} is what it says there" replay "$file"; done
finish
