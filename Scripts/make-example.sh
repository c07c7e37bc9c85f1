#!/usr/bin/env bash
# Makes .fti-example: the demo's own repository, by the demo's own commands.
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
# What a crash may leave is no part of the format.
find "$root/.fti-example" -name 'tmp-*' -delete
chmod -R u+w "$root/.fti-example"
du -sk "$root/.fti-example" | awk '{ print "wrote .fti-example, " $1 " KiB" }'
