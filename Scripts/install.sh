#!/usr/bin/env bash
# install.sh NAME PACKAGE...: installs those Debian packages that are missing; NAME begins its message.
set -euo pipefail

name=$1
shift
missing=()
for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
echo "$name: installing ${missing[*]}" >&2
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q ${NO_RECOMMENDS:+--no-install-recommends})
if ! "${install[@]}" "${missing[@]}" >/dev/null 2>&1; then
    "${as_root[@]}" apt-get update -q >/dev/null
    "${install[@]}" "${missing[@]}" >/dev/null
fi
