#!/usr/bin/env bash
# Demonstrates all of fti on real documents: features, a model, answers, the next edition, log, diff, release, pin and
# rollback.
#
#   Scripts/demo.sh [--documents DIR] [--later DIR] [--into DIR] [--embedder builtin|minilm]
#
# The embedder minilm is all-MiniLM-L6-v2 from PyPI, which is put into the repository and runs in the pipelines themselves.
# Without --documents it uses the two editions of the handbook in Examples/, with their labelled questions.
# With --documents, training derives its questions from headings, and --later names a later state of the same folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
PATH="$root/.build/release:$PATH"
unset FTI_REPO

documents="" later="" into="$root/.demo" embedder=builtin
while [ $# -gt 0 ]; do
    case "$1" in
        --documents) documents=$(cd "$2" && pwd); shift 2 ;;
        --later) later=$(cd "$2" && pwd); shift 2 ;;
        --into) into=$2; shift 2 ;;
        --embedder) embedder=$2; shift 2 ;;
        *) echo "demo: unknown argument $1" >&2; exit 64 ;;
    esac
done

labels=""
question="At what temperature does the frost alarm go off by default?"
if [ -z "$documents" ]; then
    documents=$root/Examples/handbook/edition-1
    later=$root/Examples/handbook/edition-2
    labels="questions: $root/Examples/handbook/questions.jsonl
preferences: $root/Examples/handbook/preferences.jsonl"
else
    question=${QUESTION:-"How do I install and configure it?"}
fi

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold="" dim="" plain=""; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
run() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; "$@"; }

case "$embedder" in
    builtin) embed="{name: builtin, dimension: 384}" ;;
    minilm) embed="{name: bert, model: models/minilm}"; weights=$("$root/Scripts/minilm.sh") ;;
    *) echo "demo: the embedders are builtin and minilm" >&2; exit 64 ;;
esac

rm -rf "$into" && mkdir -p "$into" && cd "$into"
# Keep caches, state and keys inside the same directory.
export XDG_CACHE_HOME="$PWD/.cache" XDG_STATE_HOME="$PWD/.state" XDG_CONFIG_HOME="$PWD/.config"

features_config() {
    cat <<EOF
ref: features/staging
sources:
  - files: $1
chunk: {size: 1000, overlap: 100}
embed: $embed
EOF
}
training_config() {
    cat <<EOF
features: $1
$labels
model: models/candidate
EOF
}
features_config "$documents" >features-1.yaml
training_config features/prod >training-1.yaml

say "1. Create a repository, and build features from the documents"
run ftictl init
if [ "$embedder" = minilm ]; then run ftictl put models/minilm "$weights" -m "all-MiniLM-L6-v2"; fi
run fti-feature run features-1.yaml
run ftictl promote features/staging features/prod

say "2. Train a model on those features, and measure it on questions it has not seen"
run fti-training run training-1.yaml
run ftictl promote models/candidate models/current

say "3. Answer a question, with sources and the hashes of the versions used"
run fti-inference ask "$question" | tee answer-1.txt

if [ -n "$later" ]; then
    features_config "$later" >features-2.yaml
    training_config features/staging >training-2.yaml

    say "4. Read the next edition: only changed text is embedded again"
    run fti-feature run features-2.yaml
    run ftictl diff features/prod features/staging --stat
    echo "${dim}\$ ftictl diff features/prod features/staging --rows | grep -A 3 '^~' | head -12${plain}"
    { ftictl diff features/prod features/staging --rows | grep -A 3 '^~' | head -12; } || true

    say "5. Train a model for it, and promote both in one transaction"
    run fti-training run training-2.yaml
    run ftictl promote features/staging features/prod models/candidate models/current
    run fti-inference ask "$question" | tee answer-2.txt
fi

say "6. Show the history, and what is live"
run ftictl log models/current
run ftictl log features/prod --oneline
run ftictl reflog -n 4

say "7. Release and pin the live versions: the lock file names hashes, so later moves do not affect it"
echo "Answer from the chunks only, and name them." >prompt.txt
run ftictl release releases/prod --features features/prod --model models/current --prompt prompt.txt
run ftictl pin releases/prod -o fti.lock
run ftictl pin --check fti.lock

if [ -n "$later" ]; then
    say "8. Roll back in one transaction: refs move, nothing is copied"
    moved=()
    for ref in features/prod models/current; do
        [ "$(ftictl resolve "$ref")" = "$(ftictl resolve "$ref@{1}" 2>/dev/null)" ] && continue
        ftictl resolve "$ref@{1}" >/dev/null 2>&1 && moved+=("$ref")
    done
    if [ ${#moved[@]} -eq 0 ]; then
        echo "The later documents equal the first ones, so no ref has moved."
    else
        run ftictl rollback "${moved[@]}"
    fi
    run fti-inference ask "$question" | tee answer-3.txt
    # The transaction number differs; the answer, its sources and its snapshots must not.
    same() { sed '/^transaction/d' "$1"; }
    if [ "$(same answer-1.txt)" = "$(same answer-3.txt)" ]; then
        echo "The first answer is back, word for word."
    else
        echo "demo: the first answer did not come back" >&2
        exit 1
    fi
    say "9. With the pin, answers still come from the later edition"
    run fti-inference ask "$question" --pin fti.lock
fi

say "Verify everything in the repository"
run ftictl verify --full
run ftictl stats
