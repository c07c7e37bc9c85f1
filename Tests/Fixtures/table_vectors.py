#!/usr/bin/env python3
"""Encodes tables from the description of the format alone, and prints what the tests pin.

Nothing here is shared with the implementation: python3 Tests/Fixtures/table_vectors.py
"""
import hashlib
import json
import struct

MASK = (1 << 64) - 1
LEAF_TARGET, INNER_TARGET = 32 << 10, 8 << 10


def key_hash(key, level):
    value = 0xCBF29CE484222325
    for byte in key:
        value = ((value ^ byte) * 0x100000001B3) & MASK
    value = (value + (level + 1) * 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & MASK
    return value ^ value >> 31


def cut(items, level, key, weight):
    """Splits the items of a level into nodes."""
    target = INNER_TARGET if level else LEAF_TARGET
    node, size = [], 0
    for item in items:
        node.append(item)
        size += weight(item)
        if size < target // 4:
            continue
        chance = weight(item) * (1 if size < target else 8)
        if size >= 4 * target or key_hash(key(item), level) * 2 * target >> 64 < chance:
            yield node
            node, size = [], 0
    if node:
        yield node


def ends(parts):
    result, end = b"", 0
    for part in parts:
        end += len(part)
        result += struct.pack("<I", end)
    return result


def leaf(rows, dimension):
    """Rows are (key, attributes, vector), all bytes."""
    keys, attributes, vectors = ([row[column] for row in rows] for column in range(3))
    data = b"ftileaf1" + struct.pack(
        "<IIII", len(rows), dimension, sum(map(len, keys)), sum(map(len, attributes)))
    data += ends(keys) + ends(attributes) + b"".join(keys) + b"".join(attributes)
    return data + bytes(-len(data) % 64) + b"".join(vectors)


def inner(entries, level, dimension):
    """Entries are (id, rows, last key)."""
    keys = [entry[2] for entry in entries]
    data = b"ftinode1" + struct.pack(
        "<IIII", level, len(entries), dimension, sum(map(len, keys)))
    data += b"".join(entry[0] for entry in entries)
    data += b"".join(struct.pack("<Q", entry[1]) for entry in entries)
    return data + ends(keys) + b"".join(keys)


def table(rows, dimension):
    """The nodes of a table by level, each as (bytes, rows, last key)."""
    rows = sorted(rows)
    groups = list(cut(rows, 0, lambda row: row[0], lambda row: 8 + sum(map(len, row)))) or [[]]
    levels = [[(leaf(group, dimension), len(group), group[-1][0] if group else b"")
               for group in groups]]
    while len(levels[-1]) > 1:
        level = len(levels)
        entries = [(hashlib.sha256(data).digest(), count, last)
                   for data, count, last in levels[-1]]
        groups = cut(entries, level, lambda entry: entry[2], lambda entry: 44 + len(entry[2]))
        levels.append([(inner(group, level, dimension), sum(entry[1] for entry in group),
                        group[-1][2]) for group in groups])
    return levels


def row(key, attributes, vector):
    text = json.dumps(attributes, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return key.encode(), text.encode(), struct.pack("<%df" % len(vector), *vector)


def show(name, levels, pin_bytes=()):
    print(name, "nodes", [len(level) for level in levels])
    print(name, "root", hashlib.sha256(levels[-1][0][0]).hexdigest())
    for level in pin_bytes:
        print(name, "level", level, levels[level][0][0].hex())


SMALL = [
    row("a", {"n": 1, "text": "x"}, [0.5, -2.0]),
    row("b\u00e9", {}, [1.0, 0.0]),
    row("c", {"list": [True, None], "text": "\u20ac"}, [3.25, -0.0]),
]
LARGE = [
    row("k%05d" % (i * 7919 % 100000) + "/" * 150,
        {"id": i, "text": "%d " % (i * i) * (1 + i % 40)}, [i / 8, -i, 0.25, 1])
    for i in range(6000)
]
TWO = [row("k%d" % i, {"text": "y" * 20000}, []) for i in range(9)]

if __name__ == "__main__":
    show("empty", table([], 3), pin_bytes=[0])
    show("small", table(SMALL, 2), pin_bytes=[0])
    show("two", table(TWO, 0), pin_bytes=[1])
    show("large", table(LARGE, 4))
