#!/bin/sh
# demos/run as a student starts it, in a copy of the sources: two runs print the same bytes, nothing is written outside build,
# building talks on standard error, and what it names at the end is there.
. "$SOURCE/tests/checks/lib.sh"
copy=$work/kafkasim
mkdir "$copy"
(cd "$SOURCE" && tar cf - --exclude=./build --exclude=./.git .) | tar xf - -C "$copy"
cd "$copy"
before=$(find . -path ./build -prune -o -type f -print | sort | xargs cksum)
runs() { demos/run >"$work/first" 2>"$work/errors" || { tail -n 40 "$work/errors"; return 1; }; }
again() { demos/run >"$work/second" 2>/dev/null && cmp "$work/first" "$work/second"; }
untouched() { [ "$before" = "$(find . -path ./build -prune -o -type f -print | sort | xargs cksum)" ]; }
progress() { grep -qE '^\[[0-9]+/[0-9]+\]' "$work/errors" && ! grep -qE '^\[[0-9]+/[0-9]+\]' "$work/first"; }
plain() { ! grep -q "$(printf '\033')" "$work/first"; }
narrow() { awk 'length > 100 { print; wide = 1 } END { exit wide }' "$work/first"; }
named() { # every path in the last part
    sed -n '/^What to look at next/,$p' "$work/first" | grep -oE '(build|demos|docs)/[A-Za-z0-9_./-]+' | sort -u >"$work/paths"
    [ "$(wc -l <"$work/paths")" -ge 5 ] || { cat "$work/paths"; return 1; }
    while read -r path; do [ -e "$path" ] || { echo "$path is named, and is not there"; return 1; }; done <"$work/paths"
}
words() { build/release/ksim explain demos/rebalancing/second-consumer-joins.ksim | grep -q "c1 gives up orders\[0,1,2\]"; }
one_step() { demos/run lab07 4 2>/dev/null | head -n 1 | grep -qx 'Step 4: rebalancing'; }
check "demos/run runs the lab from start to end" runs
check "two runs print the same bytes" again
check "nothing is written outside build" untouched
check "building shows its progress on standard error" progress
check "no colours where no terminal is" plain
check "no line is wider than 100" narrow
check "what it names at the end is there" named
check "the command that it names tells the rebalance" words
check "demos/run lab07 4 runs one step" one_step
finish
