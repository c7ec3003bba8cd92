# Sourced by the tests that sit in front of a terminal: tmux is the terminal, its keys are the fingers, its screen the eyes. Nothing waits
# for a time, everything for a text (at most so long).
. "$SOURCE/tests/checks/lib.sh"
export LC_ALL=C.UTF-8
unset NO_COLOR TERM TMUX EDITRC || true
export HOME="$work"
terminal() { tmux -u -S "$work/tmux" -f /dev/null "$@"; }
trap 'terminal kill-server 2>/dev/null || true; rm -rf "$work"' EXIT

# Like the one in tests/checks, but what fails in the middle of a check ends it.
check() {
    name=$1; shift
    set +e
    (set -e; "$@") >"$work/out" 2>&1
    status=$?
    set -e
    if [ $status -eq 0 ]; then echo "[       OK ] $name"; else failed=1; sed 's/^/    /' "$work/out"; echo "[  FAILED  ] $name"; fi
}
# Names every test of a file as skipped, where there is no tmux: `needs_tmux "$0"`.
needs_tmux() {
    command -v tmux >/dev/null 2>&1 && return 0
    sed -nE 's/^check "([^"]*)".*/\1/p' "$1" | while read -r name; do skip "$name: there is no tmux here"; done
    exit 0
}
open_terminal() { # columns, lines: a shell in it
    number=$(($(cat "$work/terminals" 2>/dev/null || echo 0) + 1))
    echo $number >"$work/terminals"
    terminal new-session -d -s "t$number" -x "$1" -y "$2" "cd '$work' && PS1='\$ ' exec sh -i"
    terminal kill-session -a -t "t$number"
    terminal set-option -g status off
    terminal resize-window -x "$1" -y "$2"
    await '^\$'
}
fresh() { # what a check before this one left behind does not matter
    at_the_shell() { screen | sed '/^$/d' | tail -n 1 | grep -qE '^\$ *$'; }
    at_the_shell || { open_terminal 80 24; command_line "stty -a >modes; echo ready-\$((1+1))"; await '^ready-2'; }
}
keys() { terminal send-keys "$@"; }
typed() { terminal send-keys -l -- "$1"; }
command_line() { typed "$1"; keys Enter; }
screen() { terminal capture-pane -p; }
colours() { terminal capture-pane -e -p; }
bounded() { # runs the command again and again until it is true
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || return 1 # a minute, for a busy machine
        sleep 0.05
    done
}
has_colours() { colours | grep -qE "$(printf '\033')\[[0-9;]*3[0-8]m"; } # 39 is the default
screen_has() { screen | grep -qE -- "$1"; }
screen_has_not() { ! screen_has "$1"; }
await() { bounded screen_has "$1" || { echo "never shown: $1"; screen; exit 1; }; }
await_gone() { bounded screen_has_not "$1" || { echo "still shown: $1"; screen; exit 1; }; }
same_screen() { screen >"$work/now" && cmp -s "$1" "$work/now"; }
await_same() { bounded same_screen "$1" || { echo "another screen than before:"; diff "$1" "$work/now"; exit 1; }; }
file_is_there() { [ -s "$1" ]; }
await_file() { bounded file_is_there "$1" || { echo "$1 was never written"; screen; exit 1; }; }
modes_are_as_before() { # the terminal's modes, asked from the shell
    command_line "stty -a >modes.now; echo asked-\$((1+1))"
    await '^(\$ )?asked-2' # a slow end leaves the question before the shell's prompt
    cmp "$work/modes" "$work/modes.now" || exit 1
    command_line clear
    await_gone 'asked-2'
}
