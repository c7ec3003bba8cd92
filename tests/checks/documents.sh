#!/bin/sh
# What the documents name exists: files, folders, tests. Each difference from Kafka names the test that shows it, or says that
# there is none. Public functions are told.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"

paths() { bad= # every `path` of ours between backticks, in every document
    grep -ohE '`(sim|include|demos|tests|docs)/[A-Za-z0-9_./*-]+' README.md docs/*.md docs/decisions/*.md | tr -d '`' | sort -u >"$work/paths"
    [ -s "$work/paths" ] || return 1
    while read -r path; do
        case $path in *NN*|*LAYER*) continue ;; esac
        # shellcheck disable=SC2086
        ls -d $path >/dev/null 2>&1 || { echo "$path is named and does not exist"; bad=1; }
    done <"$work/paths"
    [ -z "$bad" ]
}
named_tests() { bad= # `tests/file.c: a_test_s_name`
    grep -ohE '`tests/[A-Za-z0-9_/]+\.c: [a-z0-9_]+`' README.md docs/*.md | tr -d '`' | sort -u >"$work/named"
    [ -s "$work/named" ] || return 1
    while IFS=': ' read -r file test; do
        grep -qE "^static void $test\(" "$file" || { echo "$file has no test $test"; bad=1; }
    done <"$work/named"
    [ -z "$bad" ]
}
rows() {
    awk '/^#/ { tables = /Differences kept|client$/ }
        tables && /^\| / && !/^\| (here|---) / && !/`tests\// && !/No test: / { print "no test is named: " substr($0, 1, 80); bad = 1 }
        tables && /^\| / { n++ }
        END { exit bad || n < 10 }' docs/FIDELITY.md
}
links() { bad= # [words](path) that lead to a place in the tree
    for document in README.md docs/*.md; do
        folder=$(dirname "$document")
        for link in $(grep -oE '\]\([^)#]+' "$document" | sed 's/^](//' | grep -vE '^[a-z]+:'); do
            [ -e "$folder/$link" ] || { echo "$document: $link does not exist"; bad=1; }
        done
    done
    [ -z "$bad" ]
}
docstrings() { # a /** comment */ right above each function of the public headers
    awk 'FNR == 1 { before = "" }
        /^KAFKA_API/ { n++; if (before !~ /\*\/$/ || !doc) { print FILENAME ":" FNR ": no docstring: " $0; bad = 1 } }
        /^\/\*/ { doc = /^\/\*\*/ }
        { before = $0 }
        END { exit bad || n < 100 }' include/kafkasim/*.h
}
check "every path that the documents name exists" paths
check "every test that the documents name exists" named_tests
check "every difference from Kafka names the test that shows it" rows
check "every link of the documents leads somewhere" links
check "every public function has its docstring" docstrings
finish
