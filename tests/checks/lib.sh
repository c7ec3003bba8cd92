# Sourced by the shell tests. `check "a sentence" command...` runs the command and prints cmocka's words, so that shell
# tests are counted like the others. KSIM, BUILD and SOURCE come from ctest.
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check() {
    name=$1; shift
    if "$@" >"$work/out" 2>&1; then echo "[       OK ] $name"; else failed=1; sed 's/^/    /' "$work/out"; echo "[  FAILED  ] $name"; fi
}
skip() { echo "[  SKIPPED ] $1"; }
finish() { exit $failed; }
