"""What the checks of the service share: a copy of the example repository, the service, the stand-in language model.

Every process is a real one: `fti-inference serve` and the other executables from the folder FTI_BIN, and
`Tests/StandIns/generator.py`. All of them end with their bench.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import openai

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FTI_BIN", ROOT / ".build/release"))
NAME = "releases/prod"
QUESTION = "What size holes do I drill in brick?"
# Long enough for a machine that builds something else; what it waits for usually takes less than a second.
PATIENCE = 120


def until(condition, what, seconds=PATIENCE):
    """Waits until a condition holds, and returns its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not after {seconds} s")


def raises(kind, action, status=None):
    """The error of a kind that an action ends with."""
    try:
        result = action()
    except kind as error:
        if status is not None:
            assert error.status_code == status, f"{error.status_code} {error}"
        return error
    raise AssertionError(f"no {kind.__name__} but {result!r}")


def chat(client, content=QUESTION, **options):
    return client.chat.completions.create(
        model=NAME, messages=[{"role": "user", "content": content}], **options)


def search(client, query=QUESTION):
    return client.vector_stores.search(vector_store_id=NAME, query=query)


class Bench:
    """A folder with a copy of a repository, the example by default, and the processes that a check starts."""

    def __init__(self, repository=ROOT / ".fti-example"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fti-serve-"))
        self.repository = self.folder / "repository"
        self.stack = contextlib.ExitStack()
        self.processes = []
        shutil.copytree(repository, self.repository)
        for name in ("cache", "state", "config"):
            (self.folder / name).mkdir()
        self.environment = {
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder), "FTI_AUTHOR": "ada@test",
            "FTI_REPO": str(self.repository), "LC_ALL": "C.UTF-8", "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_STATE_HOME": str(self.folder / "state"), "XDG_CONFIG_HOME": str(self.folder / "config"),
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def run(self, *command, status=0):
        """Runs a command, and returns its standard output; with another status, its standard error."""
        done = subprocess.run([str(part) for part in command], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if status == 0 else done.stderr

    def resolve(self, revision):
        return self.run("ftictl", "resolve", revision).strip()

    def serve(self, generator=None, **settings):
        """Starts a service; `engine` has further members of its configuration's `generator`."""
        return Service(self, generator, **settings)

    def generator(self, **options):
        return Generator(self, **options)

    def release(self, *options):
        """Moves the release that is served; returns its id."""
        self.run("ftictl", "release", NAME, "--from", NAME, *options)
        return self.resolve(NAME)

    def canary(self, generator):
        path = self.folder / "canary.json"
        self.run("fti-inference", "canary", generator.url, "-o", path)
        return path


class Child:
    """A process in the background, whose output goes to a file; ends with its bench."""

    def __init__(self, bench, name, command):
        self.output_path = bench.folder / f"{name}-{time.monotonic_ns()}.log"
        with open(self.output_path, "w") as output:
            self.process = subprocess.Popen([str(part) for part in command], cwd=bench.folder, env=bench.environment,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        bench.processes.append(self)
        bench.stack.callback(self.kill)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def output(self):
        return self.output_path.read_text()

    @property
    def is_running(self):
        return self.process.poll() is None


class Generator(Child):
    """The stand-in language model; `behave` sets its faults."""

    def __init__(self, bench, model="stand-in", port=0):
        self.folder = bench.folder / f"generator-{time.monotonic_ns()}"
        self.folder.mkdir()
        script = ROOT / "Tests/StandIns/generator.py"
        super().__init__(bench, "generator",
                         [sys.executable, script, self.folder, "--model", model, "--port", port])
        self.model = model
        port_file = self.folder / "port"
        until(port_file.exists, "the stand-in listens")
        self.port = int(port_file.read_text())
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def control(self, message=None):
        data = None if message is None else json.dumps(message).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/control", data, 30) as answer:
            return json.load(answer)

    def behave(self, **faults):
        self.control(faults or {"mode": "good"})

    @property
    def counts(self):
        return self.control()


class Service(Child):
    """`fti-inference serve`, started with a configuration."""

    def __init__(self, bench, generator=None, tokens=None, engine=None, **settings):
        configuration = {"repo": str(bench.repository), "serve": NAME, "listen": {"port": 0}, "poll": "20ms",
                         **settings}
        if generator is not None:
            configuration["generator"] = {"kind": "openai", "url": generator.url, "model": generator.model,
                                          "retries": 0, **(engine or {})}
        if tokens:
            configuration["tokens"] = str(bench.write("tokens.txt", tokens))
        # JSON is YAML.
        path = bench.write(f"serve-{time.monotonic_ns()}.yaml", configuration)
        super().__init__(bench, "serve", [BIN / "fti-inference", "serve", path])
        found = until(
            lambda: re.search(r'"message":"listening".*"port":(\d+)', self.output) or not self.is_running,
            "the service listens")
        assert self.is_running, self.output
        self.port = int(found.group(1))
        self.url = f"http://127.0.0.1:{self.port}"

    def client(self, key="none", **options):
        # Without retries, as checks count requests and look at the first answer.
        return openai.OpenAI(base_url=self.url + "/v1", api_key=key, max_retries=0, timeout=PATIENCE, **options)

    def get(self, path, body=None, headers=()):
        """The status, headers and parsed body of a request without OpenAI's client."""
        request = urllib.request.Request(
            self.url + path, body if body is None or isinstance(body, bytes) else json.dumps(body).encode(),
            {"Content-Type": "application/json", **dict(headers)})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                status, fields, text = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, fields, text = error.code, error.headers, error.read()
        is_json = (fields.get("Content-Type") or "").startswith("application/json")
        return status, fields, json.loads(text) if is_json else text.decode()

    @property
    def accepts(self):
        """Whether it accepts connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
            return True
        except ConnectionRefusedError:
            return False

    def metric(self, name):
        """The value of a metric, with its labels as part of the name."""
        for line in self.get("/metrics")[2].splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return None

    @property
    def ready(self):
        status, _, body = self.get("/readyz")
        return status, {check["name"]: check for check in body["checks"]}

    def serves(self, release):
        """Waits until a release answers."""
        until(lambda: self.ready[1]["versions"]["release"] == release, f"{release} is served")

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def end(self):
        """Waits for the end of the process, and returns its status."""
        return self.process.wait(PATIENCE)
