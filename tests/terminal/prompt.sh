#!/bin/sh
# `ksim` alone: the prompt, in front of a terminal, and the same lines from a pipe.
. "$SOURCE/tests/terminal/lib.sh"

# ---- from a pipe: no terminal is needed for these ----

piped() { # text, status; what it says goes to $work/said and $work/complaints
    set +e
    printf '%b' "$1" | "$KSIM" >"$work/said" 2>"$work/complaints"
    status=$?
    set -e
    [ "$status" -eq "$2" ] || { echo "exit status $status, not $2"; cat "$work/said" "$work/complaints"; exit 1; }
}
says() { grep -qE -- "$1" "$work/$2" || { echo "does not say '$1'"; cat "$work/$2"; exit 1; }; }
says_not() { if grep -qE -- "$1" "$work/$2"; then echo "says '$1'"; cat "$work/$2"; exit 1; fi; }
group='cluster group.initial.rebalance.delay.ms=0\ntopic orders partitions=3\nconsumer c1 group=billing topics=orders\nproduce orders count=9 key=k{n}\njoin c1\nuntil stable billing\n'

tells() {
    piped "$group" 0
    says 'c1 takes up orders\[0,1,2\]' said; says '9 records written: [0-9] to orders\[0\]' said
    says_not 'ksim [0-9.]* s>' said; [ ! -s "$work/complaints" ]
}
fails() {
    piped "${group}expect lag billing 7\nuntil lag billing 0\nexpect lag billing 0\nshow\n" 1
    says '^stdin:7: .*7' complaints; [ "$(wc -l <"$work/complaints")" -eq 1 ]; says 'group billing: Stable' said
}
wrong() { # line, complaint
    piped "topic orders\n$1\nshow\n" 2
    says "$2" complaints; [ "$(wc -l <"$work/complaints")" -eq 1 ]; says_not 'orders\[0\] ' said
}
expected_output() {
    piped 'topic orders partitions=1\nconsumer c1 group=g topics=orders\njoin c1\nuntil stable g\n----\nnonsense\n\nshow\n' 1
    says '^    - nonsense' complaints; says '^    \+ [0-9.]+ s +c1 joined g' complaints; says 'group g: Stable' said
    sed -n 's/^    + //p' "$work/complaints" >"$work/right"
    { printf 'topic orders partitions=1\nconsumer c1 group=g topics=orders\njoin c1\nuntil stable g\n----\n'; cat "$work/right"; printf '\nsave %s/right.ksim\n' "$work"; } >"$work/again"
    "$KSIM" <"$work/again" >"$work/said"
    "$KSIM" run "$work/right.ksim" | grep -q '1 held, 0 failed'
}
nothing_piped() {
    set +e; "$KSIM" </dev/null >"$work/said" 2>"$work/complaints"; status=$?; set -e
    [ $status -eq 2 ]; [ ! -s "$work/said" ]; says '^  ksim run' complaints
}
demos() { # the same verdict as `ksim run`
    for file in "$SOURCE"/demos/rebalancing/*.ksim "$SOURCE"/tests/scenarios/claim-0*.ksim; do
        set +e
        (cd "$(dirname "$file")"; "$KSIM" <"$file" >"$work/said" 2>"$work/complaints"); status=$?
        "$KSIM" run "$file" >/dev/null 2>&1; run=$?
        set -e
        [ $status -eq $run ] || { echo "$file: $status, not $run"; cat "$work/complaints"; exit 1; }
    done
}
as_a_file() { # what is saved makes the same trace as what was said
    piped "${group}consumer c2 group=billing topics=orders commit=every:2\njoin c2\n# a remark\nuntil stable billing\nexpect lag billing 7\nadvance 10s\nsave $work/lesson.ksim\nhtml $work/lesson.html\n" 1
    says '10 lines saved|1[0-9] lines saved' said; says 'holds$' said
    "$KSIM" run "$work/lesson.ksim" --trace "$work/saved.jsonl"
    grep -q '^# did not hold: expect lag billing 7' "$work/lesson.ksim"; grep -q '^# a remark' "$work/lesson.ksim"
    printf '%b' "${group}consumer c2 group=billing topics=orders commit=every:2\njoin c2\nuntil stable billing\nadvance 10s\n" >"$work/plain.ksim"
    "$KSIM" run "$work/plain.ksim" --trace "$work/plain.jsonl"
    cmp "$work/saved.jsonl" "$work/plain.jsonl"
    grep -q '<html' "$work/lesson.html"; grep -q 'join c2' "$work/lesson.html"
}
undone() { # whatever was said between
    piped "${group}show\n" 0; sed -n '/^ brokers/,$p' "$work/said" >"$work/before"; [ -s "$work/before" ]
    piped "${group}level protocol\nproduce orders count=5\nadvance 3s\nconsumer c2 group=billing topics=orders\njoin c2\nuntil stable billing\nundo 5\nshow\nsave $work/undone.ksim\n" 0
    says 'taken back: join c2' said; says 'c2 takes up|c2=orders' said
    sed -n '/^ brokers/,$p' "$work/said" | grep -v 'undone.ksim' >"$work/after"; cmp "$work/before" "$work/after"
    printf '%b' "$group" | cmp - "$work/undone.ksim"
}
half_done() { # a command that turns out to be wrong half-way leaves nothing behind
    piped "${group}reset-offsets billing orders to=earliest\nsave $work/half.ksim\n" 1; says 'UNKNOWN_MEMBER_ID|NON_EMPTY|active|members' complaints; says 'holds$' said
    piped "topic orders\njoin c9\n" 2; says "there is no consumer 'c9'" complaints
}
describes() { # every command has its help, and every word of the prompt
    for verb in $(sed -nE 's/^VERB\([a-z_]+, "([a-z-]+)".*/\1/p' "$SOURCE/sim/scenario/verbs.def") help show steps why level step html save undo new quit; do
        piped "help $verb\n" 0
        says "^  ([A-Za-z0-9].*)?$verb" said
    done
    piped 'help\n' 0; says 'commands of a scenario' said
    piped 'help jion\n' 2; says "did you mean 'help join'" complaints
}
advises() { # as `ksim why` of the saved scenario does, word for word, also when something did not hold
    piped "${group}consumer c2 group=billing topics=orders\njoin c2\nuntil stable billing\nproduce orders count=20 key=k{n} every=100ms\nadvance 5s\nexpect lag billing 77\nwhy group billing 2\nsave $work/advised.ksim\n" 1
    "$KSIM" why "$work/advised.ksim" group billing 2 >"$work/why"
    grep -q 'tried with the same seed: the rebalance still happens' "$work/why"
    sed -n '/^generation 2 of billing/,/^ .*advised.ksim:/p' "$work/said" | sed '$d' | diff - "$work/why"
}
refuses_files() {
    piped "topic t\nsave lesson.txt\n" 2; says 'ends in .ksim' complaints
    piped "save $work/empty.ksim\n" 2; says 'nothing to save' complaints
    piped "topic t\nsave $work/no/such/folder.ksim\n" 2; says 'cannot be written' complaints
    echo mine >"$work/mine.ksim"
    piped "topic t\nsave $work/mine.ksim\n" 2; says 'is there already' complaints; [ "$(cat "$work/mine.ksim")" = mine ]
    piped "topic t\nsave $work/mine.ksim overwrite\n" 0; grep -q '^topic t$' "$work/mine.ksim"
    piped "topic t\nhtml $work/mine.ksim\n" 2; says 'html FILE.html' complaints
    echo mine >"$work/mine.html"
    piped "topic t\nhtml $work/mine.html\n" 2; says 'is there already' complaints; [ "$(cat "$work/mine.html")" = mine ]
    piped "topic t\nhtml $work/mine.html overwrite\ntopic twice\nhtml $work/mine.html\n" 0; grep -q 'topic twice' "$work/mine.html"
    [ -z "$(find "$work" -name '*.part*')" ]
}
hostile() {
    piped 'say "\\\\x1b[31mred\\\\x07"\nsteps\n' 0
    says_not "$(printf '\033')" said; says 'x1b.31mred' said
    piped 'topic t\000x\n' 2; says 'zero byte' complaints
}
check "lines from a pipe are told as they happen, without a prompt" tells
check "an expectation that does not hold is told with its line, the rest goes on, and the status is 1" fails
check "a wrong word ends it with line, column and the nearest word, and status 2" wrong 'jion c1' "^stdin:2:1: 'jion' is not a command; did you mean 'join'"
check "so does one that is near to the prompt's own words" wrong '  shwo' "^stdin:2:3: 'shwo' is not a command; did you mean 'show'\?"
check "so does a name that is not there" wrong 'join c9' "^stdin:2:.*there is no consumer 'c9'"
check "so does a wrong option" wrong 'topic t2 partition=3' "^stdin:2:10: .*did you mean 'partitions='"
check "expected outputs in the text are held against what happened" expected_output
check "with nothing piped in, help stands on standard error and the status is 2" nothing_piped
check "every lesson ends as it does with ksim run" demos
check "what is saved makes the same trace, and the page carries it" as_a_file
check "undo is exact" undone
check "a command that is refused or wrong leaves the session as it should be" half_done
check "why of a generation tries the advice, as the command does" advises
check "help describes every command" describes
check "files are not overwritten without a word, and not left half-written" refuses_files
check "control characters are shown harmlessly" hostile
[ -n "${ONLY_PIPES:-}" ] && finish

# ---- in front of a terminal ----

needs_tmux "$0"
open_terminal 80 24
command_line "stty -a >modes; echo ready-\$((1+1))"
await '^ready-2'
begin() { fresh; command_line "clear; '$KSIM'"; await '^ksim 0\.000 s>'; }
set_up() { # a topic, a consumer, messages; the clock has moved
    command_line 'cluster group.initial.rebalance.delay.ms=0'; command_line 'topic orders partitions=3'
    command_line 'consumer c1 group=billing topics=orders'; command_line 'produce orders count=9 key=k{n}'; await '9 records written'; command_line clear-by-mistake
    await "'clear-by-mistake' is not a command"
}
last_line() { screen | sed '/^$/d' | tail -n 1; }
last_is() { last_line | grep -qE -- "$1"; }
await_last() { bounded last_is "$1" || { echo "the last line never was: $1"; screen; exit 1; }; }

greets() {
    begin
    [ "$(screen | sed -n '/in virtual time/,/^ksim 0/p' | wc -l)" -eq 3 ]
    screen | awk 'length($0) > 80 { exit 1 }'
    command_line 'topic orders'; await '^ksim 0\.0[0-9]+ s>'; await 'The topic orders is made'
    screen | awk 'length($0) > 80 { exit 1 }'
}
completes() {
    begin; set_up
    typed 'unt'; keys Tab; await_last '> until$'
    typed 'stab'; keys Tab; typed 'b'; keys Tab; await_last 'until stable billing$'; keys C-c; await_last '> $|>$'
    typed 'topic more retention.m'; keys Tab; await_last 'retention\.ms=$'; keys C-c
    typed 'consumer c2 group=b'; keys Tab; typed 'topics=o'; keys Tab; typed 'client=k'; keys Tab; await_last 'group=billing topics=orders client=kafka-go$'; keys Enter
    typed 'join c'; keys Tab; await '^c1 +c2'; await_last 'join c$'; typed '2'; keys Tab; keys Enter; await 'join c2 billing'
    typed 'rule slow when Heartb'; keys Tab; typed 'then count'; keys Enter; typed 'unrule s'; keys Tab; await_last 'unrule slow$'; keys C-c
    typed 'sav'; keys Tab; await_last '> save$'; keys C-c; typed 'level p'; keys Tab; await_last 'level protocol$'; keys C-c
}
remembers() {
    begin
    command_line 'topic first'; await 'topic first is made'; command_line 'topic second'; await 'topic second is made'
    keys Up; await_last '> topic second$'; keys Up; await_last '> topic first$'; keys Down; await_last '> topic second$'
    keys C-a; keys C-k; typed 'say "back"'; keys Enter; await '^ +back'
    [ ! -e "$work/.history" ]; [ "$(find "$work" -newer "$work/modes" -name '.*' | wc -l)" -eq 0 ]
}
corrects() {
    begin
    command_line 'jion c1'; await "column 1: 'jion' is not a command; did you mean 'join'"
    command_line 'topic orders partition=3'; await "column 14: .*did you mean 'partitions='"
    await_last '^ksim 0\.000 s>'
}
explains() {
    begin; set_up
    command_line 'join c1'; await 'join c1 billing'; command_line 'until stable billing'; await 'billing is Stable'; await 'c1=orders\[0,1,2\]'
    command_line 'level protocol'; await 'level protocol'; command_line 'advance 4s'; await 'Heartbeat generation 1'
    command_line 'why group billing 1'; await 'c1'; command_line 'why 999'; await "there is no step '999'"
}
goes_on() {
    begin; set_up
    command_line 'expect lag billing 99'; await '99'; command_line 'join c1'; command_line 'until stable billing within=1ms'; await 'is not stable|not stable'
    command_line 'until stable billing'; await 'billing is Stable'; command_line 'until lag billing 0'; command_line 'expect lag billing 0'; command_line 'show'; await 'lag 0'
}
floods_not() {
    begin
    command_line 'topic orders partitions=3'
    command_line 'consumer c1 group=g topics=orders'; command_line 'join c1'; command_line 'level everything'; command_line 'advance 30s'
    await '\.\.\. and [0-9]+ more: `steps [0-9]+` tells all'
    command_line 'steps 1 2'; await 'The topic orders is made'
}
interrupts() {
    begin; set_up; command_line 'join c1'; command_line 'until stable billing'; await 'c1 takes up'
    command_line 'show'; await 'group billing: Stable'; before=$(last_line)
    typed 'advance 300d'; keys Enter; await_last 'advance 300d$'; keys C-c; await 'given up: nothing of it has happened'; await_last '^ksim .*>'
    [ "$(last_line)" = "$before" ] || { echo "another time than $before"; screen; exit 1; }
    typed 'join nobody at all'; keys C-c; await_last '^ksim .*>$|^ksim .*> $'; command_line 'show'; await 'group billing: Stable'
}
saves() {
    begin; set_up
    command_line 'join c1'; command_line 'until stable billing'; await 'c1 takes up'
    command_line 'save taught.ksim'; await 'taught.ksim: 6 lines saved; `ksim run taught.ksim` holds'
    command_line 'save taught.ksim'; await 'is there already'
    keys C-d; await '^\$'; "$KSIM" run "$work/taught.ksim" | grep -q '0 failed'
    if screen_has 'Not saved'; then exit 1; fi
}
leaves() {
    begin; command_line 'topic kept'; await 'topic kept is made'
    keys C-d; await 'Not saved. What was said:'; await '^topic kept$'; await_last '^\$'; modes_are_as_before
    begin; command_line quit; await_last '^\$'; modes_are_as_before
}
walks() {
    begin; set_up; command_line step; await '^ step [0-9]+ of'; keys End; await 'orders\[2\]'; keys q; await_last '^ksim .*>'
    command_line 'show'; await 'orders\[0\]'; keys C-d; await_last '^\$'; modes_are_as_before
}
dies_of() {
    begin; typed 'topic half-wri'; await_last 'half-wri$'
    kill -"$1" "$(pgrep -P "$(terminal list-panes -F '#{pane_pid}')" | head -n 1)"
    await_last '\$ ?$'; keys Enter; modes_are_as_before
}
dies() { dies_of TERM; dies_of HUP; }
suspended() {
    begin; typed 'topic or'; await_last 'topic or$'; keys C-z; await_last '\$ ?$'; keys Enter; modes_are_as_before
    command_line fg; await_last 'topic or$'; typed 'ders'; keys Enter; await 'The topic orders is made'
}
colours_end() {
    begin; command_line 'topic orders'; await 'is made'; bounded has_colours || { echo 'no colours:'; colours; exit 1; }
    keys C-d; await_last '^\$'; fresh; command_line "clear; NO_COLOR=1 '$KSIM'"; await '^ksim 0'; command_line 'topic orders'; await 'is made'
    if has_colours; then echo 'there are colours:'; colours; exit 1; fi
    keys C-d; await_last '^\$'; fresh; command_line "clear; TERM=dumb '$KSIM'"; await 'ksim 0'; command_line 'topic orders'; await 'is made'; keys C-d; await_last '\$ ?$'
}
check "it greets in two lines, and its prompt is the clock" greets
check "Tab completes commands, options, configs, and the names there are by now" completes
check "Up brings former lines back, and nothing of them is written anywhere" remembers
check "a wrong word is told with its column and the nearest word, and changes nothing" corrects
check "what happens is explained as it happens, at the level one wants" explains
check "an expectation that does not hold is told, and the session goes on" goes_on
check "a command that makes much happen does not flood the screen" floods_not
check "Ctrl-C abandons a line, and takes back a command that waits" interrupts
check "save keeps the lesson, and ksim run of it holds" saves
check "Ctrl-D and quit leave, and what was not saved is told" leaves
check "step walks through the session and comes back" walks
check "TERM and HUP give the terminal back" dies
check "Ctrl-Z gives it back until fg" suspended
check "colours only on a terminal, and none under NO_COLOR" colours_end
finish
