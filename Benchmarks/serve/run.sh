#!/usr/bin/env bash
# All measurements of the service: figures.py, moves.py, half_open.py and soak.py. With arguments, figures.py alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export FTI_BIN=${FTI_BIN:-$here/../../.build/release} PYTHONDONTWRITEBYTECODE=1
python=$("$here/setup.sh")
[ $# -eq 0 ] || exec "$python" "$here/figures.py" "$@"
failed=0
for part in figures moves attacked soak; do
    printf '\n## %s\n\n' "$part"
    "$python" "$here/$part.py" || failed=1
done
exit $failed
