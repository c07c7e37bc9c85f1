#!/usr/bin/env bash
# Installs what the measurements of the service need, and prints the Python that runs them: h2load (Debian and Ubuntu,
# as root), FastAPI, Chroma and OpenAI's client from PyPI, and the manual of Django 5.1 as documents.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fti/serve-bench
mkdir -p "$cache"
if ! command -v h2load >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nghttp2-client >/dev/null || {
        echo "setup: h2load is missing (apt-get install nghttp2-client)" >&2
        exit 69
    }
fi
python=$("$here/../../Tests/ServeTests/setup.sh" numpy fastapi 'uvicorn[standard]' chromadb)
if [ ! -d "$cache/django" ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    "$python" -m pip download -q --disable-pip-version-check --no-deps --no-build-isolation --no-binary Django \
        -d "$scratch" Django==5.1 >&2
    tar -xzf "$scratch"/[Dd]jango-5.1.tar.gz -C "$scratch" --strip-components 1
    mv "$scratch/docs" "$cache/django"
fi
echo "$python"
