#!/bin/sh
# The picture in docs/ARCHITECTURE.md stays true: each layer includes only those below it.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"

only() { # layer, allowed...
    layer=$1; shift
    allowed="$layer"
    for below in "$@"; do allowed="$allowed|$below"; done
    bad=$(grep -nE '^ *# *include "sim/' -r sim/"$layer" --include='*.[ch]' --include='*.def' |
        grep -vE "include \"sim/($allowed)/" || true)
    [ -z "$bad" ] || { echo "$bad"; return 1; }
}
no_public() { # layers that know nothing of the public API but errors and plain types
    bad=$(grep -nE '^ *# *include <kafkasim/' -r sim/"$1" --include='*.[ch]' | grep -vE '<kafkasim/(error|base|error_table)\.h>' || true)
    [ -z "$bad" ] || { echo "$bad"; return 1; }
}
check "base includes nothing above it" only base
check "kernel includes only base" only kernel base
check "protocol includes only kernel and base" only protocol kernel base
check "broker includes only protocol, kernel and base: never the client" only broker protocol kernel base
check "client includes only protocol, kernel and base: never the broker" only client protocol kernel base
check "task includes only protocol, kernel and base" only task protocol kernel base
check "api includes only task, client and what is below" only api task client protocol kernel base
check "control includes only api and what is below" only control api task client broker protocol kernel base
check "scenario includes only control and what is below" only scenario control api task client broker protocol kernel base
no_tasks() { bad=$(grep -rnE 'sim/task/|kafka_go ?\(|kafka_task|kafka_channel|kafka_writer_(new|write)|kafka_reader_(new|read)|kafka_consumer_' sim/scenario || true); [ -z "$bad" ] || { echo "$bad"; return 1; }; }
check "scenario starts no task: its consumers and producers are machines over the engines" no_tasks
check "explain reads the trace: protocol, kernel and base only" only explain protocol kernel base
check "report joins control and explain" only report explain control api task client broker protocol kernel base
check "kernel knows no Kafka" sh -c '! grep -rniE "kafka" sim/kernel --include="*.c" | grep -vE "^[^:]*:[0-9]+: *(/?\*|//)|include <kafkasim"'
check "the kernel does not see the public API" no_public kernel
check "the broker does not see the public API" no_public broker
finish
