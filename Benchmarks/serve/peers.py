"""The services that retrieval is measured against: FastAPI with numpy, and Chroma's server.

All get ready vectors, so none embeds the question, and none ranks: they find the 10 nearest of the same vectors and return
their texts. FastAPI has two workers with one BLAS thread each, once with uvicorn as `pip install uvicorn` brings it, and
once with the faster event loop and parser of `uvicorn[standard]`. Chroma has its own settings.
"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

APP = '''
import numpy, pathlib, json
from fastapi import FastAPI
from pydantic import BaseModel

folder = pathlib.Path(__file__).parent
vectors = numpy.load(folder / "vectors.npy")
rows = json.loads((folder / "rows.json").read_text())
app = FastAPI()


class Query(BaseModel):
    vector: list[float]
    k: int = 10


@app.post("/search")
def search(query: Query):
    scores = vectors @ numpy.asarray(query.vector, dtype=numpy.float32)
    best = numpy.argpartition(-scores, query.k)[:query.k]
    best = best[numpy.argsort(-scores[best])]
    return {"data": [{"id": rows[i][0], "text": rows[i][1], "score": float(scores[i])} for i in best]}
'''


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


class Peer:
    """A server process; `url` takes searches, with the bodies of `bodies`."""

    def __init__(self, name, command, folder, ready, environment=None):
        self.name = name
        self.output = open(folder / f"{name.split()[0]}.log", "w")
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=self.output, stderr=self.output, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})}, start_new_session=True)
        end = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(ready, timeout=5).read()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, pathlib.Path(self.output.name).read_text()
                time.sleep(0.2)

    def stop(self):
        # Its workers are processes of its own session.
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(60)

    def once(self, body):
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def fastapi(folder, rows, vectors, name="FastAPI with numpy", options=("--loop", "asyncio", "--http", "h11")):
    """FastAPI with numpy, a worker for each of two cores."""
    import numpy

    folder.mkdir()
    numpy.save(folder / "vectors.npy", vectors)
    (folder / "rows.json").write_text(json.dumps(rows))
    (folder / "app.py").write_text(APP)
    port = free_port()
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    peer = Peer(name, [
        sys.executable, "-m", "uvicorn", "app:app", "--workers", "2", "--port", str(port), "--log-level", "warning",
        "--no-access-log", *options], folder, f"http://127.0.0.1:{port}/openapi.json", one)
    peer.url = f"http://127.0.0.1:{port}/search"
    peer.body = lambda vector: json.dumps({"vector": vector}).encode()
    peer.found = lambda answer: [row["id"] for row in answer["data"]]
    return peer


def fastapi_standard(folder, rows, vectors):
    """The same with `uvicorn[standard]`."""
    return fastapi(folder, rows, vectors, "FastAPI with numpy, uvicorn[standard]", ("--loop", "uvloop", "--http", "httptools"))


def chroma(folder, rows, vectors):
    """Chroma's server, as PyPI brings it."""
    import chromadb

    folder.mkdir()
    port = free_port()
    binary = pathlib.Path(sys.executable).parent / "chroma"
    peer = Peer("Chroma", [binary, "run", "--path", folder / "data", "--port", str(port)], folder,
                f"http://127.0.0.1:{port}/api/v2/heartbeat", {"ANONYMIZED_TELEMETRY": "False"})
    client = chromadb.HttpClient(host="127.0.0.1", port=port)
    collection = client.create_collection("manual", embedding_function=None, metadata={"hnsw:space": "cosine"})
    for start in range(0, len(rows), 2000):
        part = rows[start:start + 2000]
        collection.add(ids=[key for key, _ in part], documents=[text for _, text in part],
                       embeddings=vectors[start:start + 2000].tolist())
    peer.url = (f"http://127.0.0.1:{port}/api/v2/tenants/default_tenant/databases/default_database/collections/"
                f"{collection.id}/query")
    peer.body = lambda vector: json.dumps({
        "query_embeddings": [vector], "n_results": 10, "include": ["documents", "distances"]}).encode()
    peer.found = lambda answer: answer["ids"][0]
    return peer
