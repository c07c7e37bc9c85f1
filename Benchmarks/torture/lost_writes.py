"""Cuts the power: replays what a command wrote, and leaves out or tears what was not synced by then.

Of every moment between two calls, each state is tried in which at most two of the operations that were not synced are
lost while all others are there, in which at most two are there while all others are lost, and in which one is there in
part. States that are the same, byte for byte, are tried once. On a usual file system all of them, and on every sort of
file system those of `put` and `promote`; else a share.
"""

import hashlib
import os

from disk import Recording
from faults import Fault, examine, sweep
from tools import VARIANTS

WHOLE = {"put", "promote"}
SHARE = 0.15


class PowerCut(Fault):
    """A state that a power cut may leave, after so many steps of a recording."""

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
        # Whether the command had told of its success.
        self.is_told = any(step.tells for step in recording.steps[:end])

    @property
    def name(self):
        return super().name.replace(" ", "-")

    def tree(self):
        return self.recording.tree(self.end, self.lost, self.parts)

    def strike(self, sandbox):
        """Puts the state into a sandbox."""
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
    """The name of the file in which a client remembers the repository in a place."""
    return hashlib.sha256(os.path.realpath(f"{place}/.fti").encode()).hexdigest()[:32] + ".seen"


def rehomed(path, recorded, place):
    """A path as it is where a state is put: what a client remembers is named after the place."""
    folder, name = os.path.split(path)
    return os.path.join(folder, memory(place) if name == memory(recorded) else name)


def digest(tree):
    """A number that trees which are the same have in common, within one process."""
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
        raise RuntimeError(f"{scenario.name} ({variant}): the replay of its writes is not what it wrote")
    sandbox.remove()
    seen = set()
    # From the end: a state that may also be left later is the later one, when the success was told.
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
    """Every scenario, every variant of a file system, every state; in short a few of the two that matter most."""
    def chosen(scenario, variant):
        if context.short and (variant != "plain" or scenario.name not in WHOLE):
            return
        for cut in points(scenario, variant):
            # They are few.
            cut.share *= 10 if context.short else 1
            yield cut

    return sweep(context, "lost writes", chosen, judge)
