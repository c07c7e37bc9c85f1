#!/usr/bin/env bash
# Installs the independent readers and fetches the corpora for measure.py.
# usage: setup.sh [FOLDER]    FOLDER: $FTI_CORPORA, else .data beside this script
# On Debian and Ubuntu it installs system packages (as root). Prints the corpora it cannot fetch, and goes on without.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-${FTI_CORPORA:-$here/.data}}
mkdir -p "$cache/corpora" "$cache/sdist"
cache=$(cd "$cache" && pwd)

packages=(pandoc asciidoctor poppler-utils postgresql-doc-15)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
        for package in "${missing[@]}"; do
            apt-get install -y -q --no-install-recommends "$package" >/dev/null ||
                echo "documents: could not install $package; measuring without" >&2
        done
    else
        echo "documents: measuring without ${missing[*]} (apt-get install ${missing[*]})" >&2
    fi
fi

[ -x "$cache/.venv/bin/python" ] || python3 -m venv "$cache/.venv" || {
    echo "documents: python3-venv is missing (apt-get install python3-venv)" >&2
    exit 69
}
python=$cache/.venv/bin/python
readers=(docutils html5lib nbformat markdown-it-py mdit-py-plugins PyYAML)
"$python" - "${readers[@]}" <<'END' 2>/dev/null || "$python" -m pip install -q --disable-pip-version-check "${readers[@]}"
import importlib.metadata, sys
for name in sys.argv[1:]:
    importlib.metadata.version(name)
END

# sdist NAME VERSION FOLDER-IN-IT CORPUS
sdist() {
    local name=$1 version=$2 inside=$3 corpus=$4
    [ -d "$cache/corpora/$corpus" ] && return
    local archive
    archive=$(find "$cache/sdist" -iname "$name-$version.tar.gz")
    if [ -z "$archive" ]; then
        "$python" -m pip download -q --disable-pip-version-check --no-deps --no-binary "$name" -d "$cache/sdist" \
            "$name==$version" || true
        archive=$(find "$cache/sdist" -iname "$name-$version.tar.gz")
    fi
    if [ -z "$archive" ]; then
        echo "documents: could not fetch $name $version; measuring without $corpus" >&2
        return
    fi
    rm -rf "$cache/unpacked" && mkdir "$cache/unpacked"
    tar -xzf "$archive" -C "$cache/unpacked" --strip-components 1
    if [ -d "$cache/unpacked/$inside" ]; then
        # Parts of the theme are not documents.
        find "$cache/unpacked/$inside" -type d \( -name overrides -o -name _theme -o -name _ext \) -prune -exec rm -r {} +
        mv "$cache/unpacked/$inside" "$cache/corpora/$corpus"
    else
        echo "documents: $name $version has no $inside; measuring without $corpus" >&2
    fi
    rm -rf "$cache/unpacked"
}
sdist Django 4.2 docs django-4.2
sdist Django 5.0 docs django-5.0
sdist Django 5.1 docs django-5.1
sdist fastapi 0.103.0 docs fastapi-0.103

manual=/usr/share/doc/postgresql-doc-15/html
if [ -d "$manual" ] && [ ! -d "$cache/corpora/postgresql-15" ]; then
    mkdir "$cache/corpora/postgresql-15"
    cp -L "$manual"/*.html "$cache/corpora/postgresql-15"
fi
