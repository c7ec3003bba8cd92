#!/bin/sh
# The page in headless Chromium. Where there is no browser, no node or no npm registry, that is said aloud and counted.
. "$SOURCE/tests/checks/lib.sh"
modules=$SOURCE/build/browser
shots=$SOURCE/build/screenshots
mkdir -p "$modules" "$shots"
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$chromium" ]; then skip "the page in a browser (no chromium here)"; exit 0; fi
if ! command -v node >/dev/null; then skip "the page in a browser (no node here)"; exit 0; fi
cp "$SOURCE/tests/browser/package.json" "$modules/"
if [ ! -d "$modules/node_modules/axe-core" ] || [ ! -d "$modules/node_modules/playwright-core" ]; then
    if ! (cd "$modules" && npm install --no-package-lock --no-audit --no-fund --ignore-scripts >"$work/npm" 2>&1); then
        skip "the page in a browser (npm could not get the test's two packages)"; exit 0
    fi
fi
"$KSIM" explain "$SOURCE/tests/explain/second-consumer.jsonl" --html "$work/page.html"
"$KSIM" explain "$SOURCE/tests/explain/second-consumer.jsonl" --compare "$SOURCE/tests/explain/second-consumer.jsonl" --html "$work/compare.html"
CHROMIUM=$chromium node "$SOURCE/tests/browser/page.mjs" "$modules" "$work/page.html" "$work/compare.html" "$shots"
