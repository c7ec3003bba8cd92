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
lessons=$SOURCE/demos/rebalancing

# 30 consumers over 100 partitions; and ten that read for so long that it takes more than 5,000 steps to tell.
consumers() { for i in $(seq 1 "$1"); do echo "consumer worker-$i group=g topics=orders $2"; done; }
joined() { printf join; for i in $(seq 1 "$1"); do printf ' worker-%s' "$i"; done; echo; }
{ echo "topic orders partitions=100"; consumers 30 assignor=range; joined 30; echo "until stable g"; } >"$work/wide.ksim"
{ echo "topic orders partitions=20"; consumers 10 "client=kafka-go commit=every:10"; joined 9; echo "until stable g"
  echo 'produce orders key=user-{n} value="event {n}" count=10000000 every=500ms'
  for i in 1 2 3; do printf 'join worker-10\nadvance 5m\nleave worker-10\nadvance 5m\n'; done; } >"$work/long.ksim"

# A client, a group, keys and values that would like to be more than text.
client='<\/script><script>harmed=1<\/script><img src=x onerror=harmed=1>\\u202e\\u0007\\"'"'"'\&amp;'
sed -e "s/\"c2\"/\"$client\"/g" -e "s/\"billing\"/\"<svg onload=harmed=1>\\\\u2067\${harmed=1}\"/g" \
    -e 's/"key":"user-\([0-9]*\)"/"key":"<img src=x onerror=harmed=1>\1"/g' "$SOURCE/tests/explain/second-consumer.jsonl" >"$work/hostile.jsonl"

"$KSIM" explain "$SOURCE/tests/explain/second-consumer.jsonl" --html "$work/page.html"
head -n 1 "$SOURCE/tests/explain/second-consumer.jsonl" >"$work/empty.jsonl"
"$KSIM" explain "$work/empty.jsonl" --html "$work/empty.html"
printf 'topic many partitions=40\nproduce many count=200 value=v\nadvance 1s\n' >"$work/alone.ksim"
"$KSIM" explain "$work/alone.ksim" --html "$work/alone.html"
"$KSIM" explain "$work/hostile.jsonl" --html "$work/hostile.html"
"$KSIM" explain "$lessons/join-eager.ksim" --compare "$lessons/join-cooperative.ksim" --html "$work/compare.html"
"$KSIM" explain "$lessons/join-kip848.ksim" --html "$work/kip848.html"
"$KSIM" explain "$lessons/slow-consumer.ksim" --html "$work/slow.html"
"$KSIM" explain "$SOURCE/tests/explain/cases/restarted.ksim" --html "$work/restarted.html"
for page in groups wide long; do
    [ $page = groups ] && file=$SOURCE/tests/browser/groups.ksim || file=$work/$page.ksim
    "$KSIM" explain "$file" --html "$work/$page.html"
done
# Which steps the command line's filters leave, for each name of that page: the page's have to be the same.
groups=$SOURCE/tests/browser/groups.ksim
"$KSIM" explain "$groups" --json | tr '{' '\n' | sed -nE 's/^"name":"([^"]*)","(kind|type)".*/\2 \1/p' | sed 's/^kind/node/; s/^type/group/' | while read -r kind name; do
    echo "$kind $name" $("$KSIM" explain "$groups" --level protocol "--$kind" "$name" 2>/dev/null | sed -nE 's/^ *([0-9]+(\.[0-9]+)?)  [0-9.]+ s  .*/\1/p')
done >"$work/filtered.txt"
"$KSIM" explain "$lessons/second-consumer-joins.ksim" --svg "$work/story.svg"
"$KSIM" explain "$lessons/join-kip848.ksim" --from 10 --to 40 --svg "$work/range.svg"
"$KSIM" explain "$work/hostile.jsonl" --level protocol --svg "$work/hostile.svg"
"$KSIM" explain "$work/wide.ksim" --svg "$work/wide.svg"
CHROMIUM=$chromium node "$SOURCE/tests/browser/page.mjs" "$modules" "$work" "$shots"
