"""Makes each write-like call of each command fail, once or from then on, and shortens writes.

A command that fails must print one line, exit with 74 and change nothing; if the outcome is unknown, it must say so. A
failure of a call that only saves time may go unnoticed. An interrupted call or a short write is not a failure.
"""

import errno

from faults import Fault, debris, examine, sweep
from tools import VARIANTS

WRITES = {"write", "pwrite"}
NAMES = {"linkat", "renameat", "renameat2", "link", "rename", "mkdirat", "mkdir"}
# The errors of a write-like call on a local disk or a network file system.
ONCE = ["ENOSPC", "EIO", "EINTR", "EDQUOT"]
FOREVER = ["ENOSPC", "EIO", "EROFS"]
# The errors of a call that took effect but whose reply was lost.
LOST = ["EIO", "EEXIST", "ENOENT"]
# The words of messages that admit an unknown outcome.
UNKNOWN = (b"may have been committed", b"may not survive a power cut", b"standard output", b"standard error")


# The most common faults are tried at every call of every command, the others at a share of the calls.
ALWAYS = {"ENOSPC", "ENOSPC-forever", "EIO", "short"}
SHARE = 0.15


def points(scenario, variant):
    for call in scenario.calls(*VARIANTS[variant]):
        modes = [(name, f"error={getattr(errno, name)}", False) for name in ONCE]
        modes += [(f"{name}-forever", f"error={getattr(errno, name)}", True) for name in FOREVER]
        if call.name in WRITES:
            modes.append(("short", "short", False))
            modes.append(("short-forever", "short", True))
        if call.name in NAMES:
            modes += [(f"{name}-lost", f"lost={getattr(errno, name)}", False) for name in LOST]
        for mode, action, forever in modes:
            share = 1 if variant == "plain" and mode in ALWAYS else SHARE
            yield Fault(scenario, variant, call, mode, action, forever, share)


def judge(fault, sandbox):
    outcome = fault.strike(sandbox)
    if outcome is None:
        return None
    harmless = fault.mode.startswith("short") or (fault.mode == "EINTR" and fault.call.name != "fsync")
    if outcome.status == 0:
        problems = examine(fault, sandbox, must_be_new=True)
    elif outcome.status != 74:
        return [f"{outcome}; expected exit 0 or 74"]
    elif harmless:
        return [f"{outcome}; this fault must not make it fail"]
    else:
        problems = objections_to_message(outcome.error)
        unfinished, _ = debris(sandbox) if sandbox.repository.exists() else ([], [])
        # A command cannot clean up if the fault hides the file or makes its removal fail.
        if unfinished and not fault.forever and fault.call.name not in ("unlinkat", "renameat", "linkat") \
                and not fault.action.startswith("lost"):
            problems.append(f"unfinished files remain: {unfinished}")
        problems += examine(
            fault, sandbox,
            must_be_old=not fault.scenario.in_steps and not any(words in outcome.error for words in UNKNOWN))
    return problems


def objections_to_message(error):
    lines = error.decode(errors="replace").splitlines()
    while lines and lines[0].startswith(("note: ", "warning: ")):
        del lines[0]
    if not lines or not lines[0].startswith("error: "):
        return [f"no error message: {lines}"]
    if len(lines) > 2 or (len(lines) == 2 and not lines[1].startswith("  try: ")):
        return [f"more than an error and a hint: {lines}"]
    return []


def run(context):
    """Every call of every scenario, with all common errors and a share of the others."""
    return sweep(context, "errors", points, judge)
