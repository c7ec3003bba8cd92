#!/bin/sh
# What people forget.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"
none() { bad=$("$@" || true); [ -z "$bad" ] || { echo "$bad"; return 1; }; }

clocks='(^|[^a-z_>.])(gettimeofday|clock_gettime|clock|time|rand|random|drand48|srand|srandom|getrandom|arc4random) *\('
clock_or_chance() { # folders; comment lines are not code
    grep -rnE "$clocks" "$@" --include='*.[ch]' --exclude-dir=cli | grep -vE '^[^:]*:[0-9]+: *(/?\*|//)' || true
}
rings() { printf 'int a = time(NULL);\nint b = rand();\nint c = random() %% 3;\n' >"$work/canary.c" && [ "$(clock_or_chance "$work" | wc -l)" -eq 3 ]; }
check "no wall clock and no unseeded randomness in the core" none clock_or_chance sim include
check "the check of clocks finds them" rings
check "nothing admits to be unfinished" none grep -rnE '\b(TODO|FIXME|XXX)\b' sim include demos tests --include='*.[chS]' --include='*.def'
check "no pointer is printed" none grep -rnE '"[^"]*%p' sim include demos --include='*.[ch]'
check "every source says its licence" none sh -c "grep -rLE 'SPDX-License-Identifier: Apache-2.0' sim include demos tests --include='*.[chS]' --include='*.def'"
check "no test is empty of meaning" none grep -rnE 'assert_true\( *(1|true) *\)' tests --include='*.c'
check "nothing speaks of the machine it was written on" none grep -rnIE '/work/|/root/|/tmp/bash_jobs' . --include='*' --exclude-dir=build --exclude-dir=.git --exclude=.git --exclude=tidy.sh
check "every relative link of the documents leads somewhere" sh -c '
    bad=0
    for page in README.md docs/*.md; do
        [ -f "$page" ] || continue
        for link in $(grep -oE "\]\([^)#:]+[)#]" "$page" | sed -E "s/^\]\(//; s/[)#]$//"); do
            [ -e "$(dirname "$page")/$link" ] || { echo "$page -> $link"; bad=1; }
        done
    done
    exit $bad'
finish
