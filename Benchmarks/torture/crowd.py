"""Many concurrent writers, some of them killed at random: no update is lost, and no writer starves.

Each writer goes on until enough of its commands have reported success; the outcome of a killed command is unknown. At
the end, the log must contain each reported success once; every other transaction must come from a killed command; and
every version of a ref must follow the previous one.
"""

import json
import multiprocessing
import random
import signal
import subprocess
import time

from faults import Tally
from invariants import debris, walk

WRITERS, TRANSACTIONS = 64, 50
# The share of commands that are killed, and the latest moment, in seconds after their start.
KILLED, LATEST = 0.1, 0.4
# No command may take longer, in seconds, however many others run.
PATIENCE = 5


def write(sandbox, number, ref, transactions, seed, results):
    """One writer: reports its successes, its killed commands, its longest wait, its conflicts and its problems."""
    chance = random.Random(f"{seed} {number}")
    told, unknown, problems, conflicts, longest, attempt = [], [], [], 0, 0.0, 0
    sandbox.write(f"writer-{number}/file", "")
    while len(told) < transactions and not problems:
        attempt += 1
        message = f"{number} {attempt}"
        sandbox.write(f"writer-{number}/file", f"{message}\n")
        began = time.monotonic()
        process = subprocess.Popen(
            [sandbox.tools.ftictl, "put", ref, f"writer-{number}/file", "-m", message], cwd=sandbox.directory,
            env=sandbox.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        is_killed = chance.random() < KILLED
        if is_killed:
            time.sleep(chance.random() * LATEST)
            process.send_signal(signal.SIGKILL)
        _, error = process.communicate()
        if process.returncode == -signal.SIGKILL:
            unknown.append(message)
            continue
        longest = max(longest, time.monotonic() - began)
        if process.returncode == 0:
            told.append(message)
        elif process.returncode == 3:
            conflicts += 1
        else:
            problems.append(f"put {ref}: exit {process.returncode}: {error.decode(errors='replace').strip()}")
    results.put((number, told, unknown, longest, conflicts, problems))


def objections(sandbox, refs, told, unknown):
    """The problems of the history that the writers made."""
    problems, seen = [], []
    for ref in refs:
        log = sandbox.json("log", ref, "-n", str(2 * len(told) + len(unknown) + 1))
        for newer, older in zip(log, log[1:]):
            if newer["previous"] != older["id"]:
                problems.append(f"{ref}: {newer['id'][:12]} does not follow {older['id'][:12]}")
        seen += [version["message"] for version in log]
        for number in {message.split()[0] for message in seen}:
            own = [int(v["message"].split()[1]) for v in log if v["message"].split()[0] == number]
            if own != sorted(own, reverse=True):
                problems.append(f"{ref}: transactions of writer {number} are out of order")
    if len(seen) != len(set(seen)):
        problems.append("a transaction occurs twice")
    if lost := set(told) - set(seen):
        problems.append(f"{len(lost)} updates are lost, such as {min(lost)}")
    if foreign := set(seen) - set(told) - set(unknown):
        problems.append(f"{len(foreign)} transactions belong to no writer, such as {min(foreign)}")
    numbers = [entry["transaction"] for entry in sandbox.json("reflog", "-n", "1000000")]
    if numbers != list(range(numbers[0], numbers[0] - len(numbers), -1)) or numbers[-1] != 0:
        problems.append("the transaction numbers have a gap or do not start at 0")
    return problems


def crowd(context, title, refs_of, tally):
    """Runs one crowd; `refs_of` returns the ref of a writer."""
    sandbox = context.tools.sandbox(f"crowd-{title}".replace(" ", "-"))
    sandbox.must("init")
    count = WRITERS // 4 if context.short else WRITERS
    transactions = max(3, round(TRANSACTIONS * context.share * (0.6 if context.short else 1)))
    results = multiprocessing.get_context("fork").Queue()
    writers = [
        multiprocessing.get_context("fork").Process(
            target=write, args=(sandbox, n, refs_of(n), transactions, f"{title} {context.seed}", results))
        for n in range(count)]
    began = time.monotonic()
    for writer in writers:
        writer.start()
    told, unknown, problems, longest, conflicts = [], [], [], 0.0, 0
    for _ in writers:
        number, own, killed, wait, lost, found = results.get(timeout=1800)
        told += own
        unknown += killed
        problems += found
        conflicts += lost
        longest = max(longest, wait)
        tally.counts[title] += len(own)
        tally.counts[f"killed, {title}"] += len(killed)
        context.progress(tally)
    for writer in writers:
        writer.join()
    taken = time.monotonic() - began
    problems += objections(sandbox, sorted({refs_of(n) for n in range(count)}), told, unknown)
    if longest > PATIENCE:
        problems.append(f"a command took {longest:.1f} s")
    problems += walk(sandbox.repository)[1]
    outcome = sandbox.run("verify", "--full")
    if outcome.status != 0:
        problems.append(f"verify --full: {outcome}")
    _, strange = debris(sandbox)
    if strange:
        problems.append(f"unknown files: {strange[:4]}")
    tally.violations += [
        f"{title}: {problem}\n    reproduce: --only crowds --seed {context.seed} --share {context.share}"
        for problem in problems]
    tally.notes.append(
        f"{title}: {count} writers, {len(told):,} transactions in {taken:.0f} s, {len(unknown)} killed, "
        f"{conflicts:,} conflicts, longest wait {longest:.2f} s")
    if not (context.keep and problems):
        sandbox.remove()


def run(context):
    """One crowd on a single ref, and one with a ref for each writer."""
    tally = Tally("crowds")
    crowd(context, "one ref", lambda number: "models/shared", tally)
    crowd(context, "many refs", lambda number: f"models/writer-{number}", tally)
    return tally
