"""Flips single bits in every file and region of a repository: `verify` must report each one, and no command may return
wrong bytes.

Bits in different pieces, or in the indexes of different packs, are flipped together, and the findings must include each
of them. Bits in the log are flipped one at a time, because one damaged entry hides everything after it.
"""

import collections
import json
import multiprocessing
import os
import random
import struct

from faults import Tally
from scenarios import change_rows, rows, text

TOTAL = 12_000
TOGETHER = 8
CODECS = ["stored", "zlib", "zstd", "planes", "leaf", "delta"]
PACK_MAGIC, HEADER = 8, 40
# Kinds that `verify` finds without reading packs; one finding hides further ones of the same kind.
ALONE = {"entry", "segment", "hint", "checkpoint", "lease"}
# Kinds of which at most one flip per file can be told apart.
WHOLE = ("index", "beginning", "removed pack", "reserve")


class Region:
    """A range of bytes in a file, and the kind of its content."""

    def __init__(self, kind, file, start, end):
        self.kind, self.file, self.start, self.end = kind, file, start, end


class Flip:
    """One flipped bit of a file."""

    def __init__(self, region, chance):
        self.region = region
        self.offset = chance.randrange(region.start, region.end)
        self.bit = chance.randrange(8)

    def __str__(self):
        return f"{self.region.kind}: {self.region.file} byte {self.offset} bit {self.bit}"

    def apply(self, repository):
        with open(repository / self.region.file, "r+b") as file:
            file.seek(self.offset)
            byte = file.read(1)[0]
            file.seek(self.offset)
            file.write(bytes([byte ^ 1 << self.bit]))

    def is_named(self, findings):
        for finding in findings:
            if finding["where"] != self.region.file:
                continue
            if finding["offset"] is None:
                return True
            if finding["offset"] <= self.offset < finding["offset"] + finding["length"]:
                return True
        return False


def weights(chance, size):
    """A safetensors file of bf16 numbers, distributed like trained weights."""
    header = json.dumps({"w": {"dtype": "BF16", "shape": [size // 2], "data_offsets": [0, size]}}).encode()
    low, high = chance.randbytes(size // 2), chance.choices(b"\x3b\x3c\xbb\xbc\x3d", k=size // 2)
    data = bytearray(size)
    data[::2], data[1::2] = low, bytes(high)
    return struct.pack("<Q", len(header)) + header + bytes(data)


def build(sandbox, seed, scale):
    chance = random.Random(f"flips {seed}")
    sandbox.must("init")
    sandbox.must("key", "new", "ada")
    sandbox.must("policy", "init")
    sandbox.write("m/model.safetensors", weights(chance, (6 << 20) // scale))
    sandbox.write("m/noise.bin", chance.randbytes((9 << 20) // scale))
    sandbox.write("m/words.txt", "".join(text(chance, 12) for _ in range(90_000 // scale)))
    sandbox.must("put", "models/a", "m", "-m", "first")
    rows(sandbox, chance, count=8_000 // scale, dimension=96)
    put = ["put", "features/a", "rows.jsonl", "--key", "id", "--vector", "vector"]
    sandbox.must(*put)
    change_rows(sandbox, chance)
    sandbox.must(*put)
    sandbox.write("m/words.txt", "".join(text(chance, 12) for _ in range(40_000 // scale)))
    sandbox.must("put", "models/a", "m", "-m", "second")
    for number in range(140):
        sandbox.write("small/file.txt", text(chance, 10))
        sandbox.must("put", f"models/small-{number % 4}", "small", "-m", f"small {number}")
    sandbox.must("pin", "models/a", "features/a")


def regions(repository):
    """All regions of a repository, by kind."""
    result = collections.defaultdict(list)
    state = {line.split()[1] for line in live(repository)}
    for path in sorted(repository.rglob("*")):
        name = str(path.relative_to(repository))
        size = path.stat().st_size
        if not path.is_file() or size == 0:
            continue
        path.chmod(0o644)
        if name.startswith("packs/"):
            if path.name in state:
                pack_regions(path.read_bytes(), name, result)
            else:
                # It was merged into another pack, but undo can bring it back.
                result["removed pack"].append(Region("removed pack", name, 0, size))
            continue
        kind = "entry"
        if name == "log/tip":
            kind = "hint"
        elif name == "log/reserve":
            kind = "reserve"
        elif name.startswith("leases/"):
            kind = "lease"
        elif name.startswith("log/checkpoints/"):
            kind = "checkpoint"
        elif name.endswith(".segment"):
            kind = "segment"
        result[kind].append(Region(kind, name, 0, size))
    return result


def live(repository):
    """The packs that the log has added and not removed again."""
    lines = []
    for path in sorted((repository / "log").glob("*")):
        if path.suffix in (".json", ".segment"):
            lines += path.read_bytes().splitlines()
    packs = {}
    for line in lines:
        if not line.startswith(b'{"actions"'):
            continue
        for action in json.loads(line)["actions"]:
            if action["type"] == "pack":
                packs[action["name"]] = f"pack {action['name']}"
    for line in lines:
        if line.startswith(b'{"actions"'):
            for action in json.loads(line)["actions"]:
                if action["type"] == "unpack":
                    packs.pop(action["name"], None)
    return packs.values()


def pack_regions(data, name, result):
    length = struct.unpack_from("<Q", data, len(data) - 16)[0]
    footer = len(data) - length
    pieces, recipes, references, points = struct.unpack_from("<4I", data, footer + 24)

    def add(kind, start, end):
        if end > start:
            result[kind].append(Region(kind, name, start, end))

    add("beginning", 0, PACK_MAGIC)
    entries = footer + HEADER + 32 * pieces
    for index in range(pieces):
        offset, stored, _, codec, _, gap, _, _ = struct.unpack_from("<QIIBBBBI", data, entries + 24 * index)
        add(CODECS[codec], offset, offset + stored)
        add("gap", offset - gap, offset)
    place = footer
    for kind, size in (
            ("index header", HEADER), ("index ids", 32 * pieces), ("index pieces", 24 * pieces),
            ("index recipes", 48 * recipes), ("index references", 36 * references), ("index points", 100 * points),
            ("index end", 16)):
        add(kind, place, place + size)
        place += size


def choose(found, count, chance):
    """Groups of flips, with the same number for every kind, so that small regions are covered too."""
    groups = []
    share = max(1, count // len(found))
    for kind, places in sorted(found.items()):
        weights = [region.end - region.start for region in places]
        flips = [Flip(region, chance) for region in chance.choices(places, weights=weights, k=share)]
        alone = kind in ALONE
        while flips:
            group, left, taken = [], [], set()
            for flip in flips:
                region = flip.region
                # Several flips in one piece, index or gap yield a single finding.
                unit = region.file if kind.startswith(WHOLE) else (region.file, region.start)
                if len(group) < (1 if alone else TOGETHER) and unit not in taken:
                    taken.add(unit)
                    group.append(flip)
                else:
                    left.append(flip)
            groups.append(group)
            flips = left
    return groups


QUESTIONS = [
    ["refs", "--json"], ["log", "models/a", "--json"], ["reflog", "--json"], ["resolve", "features/a"],
    ["resolve", "models/a@{1}"], ["show", "models/a", "--json"], ["ls", "models/a", "--json"],
    ["cat", "models/a:noise.bin"], ["cat", "models/a:model.safetensors"], ["cat", "models/a:words.txt"],
    ["cat", "models/a@{1}:words.txt"], ["cat", "features/a:row-0003"], ["cat", "models/small-1:file.txt"],
    ["diff", "features/a@{1}", "features/a", "--rows", "--json"], ["diff", "models/a@{1}", "models/a", "--json"],
    ["log", "models/small-2", "--json"], ["lineage", "models/a", "--json"],
]


def is_truth(answer, right):
    """Whether an answer is correct, or is exit 5 with only correct output."""
    if answer.status == 0:
        return answer.output == right
    if answer.status != 5:
        return False
    if right.startswith(answer.output):
        return True
    # A damaged snapshot is listed with its problem, but without its content.
    found, expected = ([json.loads(line) for line in text.splitlines()] for text in (answer.output, right))
    return len(found) == len(expected) and all(
        a == b or a == {**b, "message": None, **({"binds": None, "broken": a["broken"]} if a.get("broken") else {})}
        for a, b in zip(found, expected))


_work = None


def _judge(index):
    groups, template, answers, seed = _work
    sandbox = _own(template)
    group = groups[index]
    chance = random.Random(f"{seed} {index}")
    problems = []
    for flip in group:
        flip.apply(sandbox.repository)
    try:
        kind = group[0].region.kind
        outcome = sandbox.run("verify", "--json", *([] if kind in ALONE else ["--full"]))
        try:
            report = json.loads(outcome.output)
            findings, notes = report["findings"], report["notes"]
        except (ValueError, KeyError):
            findings, notes = [], []
        # A flipped bit can make the hint look as if a crash had torn it, which is a note and not damage.
        torn = kind == "hint" and not findings and any("log/tip" in note for note in notes)
        if outcome.status != (0 if torn else 1):
            problems.append(f"verify: {outcome}")
        for flip in group:
            if not torn and not flip.is_named(findings):
                named = [(f["where"], f["offset"], f["length"]) for f in findings][:4]
                problems.append(f"{flip} is not reported; the findings are {named}")
        for question in chance.sample(range(len(QUESTIONS)), 3):
            answer = sandbox.run(*QUESTIONS[question])
            right = answers[question]
            if not is_truth(answer, right):
                problems.append(f"{' '.join(QUESTIONS[question])}: {answer}; after {group[0]}")
    finally:
        for flip in group:
            flip.apply(sandbox.repository)
    return kind, len(group), problems


_sandbox = None


def _own(template):
    """This worker's copy of the template."""
    global _sandbox
    if _sandbox is None:
        _sandbox = template.copy(f"flips-{os.getpid()}")
        # The client's memory of the log must not be what detects the damage.
        _sandbox.environment["XDG_STATE_HOME"] = "/dev/null/state"
    return _sandbox


def run(context):
    """Flips bits, each of which `verify` must report, and reads the damaged repository."""
    global _work
    tally = Tally("flipped bits")
    template = context.tools.sandbox("template-flips")
    build(template, context.seed, scale=16 if context.short else 1)
    template.environment["XDG_STATE_HOME"] = "/dev/null/state"
    found = regions(template.repository)
    size = sum(path.stat().st_size for path in template.repository.rglob("*") if path.is_file())
    sound = template.run("verify", "--full")
    if sound.status != 0:
        raise RuntimeError(f"flips: {sound}")
    answers = [template.must(*question) for question in QUESTIONS]
    groups = choose(found, int(TOTAL * context.share * (0.3 if context.short else 1)), random.Random(f"flips {context.seed}"))
    random.Random(context.seed).shuffle(groups)
    _work = (groups, template, answers, context.seed)
    with multiprocessing.get_context("fork").Pool(context.jobs) as pool:
        for kind, count, problems in pool.imap_unordered(_judge, range(len(groups)), chunksize=4):
            tally.counts[kind] += count
            tally.violations += problems
            context.progress(tally)
    tally.notes.append(f"in a repository of {size / 1e6:.1f} MB, seed {context.seed}")
    return tally
