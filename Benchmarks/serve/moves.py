"""Moves the served release many times under load, and measures how soon the new version answers.

    FTI_BIN=.build/release python moves.py [--moves N] [--rate N]

Exits with 1 if a request failed, an answer mixed two versions, or a version took longer than a second to come into service.
"""
import argparse
import os
import statistics
import sys
import time

from asking import NAME, Asking, hashes, learn
from corpus import ServeBench


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--rate", type=float, default=100, help="requests a second")
    parser.add_argument("--limit", type=float, default=1, help="seconds until a version must be in service")
    arguments = parser.parse_args()
    with ServeBench() as bench:
        service = bench.serve(bench.generator(), poll="500ms")
        expected = learn(bench, service)
        order = [bench.resolve(f"releases/{name}") for name in "ba"]
        asking = Asking(service, expected, bench.questions(16), arguments.rate, kinds=("search", "search", "search", "chat"))
        times = []
        try:
            for number in range(arguments.moves):
                release = order[number % 2]
                bench.run("ftictl", "move", NAME, release)
                moved = time.monotonic()
                while hashes(service)["release"] != release:
                    assert service.is_running and time.monotonic() < moved + 60, service.output[-2000:]
                    time.sleep(0.01)
                times.append(time.monotonic() - moved)
        finally:
            asking.stop()
        failed = asking.count - asking.statuses[200] + len(asking.lost)
        # A poll of 500 ms is part of it.
        times.sort()
        late = times[int(0.99 * len(times))]
        print(f"{len(times)} moves under {asking.count} requests: {failed} failed, {len(asking.mixed)} mixed "
              f"{asking.mixed[:1] or ''}{dict(asking.reasons) or ''}{asking.lost[:2] or ''}")
        print(f"in service after {statistics.median(times):.2f} s (median), {late:.2f} s (p99), {times[-1]:.2f} s at most; "
              f"requests p50 {asking.percentile(0.5):.1f} ms, p99 {asking.percentile(0.99):.1f} ms; "
              f"load {os.getloadavg()[0]:.1f}")
        print("answers by release: " + ", ".join(f"{name[:8]} {count}" for name, count in asking.seen.items()))
        sys.exit(1 if failed or asking.mixed or late > arguments.limit else 0)


if __name__ == "__main__":
    main()
