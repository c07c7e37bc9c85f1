"""Measures process trees with the kernel's accounting, in rounds that run each tool once."""
import dataclasses, json, os, pathlib, platform, resource, shutil, signal, statistics, subprocess, sys, tempfile, threading, time

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent
FTICTL = ROOT / ".build/release/ftictl"
PROGRAMS = ROOT / ".build/benchmarks/release"


@dataclasses.dataclass
class Sample:
    """The cost of one operation of one tool in one round."""
    question: str
    tool: str
    op: str
    round: int
    seconds: float          # of the work itself: a library peer's without the start of its interpreter
    wall: float             # of the whole process
    cpu: float
    peak: float             # MiB of the largest process
    sync: float             # seconds that a sync of the file system takes right after: durability left unpaid
    added: int | None = None    # bytes that the store grew by
    out: str = dataclasses.field(default="", repr=False)


class Failed(Exception):
    """A tool exited with an error."""


def size(top):
    """The total size of all files under a path, in bytes."""
    return sum(os.lstat(os.path.join(d, n)).st_size for d, _, names in os.walk(top) for n in names)


def remove(path):
    """Removes a directory tree, even if a tool made it read-only."""
    if path.exists():
        subprocess.run(["chmod", "-R", "u+w", path], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(path)


def stage(source, work):
    """Copies a directory to `work/data`, durable and in the page cache; leaves the rest of `work` unchanged."""
    remove(work / "data")
    shutil.copytree(source, work / "data", copy_function=shutil.copyfile)
    os.sync()


def execute(command, cwd=None, env=None, limit=900):
    """Runs a command, a list of words or a line for the shell -> (wall, cpu, MiB, output); raises Failed."""
    words = ["sh", "-c", command] if isinstance(command, str) else [str(w) for w in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(words, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=err, start_new_session=True)
        killer = threading.Timer(limit, lambda: os.killpg(process.pid, signal.SIGKILL))
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        killer.cancel()
        process.returncode = code = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
        if code:
            err.seek(0)
            raise Failed(f"{' '.join(words)}: exit {code}\n{err.read().decode('utf-8', 'replace')[-600:]}{text[-300:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


class Bench:
    """One run: its samples, and the table lines with promises and results."""

    def __init__(self, data, scratch, rounds, everything):
        self.data, self.scratch, self.count, self.everything = data, scratch, rounds, everything
        self.samples, self.lines, self.skipped, self.versions = [], [], [], {}
        self.question, self.round, self._shared = "", 0, {}
        scratch.mkdir(parents=True, exist_ok=True)
        # Clients keep their memory of logs in scratch, where `fresh` deletes it: replacing a repository is no rollback here.
        os.environ["XDG_STATE_HOME"] = str(scratch / "state")

    def rounds(self, count=None):
        """The rounds of the question; each runs every tool once."""
        for self.round in range(count or self.count):
            yield self.round
        self.round = 0

    def fresh(self, name):
        """A path in scratch space, after deleting what was there and the memory of clients."""
        path = self.scratch / name
        remove(path)
        remove(self.scratch / "state")
        return path

    def shared(self, name, make):
        """Data shared by several questions; `make(path)` creates it once per run."""
        if name not in self._shared:
            path = self.fresh(name)
            make(path)
            self._shared[name] = path
        return self._shared[name]

    def keep(self, name, path):
        """Shares data at `path` with later questions."""
        self._shared[name] = path

    def workload(self, name, marker, *arguments):
        """The folder of a workload; creates it if it is missing."""
        if not (self.data / name / marker).exists():
            print(f"  making the data of {name}", flush=True)
            subprocess.run([sys.executable, HERE / "workloads.py", self.data, name, *arguments], check=True)
        return self.data / name

    def measure(self, tool, op, command, cwd=None, env=None, store=None):
        """Runs and records one operation. A line `seconds=S` of its output is the time of the work itself."""
        before = size(store) if store else 0
        wall, cpu, peak, out = execute(command, cwd, env)
        start = time.perf_counter()
        os.sync()
        sync = time.perf_counter() - start
        added = size(store) - before if store else None
        inner = [line.split("=")[1] for line in out.splitlines() if line.startswith("seconds=")]
        sample = Sample(self.question, tool, op, self.round, float(inner[-1]) if inner else wall, wall, cpu, peak, sync, added, out)
        return self.record(sample)

    def record(self, sample):
        self.samples.append(sample)
        grown = "" if sample.added is None else f"  +{sample.added / 1e6:.2f} MB"
        print(f"  {sample.round} {sample.tool:10s} {sample.op:14s} {sample.seconds:9.4f} s  sync {sample.sync:.2f}  "
              f"{sample.peak:5.0f} MiB{grown}", flush=True)
        return sample

    def program(self, name, *arguments):
        """Runs a program of Benchmarks/Package.swift -> the objects that it printed, one a line, and its peak in MiB."""
        _, _, peak, out = execute([PROGRAMS / name, *arguments])
        return [json.loads(line) for line in out.splitlines()], peak

    def fixture(self, path, kind, *arguments):
        """Creates a repository with the `fixtures` program, in memory if possible: creating it is not part of the measurement."""
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
            made = pathlib.Path(folder) / path.name
            self.program("fixtures", kind, made, *arguments)
            shutil.copytree(made, path)
        os.sync()

    def python(self, name, *arguments):
        """The command of a program of Benchmarks/peers."""
        return [sys.executable, HERE / "peers" / name, *arguments]

    def within(self, tool, op, seconds, peak=0.0, added=None, sync=0.0):
        """Records work that a process timed itself."""
        return self.record(Sample(self.question, tool, op, self.round, seconds, seconds, 0.0, peak, sync, added))

    def ftictl(self, op, repo, *arguments, **options):
        return self.measure("fti", op, [FTICTL, "--repo", repo, "--json", *arguments], store=repo, **options)

    def skip(self, tool, why):
        line = f"{self.question}: {tool} is left out: {why}"
        if line not in self.skipped:
            self.skipped.append(line)
            print("  " + line, flush=True)

    # Results.

    def of(self, tool, op):
        return [s for s in self.samples if (s.question, s.tool, s.op) == (self.question, tool, op)]

    def median(self, tool, op, what="seconds"):
        found = [getattr(s, what) for s in self.of(tool, op)]
        return statistics.median(found) if found else None

    def ratio(self, mine, other):
        """The median of the ratios within rounds of two (tool, operation) pairs; None if one did not run."""
        a, b = ({s.round: s.seconds for s in self.of(*pair)} for pair in (mine, other))
        pairs = [a[r] / b[r] for r in a if r in b]
        return statistics.median(pairs) if pairs else None

    # Promises.

    def line(self, what, must, value, limit, shown, least=False, medians=None, command=""):
        """One line of the table. `value` must be at most `limit`, or at least with `least`; None: could not be measured.
        Without a limit, the line is for comparison only."""
        met = None if value is None or limit is None else (value >= limit if least else value <= limit)
        self.lines.append({"question": self.question, "what": what, "must": must, "value": value, "limit": limit, "least": least,
                           "shown": "not measured" if value is None else shown, "medians": medians or "", "met": met, "command": command,
                           "rounds": self.count})
        word = {None: "    ", True: "ok  ", False: "MISS"}[met]
        bound = f" (must be {must})" if limit is not None else ""
        print(f"{word}  {what}: {self.lines[-1]['shown']}{bound} {medians or ''}", flush=True)

    def against(self, what, limit, mine, other, least=False, command=""):
        """A line about the ratio of two (tool, operation) pairs."""
        value = self.ratio(mine, other)
        name = other[0] if other[0] != "fti" else other[1]
        must = "" if limit is None else f"{'>=' if least else '<='} {limit:g} x {name}"
        self.line(what, must, value, limit, f"{value or 0:.2f} x", least,
                  self.medians([mine, other]), command)

    def medians(self, pairs):
        """`fti 0.36 s, dvc 1.41 s (+ 0.10 s sync)`: includes the time of a sync afterwards if it is significant."""
        words = []
        for tool, op in pairs:
            t, sync = self.median(tool, op), self.median(tool, op, "sync")
            if t is not None:
                words.append(f"{tool} {seconds(t)}" + (f" (+ {seconds(sync)} sync)" if sync > max(0.05 * t, 0.01) else ""))
        return ", ".join(words)


def seconds(t):
    return f"{t:.2f} s" if t >= 1 else f"{t * 1e3:.0f} ms" if t >= 0.02 else f"{t * 1e3:.1f} ms"


def megabytes(n):
    return f"{n / 1e6:.2f} MB"


def machine():
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"processor": cpu, "processors": os.cpu_count(), "memory": f"{memory:.0f} GiB",
            "system": f"{platform.system()} {platform.release()}", "load": os.getloadavg()[0],
            "floor": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
