#!/bin/sh
# The program's own border: wrong arguments get one line that says what and where, and exit status 2.
. "$SOURCE/tests/checks/lib.sh"

refuses() { # words the line must have, then arguments
    words=$1; shift
    set +e
    "$KSIM" "$@" >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
    set -e
    [ "$status" -eq 2 ] || { echo "exit status $status, not 2: ksim $*"; return 1; }
    [ "$(wc -l <"$work/stderr")" -eq 1 ] || { echo "not one line:"; cat "$work/stderr"; return 1; }
    grep -qF -- "$words" "$work/stderr" || { echo "does not say '$words':"; cat "$work/stderr"; return 1; }
}
check "--version names the version" sh -c '"$KSIM" --version | grep -qE "^ksim [0-9]+\.[0-9]+\.[0-9]+$"'
check "--help lists the commands" sh -c '"$KSIM" --help | grep -q "ksim demo lab07"'
check "every command has --help" sh -c 'for c in $("$KSIM" --help | sed -nE "s/^  ksim ([a-z]+) .*/\1/p"); do "$KSIM" "$c" --help | grep -q "ksim $c" || exit 1; done'
check "an unknown command is refused with the nearest one" refuses "did you mean 'demo'" dmo
check "an unknown demo is refused" refuses "lab08" demo lab08
check "a step that does not exist is refused" refuses "'9'" demo lab07 9
check "a seed that is no number is refused" refuses "--seed" demo lab07 1 --seed seven
check "an option without its value is refused" refuses "--seed" demo lab07 1 --seed
check "an unknown option is refused" refuses "--sede" demo lab07 1 --sede 3
check "a missing input file is refused by name" refuses "no-such-file" demo lab07 8 --input "$work/no-such-file"
check "a directory as input is refused" refuses "$work" demo lab07 8 --input "$work"
check "a trace that cannot be written is refused by name" refuses "/no/such/dir/t" demo lab07 1 --trace /no/such/dir/t
check "a filter that the page does not have is refused" refuses "hold the whole run" explain "$SOURCE/demos/rebalancing/join-eager.ksim" --html "$work/p.html" --group g
check "a level that --json does not have is refused" refuses "hold the whole run" explain "$SOURCE/demos/rebalancing/join-eager.ksim" --json --level story
check "an unknown bench is refused" refuses "nosuchrow" bench nosuchrow
finish
