#!/bin/sh
# The installed package as an outside project sees it: find_package and pkg-config, shared and static.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"
prefix=$work/prefix
outside=$work/outside
mkdir -p "$outside"
cat >"$outside/main.c" <<'C'
#include <kafkasim/kafka.h>
#include <kafkasim/ksim.h>
#include <stdio.h>
int main(void) {
    ksim *sim = ksim_new(NULL);
    if (sim == NULL) return 1;
    kafka_error error = ksim_create_topic(sim, "orders", 3);
    printf("%s\n", error == KAFKA_OK ? "made" : kafka_error_name(error));
    ksim_free(sim);
    return error == KAFKA_OK ? 0 : 1;
}
C
cat >"$outside/CMakeLists.txt" <<'C'
cmake_minimum_required(VERSION 3.25)
project(outside C)
find_package(kafkasim 0.1 REQUIRED)
add_executable(shared main.c)
target_link_libraries(shared PRIVATE kafkasim::kafkasim)
add_executable(static main.c)
target_link_libraries(static PRIVATE kafkasim::kafkasim_static)
C
with_cmake() { cmake -S "$outside" -B "$outside/build" -DCMAKE_PREFIX_PATH="$prefix" && cmake --build "$outside/build" && "$outside/build/$1"; }
pc=$(dirname "$(cmake --install "$BUILD" --prefix "$prefix" 2>/dev/null | sed -nE 's/^-- (Installing|Up-to-date): (.*kafkasim\.pc)$/\2/p')")
with_pkgconfig() {
    export PKG_CONFIG_PATH="$pc"
    lib=$(pkg-config --variable=libdir kafkasim)
    # shellcheck disable=SC2046
    gcc -std=c11 "$outside/main.c" -o "$outside/pc" $(pkg-config --cflags --libs kafkasim) -Wl,-rpath,"$lib" && "$outside/pc"
}
with_pkgconfig_static() {
    export PKG_CONFIG_PATH="$pc"
    lib=$(pkg-config --variable=libdir kafkasim)
    # shellcheck disable=SC2046
    gcc -std=c11 "$outside/main.c" -o "$outside/pcs" $(pkg-config --cflags kafkasim) "$lib/libkafkasim.a" \
        $(pkg-config --static --libs-only-l kafkasim | sed 's/-lkafkasim//') && "$outside/pcs"
}
moved() { mv "$prefix" "$work/moved" && pc=$(echo "$pc" | sed "s|^$prefix|$work/moved|") && with_pkgconfig; }
only_ours() {
    bad=$(nm -D --defined-only "$(find "$prefix" -name 'libkafkasim.so')" | awk '{print $3}' | grep -vE '^(kafka|ksim)_|^ksim$' || true)
    [ -z "$bad" ] || { echo "$bad"; return 1; }
}
cxx() {
    for header in "$prefix"/include/kafkasim/*.h; do
        : >"$work/h.cpp"
        if [ "$(basename "$header")" = cmocka.h ]; then # macros over cmocka, which its user has included
            printf '#include <setjmp.h>\n#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <cmocka.h>\n' >"$work/h.cpp"
        fi
        printf "#include <kafkasim/%s>\nextern int a_translation_unit_is_not_empty;\n" "$(basename "$header")" >>"$work/h.cpp"
        g++ -std=c++17 -Wall -Wextra -Werror -I "$prefix/include" -fsyntax-only "$work/h.cpp" || return 1
        cp "$work/h.cpp" "$work/h.c"
        gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -I "$prefix/include" -fsyntax-only "$work/h.c" || return 1
    done
}
check "cmake --install puts everything in place" test -f "$prefix/include/kafkasim/kafka.h" -a -f "$pc/kafkasim.pc"
check "find_package links the shared library" with_cmake shared
check "find_package links the static library" with_cmake static
check "pkg-config links the shared library" with_pkgconfig
check "pkg-config --static links the static library" with_pkgconfig_static
check "only kafka_* and ksim_* are visible" only_ours
check "every installed header compiles alone as C11 and as C++17" cxx
check "the installed tree can be moved" moved
finish
