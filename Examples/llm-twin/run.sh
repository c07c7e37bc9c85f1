#!/usr/bin/env bash
# Shows in eight acts that fti refuses eight well-known defects of pipelines for language models, or makes them
# impossible. Ends with 1 at the first refusal that does not come.
#
#   Examples/llm-twin/run.sh [--into DIR] [--programs DIR]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
unset FTI_REPO

into=$root/.demo-twin programs=$root/.build/release
while [ $# -gt 0 ]; do
    case "$1" in
        --into) into=$2; shift 2 ;;
        --programs) programs=$(cd "$2" && pwd); shift 2 ;;
        *) echo "llm-twin: unknown argument $1" >&2; exit 64 ;;
    esac
done
PATH="$programs:$PATH"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold="" dim="" plain=""; fi
act() { number=${1%%.*}; printf '\n%s%s%s\n' "$bold" "$1" "$plain"; shift; printf '%s\n' "$@"; echo; }
fail() { printf 'llm-twin: act %s: %s\n' "$number" "$*" >&2; exit 1; }
# Prints a command as one would type it.
prompt() {
    local word line=""
    for word in "$@"; do
        case "$word" in
            *\'*) word="\"$word\"" ;;
            *[!A-Za-z0-9_./:=@^+-]*) word="'$word'" ;;
        esac
        line+=" $word"
    done
    printf '%s$%s%s\n' "$dim" "$line" "$plain"
}
run() { prompt "$@"; "$@" 2>&1; }
quietly() { prompt "$@"; "$@" >log.txt 2>&1 || fail "$* failed: $(cat log.txt)"; }
# shows TEXT COMMAND...: the output must contain the text.
shows() {
    local text=$1 output; shift
    prompt "$@"
    output=$("$@" 2>&1) || fail "$* failed: $output"
    printf '%s\n' "$output"
    [[ $output == *"$text"* ]] || fail "$* does not show: $text"
}
# refused CODE TEXT COMMAND...: the command must fail with this exit code, and its output contain the text.
refused() {
    local code=$1 text=$2 output status=0; shift 2
    prompt "$@"
    output=$("$@" 2>&1) || status=$?
    printf '%s\n' "$output"
    [ "$status" = "$code" ] || fail "$* ended with $status, not with $code"
    [[ $output == *"$text"* ]] || fail "the output of $* does not say: $text"
    printf '%s[exit code %s]%s\n' "$dim" "$status" "$plain"
}
same() { [ "$2" = "$3" ] || fail "$1: $2 and $3"; echo "$1: $2"; }
count() { ftictl ls "$1" --where "$2" | wc -l; }

# Only a folder of an earlier run is emptied.
if [ -d "$into" ] && [ -n "$(ls -A "$into")" ] && [ ! -e "$into/.llm-twin" ]; then
    echo "llm-twin: $into is not empty; name another folder" >&2
    exit 64
fi
rm -rf "$into" && mkdir -p "$into" && touch "$into/.llm-twin"
cp -r "$here"/. "$into" && cd "$into"
# Keep caches, state and keys inside the same directory.
export XDG_CACHE_HOME="$PWD/.cache" XDG_STATE_HOME="$PWD/.state" XDG_CONFIG_HOME="$PWD/.config"

number=0
run ftictl init
run fti-feature run features.yaml
run ftictl promote features/staging features/prod
quietly fti-training run training.yaml
run ftictl promote models/candidate models/current

act "1. Changes" \
    "Elsewhere: change capture reacts to inserts only. A corrected document keeps its old text in the index, and" \
    "a deleted one is quoted for ever. Here: a run compares the documents with the rows; it updates and removes."
run sed -i 's/all 64 pictures on the Monday before/all 58 pictures on the Friday before/' export/posts.jsonl
run sed -i '/"id":"glossary"/d' export/posts.jsonl
shows "1 changed, 1 removed" fti-feature run features.yaml
shows "[-Monday-]" ftictl diff features/prod features/staging --rows
same "rows of the deleted post" "$(count features/staging "document = 'posts.jsonl/glossary'")" 0
run ftictl promote features/staging features/prod

act "2. Shorter documents" \
    "Elsewhere: a document that gets shorter overwrites its first chunks and leaves the others behind. Here: a document" \
    "owns its rows. The rows that it no longer has are gone, and no question finds them."
cut='"1,312 redirects"'
shows "In four years we collected 1,312 redirects." fti-inference ask "How many are $cut?" -k 1
run sed -i 's/\\n\\n## How many there are.*"}$/"}/' export/posts.jsonl
run fti-feature run features.yaml
before=$(count features/prod "document = 'posts.jsonl/redirects'")
shows "redirects#the-file-of-redirects/00" ftictl ls features/staging:posts.jsonl/redirects
after=$(count features/staging "document = 'posts.jsonl/redirects'")
same "chunks of the post before and after" "$before, $after" "3, 2"
shows "The documents do not say" fti-inference ask "How many are $cut?" -k 1 --features features/staging
run ftictl promote features/staging features/prod

act "3. The same paragraph twice" \
    "Elsewhere: the id of a chunk is a hash of its text, so of two documents with the same paragraph only the last one" \
    "has it. Here: the key of a row is its document, section and number. Two posts share a section, and both have it."
section="section = 'how-a-page-is-reviewed'"
run ftictl ls features/prod --where "$section"
same "rows with this section" "$(count features/prod "$section")" 2
text() { ftictl cat "features/prod:posts.jsonl/$1#how-a-page-is-reviewed/00" | sed 's/.*"text":"\([^"]*\)".*/\1/'; }
same "text of both" "$(text review-checklist)" "$(text review-times)"

act "4. Filters" \
    "Elsewhere: a filter on a column that the rows do not have finds nothing, or everything, and says neither. Here: an" \
    "unknown name is an error that lists the known ones, and so is a value of another type."
question="How long does a review take?"
refused 64 "unknown name autor" fti-inference ask "$question" --where "autor = 'kestrel'"
refused 64 "published" fti-inference ask "$question" --where "published = 2026"
shows "author: kestrel" fti-inference ask "$question" --where "author = 'kestrel'" -k 1

act "5. Embedders" \
    "Elsewhere: features name their embedder, without a revision. If other weights appear under the name, old and new" \
    "vectors of the same length share an index. Here: the embedder is a version in the repository, an input of the" \
    "features. If one weight differs, the vectors belong to another space, and spaces are never mixed."
run ftictl put models/embedder embedder
run fti-feature run embedder.yaml
quietly fti-training run embedder-training.yaml
run truncate --size=-2 embedder/model.safetensors
prompt printf '\000\074' '>>' embedder/model.safetensors
printf '\000\074' >>embedder/model.safetensors
run ftictl put models/embedder embedder
refused 4 "weights" fti-feature run embedder.yaml
echo "The question is still embedded by the weights that made the rows:"
ranker=models/bert-ranker
shows "$(ftictl resolve features/bert)" fti-inference ask "$question" --features features/bert --model $ranker -k 1
shows "12 changed" fti-feature run embedder.yaml --rebuild
refused 4 "embedding spaces differ" fti-inference ask "$question" --features features/bert --model $ranker
refused 4 "do not fit" ftictl release releases/bert --features features/bert --ranker $ranker
same "embedder of the features, and the ref" "$(ftictl resolve features/bert^embedder)" "$(ftictl resolve models/embedder)"

act "6. Prompts" \
    "Elsewhere: training, evaluation and serving each have a template, and they drift apart. Here: one prompt.json asks" \
    "the examples of the datasets and is bound by the release; datasets, releases and answers name its id. A model is not" \
    "released with another prompt than it was trained with."
quietly fti-training run training.yaml
run fti-training run trainer.yaml
run ftictl release releases/prod --features features/prod --ranker models/candidate --generator models/twin \
    --prompt prompt.json
id=$(ftictl cat releases/prod:prompt.json | sha256sum | cut -d ' ' -f 1)
shows "prompt         \"$id\"" ftictl show releases/prod^generator^dataset
same "prompt of training and of serving" "$(ftictl cat datasets/sft:prompt.json | sha256sum | cut -d ' ' -f 1)" "$id"
run sed -i 's/Answer from the passages only/Answer in one sentence/' prompt.json
refused 4 "was trained on" ftictl release releases/prod --from releases/prod --prompt prompt.json
refused 4 "the release binds no prompt" ftictl release releases/next --features features/prod --generator models/twin

act "7. Versions" \
    "Elsewhere: datasets and models are named without a version, and if a model is missing, a base model silently takes" \
    "its place. Here: releases and lock files hold hashes. What does not resolve is an error, never another model."

run ftictl pin features/prod models/current -o fti.lock
old=$(ftictl resolve models/current)
shows "$old" fti-inference ask "$question" -k 1 --pin fti.lock
run ftictl promote models/candidate models/current
refused 1 "models/current" ftictl pin --check fti.lock
shows "$old" fti-inference ask "$question" -k 1 --pin fti.lock
echo "Delete the pinned model, and all that keeps it:"
run ftictl pin --release fti.lock
run ftictl rm models/current models/candidate releases/prod
run ftictl gc --keep 0s --keep-last 1 --grace 0s --purge
refused 2 "there is no object ${old::12}" fti-inference ask "$question" --pin fti.lock
refused 2 "models/current was deleted by transaction" fti-inference ask "$question"
refused 2 "there is no ref models/twins; did you mean models/twin?" \
    ftictl release releases/prod --features features/prod --generator models/twins
run sed -i 's|^dataset:.*|&\nbase: models/base|' trainer.yaml
refused 2 "there is no ref models/base" fti-training run trainer.yaml

act "8. Errors" \
    "Elsewhere: errors are logged and ignored. A job that wrote half of its data, or none, ends as a success. Here: a" \
    "skipped record is counted and keeps its rows. A run that cannot do its work publishes nothing and ends with a code" \
    "other than 0."
transactions() { ftictl reflog -n 1 | head -n 1 | cut -d ' ' -f 1; }
before=$(transactions)
run sed -i '3s/"text":.*/"text":/' export/posts.jsonl
shows "1 kept unread; 1 skipped" fti-feature run features.yaml
refused 64 "line 3 is not JSON" fti-feature run features.yaml --strict
refused 74 "could not be reached" fti-training run generate.yaml
run sed -i '/^base:/d' trainer.yaml
run sed -i '$a echo "out of memory" >&2; exit 3' trainer.sh
refused 70 "the trainer exited with 3" fti-training run trainer.yaml
same "newest transaction before and after" "$before" "$(transactions)"
shows "sound" ftictl verify --full

printf '\n%sAll eight defects were refused.%s\n' "$bold" "$plain"
