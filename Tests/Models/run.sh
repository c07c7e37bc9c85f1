#!/usr/bin/env bash
# Fine-tunes SmolLM2 for real, from PyPI alone, on the CPU.
#
#   Tests/Models/run.sh test [CHECK...]     with few steps: the contract, a killed training, what the models hold
#   Tests/Models/run.sh measure [--bf16]    as Examples/trl has it: token F1 of base, SFT and DPO
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export FTI_BIN=${FTI_BIN:-$here/../../.build/release} PYTHONDONTWRITEBYTECODE=1
case "${1:-}" in
    test | measure) exec "$here/../../Scripts/llm.sh" python "$here/$1.py" "${@:2}" ;;
    *) sed -n '4,5s/^# *//p' "$0" >&2; exit 64 ;;
esac
