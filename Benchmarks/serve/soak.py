"""Runs the service for minutes: requests at a rate, a move every ten seconds, a language model that fails, `gc` beside it.

    FTI_BIN=.build/release python soak.py [--minutes N] [--rate N]

Exits with 1 if a request was neither answered nor refused with a reason, an answer mixed two versions, or memory grew.
"""
import argparse
import os
import re
import sys
import time

from asking import NAME, Asking, learn
from corpus import ServeBench


def memory(service):
    """The resident memory without mapped files, in MiB, and the number of open files."""
    with open(f"/proc/{service.process.pid}/status") as file:
        size = int(re.search(r"RssAnon:\s+(\d+)", file.read()).group(1)) / 1024
    return size, len(os.listdir(f"/proc/{service.process.pid}/fd"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=100, help="requests a second")
    parser.add_argument("--pause", type=float, default=10, help="seconds between moves")
    arguments = parser.parse_args()
    with ServeBench() as bench:
        generator = bench.generator()
        service = bench.serve(generator, poll="500ms", engine={"retries": 0}, answers={"keep": 1000},
                              feedback={"folder": "feedback"})
        expected = learn(bench, service)
        order = [bench.resolve(f"releases/{name}") for name in "ba"]
        generator.behave(mode="refuse", status=500, body={"error": {"message": "out of memory"}}, every=10)
        kinds = ("search",) * 6 + ("chat", "embedding", "stream", "search")
        asking = Asking(service, expected, bench.questions(16), arguments.rate, kinds=kinds)
        end = time.monotonic() + arguments.minutes * 60
        samples, moves, collections = [], 0, 0
        try:
            while time.monotonic() < end:
                bench.run("ftictl", "move", NAME, order[moves % 2])
                moves += 1
                if moves % 2:
                    bench.run("ftictl", "gc", "--keep", "0s", "--keep-last", "1", "--grace", "0s")
                    collections += 1
                time.sleep(min(arguments.pause, max(0, end - time.monotonic())))
                samples.append(memory(service))
                print(f"{asking.count} requests, {moves} moves, {samples[-1][0]:.0f} MiB, {samples[-1][1]} open files, "
                      f"{len(asking.lost)} lost, {len(asking.mixed)} mixed", file=sys.stderr, flush=True)
                assert service.is_running, service.output[-2000:]
        finally:
            asking.stop()
        statuses = ", ".join(f"{count} with {status}" for status, count in sorted(asking.statuses.items()))
        print(f"{asking.count} requests in {arguments.minutes:.0f} minutes, {moves} moves, {collections} collections: "
              f"{statuses}; {len(asking.lost)} lost {asking.lost[:2] or ''}, {len(asking.mixed)} mixed")
        print(f"refused: {dict(asking.reasons)}")
        print(f"p50 {asking.percentile(0.5):.1f} ms, p99 {asking.percentile(0.99):.1f} ms; load {os.getloadavg()[0]:.1f}")
        # Caches fill at first: the second fifth is what the last one is compared with.
        fifth = max(1, len(samples) // 5)
        early, late = max(samples[fifth:2 * fifth] or samples), max(samples[-fifth:])
        print(f"memory without mapped files: {early[0]:.0f} MiB early, {late[0]:.0f} MiB late; "
              f"open files {early[1]}, {late[1]}")
        unexplained = [reason for reason in asking.reasons if reason.endswith("None")]
        failed = asking.lost or asking.mixed or unexplained or late[0] > 1.1 * early[0] + 8
        sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
