#!/bin/sh
# `ksim run` as a person meets it: exit status, seeds, traces, rewriting, data files, and what cannot be read or written.
. "$SOURCE/tests/checks/lib.sh"
cd "$work"

# `says STATUS "words" ksim-arguments..`: exit status and words (a basic regular expression) on either output.
says() {
    status=$1 words=$2; shift 2
    set +e; "$KSIM" "$@" >said 2>&1; got=$?; set -e
    cat said
    [ "$got" -eq "$status" ] && grep -q -- "$words" said
}

cat >fine.ksim <<'S'
cluster brokers=1 group.initial.rebalance.delay.ms=0 seed=3
topic t partitions=2
consumer a group=g topics=t
consumer b group=g topics=t client=kafka-go assignor=roundrobin
produce t count=20 key=k{n}
join a
until stable g
expect lag g 20
crash a
until stable g
join b
until stable g
advance 10s
expect nothing lost g
S
check "a scenario that holds: exit status 0" says 0 "fine.ksim: 2 held, 0 failed" run fine.ksim
same() { "$KSIM" run fine.ksim --trace a >/dev/null; "$KSIM" run fine.ksim --trace b >/dev/null; test -s a && cmp a b; }
check "two runs give the same trace, byte for byte" same
seeds() { "$KSIM" run fine.ksim --seed 4 --trace c >/dev/null; "$KSIM" run fine.ksim --seed 4 --trace d >/dev/null; cmp c d && ! cmp -s a c && grep -q '"seed":"*4' c && grep -q '"seed":"*3' a; }
check "--seed makes another run, the same for the same seed, and the trace names it" seeds
check "a seed that is none is refused" says 2 "takes a whole number" run fine.ksim --seed soon

# ---- what is wrong writes nothing ----
printf 'topic t\njoin c\n' >wrong.ksim
wrong() { says 2 "wrong.ksim:2:6: there is no consumer 'c'" run wrong.ksim --trace no && [ ! -e no ] && [ ! -e no.part ]; }
check "a wrong file: exit status 2, and no trace" wrong
kept() { echo kept >old; says 2 "wrong.ksim:2:6:" run wrong.ksim --trace old && [ "$(cat old)" = kept ]; }
check "and a trace that was there before stays" kept
printf 'toipc t\njoin c\nuntil stable t\nadvance 3x\n' >several.ksim
several() { says 2 "several.ksim:1:1: 'toipc' is not a command" run several.ksim && grep -q '^several.ksim:2:6: there is no consumer' said && grep -q '^several.ksim:4:9: advance is' said && [ "$(wc -l <said)" -eq 3 ]; }
check "a file with several mistakes: all are told, and nothing that follows from one" several
check "a folder is no scenario" says 2 "is it a folder or a device?" run .
check "a scenario that is not there" says 2 "none.ksim: cannot be opened; does it exist" run none.ksim
check "a trace in a folder that is not there" says 2 "no/such/file cannot be written" run fine.ksim --trace no/such/file
head -c 17000000 /dev/zero | tr '\0' '#' >huge.ksim
check "a scenario of more than 16 MiB" says 2 "at most 16 MiB" run huge.ksim
head -c 100000 /dev/urandom >binary.ksim
check "a file that is no text" says 2 "binary.ksim:[0-9]*:[0-9]*: " run binary.ksim
if [ -e /dev/full ]; then
    full() { says 2 "/dev/full cannot be written.*is there room" run fine.ksim --trace /dev/full && [ -c /dev/full ] && [ ! -e /dev/full.part ]; }
    check "a full disk is told" full
    check "a full disk is told by the demo too" says 2 "/dev/full cannot be written" demo lab07 1 --trace /dev/full
    fullout() { set +e; "$KSIM" why fine.ksim group g 1 >/dev/full 2>said; s=$?; set -e; cat said; [ $s -eq 2 ] && grep -q "cannot be written" said; }
    check "and a full standard output" fullout
else
    skip "a full disk is told (there is no /dev/full)"
fi

# ---- rewriting ----
cat >stale.ksim <<'S'
# A comment that stays.
cluster brokers=1 group.initial.rebalance.delay.ms=0
topic t
consumer c group=g topics=t client=kafka-go
join c    # and this one
until stable g
----
stale

leave c
----
expect state g Empty
S
differs() { says 1 "stale.ksim:6: what happened is not what stands here" run stale.ksim && grep -q "^    - stale" said && grep -q "^    + .*c joined g" said; }
check "expected output that differs is shown as a difference" differs
refreshed() {
    cp stale.ksim new.ksim
    says 0 "new.ksim: rewritten" run new.ksim --rewrite && says 0 "2 held, 0 failed" run new.ksim && ! grep -q stale new.ksim &&
        grep -q "A comment that stays" new.ksim && grep -q "and this one" new.ksim && cp new.ksim again.ksim && "$KSIM" run again.ksim --rewrite && cmp new.ksim again.ksim
}
check "--rewrite refreshes it, keeps the rest, and does nothing the second time" refreshed
linked() {
    mkdir -p real && cp stale.ksim real/stale.ksim && chmod 640 real/stale.ksim && ln -sf real/stale.ksim link.ksim
    says 0 "link.ksim: rewritten" run link.ksim --rewrite && [ -L link.ksim ] && ! grep -q stale real/stale.ksim && [ "$(stat -c %a real/stale.ksim)" = 640 ]
}
check "a link stays a link, and the file keeps its mode" linked
windows() {
    sed 's/$/\r/' stale.ksim >win.ksim
    says 0 "win.ksim: rewritten" run win.ksim --rewrite && says 0 "2 held, 0 failed" run win.ksim && [ "$(grep -c . win.ksim)" -eq "$(grep -c "$(printf '\r')" win.ksim)" ]
}
check "a file from Windows stays one" windows
failing() {
    { cat stale.ksim; echo; echo 'expect lag g 7'; } >failing.ksim
    says 1 "failing.ksim:14: the lag of g is 0, not 7" run failing.ksim --rewrite && grep -q "c joined g" failing.ksim && ! grep -q stale said
}
check "--rewrite of a file with an expectation that fails refreshes it, says so, and exit status 1" failing
stuck() {
    { cat stale.ksim; echo; echo 'until state g Dead within=1s'; } >stuck.ksim
    cp stuck.ksim before.ksim
    says 1 "it got stuck" run stuck.ksim --rewrite && cmp stuck.ksim before.ksim
}
check "--rewrite of a run that gets stuck leaves the file alone" stuck
wrong_rewrite() { cp wrong.ksim before.ksim; says 2 "wrong.ksim:2:6" run wrong.ksim --rewrite && cmp wrong.ksim before.ksim; }
check "--rewrite of a wrong file leaves it alone" wrong_rewrite
if [ "$(id -u)" -ne 0 ]; then
    readonly_folder() { mkdir ro && cp stale.ksim ro && chmod a-w ro && says 2 "ro/stale.ksim cannot be written" run ro/stale.ksim --rewrite; s=$?; chmod u+w ro; return $s; }
    check "--rewrite in a folder that cannot be written" readonly_folder
else
    long=$(head -c 249 /dev/zero | tr '\0' s).ksim # nothing longer fits beside it
    unwritable() { cp stale.ksim "$long" && says 2 "ss.ksim cannot be written" run "$long" --rewrite && cmp stale.ksim "$long"; }
    check "--rewrite of a file that cannot be written" unwritable
fi

# ---- what stands there is not replaced by the way ----
cp fine.ksim first.ksim; ln first.ksim hard.ksim; ln -s first.ksim soft.ksim; cp fine.ksim second.ksim; printf 'user\nann\n' >rows.csv
refused() { # "words" ksim-arguments..
    says 2 "$@" && [ "$(wc -l <said)" -eq 1 ] && grep -q "of its own" said && cmp fine.ksim first.ksim && cmp fine.ksim second.ksim &&
        [ "$(cat rows.csv)" = "$(printf 'user\nann')" ] && [ -L soft.ksim ] && [ ! -e q ]
}
for out in first.ksim ./first.ksim hard.ksim soft.ksim; do
    check "run --trace $out is refused when it is the scenario" refused "--trace $out would replace its input, first.ksim" run first.ksim --trace $out
    check "explain --html $out is" refused "--html $out would replace its input, first.ksim" explain first.ksim --html $out
    check "explain --svg $out is" refused "--svg $out would replace its input, first.ksim" explain first.ksim --svg $out
done
check "a page in place of the run that is compared is refused" refused "--html second.ksim would replace --compare, second.ksim" explain first.ksim --compare second.ksim --html second.ksim
check "so is a drawing" refused "--svg second.ksim would replace --compare, second.ksim" explain first.ksim --compare second.ksim --html q --svg second.ksim
for out in q ./q "$work/q"; do check "a page and a drawing in one new file, $out, are refused" refused "--svg $out would replace --html, q" explain first.ksim --html q --svg "$out"; done
printf 'user,event\nalice,paid\n' > data.csv
printf 'topic t\nproduce t from=data.csv\nadvance 1s\n' > reads.ksim
check "a trace in place of a data file that the scenario reads is refused" refused "--trace ./data.csv would replace a data file of the scenario, data.csv" run reads.ksim --trace ./data.csv
check "so is a page" refused "--html data.csv would replace a data file of the scenario, data.csv" explain reads.ksim --html data.csv
check "and a drawing, also of the other run's data" refused "--svg $work/data.csv would replace a data file of the scenario, data.csv" explain first.ksim --compare reads.ksim --html q --svg "$work/data.csv"
check "the data is as it was" sh -c '[ "$(cat data.csv)" = "$(printf "user,event\nalice,paid")" ] && [ ! -e q ]'
check "a page and JSON on standard output are refused" refused "--html - and --json would both go to standard output" explain first.ksim --html - --json
check "so are a drawing and JSON" refused "--svg - and --json would both go to standard output" explain first.ksim --svg - --json
check "and a page and a drawing" refused "--html - and --svg - would both go to standard output" explain first.ksim --html - --svg -
check "a trace in place of the rows is refused" refused "--trace ./rows.csv would replace --input, rows.csv" demo lab07 8 --input rows.csv --trace ./rows.csv
apart() { "$KSIM" explain first.ksim --html /dev/null --svg /dev/null && mkdir -p other && "$KSIM" explain first.ksim --html q --svg other/q && grep -q '<html' q && grep -q '<svg' other/q; }
check "what replaces nothing is written: a device twice, one name in two folders" apart
parts() {
    echo mine >t.part; echo theirs >victim; ln -sf victim t.part1
    says 0 "held" run fine.ksim --trace t && cmp a t && [ "$(cat t.part)" = mine ] && [ -L t.part1 ] && [ "$(cat victim)" = theirs ] && [ ! -e t.part2 ]
}
check "what stands beside a file that is written stays, a link is not followed" parts
new_mode() { (umask 027; "$KSIM" run fine.ksim --trace masked) && [ "$(stat -c %a masked)" = 640 ] && (umask 077; "$KSIM" run fine.ksim --trace masked) && [ "$(stat -c %a masked)" = 640 ]; }
check "a new file has the mode that the umask leaves, one that was there keeps its own" new_mode

# ---- data files ----
mkdir -p lessons/data
printf 'user,event\nann,"go, ""now"""\nbob,stop\n' >lessons/data/events.csv
printf '{"user":"cy","n":1.5}\n\n{"user":"di","n":null,"more":[1,2]}\n' >lessons/data/events.jsonl
cat >lessons/read.ksim <<'S'
topic t
topic rows
produce t from=data/events.csv key={user} value="{n}:{event}"
produce t from=data/events.jsonl key={user} value="{n} \"{user}\" {literally: text}"
produce rows from=data/events.csv count=1
produce rows from=data/events.jsonl
produce t from=data/events.csv key={user} every=1s
advance 1500ms
expect contents t/0 "ann=0:go, \"now\"" "bob=1:stop" "cy=0 \"cy\" {literally: text}" "di=1 \"di\" {literally: text}" "ann=ann,\"go, \"\"now\"\"\""
expect contents rows/0 "=ann,\"go, \"\"now\"\"\"" "={\"user\":\"cy\",\"n\":1.5}" "={\"user\":\"di\",\"n\":null,\"more\":[1,2]}"
S
check "data files are found beside the scenario, wherever it is run from" says 0 "2 held, 0 failed" run lessons/read.ksim
(cd lessons && mv data elsewhere)
check "and their absence is told with its place" says 2 "lessons/read.ksim:3:16: lessons/data/events.csv cannot be opened" run lessons/read.ksim
finish
