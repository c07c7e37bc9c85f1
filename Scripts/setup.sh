#!/usr/bin/env bash
# Installs missing system packages that the build needs (Debian, Ubuntu).
set -euo pipefail

packages=(
    pkg-config libssl-dev zlib1g-dev libzstd-dev       # the store
    libcmark-gfm-extensions-dev libcmark-gfm-dev libgumbo-dev # Markdown and HTML
    libxml2-dev libzip-dev libuchardet-dev poppler-utils      # DOCX, legacy encodings, PDF
    libutf8proc-dev libstemmer-dev                     # Unicode normalization and stemming
    libcurl4-openssl-dev                               # embedding services
    python3 python3-venv                               # tests with independent decoders and real clients
    strace                                             # for debugging; no script or test runs it
)

if ! command -v swift >/dev/null; then
    echo "setup: swift is not on the PATH; install Swift 6.3 or later from https://swift.org/install" >&2
    exit 69
fi
if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is not Debian or Ubuntu; install these packages yourself: ${packages[*]}" >&2
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
echo "setup: installing ${missing[*]}" >&2
if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "${missing[@]}" >/dev/null 2>&1; then
    "${as_root[@]}" apt-get update -q >/dev/null
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "${missing[@]}" >/dev/null
fi
