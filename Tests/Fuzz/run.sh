#!/usr/bin/env bash
# Fuzzes the parsers: run.sh [SECONDS [TARGET...]]. Builds, runs each target for SECONDS in one process of at most
# 256 MiB, and prints the executions and the findings. Fails if there is a finding.
#
# Corpora grow in .build/fuzz-corpus; an input that breaks a property goes to .build/fuzz-findings.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
shift || true
if [ -z "${FUZZ:-}" ]; then
    FUZZ=.build/fuzz/release/fuzz
    swift build -c release --package-path Tests/Fuzz --scratch-path .build/fuzz --product fuzz \
        -Xswiftc -enable-testing -Xswiftc -sanitize=fuzzer,address \
        -Xcc -fsanitize=fuzzer-no-link,address
fi
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <("$FUZZ" list)

# Swift's crash handler would prevent libFuzzer from writing the input that crashed.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=0:detect_leaks=0
findings=.build/fuzz-findings
mkdir -p "$findings"
found=0
printf '%-24s %12s %10s %8s %6s  %s\n' target executions per-second seconds MiB findings
for target in "${targets[@]}"; do
    corpus=.build/fuzz-corpus/$target
    known=Tests/Fixtures/corpus/$target
    mkdir -p "$corpus"
    "$FUZZ" seeds "$target" .fti-example "$corpus"
    folders=("$corpus")
    [ ! -d "$known" ] || folders+=("$known")
    words=()
    [ ! -s "$corpus.words" ] || words=(-dict="$corpus.words")
    log=$findings/$target.log
    status=0
    "$FUZZ" run "$target" -max_total_time="$seconds" "${words[@]}" -rss_limit_mb=256 \
        -timeout=10 -detect_leaks=0 -print_final_stats=1 -artifact_prefix="$findings/$target-" "${folders[@]}" \
        >"$log" 2>&1 || status=$?
    stat() { sed -n "s/^stat::$1: *//p" "$log" | tail -1; }
    result=none
    if [ "$status" -ne 0 ]; then
        found=1
        result=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
        result=${result:-see $log}
    fi
    printf '%-24s %12s %10s %8s %6s  %s\n' "$target" "$(stat number_of_executed_units)" \
        "$(stat average_exec_per_sec)" "$seconds" "$(stat peak_rss_mb)" "$result"
done
exit "$found"
