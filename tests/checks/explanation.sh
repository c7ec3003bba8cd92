#!/bin/sh
# docs/explanation-format.md says what `ksim explain --json` prints: every field is described, and every field described is there.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"

# What the lessons leave out: a log that begins later, a group and a topic that are deleted, a record without a key.
cat >"$work/rest.ksim" <<'EOF'
cluster brokers=3 group.initial.rebalance.delay.ms=0
topic t partitions=1 retention.ms=60000 segment.ms=10000
topic gone partitions=1
consumer c group=g topics=t
join c
until stable g
produce t value=plain count=30 every=1s
advance 40s
leave c
advance 1s
delete-offsets g t/0
delete-group g
delete-topic gone
advance 10m
EOF

# One object stands on a line. Prints "of field" for each field of each object of a run.
fields() {
    sed -E -e 's/^"[a-z]+":\[//' -e 's/^\[?\{"format"/{"run":1,"format"/' -e 's/:"([^"\\]|\\.)*"/:S&/g' | awk '
        { line = $0; of = ""
          if (match(line, /"y":S:"[a-z]+"/)) kind = substr(line, RSTART + 7, RLENGTH - 8); else kind = ""
          if (line ~ /"run":1/) of = "run"
          else if (line ~ /^,?\{"n":/) of = "steps"
          else if (line ~ /^,?\{"s":/) of = kind
          else if (line ~ /^,?\{"g":/) of = "pauses"
          else next
          gsub(/:S:"([^"\\]|\\.)*"/, ":", line)
          while (match(line, /"[a-z]+":/)) { name = substr(line, RSTART + 1, RLENGTH - 3); if (name != "run") print of, name; line = substr(line, RSTART + RLENGTH) } }'
}
: >"$work/seen"
for scenario in demos/rebalancing/zombie-commit.ksim demos/rebalancing/commit-lost-at-crash.ksim demos/rebalancing/join-kip848.ksim demos/rebalancing/join-eager.ksim "$work/rest.ksim"; do
    "$KSIM" explain "$scenario" --json >"$work/json"
    tr -d '\n' <"$work/json" | sed -E 's/"(nodes|groups)":\[/\n\1 /g' | awk '
        /^(nodes|groups) / { of = $1; text = substr($0, length(of) + 2); sub(/\][,}]*("[a-z]+":.*)?$/, "", text)
          while (match(text, /"(name|kind|type|assignor|lag)":/)) { print of, substr(text, RSTART + 1, RLENGTH - 3); text = substr(text, RSTART + RLENGTH) } }' >>"$work/seen"
    for part in steps changes pauses nodes partitions groups members; do grep -q "\"$part\":\[" "$work/json" && echo "run $part" >>"$work/seen"; done
    fields <"$work/json" >>"$work/seen"
done
sort -u "$work/seen" >"$work/printed"
sed -nE 's/^\| `([a-z]+)` \| `([a-z]+)`(, `([a-z]+)`)? \|.*/\1 \2\n\1 \4/p' docs/explanation-format.md | grep -E ' .' | sort -u >"$work/described"
lesson=demos/rebalancing/join-kip848.ksim
refused() { # what it says, then the options
    says=$1; shift
    if "$KSIM" explain "$lesson" "$@" >"$work/said" 2>&1; then return 1; else [ $? -eq 2 ] && grep -q -- "$says" "$work/said"; fi
}
check "a range of steps is told, and drawn" sh -c '"$1" explain "$2" --from 5 --to 9 --level protocol >"$3/text" && "$1" explain "$2" --from 5 --to 9 --level protocol --svg "$3/range.svg" &&
    [ "$(grep -cE "^ +[0-9]+  " "$3/text")" -eq 5 ] && grep -q ">5</text>" "$3/range.svg" && ! grep -q ">10</text>" "$3/range.svg"' range "$KSIM" "$lesson" "$work"
same_steps() { # $1: level. What is told, sub-steps too, is what is drawn
    "$KSIM" explain demos/rebalancing/join-eager.ksim --from 20 --to 33 --level "$1" --svg "$work/told.svg"
    "$KSIM" explain demos/rebalancing/join-eager.ksim --from 20 --to 33 --level "$1" | sed -nE 's/^ *([0-9]+(\.[0-9]+)?)  [0-9.]+ s  .*/\1/p' >"$work/told"
    sed -nE 's/^.*<text x="28" y="[0-9]+" font-weight="7[05]0" font-size="(22|14)">([0-9.]+)<.*/\2/p' "$work/told.svg" >"$work/drawn"
    grep -q '\.' "$work/told" && diff "$work/told" "$work/drawn"
}
for level in story protocol everything; do check "the steps that are told are drawn: $level" same_steps $level; done
silent() { "$KSIM" explain "$lesson" --from 6 --to 6 --svg "$work/silent.svg" 2>"$work/said" && grep -q 'no step passes; `--level everything`' "$work/said" && ! grep -q -- --node "$work/said"; }
check "a range of which the story tells nothing is said to be so, with what tells more" silent
check "a range without a step is refused" refused "there is no step 9999" --from 9999 --svg "$work/none.svg"
check "a range that goes back is refused" refused "--from 9 comes after --to 5" --from 9 --to 5
check "what is no step is refused" refused "--from takes the number of a step, not '1.5'" --from 1.5
check "what was refused left nothing behind" test ! -e "$work/none.svg"
check "the fields are many enough to be worth a look" test "$(wc -l <"$work/printed")" -gt 60
check "every field that is printed is described, and the reverse" diff "$work/described" "$work/printed"
finish
