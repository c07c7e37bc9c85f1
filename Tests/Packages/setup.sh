#!/usr/bin/env bash
# Installs what test.py needs: a maker of clean roots, and independent readers of images, packages and units.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
    echo "packages: this test makes clean root file systems and needs root: sudo make test-packages" >&2
    exit 69
fi
if ! command -v apt-get >/dev/null; then
    echo "packages: this test needs Debian or Ubuntu: it installs the packages with apt" >&2
    exit 69
fi
NO_RECOMMENDS=1 "$(dirname "$0")/../../Scripts/install.sh" packages \
    mmdebstrap skopeo umoci lintian dpkg-dev binutils poppler-utils poppler-data
