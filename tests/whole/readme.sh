#!/bin/sh
# What README shows works as it stands there: the program compiles, runs, and prints what it should; the commands exist.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"
awk '/^```c$/ { n++; on = n == 1; next } /^```$/ { on = 0 } on' README.md >"$work/app.c"
program() {
    gcc -std=c11 -Wall -Wextra -Werror -I include "$work/app.c" -o "$work/app" -L"$BUILD" -lkafkasim -Wl,-rpath,"$BUILD" && "$work/app" >"$work/said" && cat "$work/said" && grep -qx 'orders\[2\]@0: shoes' "$work/said"
}
commands() { # every `ksim COMMAND` that the documents name is one
    for command in $(grep -ohE '(^    |`)ksim [a-z]+' README.md docs/*.md | awk '{print $2}' | sort -u); do
        "$KSIM" --help | grep -qE "^  ksim $command( |$)" || { echo "ksim $command"; return 1; }
    done
}
no_leak() { valgrind -q --leak-check=full --error-exitcode=9 "$work/app"; }
check "README's program compiles and prints what it should" program
check "the documents name only commands that exist" commands
if command -v valgrind >/dev/null; then check "README's program leaks nothing" no_leak; else skip "README's program leaks nothing"; fi
finish
