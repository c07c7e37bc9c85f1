#!/usr/bin/env bash
# Sets up what the benchmarks need (numpy and DVC in an environment of their own, strace), then runs them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -x "$here/.venv/bin/dvc" ]; then
    python3 -m venv "$here/.venv" 2>/dev/null || {
        echo "bench: python3-venv is missing (apt-get install python3-venv)" >&2
        exit 69
    }
    "$here/.venv/bin/pip" install -q numpy dvc
fi
command -v strace >/dev/null || { [ "$(id -u)" -eq 0 ] && apt-get install -y -q strace >/dev/null; } || true
exec "$here/.venv/bin/python" "$here/bench.py" "$@"
