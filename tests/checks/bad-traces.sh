#!/bin/sh
# What is no trace is refused by every command that reads one: exit status 2, one line that names the file, nothing written.
. "$SOURCE/tests/checks/lib.sh"
cd "$work"
good="$SOURCE/tests/explain/second-consumer.jsonl"
note='"node":"","kind":"note","fields":{"Text":"x"}'
head -n 1 "$good" >head.jsonl
: >empty.jsonl
head -c 3000 "$good" >cut.jsonl
sed '1s/"version": *2/"version":3/' "$good" >newer.jsonl
sed '1s/"version": *2/"version":1/' "$good" >older.jsonl
sed '1d' "$good" >headless.jsonl
head -c 100000 /dev/urandom >binary.jsonl
mkdir folder.jsonl
{ cat head.jsonl; echo "{\"id\":1,\"cause\":0,\"time\":1,$note}"; echo "{\"id\":1,\"cause\":0,\"time\":1,$note}"; } >twice.jsonl
{ cat head.jsonl; echo "{\"id\":1,\"cause\":2,\"time\":1,$note}"; } >forward.jsonl
{ cat head.jsonl; echo "{\"id\":2,\"cause\":-1,\"time\":1,$note}"; } >negative.jsonl
{ cat head.jsonl; echo "{\"id\":1,\"cause\":0,\"time\":1,\"node\":\"\",\"kind\":\"note\",\"fields\":{\"Text\":17}}"; } >wrongtype.jsonl
{ cat head.jsonl; printf '{"id":1,"cause":0,"time":1,"kind":"note","fields":{"Text":"'; head -c 5000000 /dev/zero | tr '\0' '['; echo; } >huge.jsonl
{ cat head.jsonl; head -c 200000 /dev/zero | tr '\0' '['; echo; } >deep.jsonl
printf 'cluster brokers=1\ntopic t\njion c\n' >wrong.ksim
printf '\377\376\0\0' >bytes.ksim
one() { # FILE, the end of an event behind its time: a trace of that event
    { cat head.jsonl; echo "{\"id\":1,\"cause\":0,\"time\":1,$2}"; } >"$1"
}
topic() { echo "{\"id\":$1,\"cause\":0,\"time\":1,\"node\":\"\",\"kind\":\"topic_created\",\"fields\":{\"Topic\":\"t$1\",\"Partitions\":$2,\"ReplicationFactor\":1}}"; }
group() { echo "{\"id\":$1,\"cause\":0,\"time\":1,\"node\":\"\",\"kind\":\"offsets_deleted\",\"fields\":{\"Group\":\"g$1\",\"Topic\":\"t1\",\"Partition\":0,\"Reason\":\"\"}}"; }
several() { for i in $(seq "$2" "$3"); do "$1" "$i" "$4"; done; }
{ cat head.jsonl; topic 1 10001; } >wide.jsonl
{ cat head.jsonl; topic 1 -1; } >minus.jsonl
{ cat head.jsonl; several topic 1 11 10000; } >many.jsonl
{ cat head.jsonl; several topic 1 8 10000; several group 9 60 -; } >shares.jsonl
appended='"node":"broker-1","kind":"records_appended","fields":{"Topic":"t","Partition":0,"BaseOffset":0,"LastOffset":0,"Count":1,"Bytes":70,"LeaderEpoch":0,"ProducerId":-1,"Client":"p"}'
one nonode.jsonl '"kind":"note","fields":{"Text":"x"}'
one node.jsonl '"node":7,"kind":"note","fields":{"Text":"x"}'
one nofields.jsonl '"node":"","kind":"note"'
one fields.jsonl '"node":"","kind":"note","fields":["Text"]'
one missing.jsonl "$(echo "$appended" | sed 's/"LastOffset":0,//')"
one unknown.jsonl '"node":"","kind":"note","fields":{"Text":"x","Colour":"red"}'
one member.jsonl "$note,\"colour\":\"red\""
one offset.jsonl "$(echo "$appended" | sed 's/"LastOffset":0/"LastOffset":9223372036854775807/')"
one records.jsonl "$appended,\"records\":17"
one key.jsonl "$appended,\"records\":[{\"key\":7,\"value\":null}]"
one rest.jsonl "$appended,\"records\":[{\"key\":null,\"value\":\"v\",\"value_rest\":4294967297}]"
{ cat head.jsonl; echo "{\"id\":1,\"cause\":0,\"time\":9223372036854775807,$note}"; } >time.jsonl
{ echo '{"format":"kafkasim-trace","version":2,"start":-9223372036854775808}'; } >start.jsonl
{ echo '{"format":"kafkasim-trace","version":2,"start":"now"}'; } >starttext.jsonl
{ echo '{"format":"kafkasim-trace","version":2,"seed":[7]}'; } >seed.jsonl
ln -s /dev/zero zero.jsonl
ln -s /dev/zero zero.ksim

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
check "a trace of an older version is refused with what to do" refused older.jsonl "write it again"
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
check "a topic of more partitions than a topic can have is refused" refused wide.jsonl "wide.jsonl:2: .*10000 partitions"
check "a topic of -1 partitions is refused" refused minus.jsonl "minus.jsonl:2: .*10000 partitions"
check "many topics of many partitions are refused" refused many.jsonl "many.jsonl:12: .*100000 partitions"
check "many groups over many partitions are refused" refused shares.jsonl "shares.jsonl:[0-9]*: groups times partitions"
check "an event without its node is refused" refused nonode.jsonl "nonode.jsonl:2: node"
check "a node that is no text is refused" refused node.jsonl "node.jsonl:2: node"
check "an event without fields is refused" refused nofields.jsonl "nofields.jsonl:2: .*no fields"
check "fields that are no object are refused" refused fields.jsonl "fields.jsonl:2: .*no fields"
check "a field that is missing is refused" refused missing.jsonl "missing.jsonl:2: .*missing.*LastOffset"
check "a field that the kind does not have is refused" refused unknown.jsonl "unknown.jsonl:2: .*Colour"
check "a member that no event has is refused" refused member.jsonl "member.jsonl:2: .*colour"
check "an offset that no log reaches is refused" refused offset.jsonl "offset.jsonl:2: .*offset"
check "records that are no array are refused" refused records.jsonl "records.jsonl:2: .*records"
check "a key that is no text is refused" refused key.jsonl "key.jsonl:2: .*key"
check "a rest of more bytes than a record has is refused" refused rest.jsonl "rest.jsonl:2: .*rest"
check "a time whose distance overflows is refused" refused time.jsonl "time.jsonl:2: time"
check "a start whose distance overflows is refused" refused start.jsonl "start.jsonl:1: start"
check "a start that is no time is refused" refused starttext.jsonl "starttext.jsonl:1: start"
check "a seed that is no number is refused" refused seed.jsonl "seed.jsonl:1: seed"
check "a device that never ends is no trace" refused zero.jsonl "device"
check "nor is it a scenario" refused zero.ksim "device"
piped() { cat "$good" | "$KSIM" explain /dev/stdin >said && [ -s said ]; }
check "a trace may come through a pipe" piped

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
