#!/bin/sh
# The API reference has no undocumented public symbol.
. "$SOURCE/tests/checks/lib.sh"
cd "$SOURCE"
documented() {
    mkdir -p build/docs
    doxygen docs/Doxyfile 2>"$work/warnings" >/dev/null || { cat "$work/warnings"; return 1; }
    ! grep -E 'is not documented|unknown command|unable to resolve' "$work/warnings"
}
if command -v doxygen >/dev/null; then check "every public symbol is documented" documented
else skip "every public symbol is documented"; fi
finish
