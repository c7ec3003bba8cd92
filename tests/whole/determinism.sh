#!/bin/sh
# One seed, one trace: equal between gcc -O0, gcc -O3 and clang -O2, under the sanitizers, with address randomisation on and
# off, with memory filled with garbage, and under valgrind.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"
tracing() { # file, then the command
    file=$1; shift
    "$@" demo lab07 --trace "$file" >"$file.out"
    test -s "$file"
}
same() { tracing "$work/trace" "$@" && cmp "$work/reference" "$work/trace" && cmp "$work/reference.out" "$work/trace.out"; }
clang_build() {
    CC=clang cmake -S . -B build/clang -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DKAFKASIM_WERROR=ON -DBUILD_TESTING=OFF -Wno-dev &&
        cmake --build build/clang --target ksim
}
built() { # the sentence, then the command; a preset that was not built here is passed over aloud (tests/run builds them all)
    sentence=$1; shift
    for word in "$@"; do case $word in build/*) [ -x "$word" ] || { skip "$sentence ($word is not built)"; return 0; } ;; esac; done
    check "$sentence" "$@"
}
if [ ! -x build/release/ksim ]; then skip "one seed, one trace (build/release/ksim is not built)"; finish; fi
check "the reference run (gcc -O3)" tracing "$work/reference" build/release/ksim
built "gcc -O0 gives the same trace" same build/dev/ksim
built "the sanitizers give the same trace" same build/asan/ksim
check "address randomisation off gives the same trace" same setarch -R build/release/ksim
check "memory full of garbage gives the same trace" same env MALLOC_PERTURB_=165 build/release/ksim
check "every message encoded and decoded on its way gives the same trace" same env KSIM_WIRE_CHECK=1 build/release/ksim
if command -v clang >/dev/null; then
    check "clang compiles it with warnings as errors" clang_build
    check "clang -O2 gives the same trace" same build/clang/ksim
else skip "clang -O2 gives the same trace"; fi
if command -v valgrind >/dev/null; then
    check "valgrind finds nothing and sees the same trace" same valgrind -q --error-exitcode=9 build/release/ksim
else skip "valgrind finds nothing and sees the same trace"; fi
finish
