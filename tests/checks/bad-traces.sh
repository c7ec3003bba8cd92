#!/bin/sh
# What is no trace is refused by every command that reads one: exit status 2, one line that names the file, nothing written.
. "$SOURCE/tests/checks/lib.sh"
cd "$work"
good="$SOURCE/tests/explain/second-consumer.jsonl"
note='"kind":"note","fields":{"Text":"x"}'
head -n 1 "$good" >head.jsonl
: >empty.jsonl
head -c 3000 "$good" >cut.jsonl
sed '1s/"version": *1/"version":2/' "$good" >newer.jsonl
sed '1d' "$good" >headless.jsonl
head -c 100000 /dev/urandom >binary.jsonl
mkdir folder.jsonl
{ cat head.jsonl; echo "{\"id\":1,\"cause\":0,\"time\":1,$note}"; echo "{\"id\":1,\"cause\":0,\"time\":1,$note}"; } >twice.jsonl
{ cat head.jsonl; echo "{\"id\":1,\"cause\":2,\"time\":1,$note}"; } >forward.jsonl
{ cat head.jsonl; echo "{\"id\":2,\"cause\":-1,\"time\":1,$note}"; } >negative.jsonl
{ cat head.jsonl; echo "{\"id\":1,\"cause\":0,\"time\":1,\"kind\":\"note\",\"fields\":{\"Text\":17}}"; } >wrongtype.jsonl
{ cat head.jsonl; printf '{"id":1,"cause":0,"time":1,"kind":"note","fields":{"Text":"'; head -c 5000000 /dev/zero | tr '\0' '['; echo; } >huge.jsonl
{ cat head.jsonl; head -c 200000 /dev/zero | tr '\0' '['; echo; } >deep.jsonl
printf 'cluster brokers=1\ntopic t\njion c\n' >wrong.ksim
printf '\377\376\0\0' >bytes.ksim

refused() { # FILE and a word that its complaint has
    for command in "explain $1" "explain $1 --html out.html" "explain $1 --svg out.svg" "explain $1 --json" "why $1 1" "why $1 group g 1" "why $1 t 0 0" "costs $good $1"; do
        set +e
        # shellcheck disable=SC2086
        "$KSIM" $command >said 2>complaint
        status=$?
        set -e
        echo "ksim $command: status $status"; cat said complaint
        [ $status -eq 2 ] && [ ! -s said ] && [ "$(wc -l <complaint)" -eq 1 ] && grep -q "$1" complaint && grep -q "$2" complaint && [ ! -e out.html ] && [ ! -e out.svg ] || return 1
        if ls ./*.part* >/dev/null 2>&1; then return 1; fi
    done
}
check "an empty file is no trace" refused empty.jsonl "empty"
check "a file that was cut is refused with the line" refused cut.jsonl "cut.jsonl:[0-9]*: .*cut"
check "a trace of another version is refused" refused newer.jsonl "version"
check "a trace without its head is refused" refused headless.jsonl "headless.jsonl:1: .*neither a trace"
check "any bytes are refused" refused binary.jsonl "binary.jsonl:1"
check "a folder is refused" refused folder.jsonl "folder"
check "a file that is not there is refused" refused nowhere.jsonl "cannot be opened"
check "an id that stands twice is refused" refused twice.jsonl "twice.jsonl:3: .*ids must grow"
check "a cause that points forward is refused" refused forward.jsonl "forward.jsonl:2: .*cause must come before"
check "a negative cause is refused" refused negative.jsonl "negative.jsonl:2"
check "a field of the wrong type is refused" refused wrongtype.jsonl "wrongtype.jsonl:2: .*Text"
check "a line of 5 MB that never ends is refused" refused huge.jsonl "huge.jsonl:2"
check "brackets in brackets are refused" refused deep.jsonl "deep.jsonl:2"
check "a wrong scenario is refused with line and column" refused wrong.ksim "wrong.ksim:3:1"
check "bytes are no scenario" refused bytes.ksim "bytes.ksim:1"

unwritable() { set +e; "$KSIM" explain "$good" "$1" "$2" >said 2>complaint; status=$?; set -e; cat said complaint; [ $status -eq 2 ] && [ ! -s said ] && grep -q "cannot be written" complaint; }
check "a page that cannot be written is said so" unwritable --html no/such/folder/page.html
check "a drawing that cannot be written is said so" unwritable --svg no/such/folder/page.svg
full() { [ -e /dev/full ] || return 0; for command in "explain $good" "why $good 5" "costs $good" "explain $good --json"; do set +e; "$KSIM" $command >/dev/full 2>complaint; status=$?; set -e; echo "$command: $status"; cat complaint; [ $status -eq 2 ] && grep -q "cannot be written" complaint || return 1; done; }
check "standard output that is full is said so" full
unknown() { set +e; "$KSIM" why "$good" "$@" >said 2>complaint; status=$?; set -e; cat said complaint; [ $status -eq 2 ] && [ ! -s said ] && [ -s complaint ]; }
for step in 0 99 5.9 -1 5x "" 99999999999999999999; do check "there is no step '$step'" unknown "$step"; done
check "there is no generation 9" unknown group billing 9
check "there is no group of that name" unknown group nobody 1
check "a generation is a number" unknown group billing two
check "nothing was written there" unknown orders 0 99
check "there is no such partition" unknown orders 7 0
nothing_passes() { set +e; "$KSIM" explain "$good" "$1" "$2" >said 2>complaint; status=$?; set -e; cat said complaint; [ $status -eq 0 ] && grep -q "no step" complaint; }
check "a filter that lets nothing through says so" nothing_passes --node nobody
finish
