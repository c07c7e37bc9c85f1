#!/usr/bin/env bash
# Creates .fti-example by running the demo and copying its repository, and Examples/answer.json by asking it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

FTI_AUTHOR=demo "$root/Scripts/demo.sh" --into "$work/demo" >"$work/output.txt" || {
    cat "$work/output.txt" >&2
    exit 1
}
rm -rf "$root/.fti-example"
cp -r "$work/demo/.fti" "$root/.fti-example"
# Leftovers of a crash are not part of the format.
find "$root/.fti-example" -name 'tmp-*' -delete
chmod -R u+w "$root/.fti-example"
PATH="$root/.build/release:$PATH" python3 "$root/Scripts/example-answer.py" "$root/.fti-example" \
    >"$root/Examples/answer.json"
du -sk "$root/.fti-example" | awk '{ print "wrote .fti-example, " $1 " KiB" }'
