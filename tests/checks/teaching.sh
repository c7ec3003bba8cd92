#!/bin/sh
# What docs/teaching.md says can be relied on: its commands work, its files are there, and the steps that it names say what it quotes.
# KSIM_REWRITE=1 puts the number of the first step there that says it.
. "$SOURCE/tests/checks/lib.sh"
plan=$SOURCE/docs/teaching.md
cp -r "$SOURCE/demos" "$work/demos"
mkdir "$work/bin" && ln -s "$KSIM" "$work/bin/ksim"
PATH=$work/bin:$PATH
cd "$work/demos/rebalancing"
commands() { # all that stand in backquotes; the stepper needs a terminal: its file is told instead
    grep -oE '`ksim [^`]+`' "$plan" | tr -d '`' | grep -v 'FILE' | sort -u >"$work/commands"
    [ "$(wc -l <"$work/commands")" -ge 15 ] || { echo "only these commands were found:"; cat "$work/commands"; return 1; }
    while read -r command; do
        sh -c "$(echo "$command" | sed 's/^ksim step /ksim explain /')" >"$work/said" 2>&1 </dev/null || { cat "$work/said"; echo "does not work: $command"; return 1; }
    done <"$work/commands"
}
files() { # links and paths in backquotes
    { grep -oE '\]\([a-z][^):]*\)' "$plan" | sed 's/^](\(.*\))$/docs\/\1/'; grep -oE '`(demos|docs|tests|build)/[^` ]+`' "$plan" | tr -d '`'; } | sort -u >"$work/files"
    [ -s "$work/files" ] || { echo "no file is named"; return 1; }
    while read -r file; do [ -e "$SOURCE/$file" ] || { echo "named, and not there: $file"; return 1; }; done <"$work/files"
}
every_lesson() {
    for file in *.ksim; do grep -q "^| \`$(basename "$file" .ksim)\` |" "$plan" || { echo "$file stands in no table"; return 1; }; done
    grep -oE '^\| `[a-z0-9-]+` \|' "$plan" | tr -d '|` ' >"$work/names"
    while read -r lesson; do [ -e "$lesson.ksim" ] || { echo "there is no lesson $lesson"; return 1; }; done <"$work/names"
}
steps() { # | `lesson` | question | step 12, "words"; step 13, "words" |
    sed -nE 's/^\| `([a-z0-9-]+)` \|.*\| (step .*) \|$/\1 \2/p' "$plan" >"$work/rows"
    [ "$(wc -l <"$work/rows")" -eq "$(ls ./*.ksim | wc -l)" ] || { echo "a lesson has no step"; cat "$work/rows"; return 1; }
    while read -r lesson rest; do
        ksim explain "$lesson.ksim" | awk '/^ *[0-9]+(\.[0-9]+)?  / { if (text) print number "\t" text; number = $1; text = "" } { sub(/^ +/, ""); text = text $0 " " }
            END { print number "\t" text }' >"$work/told"
        echo "$rest" | grep -oE 'step [0-9.?]+, "[^"]+"' >"$work/claims"
        [ -s "$work/claims" ] || { echo "$lesson: no step"; return 1; }
        while read -r claim; do
            number=$(echo "$claim" | sed -E 's/step ([0-9.?]+), .*/\1/') words=$(echo "$claim" | sed -E 's/.*, "(.*)"$/\1/')
            first=$(awk -F '\t' -v w="$words" 'index($2, w) { print $1; exit }' "$work/told")
            if [ "${KSIM_REWRITE:-}" = 1 ] && [ -n "$first" ] && [ "$first" != "$number" ]; then
                awk -v l="| \`$lesson\` |" -v old="step $number, \"$words\"" -v new="step $first, \"$words\"" 'index($0, l) == 1 && (at = index($0, old)) {
                    $0 = substr($0, 1, at - 1) new substr($0, at + length(old)) } { print }' "$plan" >"$work/plan" && cat "$work/plan" >"$plan"
                number=$first
            fi
            awk -F '\t' -v n="$number" -v w="$words" '$1 == n && index($2, w) { found = 1 } index($2, w) { at = at " " $1 } END { if (!found) print "step " n " does not say \"" w "\"; these do:" at; exit !found }' "$work/told" ||
                { echo "in $lesson.ksim"; return 1; }
        done <"$work/claims"
    done <"$work/rows"
}
check "every command of the plan works" commands
check "every file that the plan names is there" files
check "every lesson stands in the plan, and the plan names no other" every_lesson
check "every step that the plan names says what it quotes" steps
finish
