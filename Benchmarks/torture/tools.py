"""The programs of the torture test, and the directories they run in."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# In seconds: far more than any command here needs. A command that hangs is a violation.
TIMEOUT = 60
VARIANTS = {
    "plain": [],
    # A file system without O_TMPFILE, and one without hard links as well.
    "named": ["-t"],
    "linkless": ["-t", "-l"],
}


class Outcome:
    """The exit status and output of a process."""

    def __init__(self, status, output, error):
        self.status, self.output, self.error = status, output, error

    def __str__(self):
        text = (self.error or self.output).decode(errors="replace").strip()
        return f"exit {self.status}: {text[:300]}"


class Call:
    """One write-like system call of a recorded run."""

    def __init__(self, record):
        self.record = record
        self.number = record["n"]
        self.name = record["call"]
        places = [record[key]["path"] for key in ("file", "path", "path2") if key in record]
        self.place = places[-1] if places else ""
        # Whether the fault hit this call.
        self.is_hit = record.get("hit", False)

    def __str__(self):
        parts = self.place.split("/")
        return f"{self.number} {self.name} {'/'.join(parts[-2:])}".strip()


class Tools:
    """The paths of the programs, and a scratch directory for repositories."""

    def __init__(self, ftictl, seed="1", scratch=None):
        self.seed = seed
        self.ftictl = str(pathlib.Path(ftictl).resolve())
        if not os.access(self.ftictl, os.X_OK):
            raise SystemExit(f"torture: {ftictl} is not an executable; `make build` builds it")
        fast = pathlib.Path("/dev/shm")
        base = scratch or (fast if fast.is_dir() and shutil.disk_usage(fast).free > 2 << 30 else None)
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="fti-torture-", dir=base))
        self.tracer = str(self.scratch / "tracer")
        compiler = next((name for name in ("cc", "clang", "gcc") if shutil.which(name)), None)
        if not compiler:
            raise SystemExit("torture: no C compiler found; install gcc or clang")
        subprocess.run(
            [compiler, "-O1", "-o", self.tracer, str(HERE / "tracer.c")], check=True)
        attempt = subprocess.run([self.tracer, "--", "true"], capture_output=True, text=True)
        if attempt.returncode != 0:
            self.remove()
            raise SystemExit(
                f"torture: this machine does not allow ptrace ({attempt.stderr.strip()}); start a container with "
                "--cap-add=SYS_PTRACE, or run `sysctl kernel.yama.ptrace_scope=0`")

    def remove(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def sandbox(self, name):
        directory = self.scratch / name
        directory.mkdir(parents=True)
        return Sandbox(self, directory)


class Sandbox:
    """A directory with a repository `.fti`, the input files for it, and its own home directory."""

    def __init__(self, tools, directory):
        self.tools, self.directory = tools, pathlib.Path(directory)
        self.repository = self.directory / ".fti"
        # Whether its access policy requires signatures.
        self.is_signed = False
        self.environment = {
            "PATH": "/usr/bin:/bin", "FTI_AUTHOR": "torture@test", "HOME": str(self.directory / "home"),
            "XDG_CACHE_HOME": str(self.directory / "home/cache"),
            "XDG_STATE_HOME": str(self.directory / "home/state"),
            "XDG_CONFIG_HOME": str(self.directory / "home/config"), "NO_COLOR": "1",
            "FTICTL": tools.ftictl,
        }
        (self.directory / "home").mkdir(exist_ok=True)

    def copy(self, name):
        directory = self.tools.scratch / "points" / name
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(self.directory, directory, symlinks=True)
        return Sandbox(self.tools, directory)

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def write(self, name, data):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    def process(self, words, preparation=None):
        try:
            process = subprocess.run(
                words, cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
                capture_output=True, timeout=TIMEOUT, preexec_fn=preparation)
        except subprocess.TimeoutExpired:
            return Outcome(-1, b"", f"did not end within {TIMEOUT} s".encode())
        return Outcome(process.returncode, process.stdout, process.stderr)

    def run(self, *words, preparation=None):
        """Runs ftictl."""
        return self.process([self.tools.ftictl, *words], preparation)

    def must(self, *words):
        """Runs ftictl, which must succeed, and returns its standard output."""
        outcome = self.run(*words)
        if outcome.status != 0:
            raise RuntimeError(f"ftictl {' '.join(words)}: {outcome}")
        return outcome.output

    def json(self, *words):
        return [json.loads(line) for line in self.must(*words, "--json").splitlines()]

    def recorded(self, words, *options):
        """Runs ftictl under the tracer; returns its outcome and its write-like calls."""
        file = self.directory.with_name(self.directory.name + ".calls")
        outcome = self.process(
            [self.tools.tracer, "-o", str(file), *options, "--", self.tools.ftictl, *words])
        calls = []
        for line in file.read_text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):  # a killed process leaves its last line incomplete
                record = json.loads(line)
                if "call" in record:
                    calls.append(Call(record))
        file.unlink()
        return outcome, calls
