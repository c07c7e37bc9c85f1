"""The repository that the measurements serve: 10,000 chunks of Django's manual, in two versions that differ in few rows.

It is made once, and copied for each measurement. `questions` are questions about it, made from its headings.
"""
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/ServeTests"))
from bench import BIN, Bench  # noqa: E402

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "fti/serve-bench"
CHUNKS = 10_000
# The version after a move: this many documents have another sentence, about one row in a thousand.
CHANGED = 10


def make(bench):
    """Makes the two releases a and b, and releases/prod, which is a."""
    documents = bench.folder / "documents"
    shutil.copytree(CACHE / "django", documents)
    shutil.rmtree(bench.repository)
    bench.run("ftictl", "init", bench.repository)
    bench.write("features.yaml", {
        "ref": "features/live", "sources": [{"files": "documents"}], "chunk": {"size": 800, "overlap": 80},
        "embed": {"name": "builtin", "dimension": 384}})
    bench.run("fti-feature", "run", "features.yaml")
    bench.write("training.yaml", {"features": "features/live", "model": "models/a"})
    bench.run("fti-training", "run", "training.yaml")
    release(bench, "a")
    pages = sorted(documents.rglob("*.txt"))
    for page in random.Random(1).sample(pages, CHANGED):
        page.write_text(page.read_text() + "\n\nThis page belongs to the second version of this manual.\n")
    bench.run("fti-feature", "run", "features.yaml")
    release(bench, "b")
    bench.run("ftictl", "release", "releases/prod", "--from", "releases/a")
    bench.run("ftictl", "move", "releases/prod", "releases/a")


def release(bench, name):
    """Binds what is current under a name, with a prompt of its own."""
    prompt = bench.write("prompt.json", {"type": "prompt", "version": 1, "system": f"Version {name}."})
    bench.run("ftictl", "release", f"releases/{name}", "--features", "features/live", "--ranker", "models/a",
              "--prompt", prompt)


def repository():
    """The folder of the repository, made now or before."""
    key = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:12]
    folder = CACHE / f"repository-{key}"
    if not folder.exists():
        with Bench() as bench:
            make(bench)
            shutil.copytree(bench.repository, folder.with_suffix(".part"))
        folder.with_suffix(".part").rename(folder)
    return folder


class ServeBench(Bench):
    """A bench with a copy of the repository."""

    def __init__(self):
        super().__init__(repository())

    def rows(self):
        """The chunks, as (key, text)."""
        lines = self.run("ftictl", "ls", "features/live", "--json").splitlines()
        return [(row["key"], row["attributes"]["text"]) for row in map(json.loads, lines)]

    def questions(self, count, seed=7):
        """Questions in the words of headings: `How do custom template tags and filters work?`"""
        lines = self.run("ftictl", "ls", "features/live", "--json").splitlines()
        headings = {tuple(json.loads(line)["attributes"]["headings"]) for line in lines}
        names = sorted({" ".join(re.findall(r"\w+", " ".join(path[-2:]))) for path in headings if path})
        names = [name for name in names if 3 <= len(name.split()) <= 9]
        return [f"How do I use {name}?" for name in random.Random(seed).sample(names, count)]


__all__ = ["BIN", "CHUNKS", "ServeBench"]
