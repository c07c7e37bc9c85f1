#!/usr/bin/env python3
"""Creates the benchmarks' data; the same arguments give the same bytes.

    workloads.py OUT w1 [--scale 0.25]    bf16 model: v1; v2 with 5 % of its tensors changed; v3 with one prepended
                                          and 64 rows appended to the embedding
    workloads.py OUT w2 [--rows 100000]   rows with 384-dimensional vectors: v1; v2 with 0.1 % changed,
                                          0.05 % added and 0.05 % deleted, as JSON Lines; a list of the changes;
                                          and attributes and vectors in separate files, for columnar tools
    workloads.py OUT w3 [--files 10000]   text files of 1 to 20 KB, in 256 directories
    workloads.py OUT million [--rows N]   vectors of a million rows, queries close to some of them, and texts
    workloads.py OUT documents [--rows N] 100,000 short documents as JSON Lines: v1; v2 with 0.2 % of them changed; and questions
    workloads.py OUT codec                64 MB of weights in bf16, fp16 and fp32
    workloads.py OUT big [--scale 2.83]   one 3 GB model

Needs numpy.
"""
import argparse, hashlib, json, pathlib, re, struct
import numpy as np

SEED = 20240229
DIM = 384
HERE = pathlib.Path(__file__).resolve().parent


def rng(*key):
    """An independent random stream for each key, so that adding a workload does not change the others."""
    return np.random.default_rng([SEED, *hashlib.sha256(repr(key).encode()).digest()[:8]])


def to_bf16(x):
    """float32 -> bf16 bits, round to nearest even."""
    u = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((u + 0x7FFF + ((u >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16(b):
    return (b.astype(np.uint32) << 16).view(np.float32)


def write_safetensors(path, tensors, dtype="BF16"):
    """tensors: list of (name, array of raw element bits), laid out in the order given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head, at = {"__metadata__": {"format": "pt"}}, 0
    for name, a in tensors:
        head[name] = {"dtype": dtype, "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    h = json.dumps(head, separators=(",", ":")).encode()
    h += b" " * (-len(h) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(h)) + h)
        for _, a in tensors:
            f.write(a.tobytes())


def model_shapes(scale):
    """A decoder-only transformer of about `scale` GiB in bf16: hidden 1024, vocabulary 64 Ki, 36 layers at 1."""
    layers = max(1, round(36 * scale))
    vocabulary, hidden, inner = max(1024, int(65536 * scale)), 1024, 2816
    yield "model.embed_tokens.weight", (vocabulary, hidden), 0.02
    for i in range(layers):
        s = 0.02 * (1 + 0.6 * np.sin(i / 5))
        for m in "qkvo":
            yield f"model.layers.{i:02d}.self_attn.{m}_proj.weight", (hidden, hidden), s
        for m, shape in (("gate", (inner, hidden)), ("up", (inner, hidden)), ("down", (hidden, inner))):
            yield f"model.layers.{i:02d}.mlp.{m}_proj.weight", shape, s * 0.8
        yield f"model.layers.{i:02d}.input_layernorm.weight", (hidden,), -1
    yield "model.norm.weight", (hidden,), -1


def model_tensors(scale):
    for name, shape, s in model_shapes(scale):
        x = rng("w1", name).standard_normal(shape, np.float32)
        yield name, to_bf16(1 + 0.05 * x if s < 0 else x * np.float32(s))


def w1(out, scale):
    base = list(model_tensors(scale))
    write_safetensors(out / "v1/model.safetensors", base)

    big = [i for i, (n, a) in enumerate(base) if "_proj" in n]
    picked = set(rng("w1", "lora").choice(big, max(1, round(0.05 * len(base))), replace=False).tolist())
    v2 = []
    for i, (name, a) in enumerate(base):
        if i in picked:
            g, (m, n) = rng("w1", "lora", name), a.shape
            delta = g.standard_normal((m, 8), np.float32) @ g.standard_normal((8, n), np.float32)
            a = to_bf16(from_bf16(a) + np.float32(5e-4) * delta)
        v2.append((name, a))
    write_safetensors(out / "v2/model.safetensors", v2)

    g = rng("w1", "vocab")
    name, embedding = base[0]
    rows = to_bf16(g.standard_normal((64, embedding.shape[1]), np.float32) * np.float32(0.02))
    extra = to_bf16(g.standard_normal((3, 1024), np.float32))
    write_safetensors(out / "v3/model.safetensors",
                      [("adapter.prompt", extra), (name, np.concatenate([embedding, rows]))] + base[1:])


def big(out, scale):
    write_safetensors(out / "model.safetensors", list(model_tensors(scale)))


def sentences():
    """The distinct sentences of the handbook, in a stable order."""
    seen, result = set(), []
    for p in sorted((HERE.parent / "Examples/handbook").rglob("*.md")):
        for t in re.split(r"(?<=[.:;!?])\s+|\n\s*\n", p.read_text("utf-8")):
            t = " ".join(t.split())
            if 30 <= len(t) <= 600 and t not in seen:
                seen.add(t), result.append(t)
    return result


class Text:
    """Real sentences: first in document order, then reshuffled each time they run out."""

    def __init__(self):
        self.all, self.at, self.turn, self.order = sentences(), 0, 0, None

    def take(self, characters):
        got, n = [], 0
        while n < characters:
            if self.at == len(self.all):
                self.turn, self.at = self.turn + 1, 0
                self.order = rng("text", self.turn).permutation(len(self.all)).tolist()
            t = self.all[self.order[self.at]] if self.order else self.all[self.at]
            self.at += 1
            got.append(t)
            n += len(t) + 1
        return " ".join(got)


def vectors(g, n):
    """Unit vectors in 256 clusters, like the output of sentence encoders."""
    centres = g.standard_normal((256, DIM), np.float32)
    x = g.standard_normal((n, DIM), np.float32)
    x += 0.8 * centres[g.integers(0, 256, n)]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x


def make_rows(text, g, ids):
    sources, languages = ["wiki", "docs", "tickets", "mail"], ["en", "en", "en", "de"]
    sizes = np.clip(g.normal(330, 60, len(ids)), 120, 700).astype(int)
    k = g.integers(0, 4, (len(ids), 2))
    tokens = g.integers(60, 140, len(ids))
    return [{"id": f"doc-{d:08d}", "chunk": int(c), "text": text.take(int(s)),
             "meta": {"source": sources[a], "lang": languages[b], "tokens": int(t), "ts": 1700000000 + d * 37 + c}}
            for (d, c), s, (a, b), t in zip(ids, sizes, k.tolist(), tokens.tolist())]


def line(row, vector):
    return json.dumps(row, separators=(",", ":"))[:-1] + ',"emb":[' + ",".join(["%.7g" % x for x in vector]) + "]}\n"


def write_rows(folder, rows, embeddings):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "rows.jsonl", "w") as f:
        for r, e in zip(rows, embeddings.tolist()):
            f.write(line(r, e))
    with open(folder / "attributes.jsonl", "w") as f:
        f.writelines(json.dumps(r, separators=(",", ":")) + "\n" for r in rows)
    np.save(folder / "vectors.npy", embeddings)


def w2(out, n):
    g, text = rng("w2", n), Text()
    ids, d = [], 0
    while len(ids) < n:
        ids += [(d, c) for c in range(int(g.integers(1, 21)))]
        d += 1
    rows, embeddings = make_rows(text, g, ids[:n]), vectors(g, n)
    write_rows(out / "v1", rows, embeddings)

    changed, gone = max(1, n // 1000), max(1, n // 2000)
    pick = g.choice(n, changed + gone, replace=False)
    up, deleted = pick[:changed], set(pick[changed:].tolist())
    fresh = make_rows(text, g, [(d + i, 0) for i in range(gone)])
    new = vectors(g, changed + gone)
    embeddings[up] = new[:changed]
    for i in up.tolist():
        rows[i] = {**rows[i], "text": text.take(330)}
    keep = [i for i in range(n) if i not in deleted]
    write_rows(out / "v2", [rows[i] for i in keep] + fresh, np.concatenate([embeddings[keep], new[changed:]]))
    with open(out / "upserts.jsonl", "w") as f:
        f.writelines(line(r, e) for r, e in zip([rows[i] for i in up.tolist()] + fresh, new.tolist()))
    (out / "removed.txt").write_text("".join(f"{rows[i]['id']}#{rows[i]['chunk']}\n" for i in sorted(deleted)))
    (out / "truth.json").write_text(json.dumps({"changed": changed, "added": gone, "removed": gone}))


def w3(out, n):
    g, text = rng("w3"), Text()
    sizes = np.exp(g.uniform(np.log(1024), np.log(20480), n)).astype(int)
    for i, size in enumerate(sizes.tolist()):
        folder = out / "v1" / f"{i % 256:02x}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"doc-{i:06d}.txt").write_text(text.take(size)[:size])


def million(out, n):
    """Vectors of n rows, then of the rows that change or are added later (0.15 %), as raw 32-bit floats."""
    out.mkdir(parents=True, exist_ok=True)
    g = rng("million", n)
    centres = 0.8 * g.standard_normal((256, DIM), np.float32)
    picked = rng("queries", n)
    total, some = n + 3 * n // 2000, []
    with open(out / "vectors.f32", "wb") as f:
        for start in range(0, total, 1 << 16):
            count = min(1 << 16, total - start)
            x = g.standard_normal((count, DIM), np.float32)
            x += centres[g.integers(0, 256, count)]
            x /= np.linalg.norm(x, axis=1, keepdims=True)
            f.write(x.tobytes())
            some.append(x[picked.integers(0, count, 64)])
    # As in practice, a query has a cosine of about 0.7 with a row that answers it.
    queries = picked.permutation(np.concatenate(some))[:64] + np.float32(0.05) * picked.standard_normal((64, DIM), np.float32)
    (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32).tofile(out / "queries.f32")
    (out / "texts.txt").write_text("".join(s + "\n" for s in sentences()))


def documents(out, n):
    """One-chunk documents as records for the feature pipeline; 50 per file, so a run rereads only changed files."""
    g, text = rng("documents", n), Text()
    sizes = np.clip(g.normal(420, 90, n), 150, 800).astype(int)
    records = [{"id": f"doc-{i:07d}", "title": f"Note {i}", "text": text.take(int(s))} for i, s in enumerate(sizes)]

    def write(folder):
        for start in range(0, n, 50):
            path = folder / f"{start // 5000:03d}" / f"{start:07d}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(json.dumps(r) + "\n" for r in records[start:start + 50]))

    write(out / "v1")
    for i in g.choice(n, max(1, n // 500), replace=False).tolist():
        records[i] = {**records[i], "text": text.take(420)}
    write(out / "v2")
    asked = [json.loads(l)["question"] for l in (HERE.parent / "Examples/handbook/questions.jsonl").read_text("utf-8").splitlines() if l.strip()]
    (out / "questions.txt").write_text("".join(q + "\n" for q in asked[:64]))


def codec(out):
    x = [(f"layers.{i}.weight", rng("codec", i).standard_normal((1024, 4096), np.float32) * np.float32(0.02 * (1 + i / 8))) for i in range(8)]
    write_safetensors(out / "bf16/model.safetensors", [(n, to_bf16(a)) for n, a in x])
    write_safetensors(out / "fp16/model.safetensors", [(n, a.astype(np.float16)) for n, a in x], "F16")
    write_safetensors(out / "fp32/model.safetensors", x[:4], "F32")


if __name__ == "__main__":
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("out", type=pathlib.Path)
    a.add_argument("what", choices=["w1", "w2", "w3", "million", "documents", "codec", "big"])
    a.add_argument("--scale", type=float)
    a.add_argument("--rows", type=int)
    a.add_argument("--files", type=int, default=10_000)
    o = a.parse_args()
    to = o.out / o.what
    {"w1": lambda: w1(to, o.scale or 0.25), "w2": lambda: w2(to, o.rows or 100_000), "w3": lambda: w3(to, o.files),
     "million": lambda: million(to, o.rows or 1_000_000), "documents": lambda: documents(to, o.rows or 100_000), "codec": lambda: codec(to), "big": lambda: big(to, o.scale or 2.83)}[o.what]()
    (to / "done").touch()
