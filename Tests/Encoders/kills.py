"""Kills an embedding run at random points, and starts it again, until it is through.

usage: kills.py BIN [--kills 50] [--seed 7]

Every vector that a run makes is appended to a file of the user's cache before the next group of texts is begun, with the hash of its
text. So a text that was embedded twice would be in the file twice. Fails if one is, if a kill loses a vector that was kept, or
if the run that is not killed embeds a text that was kept.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[2]
DIMENSION = 384
RECORD = 32 + 4 * DIMENSION + 8


def kept(cache: pathlib.Path) -> list[bytes]:
    """The hashes of the texts in the file, in order; the last record may be incomplete."""
    files = list(cache.glob("fti/*.vectors"))
    data = files[0].read_bytes() if files else b""
    if len(data) < 12:
        return []
    start = 12 + struct.unpack_from("<I", data, 8)[0]
    return [data[at:at + 32] for at in range(start, len(data) - RECORD + 1, RECORD)]


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    model = subprocess.run([root / "Scripts/minilm.sh"], check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        cache = folder / "cache"
        env = {**os.environ, "FTI_REPO": str(folder / "repository"), "XDG_CACHE_HOME": str(cache)}
        run = lambda name, *words: subprocess.run([options.bin.resolve() / name, *words], check=True, capture_output=True, text=True, env=env, cwd=folder)
        run("ftictl", "init", folder / "repository")
        run("ftictl", "put", "models/embedder", model)
        sources = "".join(f"  - files: {root / path}\n" for path in ("docs", "Examples/handbook/edition-2"))
        (folder / "features.yaml").write_text(f"sources:\n{sources}chunk: {{size: 400}}\nembed: {{name: bert, model: models/embedder}}\n")
        plan = json.loads(run("fti-feature", "run", "features.yaml", "--dry-run", "--json").stdout)
        counts = [0]
        for kill in range(options.kills):
            child = subprocess.Popen([options.bin.resolve() / "fti-feature", "run", "features.yaml"], env=env, cwd=folder,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            # One kill at a random point of each of as many equal parts of the texts.
            goal = (kill + chance.random()) / (options.kills + 4) * plan["embedded"]
            while child.poll() is None and len(kept(cache)) <= goal:
                time.sleep(0.005)
            time.sleep(chance.random() * 0.02)
            ended = child.poll() is not None
            child.send_signal(signal.SIGKILL)
            child.wait()
            texts = kept(cache)
            assert len(texts) == len(set(texts)), f"kill {kill}: {len(texts) - len(set(texts))} texts were embedded twice"
            assert len(texts) >= counts[-1] or ended, f"kill {kill}: {counts[-1] - len(texts)} vectors were lost"
            if ended:
                raise SystemExit(f"the run ended before kill {kill}: use fewer kills")
            counts.append(len(texts))
        report = json.loads(run("fti-feature", "run", "features.yaml", "--json").stdout)
        assert report["recovered"] == counts[-1], (report["recovered"], counts[-1])
        print(f"{options.kills} kills: {counts[-1]} of {report['embedded']} vectors were recovered, none was made twice and kept, "
              f"none was lost; the last run made {report['embedded'] - report['recovered']}")


if __name__ == "__main__":
    main()
