#!/usr/bin/env bash
# Counts the source files that each of three journeys executes: a put of a small file, a feature run on one Markdown
# page, and a promote with a gate. `journeys.sh --list` also prints the files.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
swift build --scratch-path .build/journeys -Xswiftc -profile-generate -Xswiftc -profile-coverage-mapping \
    --product ftictl >/dev/null
swift build --scratch-path .build/journeys -Xswiftc -profile-generate -Xswiftc -profile-coverage-mapping \
    --product fti-feature >/dev/null
bin=$root/.build/journeys/debug
tools=$(dirname "$(readlink -f "$(command -v swift)")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset FTI_REPO
export HOME=$work FTI_AUTHOR=journeys LLVM_PROFILE_FILE=$work/setup.profraw

# count NAME PROGRAM ARGUMENT...: runs one command and counts the files it executes.
count() {
    local name=$1 program=$2
    shift 2
    rm -f "$work/run.profraw"
    LLVM_PROFILE_FILE=$work/run.profraw "$bin/$program" "$@" >/dev/null 2>&1
    "$tools/llvm-profdata" merge -sparse "$work/run.profraw" -o "$work/run.profdata"
    "$tools/llvm-cov" export -summary-only -instr-profile "$work/run.profdata" "$bin/$program" >"$work/run.json"
    python3 - "$name" "$root/Sources/" "$work/run.json" "${LIST:-}" <<'PYTHON'
import json, sys
name, sources, report, shown = sys.argv[1:]
files = [f["filename"] for f in json.load(open(report))["data"][0]["files"]
         if f["filename"].startswith(sources) and f["filename"].endswith(".swift") and f["summary"]["lines"]["covered"]]
print(f"{len(files):4d} files  {name}")
if shown:
    for file in sorted(files):
        print("      " + file[len(sources):])
PYTHON
}

LIST=${1:-}
echo "small" >"$work/small.txt"
mkdir "$work/docs"
printf '# Pump\n\nThe pump starts by itself.\n' >"$work/docs/pump.md"
printf 'sources:\n  - files: docs\n' >"$work/feature.yaml"
echo '{"signed": false, "gates": [{"ref": "models/current", "type": "metric", "metric": "recall", "atLeast": 0.5}]}' >"$work/gates.json"
cd "$work"
"$bin/ftictl" init >/dev/null
count "a put of a small file" ftictl put models/small small.txt
count "a feature run of one Markdown page" fti-feature run feature.yaml
"$bin/ftictl" put models/candidate small.txt --metric recall=0.9 >/dev/null 2>&1
"$bin/ftictl" policy set gates.json >/dev/null 2>&1
count "a promote with a gate" ftictl promote models/candidate models/current
