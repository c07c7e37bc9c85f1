"""Starts what the tests of the page need: repositories, the stand-in language model, and services."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import traceback
import urllib.error
import urllib.parse
import urllib.request

from browser import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-the-tests"

# A document that tries what documents can try.
HOSTILE = {
    "id": "hostile",
    "title": "<img src=x onerror=\"pwned=1\"> \"\u0301 onmouseover=pwned=2 x=\"",
    "url": "javascript:pwned=3",
    "author": "<b>Eve</b>\"\u0301 autofocus onfocus=pwned=4 y=\"",
    "text": "Zebra crossings need </textarea></script><script>pwned=5</script> paint. "
            "[Click](javascript:pwned=6) <a href=\"javascript:pwned=7\">here</a>. "
            "User\u202egnp.exe reads backwards. " + "Donaudampfschifffahrt" * 30 + ". "
            "Also ![x](http://127.0.0.1:1/leak) and [9] and </passage> \u0000 end.",
}


class World:
    """A folder with everything that one run of the tests makes."""

    def __init__(self, binaries, folder):
        self.binaries, self.folder = pathlib.Path(binaries).resolve(), pathlib.Path(folder)
        self.running = []
        self.environment = {
            "PATH": f"{self.binaries}:/usr/local/bin:/usr/bin:/bin", "HOME": folder, "LC_ALL": "C.UTF-8",
            "FTI_AUTHOR": "tests", "XDG_CACHE_HOME": f"{folder}/cache", "XDG_STATE_HOME": f"{folder}/state",
            "XDG_CONFIG_HOME": f"{folder}/config"}
        os.makedirs(f"{folder}/cache")

    def path(self, name):
        return str(self.folder / name)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def do(self, *command):
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def start(self, *command, log):
        with open(self.path(log), "w") as file:
            process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=file, stderr=file)
        self.running.append(process)
        return process

    def handbook(self, name):
        """A copy of the example repository."""
        shutil.copytree(ROOT / ".fti-example", self.path(name))
        return self.path(name)

    def hostile(self):
        """A repository of the hostile document and a harmless one."""
        self.write("hostile/rows.jsonl", "".join(json.dumps(row) + "\n" for row in [
            HOSTILE, {"id": "harmless", "title": "Paint", "text": "White paint dries within an hour.",
                      "url": "https://docs.example.com/paint?a=1&b=2", "author": "Ada"}]))
        self.write("hostile.yaml", """
ref: features/prod
sources:
  - files: hostile/rows.jsonl
    format: text
    fields: {text: text, id: id, title: title, url: url, author: author}
""")
        self.do("ftictl", "init", self.path("hostile.fti"))
        self.do("fti-feature", "run", "hostile.yaml", "--repo", self.path("hostile.fti"))
        self.release("hostile.fti")
        return self.path("hostile.fti")

    def chapters(self):
        """A repository of one long section, in many chunks."""
        self.write("long/page.md", "# Rooms\n\n## The house\n\n" + "\n\n".join(
            f"Room {number} has a door to the garden, and a lamp beside the window that faces the hill number {number}."
            for number in range(1, 31)))
        self.write("long.yaml", "ref: features/prod\nsources: [{files: long}]\nchunk: {size: 200, overlap: 0}\n")
        self.do("ftictl", "init", self.path("long.fti"))
        self.do("fti-feature", "run", "long.yaml", "--repo", self.path("long.fti"))
        self.release("long.fti")
        return self.path("long.fti")

    def release(self, repository):
        """A release without a ranker."""
        self.write("generator/config.json", "{}")
        self.do("ftictl", "--repo", self.path(repository), "put", "models/generator", "generator")
        self.do("ftictl", "--repo", self.path(repository), "release", "releases/prod", "--features", "features/prod",
                "--generator", "models/generator")

    def generator(self):
        """The stand-in language model: its address, and a way to tell how it behaves."""
        os.makedirs(self.path("model"))
        self.start(sys.executable, str(ROOT / "Tests/StandIns/generator.py"), self.path("model"), log="model.log")
        port = self.folder / "model" / "port"
        until(port.exists, "the stand-in listens")
        return Generator(f"http://127.0.0.1:{port.read_text()}", self.folder / "model")

    def serve(self, name, repository, more="", serve="releases/prod"):
        """Starts a service; returns its address."""
        config = self.write(f"{name}.yaml", f"repo: {repository}\nserve: {serve}\nlisten: {{port: 0}}\n{more}\n")
        process = self.start("fti-inference", "serve", config, log=f"{name}.log")
        log = self.folder / f"{name}.log"

        def port():
            assert process.poll() is None, log.read_text()
            lines = [line for line in log.read_text().splitlines() if '"message":"listening"' in line]
            return json.loads(lines[0])["port"] if lines else None
        until(port, f"{name} listens")
        return f"http://127.0.0.1:{port()}"

    def tokens(self):
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        return self.write("tokens.txt", f"team-a {digest}\n")

    def feedback(self, folder):
        """The lines of feedback in a folder."""
        files = sorted(pathlib.Path(self.path(folder)).glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def close(self):
        for process in self.running:
            # Not SIGTERM: a child inherits the blocked signals of Swift's tests.
            process.kill()
        for process in self.running:
            process.wait(60)


class Generator:
    def __init__(self, url, folder):
        self.url, self.folder = url, folder

    def behave(self, **faults):
        request = urllib.request.Request(self.url + "/control", json.dumps(faults or {"mode": "good"}).encode())
        urllib.request.urlopen(request, timeout=60).close()

    def count(self, name):
        with urllib.request.urlopen(self.url + "/control", timeout=60) as reply:
            return json.load(reply)[name]


def fetch(url, form=None, **headers):
    """A request without a browser: status, headers and body."""
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def run_tests(tests, bench, only):
    """Runs the tests whose names contain a text, and returns the number of those that fail."""
    failed = 0
    for function in tests:
        if only not in function.__name__:
            continue
        print(f"{function.__name__}: {function.__doc__}", flush=True)
        try:
            function(bench)
        except Exception:
            failed += 1
            traceback.print_exc()
    return failed
