#!/usr/bin/env python3
"""Walks a repository as docs/format.md describes it, without the project's code.

usage: walk_repository.py REPOSITORY

Follows log -> refs -> snapshots -> trees and inner nodes of tables with Python's standard library alone, checks
every id and hash on the way, and prints what it found as JSON. Chunks of codecs 2 to 5 (zstd and what is
built on it) must be there but are not decoded; they are counted as `skipped`.
"""

import hashlib
import json
import pathlib
import struct
import sys
import zlib


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Missing(Exception):
    """An object is in no live pack."""


def check(condition, message):
    if not condition:
        sys.exit(f"walk_repository: {message}")


TABLE = list(range(256))
for _ in range(8):
    TABLE = [crc >> 1 ^ (0x82F63B78 if crc & 1 else 0) for crc in TABLE]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def read_entries(root):
    """The file of each entry, wherever it is: what a segment holds is void outside it."""
    number = 0
    while True:
        for size in (64, 1024):
            first = number // size * size
            file = root / "log" / f"{first:020}-{first + size - 1:020}.segment"
            if file.exists():
                data = file.read_bytes()
                end = len(data) - 11 * size
                starts = [int(line) for line in data[end:].splitlines()] + [end]
                check(len(starts) == size + 1 and starts[0] == 0, f"index of {file}")
                for index in range(number - first, size):
                    yield file, data[starts[index]:starts[index + 1]]
                number = first + size
                break
        else:
            file = root / "log" / f"{number:020}.json"
            if not file.exists():
                return
            yield file, file.read_bytes()
            number += 1


def read_log(root):
    """The refs, the live packs and every snapshot that a ref ever pointed at."""
    refs, since, packs, targets, previous, number = {}, {}, {}, set(), "", 0
    for file, data in read_entries(root):
        line, digest, rest = data.split(b"\n")
        entry = json.loads(line)
        check(json.loads(digest)["sha256"] == sha256(line) and not rest, f"hash of {file}")
        check(entry["n"] == number and entry["prev"] == previous, f"chain at {file}")
        for action in entry["actions"]:
            name = action.get("name")
            if action["type"] == "ref":
                check(refs.get(name) == action["old"], f"old value of {name} in {file}")
                check(since.get(name) == action["since"], f"since of {name} in {file}")
                refs[name], since[name] = action["new"], number
                targets |= {action["new"]} - {None}
            elif action["type"] == "pack":
                packs[name] = action
            elif action["type"] == "unpack":
                # What was never added is condemned: nobody may add it any more.
                packs.pop(name, None)
        previous, number = sha256(line), number + 1
    check(number > 0, f"no log in {root}")
    return number, {name: id for name, id in refs.items() if id}, packs, targets


def read_pack(root, pack, chunks, recipes):
    data = (root / "packs" / pack["name"]).read_bytes()
    footer = data[pack["index"]:]
    check(len(data) == pack["size"] and sha256(footer) == pack["name"], f"pack {pack['name']}")
    check(data[:8] == footer[:8] == b"ftipack1" and footer[-8:] == b"ftiindex", "magic of a pack")
    count, large, pieces, points = struct.unpack_from("<IIII", footer, 24)
    check(struct.unpack_from("<Q", footer, len(footer) - 16) == (len(footer),), "length of a footer")
    at = [40]
    for size in (32 * count, 24 * count, 32 * large, 16 * large, 32 * pieces, 4 * pieces, 100 * points):
        at.append(at[-1] + size)
    check(at[7] + 16 == len(footer), "counts of a footer")
    for i in range(count):
        offset, stored, raw, codec, _, gap, _, crc = struct.unpack_from(
            "<QIIBBBBI", footer, at[1] + 24 * i)
        chunk = footer[at[0] + 32 * i:][:32].hex()
        check(not any(data[offset - gap:offset]), f"gap before {chunk}")
        check(crc32c(data[offset:offset + stored]) == crc, f"checksum of {chunk}")
        chunks[chunk] = (data[offset:offset + stored], raw, codec)
    for i in range(large):
        size, first, used = struct.unpack_from("<QII", footer, at[3] + 16 * i)
        ids = [footer[at[4] + 32 * j:][:32].hex() for j in range(first, first + used)]
        recipes[footer[at[2] + 32 * i:][:32].hex()] = (size, ids)


def walk(root):
    """What is in a repository; ends the process with the reason when something is wrong."""
    transactions, refs, packs, snapshots = read_log(root)
    chunks, recipes, seen, skipped, older = {}, {}, {}, set(), set(snapshots)
    for pack in packs.values():
        read_pack(root, pack, chunks, recipes)

    def read(id):
        """The bytes of an object, or None when a codec stands in the way."""
        # An object of one piece has the id of that piece.
        if id in recipes and recipes[id][1] != [id]:
            size, ids = recipes[id]
            parts = [read(piece) for piece in ids]
            if None in parts:
                return None
            data = b"".join(parts)
            check(len(data) == size, f"size of {id}")
        else:
            if id not in chunks:
                raise Missing(id)
            stored, size, codec = chunks[id]
            if codec > 1:
                skipped.add(id)
                return None
            data = zlib.decompress(stored) if codec == 1 else stored
            check(len(data) == size, f"size of {id}")
        check(sha256(data) == id, f"{id} has other bytes")
        return data

    def visit(kind, id):
        if id in seen:
            check(seen[id] == kind, f"{id} is a {seen[id]} and a {kind}")
            return
        seen[id] = kind
        try:
            visit_within(kind, id, read(id))
        except Missing:
            del seen[id]
            raise

    def visit_within(kind, id, data):
        if kind == "snapshot":
            check(data is not None, f"snapshot {id} is not stored or zlib")
            value = json.loads(data)
            check(value["type"] == "snapshot", f"{id} is no snapshot")
            older.update(value["parents"])
            for link in value["inputs"].values():
                visit("snapshot", link)
            for content in [value["content"], value.get("cursor")]:
                if content:
                    visit(content["type"], content["id"])
            if value.get("space"):
                visit("space", value["space"])
        elif kind == "tree":
            check(data is not None and data.startswith(b"fti-tree 1\n"), f"{id} is no tree")
            for line in data.decode().split("\n")[1:-1]:
                mode, size, child, _ = line.split(" ", 3)
                visit("tree" if mode == "d" else "file", child)
                known = recipes[child][0] if child in recipes else chunks[child][1]
                check(known == int(size), f"size of {child}")
        elif kind == "table" and data is not None and data.startswith(b"ftinode1"):
            _, count, _, _ = struct.unpack_from("<IIII", data, 8)
            for i in range(count):
                visit("table", data[24 + 32 * i:][:32].hex())
        elif kind == "table" and data is not None:
            check(data.startswith(b"ftileaf1"), f"{id} is no node of a table")
        elif kind == "space":
            check(data is None or json.loads(data)["type"] == "space", f"{id} is no space")

    # What a ref points at is there, whole. Of what it pointed at before, some may have been collected.
    for id in refs.values():
        try:
            visit("snapshot", id)
        except Missing as missing:
            check(False, f"{missing} is missing")
    collected = set()
    while older:
        id = older.pop()
        try:
            visit("snapshot", id)
        except Missing:
            collected.add(id)
        older -= collected
    contents = {name: json.loads(read(id))["content"]["id"] for name, id in refs.items()}
    kinds = {kind: sum(k == kind for k in seen.values()) for kind in sorted(set(seen.values()))}
    return {
        "transactions": transactions, "packs": len(packs), "refs": refs, "contents": contents,
        "objects": kinds, "skipped": len(skipped), "collected": len(collected)}


if __name__ == "__main__":
    print(json.dumps(walk(pathlib.Path(sys.argv[1])), sort_keys=True))
