"""Simulates power cuts: replays the writes of a command, and drops or tears those that were not synced yet.

At every moment between two calls, it tries each state in which at most two unsynced operations are lost, at most two
survive, or one survives in part. Identical states are tried once. It tries all states on an ordinary file system, those
of `put` and `promote` on every variant, and a share of the others.
"""

import hashlib
import os

from disk import Recording
from faults import Fault, examine, sweep
from tools import VARIANTS

WHOLE = {"put", "promote"}
SHARE = 0.15


class PowerCut(Fault):
    """A state that a power cut after `end` steps of a recording may leave."""

    def __init__(self, scenario, variant, recording, end, lost, parts):
        pending = set(recording.pending(end))
        kept = pending - lost
        mode = "nothing is lost"
        if parts:
            mode = "".join(f"{part} {recording.steps[index].call.number}" for index, part in parts.items())
        elif lost:
            sort, which = ("lost", lost) if len(lost) <= len(kept) else ("kept", kept)
            mode = " ".join([sort, *(str(recording.steps[index].call.number) for index in sorted(which))])
        share = 1 if variant == "plain" or scenario.name in WHOLE else SHARE
        super().__init__(scenario, variant, recording.steps[max(0, end - 1)].call, mode, share=share)
        self.recording, self.end, self.lost, self.parts = recording, end, lost, parts
        # Whether the command had reported success by then.
        self.is_told = any(step.tells for step in recording.steps[:end])

    @property
    def name(self):
        return super().name.replace(" ", "-")

    def tree(self):
        return self.recording.tree(self.end, self.lost, self.parts)

    def strike(self, sandbox):
        """Writes the state into a sandbox."""
        place = sandbox.directory
        sandbox.remove()
        for path, inode in sorted(self.tree().items()):
            target = place / rehomed(path, self.recording.root, place)
            if inode.names is not None:
                target.mkdir(mode=inode.mode & 0o777)
            else:
                target.write_bytes(inode.data)
                target.chmod(inode.mode & 0o777)


def memory(place):
    """The name of the file in which a client remembers the repository at `place`."""
    return hashlib.sha256(os.path.realpath(f"{place}/.fti").encode()).hexdigest()[:32] + ".seen"


def rehomed(path, recorded, place):
    """A recorded path, adapted to the sandbox at `place`: the client's memory file is named after its location."""
    folder, name = os.path.split(path)
    return os.path.join(folder, memory(place) if name == memory(recorded) else name)


def digest(tree):
    """A hash of a tree, comparable within one process."""
    return hash(tuple(sorted((path, inode.mode, inode.data or b"") for path, inode in tree.items())))


def points(scenario, variant):
    sandbox = scenario.template.copy(f"{scenario.name}-{variant}-recorded")
    recording = Recording(sandbox.directory)
    outcome, calls = sandbox.recorded(scenario.words, *VARIANTS[variant], "-d")
    if outcome.status != 0:
        raise RuntimeError(f"{scenario.name} ({variant}): {outcome}")
    recording.follow(calls)
    complete = recording.tree(len(recording.steps), frozenset(), {})
    if digest(complete) != digest(Recording(sandbox.directory).tree(0, frozenset(), {})):
        raise RuntimeError(f"{scenario.name} ({variant}): the replayed writes differ from the files it wrote")
    sandbox.remove()
    seen = set()
    # Start from the end: if cuts at several moments leave the same state, keep the latest, which may follow a
    # report of success.
    for end in reversed(range(len(recording.steps) + 1)):
        for lost, parts in recording.cuts(end):
            cut = PowerCut(scenario, variant, recording, end, lost, parts)
            key = digest(cut.tree())
            if key not in seen:
                seen.add(key)
                yield cut


def judge(cut, sandbox):
    cut.strike(sandbox)
    return examine(cut, sandbox, must_be_new=cut.is_told)


def run(context):
    """Every state of every scenario on every file system variant; with --short, a few of `put` and `promote`."""
    def chosen(scenario, variant):
        if context.short and (variant != "plain" or scenario.name not in WHOLE):
            return
        for cut in points(scenario, variant):
            # Only two scenarios are left, so try more of their states.
            cut.share *= 10 if context.short else 1
            yield cut

    return sweep(context, "lost writes", chosen, judge)
