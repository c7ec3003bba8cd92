#!/bin/sh
# Where nothing may be installed, the set-up names every missing package and the command to get them, and stops.
. "$SOURCE/tests/checks/lib.sh"
fake=$work/bin
mkdir "$fake"
printf '#!/bin/sh\nexit 1\n' >"$fake/dpkg-query"
printf '#!/bin/sh\necho 1000\n' >"$fake/id"
printf '#!/bin/sh\nexit 1\n' >"$fake/sudo"
printf '#!/bin/sh\necho "apt-get was called" >>"%s/called"\n' "$work" >"$fake/apt-get"
chmod +x "$fake"/*
names_them() {
    if PATH="$fake:$PATH" sh "$SOURCE/.ci/setup" build test >"$work/o" 2>"$work/e"; then echo "it went on"; return 1; fi
    cat "$work/e"
    [ ! -s "$work/o" ] && [ ! -e "$work/called" ] || { echo "it installed, or spoke on standard output"; return 1; }
    for package in uthash-dev zlib1g-dev libsnappy-dev liblz4-dev libzstd-dev libjansson-dev libcmocka-dev; do
        grep -q "sudo apt-get install.* $package" "$work/e" || { echo "not named: $package"; return 1; }
    done
}
nothing_missing() { sh "$SOURCE/.ci/setup" build >"$work/o" 2>&1 && [ ! -s "$work/o" ]; }
check "without the right to install, every missing package is named, and nothing is done" names_them
check "with everything there it says nothing" nothing_missing
finish
