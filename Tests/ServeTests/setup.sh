#!/usr/bin/env bash
# Installs the client of OpenAI from PyPI, once, and prints the Python that has it.
#
#   setup.sh [PACKAGE...]    with further packages, in an environment of their own
#
# Everything is in $XDG_CACHE_HOME/fti/clients. Needs Python 3.9 or later with pip, and the network the first time.
set -euo pipefail
packages=('openai==3.*' "$@")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fti/clients
name=$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c 1-12)
folder=$cache/$name
python=$folder/bin/python

fail() { echo "setup: $1" >&2; exit 69; }

mkdir -p "$cache"
# Two at once would install into the same folder.
exec 9>"$cache/lock"
flock 9
if [ ! -e "$folder/installed" ]; then
    rm -rf "$folder"
    "${PYTHON:-python3}" -m venv "$folder" >&2 ||
        fail "needs Python 3.9 or later with the module venv (apt-get install python3-venv); PYTHON=... names another one"
    "$python" -m pip install -q --disable-pip-version-check "${packages[@]}" >&2 ||
        fail "pip could not install ${packages[*]} from PyPI"
    touch "$folder/installed"
fi
echo "$python"
