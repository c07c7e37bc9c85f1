"""File stores under comparison: the commands with which each creates a store, adds a version, restores and verifies it.

A command is a line for the shell: {R} is the store, {D} a directory that is not there yet, {v} the version. It runs in a
directory whose `data` holds the version's files. `store` says what counts as stored bytes.
"""
import dataclasses, importlib.util, os, pathlib, shutil, sys

from . import harness

PEERS = harness.HERE / "peers"
BIN = pathlib.Path(sys.executable).parent
PATH = f"{BIN}:{os.environ['PATH']}"


@dataclasses.dataclass
class Tool:
    name: str
    init: str
    put: str
    get: str | None = None
    again: str | None = None
    verify: str | None = None
    needs: tuple = ()           # executables
    module: str | None = None   # or a Python module
    version: str = ""
    store: str = "{R}"
    cheap: bool = True          # whether `make bench` has it too

    def missing(self):
        for name in self.needs:
            if not shutil.which(name, path=PATH):
                return f"there is no {name}; Benchmarks/setup.sh installs it"
        if self.module and not importlib.util.find_spec(self.module):
            return f"there is no Python module {self.module}; Benchmarks/setup.sh installs it"
        return None


def ftictl(ref):
    run = f"{harness.FTICTL} --repo {{R}} --json "
    return Tool("fti", run + "init {R}", f"{run} put {ref} data -m {{v}}", again=f"{run} put {ref} data",
                get=f"{run} get {ref} -o {{D}}", verify=run + "verify --full", version=f"{harness.FTICTL} --version")


def git(name, setup="", needs=("git",), **over):
    return Tool(name, "git init -q -b main . && git config gc.auto 0" + setup,
                **{"put": "git add -A && git commit -qm {v} && git tag {v}", "again": "git add -A && git status --porcelain",
                   "get": "git worktree add -q --detach {D} v1", "verify": "git fsck --full --no-progress", "needs": needs,
                   "version": "git --version", "store": "{W}/.git", "cheap": False} | over)


def all_tools(ref):
    """fti first, then the lower bound, then the peers."""
    xet = f"{sys.executable} {PEERS}/xet.py "
    return [
        ftictl(ref),
        Tool("cp", "mkdir {R}", "cp -r data {R}/{v}", get="cp -r {R}/v1 {D}", version="cp --version | head -n 1"),
        Tool("borg", "borg init -e none {R}", "borg create {R}::{v} data", again="borg create {R}::again data",
             get="mkdir {D} && cd {D} && borg extract {R}::v1", verify="borg check --verify-data {R}", needs=("borg",),
             version="borg --version"),
        Tool("hf-xet", xet + "init {R} .", xet + "put {R} . {v}", again=xet + "put {R} . {v}", get=xet + "get {R} {D} v1",
             module="hf_xet", version=f"{sys.executable} -c 'import importlib.metadata as m; print(m.version(\"hf_xet\"))'"),
        git("dvc", " && dvc init -q && dvc config core.analytics false && dvc config core.check_update false && git commit -qm init",
            needs=("dvc", "git"), put="dvc add -q data", again="dvc status -q", verify=None, store="{W}/.dvc/cache", cheap=True,
            get="mkdir -p {D}/.dvc && cp .dvc/config {D}/.dvc && cp -r .git data.dvc {D} && cd {D} && dvc config --local cache.dir {W}/.dvc/cache && dvc checkout -q",
            version="dvc --version"),
        Tool("restic", "restic -q -r {R} init", "restic -q -r {R} backup --tag {v} data", again="restic -q -r {R} backup --tag again data",
             get="restic -q -r {R} restore latest --tag v1 --target {D}", verify="restic -q -r {R} check --read-data", needs=("restic",),
             version="restic version", cheap=False),
        Tool("casync", "mkdir -p {R}/s.castr", "casync make --store={R}/s.castr {R}/{v}.caidx data",
             again="casync make --store={R}/s.castr {R}/again.caidx data", get="casync extract --store={R}/s.castr {R}/v1.caidx {D}",
             needs=("casync",), version="casync --version | head -n 1", cheap=False),
        git("git-lfs", " && git lfs install --local >/dev/null && echo 'data/** filter=lfs diff=lfs merge=lfs -text' > .gitattributes",
            needs=("git", "git-lfs"), verify="git lfs fsck", version="git lfs version"),
        git("git"),
    ]


class Shop:
    """One tool in its own scratch space, for one round."""

    def __init__(self, bench, tool):
        self.bench, self.tool = bench, tool
        self.top = bench.fresh("shop")
        self.work, self.store = self.top / "work", self.top / "store"
        self.work.mkdir(parents=True)
        self.out = 0
        self.env = {"PATH": PATH, "RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": f"{self.top}/restic", "BORG_BASE_DIR": f"{self.top}/borg",
                    "HF_HOME": f"{self.top}/hf", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes", "DVC_NO_ANALYTICS": "1",
                    "DVC_SITE_CACHE_DIR": f"{self.top}/dvc", "XDG_CACHE_HOME": f"{self.top}/cache", "HF_HUB_DISABLE_TELEMETRY": "1",
                    "FTI_AUTHOR": "b@b"} | {f"GIT_{who}_{what}": "b@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        harness.execute(self.line(tool.init), self.work, self.env)

    def line(self, text, **more):
        for name, value in {"R": self.store, "W": self.work, **more}.items():
            text = text.replace("{%s}" % name, str(value))
        return text

    def do(self, what, op=None, version="v1"):
        """Measures one operation; skips it if the tool does not support it, and prints failures."""
        command = getattr(self.tool, what)
        if command is None:
            return None
        self.out += 1
        try:
            return self.bench.measure(self.tool.name, op or what, self.line(command, v=version, D=self.top / f"out{self.out}"),
                                      self.work, self.env, self.line(self.tool.store) if what != "get" else None)
        except harness.Failed as error:
            self.bench.skip(self.tool.name, f"{op or what} failed")
            print(f"  {error}", flush=True)
            return None

    def close(self):
        harness.remove(self.top)


def chosen(bench, ref, names=None):
    """The installed tools, without the slow ones unless --all is given; prints the missing ones."""
    tools = []
    for tool in all_tools(ref):
        if names and tool.name not in names or not (tool.cheap or bench.everything):
            continue
        if why := tool.missing():
            bench.skip(tool.name, why)
            continue
        if tool.name not in bench.versions:
            out = harness.execute(tool.version, env={"PATH": PATH})[3].strip().splitlines()
            bench.versions[tool.name] = out[-1] if out else "?"
        tools.append(tool)
    return tools
