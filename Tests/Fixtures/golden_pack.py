#!/usr/bin/env python3
"""Writes golden.pack and golden.json: a pack, a snapshot and numbers made without the project's code.

Only Python's standard library is used; zstd frames are put together by hand from raw and run-length
blocks (RFC 8878). Run it in this directory; its output is committed and never changes.
"""

import hashlib
import json
import random
import struct
import zlib


def sha256(data):
    return hashlib.sha256(data).digest()


def crc32c(data):
    """RFC 3720, appendix B.4, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def zstd_frame(*blocks):
    """A frame of blocks: bytes are a raw block, a pair (byte, count) is a run."""
    size = sum(len(b) if isinstance(b, bytes) else b[1] for b in blocks)
    # Single segment, content size in four bytes, no dictionary, no checksum.
    frame = struct.pack("<IBI", 0xFD2FB528, 0xA0, size)
    for index, block in enumerate(blocks):
        last = index == len(blocks) - 1
        if isinstance(block, bytes):
            frame += struct.pack("<I", last | 0 << 1 | len(block) << 3)[:3] + block
        else:
            frame += struct.pack("<I", last | 1 << 1 | block[1] << 3)[:3] + bytes([block[0]])
    return frame


def content(*blocks):
    return b"".join(b if isinstance(b, bytes) else bytes([b[0]]) * b[1] for b in blocks)


def planes(width, parts, tail=b""):
    """Plane codec: each part is (is_stored, blocks); returns the raw and the stored bytes."""
    flags = sum(1 << i for i, (stored, _) in enumerate(parts) if stored)
    raws = [content(*blocks) for _, blocks in parts]
    forms = [raw if stored else zstd_frame(*blocks) for raw, (stored, blocks) in zip(raws, parts)]
    header = bytes([width, flags, 0, 0]) + b"".join(struct.pack("<I", len(f)) for f in forms)
    raw = bytes(byte for number in zip(*raws) for byte in number) + tail
    return raw, header + b"".join(forms) + tail


def above(number):
    """The lowest fp32 number that is not below a positive one."""
    bits = struct.pack("<f", number)
    if struct.unpack("<f", bits)[0] < number:
        bits = struct.pack("<I", struct.unpack("<I", bits)[0] + 1)
    return struct.unpack("<f", bits)[0]


def leaf(rows, dimension, text_size, text, text_codec, vectors, codes=b""):
    """Leaf codec: header, vectors, codes and text, each but the last filled up to a multiple of 64."""
    header = struct.pack("<IIII", rows, dimension, text_size, len(text))
    header += bytes([text_codec, 1 if codes else 0, 0, 0])
    header += struct.pack("<III", crc32c(vectors), crc32c(codes), crc32c(text)) + bytes(28)
    header += struct.pack("<I", crc32c(header))
    return header + vectors + bytes(-len(vectors) % 64) + codes + bytes(-len(codes) % 64) + text


generator = random.Random(1)
chunks = []  # (name, raw, stored, codec, is_object)


def add(name, raw, stored, codec, is_object=True):
    chunks.append((name, raw, stored, codec, is_object))
    return sha256(raw)


noise = generator.randbytes(300)
add("empty", b"", b"", 0)
add("stored", noise, noise, 0)
text = b"a store for artifacts, " * 20
add("zlib", text, zlib.compress(text, 9), 1)
blocks = [b"begin ", (0x78, 500), b" end"]
base = add("zstd", content(*blocks), zstd_frame(*blocks), 2)
raw, stored = planes(2, [(True, [noise[:200]]), (False, [(0x3F, 150), (0xBF, 50)])], b"\x07")
add("planes 2", raw, stored, 3)
lanes = [
    (True, [noise[:100]]), (True, [noise[100:200]]), (False, [(0x80, 100)]), (False, [(0x3D, 100)])
]
raw, stored = planes(4, lanes, b"\x01\x02\x03")
add("planes 4", raw, stored, 3)
words = [b"keys and attributes ", (0x20, 100)]
frame, vectors = zstd_frame(*words), struct.pack("<10f", *range(10))
add(
    "leaf, text compressed", content(*words) + vectors,
    leaf(2, 5, len(content(*words)), frame, 2, vectors), 4)
short = b"keys"
# Whole numbers up to 127 are their own codes: nothing is left over, and the norm is that of the vector.
vectors = struct.pack("<33f", *[127.0] + [1.0, -1.0] * 16)
norm = above((127**2 + 32) ** 0.5 * (1 + 2**-38))
codes = struct.pack("<3f", 1.0, 0.0, norm) + bytes(52) + bytes([127] + [1, 255] * 16) + bytes(31)
add(
    "leaf, with codes, text stored", short + vectors,
    leaf(1, 33, len(short), short, 0, vectors, codes), 4)
changed = [b"begun ", (0x78, 480), b" ended"]
add("delta", content(*changed), base + zstd_frame(*changed), 5)
first = add("piece 1", noise[:250], noise[:250], 0, False)
run = [(0x00, 1000)]
second = add("piece 2", content(*run), zstd_frame(*run), 2, False)
whole = noise[:250] + content(*run) + noise[:250]
recipes = [(sha256(whole), len(whole), [(first, 250), (second, 1000), (first, 250)])]

pack = b"ftipack1"
entries = []
for name, raw, stored, codec, is_object in chunks:
    assert len(stored) <= len(raw) or codec == 4, name
    gap = -len(pack) % 64 if codec == 4 else 0
    pack += bytes(gap)
    entries.append(
        (sha256(raw), struct.pack(
            "<QIIBBBBI", len(pack), len(stored), len(raw), codec, 1 if is_object else 0, gap, 0,
            crc32c(stored))))
    pack += stored
entries.sort()
index_offset = len(pack)
footer = b"ftipack1" + bytes(range(16))
footer += struct.pack("<IIII", len(entries), len(recipes), sum(len(r[2]) for r in recipes), 0)
footer += b"".join(id for id, _ in entries) + b"".join(entry for _, entry in entries)
recipes.sort()
footer += b"".join(id for id, _, _ in recipes)
start = 0
for _, size, pieces in recipes:
    footer += struct.pack("<QII", size, start, len(pieces))
    start += len(pieces)
footer += b"".join(id for _, _, pieces in recipes for id, _ in pieces)
footer += b"".join(struct.pack("<I", size) for _, _, pieces in recipes for _, size in pieces)
footer += struct.pack("<Q", len(footer) + 16) + b"ftiindex"
pack += footer


def ecmascript(value):
    """A number as RFC 8785 spells it; Python's repr has the same shortest digits."""
    if value == 0:
        return "0"
    sign, text = ("-", repr(-value)) if value < 0 else ("", repr(value))
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0)
    if whole == "0":
        point -= len(fraction) - len(fraction.lstrip("0")) + 1
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    rest = "." + digits[1:] if count > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"


numbers = []
for _ in range(400):
    bits = generator.getrandbits(64)
    if bits >> 52 & 0x7FF != 0x7FF:
        numbers.append(struct.unpack("<d", struct.pack("<Q", bits))[0])
for power in range(-330, 309):
    numbers.append(float(f"{generator.randrange(1, 1000)}e{power}"))
    numbers.append(-float(f"1e{power}"))
for shift in range(0, 90, 3):
    numbers += [float(2**shift), float(2**shift + 1), float(2**shift) / 3]
table = [[struct.pack(">d", n).hex(), ecmascript(n)] for n in numbers if abs(n) != float("inf")]

snapshot = {
    "type": "snapshot", "kind": "model",
    "content": {"type": "tree", "id": "11" * 32, "files": 3, "bytes": 4096},
    "parents": ["22" * 32, "33" * 32],
    "inputs": {"dataset": "44" * 32, "base": "55" * 32},
    "producer": {"pipeline": "trainer", "version": "2.0", "revision": "abc"},
    "params": {"rate": 2.5e-05, "steps": [1, 2, 3], "nested": {"é": None, "on": True}},
    "metrics": {"loss": 0.1, "recall@10": 0.875},
    "space": "66" * 32,
    "cursor": {"type": "table", "id": "77" * 32, "rows": 12, "dimension": 0},
    "created": "2026-08-01T09:30:00.250Z",
    "message": "größer \"quoted\"\n",
}


def spell(value):
    """Canonical JSON, for keys whose order by code points and by UTF-16 agree."""
    if isinstance(value, dict):
        return "{" + ",".join(
            json.dumps(k, ensure_ascii=False) + ":" + spell(value[k]) for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(spell, value)) + "]"
    if isinstance(value, float):
        return ecmascript(value)
    return json.dumps(value, ensure_ascii=False)


canonical = spell(snapshot).encode()
description = {
    "pack": {"name": sha256(footer).hex(), "size": len(pack), "indexOffset": index_offset},
    "objects": [
        {"name": name, "id": sha256(raw).hex(), "size": len(raw)}
        for name, raw, _, _, is_object in chunks if is_object
    ] + [{"name": "recipe", "id": sha256(whole).hex(), "size": len(whole)}],
    "pieces": [first.hex(), second.hex()],
    "snapshot": {"id": sha256(canonical).hex(), "text": canonical.decode()},
    "numbers": table,
}
with open("golden.pack", "wb") as file:
    file.write(pack)
with open("golden.json", "w", encoding="utf-8") as file:
    json.dump(description, file, ensure_ascii=False, separators=(",", ":"))
    file.write("\n")
