#!/usr/bin/env bash
# Fetches the manuals that the measure of retrieval asks, and what it computes with, into a folder.
set -euo pipefail
folder=${1:?usage: setup.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ ! -x "$folder/.venv/bin/python" ]; then
    python3 -m venv "$folder/.venv"
    "$folder/.venv/bin/pip" install --quiet numpy snowballstemmer
fi
if [ ! -d "$folder/postgresql" ]; then
    (cd "$scratch" && apt-get download -qq postgresql-doc-15)
    dpkg-deb -x "$scratch"/postgresql-doc-15_*.deb "$scratch/deb"
    mv "$scratch/deb/usr/share/doc/postgresql-doc-15/html" "$folder/postgresql"
fi
if [ ! -d "$folder/fastapi" ]; then
    "$folder/.venv/bin/pip" download --quiet --no-deps --no-binary fastapi -d "$scratch" fastapi==0.103.0
    mkdir "$scratch/sdist"
    tar -xzf "$scratch"/fastapi-0.103.0.tar.gz -C "$scratch/sdist"
    mv "$scratch/sdist/fastapi-0.103.0/docs/en/docs" "$folder/fastapi"
fi
