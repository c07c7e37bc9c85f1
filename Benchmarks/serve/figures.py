"""Measures `fti-inference serve`: latencies, rates beside other servers, and what an answer costs beside the language model.

    FTI_BIN=.build/release python figures.py [--only retrieval,peers,chat] [--rounds N]

Prints a table, and exits with 1 if a figure misses its limit. The limits hold for a machine of two cores that does nothing
else; `load` is what else ran, as the average number of processes in the last minute.
"""
import argparse
import http.client
import json
import os
import statistics
import sys
import time

from corpus import ServeBench
from load import ask
from peers import chroma, fastapi, fastapi_standard

NAME = "releases/prod"


class Report:
    def __init__(self):
        self.missed = 0

    def row(self, what, value, limit, holds):
        self.missed += not holds
        print(f"| {what} | {value} | {limit} | {'' if holds else 'MISSED'} |", flush=True)


def vectors_of(service, texts, kind):
    """The vectors of texts, by the service's own endpoint."""
    import numpy

    found = []
    for start in range(0, len(texts), 500):
        answer = service.client().embeddings.create(
            model=NAME, input=texts[start:start + 500], extra_body={"input_type": kind})
        found += [item.embedding for item in answer.data]
    return numpy.array(found, dtype=numpy.float32)


def search_body(question):
    return json.dumps({"query": question, "max_num_results": 10}).encode()


def retrieval(bench, report, rounds):
    """The peak, and latencies at half of it."""
    service = bench.serve()
    url = f"{service.url}/v1/vector_stores/releases%2Fprod/search"
    bodies = [search_body(question) for question in bench.questions(4)]
    peaks, halves = [], []
    for _ in range(rounds):
        peaks.append(ask(url, service.process.pid, bodies, clients=16, seconds=4))
        halves.append(ask(url, service.process.pid, bodies, clients=8, seconds=5, rate=peaks[-1].rate / 2))
    failed = sum(load.failed for load in peaks + halves)
    rate = statistics.median(load.rate for load in peaks)
    middle, tail = (statistics.median(load.percentile(part) for load in halves) for part in (0.5, 0.99))
    processor = statistics.median(load.processor for load in peaks)
    report.row("peak retrieval requests a second", f"{rate:.0f}, {processor:.2f} ms of a processor each", "", failed == 0)
    report.row("retrieval at half of peak, p50", f"{middle:.2f} ms", "3 ms", middle <= 3)
    report.row("retrieval at half of peak, p99", f"{tail:.2f} ms", "10 ms", tail <= 10)
    service.kill()


def peers(bench, report, rounds):
    """Peak rates side by side: every round measures each server."""
    service = bench.serve()
    rows = bench.rows()
    questions = bench.questions(4)
    vectors = vectors_of(service, [text for _, text in rows], "document")
    asked = vectors_of(service, questions, "query").tolist()
    others = [make(bench.folder / make.__name__, rows, vectors) for make in (fastapi, chroma, fastapi_standard)]
    try:
        found = [[other.found(other.once(other.body(vector))) for vector in asked] for other in others]
        same = sum(len(set(a) & set(b)) for a, b in zip(found[0], found[1])) / sum(map(len, found[0]))
        print(f"Chroma finds {same:.0%} of the 10 nearest chunks that numpy finds", file=sys.stderr)
        url = f"{service.url}/v1/vector_stores/releases%2Fprod/search"
        rates = {"fti": [], **{other.name: [] for other in others}}
        costs = {name: [] for name in rates}
        for _ in range(rounds):
            loads = [("fti", ask(url, service.process.pid, [search_body(question) for question in questions], clients=16, seconds=4))]
            loads += [(other.name, ask(other.url, other.process.pid, [other.body(vector) for vector in asked], clients=16, seconds=4))
                      for other in others]
            for name, load in loads:
                assert load.failed == 0, f"{name}: {load.failed} failed"
                rates[name].append(load.rate)
                costs[name].append(load.processor)
        ours = statistics.median(rates["fti"])
        cost = {name: statistics.median(values) for name, values in costs.items()}
        report.row("fti, embedding the question, ranked: requests a second",
                   f"{ours:.0f}, {cost['fti']:.2f} ms of a processor each", "", True)
        for other in others:
            rate = statistics.median(rates[other.name])
            report.row(f"{other.name}, ready vector: requests a second",
                       f"{rate:.0f}, {cost[other.name]:.2f} ms of a processor each", "", True)
            limit = "" if "standard" in other.name else "5 times"
            report.row(f"fti against {other.name}", f"{ours / rate:.1f} times", limit, not limit or ours >= 5 * rate)
    finally:
        for other in others:
            other.stop()
        service.kill()


def timed(connection, path, body):
    """The seconds of one request on a connection that stays open."""
    start = time.perf_counter()
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    return time.perf_counter() - start


def chat(bench, report, rounds):
    """What the service adds to the answer of a language model that answers at once."""
    generator = bench.generator()
    service = bench.serve(generator)
    service_connection = http.client.HTTPConnection("127.0.0.1", service.port)
    generator_connection = http.client.HTTPConnection("127.0.0.1", generator.port)
    added = []
    for question in bench.questions(20):
        body = json.dumps({"model": NAME, "messages": [{"role": "user", "content": question}]})
        timed(service_connection, "/v1/chat/completions", body)
        # The very request that the service sent, so that both answers are the same work for the language model.
        sent = json.dumps(generator.counts["last"])
        for _ in range(10 * rounds):
            whole = timed(service_connection, "/v1/chat/completions", body)
            added.append(whole - timed(generator_connection, "/v1/chat/completions", sent))
    middle = statistics.median(added) * 1000
    report.row("added by the service to one chat answer, p50", f"{middle:.2f} ms", "5 ms", middle <= 5)
    service.kill()


def main():
    parts = {"retrieval": retrieval, "peers": peers, "chat": chat}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(parts), help="parts, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    report = Report()
    print(f"load {os.getloadavg()[0]:.1f}\n\n| what | figure | limit | |\n|---|---|---|---|", flush=True)
    for name in arguments.only.split(","):
        with ServeBench() as bench:
            parts[name](bench, report, arguments.rounds)
    print(f"\nload {os.getloadavg()[0]:.1f}")
    sys.exit(1 if report.missed else 0)


if __name__ == "__main__":
    main()
