"""Runs half_open.py against the service with 10,000 chunks: 2,000 half-open connections from 40 addresses for a minute.

    FTI_BIN=.build/release python attacked.py [--seconds N]

Exits with 1 if the other clients' p99 more than doubles, or the service takes 512 MiB or more.
"""
import argparse
import pathlib
import re
import subprocess
import sys

from corpus import ServeBench


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    with ServeBench() as bench:
        service = bench.serve()
        done = subprocess.run(
            [sys.executable, pathlib.Path(__file__).with_name("half_open.py"), service.url + "/v1/models",
             "--post", "/v1/embeddings", "--pid", str(service.process.pid), "--seconds", str(arguments.seconds)],
            stdout=subprocess.PIPE, text=True, check=True)
        print(done.stdout, end="")
        times = float(re.search(r"p99 is ([\d.]+) times", done.stdout).group(1))
        memory = float(re.search(r"memory at most (\d+) MiB", done.stdout).group(1))
        failed = re.search(r"meanwhile: \d+ requests, (\d+) failed", done.stdout).group(1)
        assert service.is_running, service.output[-2000:]
        sys.exit(1 if times > 2 or memory >= 512 or failed != "0" else 0)


if __name__ == "__main__":
    main()
