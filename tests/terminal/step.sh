#!/bin/sh
# The stepper, in front of a terminal of 80 columns and 24 lines.
. "$SOURCE/tests/terminal/lib.sh"
needs_tmux "$0"

lesson=$SOURCE/demos/rebalancing/second-consumer-joins.ksim
cat >"$work/two.ksim" <<'END'
cluster brokers=3 group.initial.rebalance.delay.ms=0
topic orders partitions=8
topic lonely partitions=1
consumer c1 group=billing topics=orders
consumer c2 group=zz topics=orders
consumer c3 group=zz topics=orders
join c1 c2
until stable billing
produce orders count=50 key=k{n}
join c3
until stable zz
crash c1
stop-broker 2
advance 50s
END
cat >"$work/many.ksim" <<'END'
cluster group.initial.rebalance.delay.ms=0
topic orders partitions=60
consumer c1 group=billing topics=orders
join c1
until stable billing
END
step_of() { screen | sed -nE '1s/^ step ([0-9.]+) of .*/\1/p'; }
at_step() { [ "$(step_of)" = "$1" ]; }
await_step() { bounded at_step "$1" || { echo "not at step $1:"; screen; exit 1; }; }
moved_from() { [ "$(step_of)" != "$1" ]; }
begin() { fresh; start "$@"; }
start() { command_line "'$KSIM' step ${1:-$lesson}"; await '^ step '; }
leave() { keys q; await_gone '^ step '; }
press() { n=$1; while [ "$n" -gt 0 ]; do keys "$2"; n=$((n - 1)); done; }

open_terminal 80 24
command_line "stty -a >modes; echo ready-\$((1+1))"
await '^ready-2'

opens() {
    begin
    await_step 1; await 'brokers +1 leads'; await 'q quit$'; await '^ \[|^\[-'
    screen | awk 'length($0) > 80 { exit 1 }' && [ "$(screen | wc -l)" -eq 24 ]
}
exact() {
    begin
    press 9 Right; await_step 10
    screen >"$work/ten"
    press 25 Right; await_step 35
    press 25 Left; await_step 10; await_same "$work/ten"
    keys End; await 'step 7[0-9] of 7'
    keys PPage; press 3 Left; keys Home; await_step 1
    press 9 l; await_step 10; await_same "$work/ten"
}
jumps() {
    begin
    keys g; await 'go to step:'; typed 40; keys Enter; await_step 40
    keys g; typed 4000; keys Enter; await "there is no step '4000'"; await_step 40
    keys g; typed 12; keys Escape; await_gone 'go to step'; await_step 40
    keys g; typed 49; keys BSpace; typed 1; keys Enter; await_step 41
}
searches() {
    begin
    keys /; typed 'gives up'; keys Enter; await 'c1 gives up orders\[0,1,2\]'; at=$(step_of)
    keys n; await "'gives up' is not said after this step"; await_step "$at"
    keys End; await_gone 'gives up'; keys N; await_step "$at"
    keys Home; keys /; typed 'HEARTBEAT'; keys Enter; await "'HEARTBEAT' is not said"; await_step 1
    keys /; typed 'heartbeat'; keys Enter; await 'Heartbeat'; at=$(step_of); keys n; bounded moved_from "$at" || exit 1
    now=$(step_of); keys N; await_step "$at"; [ "$now" -gt "$at" ]
}
rebalances() {
    begin
    keys r; await 'c1 -> broker-.* JoinGroup'; await 'group billing: [A-Z][a-z]*ingRebalance'; first=$(step_of)
    keys r; await 'c2 -> broker-.* JoinGroup'; await 'group billing: PreparingRebalance'; keys r; await 'no later rebalance'
    keys R; await_step "$first"; keys R; await 'no earlier rebalance'
}
until_it_is_so() {
    begin
    keys u; await 'run until'; typed stable; keys Enter; await 'until stable: [0-9]+ steps? on'; await 'group billing: Stable'
    keys u; typed 'billing preparingrebalance'; keys Enter; await 'group billing: PreparingRebalance'
    keys u; typed error; keys Enter; await '<- REBALANCE_IN_PROGRESS'
    keys Home; keys u; typed c2; keys Enter; await 'until c2: [0-9]+ steps on'; await 'join c2'
    keys u; typed 6s; keys Enter; await ' of [0-9]+ +6\.[0-9]+ s'
    keys U; await 'until 6s: it does not come any more'
    keys u; typed nonsense; keys Enter; await "until 'nonsense'\? Say Stable"
    keys End; await 'step 7'; keys u; typed empty; keys Enter; await 'it does not come any more'
}
plays() {
    begin
    keys Space; await 'playing 1/s'; bounded moved_from 1 || exit 1
    keys Space; await_gone 'playing'; keys + + + + +; await ' 32/s'; keys -; await ' 16/s'
    keys Space; bounded at_step "$(screen | sed -nE '1s/.* of ([0-9]+) .*/\1/p')" || exit 1; await_gone 'playing' # it stops at the end
}
levels() {
    begin
    keys v; await 'everything $|everything'; keys v; await 'story'; keys v; await 'protocol'
    sub=$("$KSIM" explain "$lesson" --level everything | sed -nE 's/^ *([0-9]+\.[0-9]+)  .*/\1/p' | sed -n 5p)
    keys g; typed "$sub"; keys Enter; await_step "$sub"; await 'a deeper level' ; keys v; keys v; await ' protocol'
}
tells_all() {
    begin
    keys g; typed 47; keys Enter; keys Enter; await 'any (other )?key closes'; await 'because|step 4'; keys x; await_gone 'key closes'
    keys '?'; await 'ksim step: the run, one step at a time'; keys x; await_gone 'one step at a time'
}
resizes() {
    begin
    keys Right; await_step 2; screen >"$work/small"
    terminal resize-window -x 120 -y 40; bounded wide || exit 1
    terminal resize-window -x 80 -y 24; await_same "$work/small"
    keys /; typed abc; await 'search: abc'
    terminal resize-window -x 100 -y 30; bounded question_at 29 || exit 1; typed d; await 'search: abcd'
    terminal resize-window -x 30 -y 8; await 'window is too small'
    terminal resize-window -x 80 -y 24; await 'search: abcd'; keys Escape; await_same "$work/small"
}
wide() { screen | sed -n 1p | grep -qE '.{110}' && screen | sed -n 40p | grep -q 'q quit'; }
question_at() { screen | sed -n "$1p" | grep -q '^ search: abc'; }
restores() { begin; leave; await '^\$ '; modes_are_as_before; }

check "it opens in 80x24: where we are, the picture, the timeline, the keys" opens
check "back is exact: N steps forward are N + k forward and k back" exact
check "g jumps to a step, and says when there is none" jumps
check "/ searches, n goes on, N goes back" searches
check "r and R go to the next rebalance and the one before" rebalances
check "u runs until a state, a group's state, an error, a client, a time" until_it_is_so
check "space plays at the speed that + and - set" plays
check "v changes the level, and a jump to a sub-step does" levels
check "Enter tells all of a step, ? helps" tells_all
check "a resize is drawn at once, also while a question is open or when nothing fits" resizes
check "q gives the terminal back" restores

dies_of() { # signal: the terminal is as before
    fresh
    start
    keys Right; await_step 2
    kill -"$1" "$(pgrep -P "$(terminal list-panes -F '#{pane_pid}')" | head -n 1)"
    await_gone '^ step '; modes_are_as_before
}
each() { what=$1; shift; for one in "$@"; do echo "of $one"; "$what" "$one"; done; }
interrupted() { fresh; start; keys C-c; await_gone '^ step '; modes_are_as_before; }
suspended() {
    fresh
    start; keys Right; await_step 2; screen >"$work/two"
    keys C-z; await_gone '^ step '; modes_are_as_before
    command_line fg; await_step 2; await_same "$work/two"; leave; modes_are_as_before
}
check "TERM, HUP, INT and QUIT give the terminal back" each dies_of TERM HUP INT QUIT
check "so do a failed assertion and a crash" each dies_of ABRT SEGV
check "so does Ctrl-C" interrupted
check "Ctrl-Z gives it back until fg" suspended

coloured() { fresh; start; press 20 Right; await_step 21; bounded has_colours; leave; }
uncoloured() { # how to start it
    fresh
    command_line "$1 '$KSIM' step $lesson"; await '^ step '; press 20 Right; await_step 21
    if has_colours; then echo "there are colours:"; colours; return 1; fi
    leave; modes_are_as_before
}
refused() { # TERM, words
    fresh
    command_line "clear; TERM=$1 '$KSIM' step $lesson; echo status \$?"; await "$2"; await '^status 2'; modes_are_as_before
}
check "there are colours on a terminal that has them" coloured
check "none under NO_COLOR" uncoloured NO_COLOR=1
check "none on a vt100, which it works on" uncoloured TERM=vt100
check "a terminal that cannot place its cursor is refused" refused dumb "the terminal 'dumb' cannot place its cursor"
check "an unknown terminal is refused" refused nosuchterm "the terminal 'nosuchterm' is unknown"
piped() { ! "$KSIM" step "$lesson" >"$work/out2" 2>"$work/err" </dev/null && grep -q 'needs a terminal' "$work/err" && [ ! -s "$work/out2" ]; }
check "without a terminal it says so and what to do instead" piped

two_groups() {
    fresh
    # A scenario's names are plain; those of another program's trace may be anything, and two columns a letter.
    "$KSIM" run "$work/two.ksim" --trace "$work/plain.jsonl"
    sed 's/"zz"/"計費"/g' "$work/plain.jsonl" >"$work/two.jsonl"
    start two.jsonl; terminal resize-window -x 80 -y 44
    keys u; typed '計費'; keys Enter; await 'until 計費: '
    keys End; await 'group billing: Empty'; await 'group 計費: Stable'; await ' 2 down'; await 'c1 \(dead\)'; await 'read by no group'; await 'lonely\[0\]'
    screen >"$work/groups"
    [ "$(grep -cE '^.orders\[[0-7]\] .*nobody' "$work/groups")" -eq 8 ] && [ "$(grep -cE '^.orders\[[0-7]\] .* c[23] ' "$work/groups")" -eq 8 ]
    # under another character set its letters are shown as something harmless, in their place
    leave; command_line "LC_ALL=C '$KSIM' step two.jsonl"; await '^ step '; keys End; await 'group \?\?: Stable'
    leave; terminal resize-window -x 80 -y 24
}
many() {
    fresh
    start many.ksim; keys End; await '[0-9]+ lines? above, [1-9][0-9]* below: \[ and \] scroll'
    press 20 ]; await 'orders\[59\]'; await ', 0 below'; press 20 [; await ' 0 lines above'; await 'orders\[0\]'; leave
}
check "two groups that read one topic are told apart, in names of any width" two_groups
check "more partitions than lines scroll, and it says how many are out of sight" many
finish
