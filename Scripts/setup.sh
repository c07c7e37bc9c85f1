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
    bubblewrap                                         # tests of the sandbox of trainers
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

"$(dirname "$0")/install.sh" setup "${packages[@]}"
