#!/usr/bin/env python3
"""Asks a question, and writes the record of the answer as a service would.

usage: example-answer.py REPOSITORY > answer.json, with fti-inference on the path
"""
import hashlib
import json
import pathlib
import subprocess
import sys

QUESTION = "At what temperature does the frost alarm go off by default?"
NAMED = ["key", "document", "title", "section", "headings", "text", "score", "similarity", "url"]

repository = pathlib.Path(sys.argv[1])
reply = json.loads(subprocess.run(
    ["fti-inference", "--repo", repository, "ask", QUESTION, "--release", "releases/prod",
     "--explain", "--json"], check=True, capture_output=True).stdout)
first = json.loads((repository / "log" / f"{0:020}.json").read_text().splitlines()[0])
ranks = {item["key"]: item for item in reply["explanation"]["candidates"]}
passages = []
for number, source in enumerate(reply["sources"], 1):
    passage = {name: source[name] for name in NAMED if name in source}
    found = ranks[source["key"]]
    passage.update(
        number=number, vectorRank=found["vectorRank"], wordsRank=found["wordsRank"],
        attributes={name: value for name, value in source.items() if name not in NAMED})
    # The ordinal is the end of the key; replies leave it out.
    passage["attributes"]["ordinal"] = int(source["key"].rsplit("/", 1)[1])
    passages.append(passage)
quoted = reply["quotedFrom"]
record = {
    "type": "answer", "version": 1,
    "id": "ans-" + hashlib.sha256(reply["question"].encode()).hexdigest()[:32],
    "replica": "example", "time": "2026-08-01T09:30:00.000Z",
    "question": reply["question"], "answered": reply["answered"],
    "answer": reply["answer"] + (f" [{quoted}]" if quoted else ""), "verified": True,
    "citations": {"shown": [quoted] if quoted else [], "removed": 0},
    "passages": passages, "prompt": None, "generator": {"kind": "extractive"},
    "release": reply.get("release"), "features": reply["features"], "ranker": reply["model"],
    "space": reply["space"], "transaction": reply["transaction"], "repository": first["actions"][0]["repository"],
    "where": reply.get("where"), "retrieval": reply["explanation"]["retrieval"],
}
json.dump(record, sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)
print()
