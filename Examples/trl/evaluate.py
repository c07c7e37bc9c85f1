"""Measures the answers of a running service against answers written by hand: token F1, as SQuAD counts it.

usage: evaluate.py ask URL QUESTIONS -o ANSWERS      asks the service all questions; writes one JSON line for each
       evaluate.py compare NAME=ANSWERS...           prints a table; the differences are to the first
       evaluate.py compare --beats SECOND NAME=...   and exits with 1 unless SECOND is surely better than the first

QUESTIONS are lines with `id`, `question` and `answer`. An interval holds 95 % of 10,000 resamples of the questions. A
difference is paired: each resample takes the same questions from both.
"""

import argparse
import json
import random
import re
import string
import sys
import time
import urllib.request
from collections import Counter

RESAMPLES = 10_000


def tokens(text: str) -> list[str]:
    """The words of an answer under the normalization of SQuAD: lower case, no punctuation, no articles."""
    text = "".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def f1(answer: str, expected: str) -> float:
    """The harmonic mean of the shares of words that the two have in common."""
    found, wanted = tokens(answer), tokens(expected)
    shared = sum((Counter(found) & Counter(wanted)).values())
    return 2 * shared / (len(found) + len(wanted)) if shared else 0.0


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def interval(values: list[float]) -> tuple[float, float]:
    """The bootstrap interval of the mean, from a fixed seed."""
    draw = random.Random(7)
    means = sorted(mean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[int(RESAMPLES * 0.025)], means[int(RESAMPLES * 0.975) - 1]


def lines(path: str) -> list[dict]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def fetch(url: str, body: dict | None = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=900) as response:
        return json.load(response)


def wait(url: str, seconds: int = 600) -> None:
    """Waits until the service is ready: when it starts, it asks its language model for the answers of the canary."""
    end = time.monotonic() + seconds
    while True:
        try:
            return urllib.request.urlopen(f"{url}/readyz", timeout=30).close()
        except OSError as error:
            if time.monotonic() > end:
                sys.exit(f"evaluate: {url} is not ready: {error}")
            time.sleep(0.5)


def ask(url: str, questions: str, output: str) -> None:
    wait(url)
    model = fetch(f"{url}/v1/models")["data"][0]["id"]
    with open(output, "w", encoding="utf-8") as file:
        for row in lines(questions):
            messages = [{"role": "user", "content": row["question"]}]
            record = fetch(f"{url}/v1/chat/completions", {"model": model, "messages": messages})["fti"]
            if not record["verified"]:
                sys.exit("evaluate: the service does not know which model answers; bind a canary to the release")
            print(json.dumps({
                "id": row["id"], "question": row["question"], "expected": row["answer"], "answer": record["answer"],
                "f1": round(f1(record["answer"], row["answer"]), 4), "release": record["release"],
                "generator": record["generator"]["snapshot"]}, ensure_ascii=False), file=file, flush=True)


def compare(named: list[str], beats: str | None) -> None:
    scores: dict[str, dict[str, float]] = {}
    for argument in named:
        name, _, path = argument.partition("=")
        scores[name] = {row["id"]: row["f1"] for row in lines(path)}
    first, *others = scores
    if any(set(scores[name]) != set(scores[first]) for name in others):
        sys.exit("evaluate: the files answer different questions")
    print(f"{len(scores[first])} questions, 95 % intervals\n")
    print(f"{'':8}{'token F1':>24}{f'above {first}':>26}")
    better = {}
    for name, by_id in scores.items():
        low, high = interval(list(by_id.values()))
        line = f"{name:8}{mean(list(by_id.values())):8.3f} [{low:.3f}, {high:.3f}]"
        if name != first:
            differences = [by_id[key] - scores[first][key] for key in by_id]
            low, high = interval(differences)
            line += f"{mean(differences):+10.3f} [{low:+.3f}, {high:+.3f}]"
            better[name] = low > 0
        print(line)
    if beats and not better[beats]:
        sys.exit(f"evaluate: {beats} is not surely better than {first}")


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__.replace("%", "%%"))
    commands = parser.add_subparsers(dest="command", required=True)
    asking = commands.add_parser("ask")
    asking.add_argument("url")
    asking.add_argument("questions")
    asking.add_argument("-o", "--output", required=True)
    comparing = commands.add_parser("compare")
    comparing.add_argument("answers", nargs="+")
    comparing.add_argument("--beats")
    options = parser.parse_args()
    if options.command == "ask":
        ask(options.url, options.questions, options.output)
    else:
        compare(options.answers, options.beats)


if __name__ == "__main__":
    main()
