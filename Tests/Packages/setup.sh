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
packages=(mmdebstrap skopeo umoci lintian dpkg-dev binutils poppler-utils poppler-data)
missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "packages: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
if ! apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
    apt-get update -q >/dev/null
    apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
fi
