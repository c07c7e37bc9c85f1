"""The fine-tuning of Examples/trl as processes: what its tests and its measurement share."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FTI_BIN", ROOT / ".build/release"))
EXAMPLE = ROOT / "Examples/trl"
LLM = ROOT / "Scripts/llm.sh"

sys.path.insert(0, str(EXAMPLE))


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


class Pipeline:
    """A folder with a repository, a copy of the examples, and the programs on the path."""

    def __init__(self, folder: pathlib.Path, steps: dict[str, int] = {}):
        """`steps` replaces the number of steps and, with every second of them, of checkpoints in configurations."""
        self.folder = folder
        self.processes: list[subprocess.Popen] = []
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("cache", "state", "config"):
            (folder / f".{name}").mkdir(exist_ok=True)
        shutil.copytree(ROOT / "Examples/handbook", folder / "Examples/handbook", dirs_exist_ok=True)
        shutil.copytree(EXAMPLE, folder / "Examples/trl", dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("__pycache__"))
        if not (folder / "Scripts").exists():
            (folder / "Scripts").symlink_to(ROOT / "Scripts")
        for name, count in steps.items():
            self.edit(f"Examples/trl/{name}.yaml", steps=count, save=2)
        llm = os.environ.get("FTI_LLM", f"{os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'}/fti/llm")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FTI_")},
            "PATH": f"{BIN}:{os.environ['PATH']}", "FTI_AUTHOR": "ada@test", "FTI_LLM": llm,
            "PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": str(folder / ".cache"),
            "XDG_STATE_HOME": str(folder / ".state"), "XDG_CONFIG_HOME": str(folder / ".config")}

    def edit(self, name: str, **params: object) -> None:
        """Changes parameters of a trainer's configuration."""
        path = self.folder / name
        text = path.read_text()
        for key, value in params.items():
            text, count = re.subn(rf"\b{key}: [\w.]+", f"{key}: {value}", text)
            assert count == 1, f"{name} has no {key}"
        path.write_text(text)

    def close(self) -> None:
        """Ends the processes that still run."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                process.wait(60)

    def start(self, *command, **options) -> subprocess.Popen:
        process = subprocess.Popen([str(word) for word in command], cwd=self.folder, env=self.environment,
                                   stdin=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def run(self, *command, status: int = 0, timeout: int = 4 * 3600) -> str:
        """Runs a command; returns its standard output, or its standard error if another status than 0 is expected."""
        process = self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        output, error = process.communicate(timeout=timeout)
        assert process.returncode == status, f"{command}: {process.returncode}\n{output}{error}"
        return error if status else output

    def train(self, name: str, *options, status: int = 0) -> str:
        return self.run(LLM, "run", "fti-training", "run", f"Examples/trl/{name}.yaml", *options, status=status)

    def resolve(self, revision: str) -> str | None:
        """The hash that a revision names; None if there is none."""
        process = self.start("ftictl", "resolve", revision, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             text=True)
        return process.communicate()[0].strip() or None

    def snapshot(self, revision: str) -> dict:
        return json.loads(self.run("ftictl", "show", "--json", revision))

    def extract(self, revision: str) -> pathlib.Path:
        """The files of a model, in a folder with its name."""
        folder = self.folder / "extracted" / revision.replace("/", "-")
        shutil.rmtree(folder, ignore_errors=True)
        self.run("ftictl", "get", revision, "-o", folder)
        return folder

    def prepare(self) -> None:
        """Brings the repository up to date: features, datasets and the base. What has not changed stays."""
        if not self.folder.joinpath(".fti").exists():
            self.run("ftictl", "init")
        self.run("fti-feature", "run", "Examples/trl/features.yaml")
        self.run("fti-training", "run", "Examples/trl/datasets.yaml")
        if not self.resolve("models/smollm2"):
            base = self.run(LLM, "setup").strip()
            self.run("ftictl", "put", "models/smollm2", base, "-m", "SmolLM2-135M-Instruct")

    def train_if_needed(self, name: str) -> float | None:
        """Trains unless the same trainer had the same inputs and parameters before; returns the seconds it took."""
        example = self.folder / "Examples/trl"
        files = [(example / file).read_text() for file in (f"{name}.yaml", f"{name}.py", "contract.py")]
        inputs = re.findall(r"^(?:dataset|base): (\S+)", files[0], re.MULTILINE)
        key = hashlib.sha256(repr((files, [self.resolve(input) for input in inputs])).encode()).hexdigest()
        stamp = self.folder / f"{name}.trained"
        if stamp.exists() and stamp.read_text() == key:
            return None
        began = time.monotonic()
        self.train(name)
        stamp.write_text(key)
        return time.monotonic() - began

    def serving(self, model: str, engine_port: int, port: int) -> pathlib.Path:
        """A configuration that serves the release of a model, whose engine listens on another port."""
        text = (EXAMPLE / "inference.yaml").read_text()
        name = model.replace("/", "-")
        for old, new in (("releases/prod", f"releases/{name}"), ("port: 8080", f"port: {port}"),
                         ("127.0.0.1:8000", f"127.0.0.1:{engine_port}"), ("model: dpo", f"model: {name}")):
            assert old in text, f"inference.yaml has no {old}"
            text = text.replace(old, new)
        path = self.folder / f"serve-{name}.yaml"
        path.write_text(text)
        return path

    @contextlib.contextmanager
    def engine(self, folder: pathlib.Path):
        """A server of the model in a folder; yields its port."""
        port = free_port()
        self.run(LLM, "start", port, folder)
        try:
            yield port
        finally:
            self.run(LLM, "stop", port)

    @contextlib.contextmanager
    def served(self, model: str):
        """Serves a model through a release that binds it; yields the address of the service."""
        folder = self.extract(model)
        with self.engine(folder) as engine_port:
            self.run("fti-inference", "canary", f"http://127.0.0.1:{engine_port}/v1", "--model", folder.name,
                     "-o", "canary.json", "--items", "3", "--timeout", "600")
            self.run("ftictl", "release", f"releases/{folder.name}", "--features", "features/prod",
                     "--ranker", "models/ranker", "--generator", model, "--prompt", "Examples/trl/prompt.json",
                     "--canary", "canary.json")
            port = free_port()
            configuration = self.serving(model, engine_port, port)
            log = configuration.with_suffix(".log")
            with log.open("w") as output:
                service = self.start("fti-inference", "serve", configuration, stdout=output, stderr=output)
            try:
                self.until_ready(f"http://127.0.0.1:{port}", service, log)
                yield f"http://127.0.0.1:{port}"
            finally:
                service.terminate()
                service.wait(60)

    @staticmethod
    def until_ready(url: str, service: subprocess.Popen, log: pathlib.Path) -> None:
        end = time.monotonic() + 600
        while time.monotonic() < end:
            assert service.poll() is None, log.read_text()
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/readyz", timeout=30).close()
                return
            time.sleep(0.2)
        raise AssertionError(f"{url} is not ready after 600 s")
