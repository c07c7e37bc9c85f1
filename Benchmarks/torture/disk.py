"""What a disk may hold after a power cut: everything synced, and any subset of the rest.

The rules are those of POSIX, which promises less than any real file system: syncing a file makes its bytes, size and
mode durable, but not its name; syncing a directory makes its names durable, but not the files they refer to. Operations
that were not synced may survive or not, in any combination.
"""

import itertools
import os
import stat

# A write within one sector is atomic; a longer one may survive in part.
SECTOR = 512
# The umask: the permissions that a new file does not get.
MASK = os.umask(0)
os.umask(MASK)


class Inode:
    """A file with its bytes, or a directory with its names."""

    def __init__(self, mode, data=None, names=None):
        self.mode, self.data, self.names = mode, data, names

    def copied(self):
        return Inode(self.mode, self.data, None if self.names is None else dict(self.names))


class Operation:
    """A change that a power cut can undo until all the inodes in `of` are synced."""

    def __init__(self, of):
        self.of = of

    def parts(self):
        """The ways in which it may survive in part."""
        return []


class Write(Operation):
    """Bytes written to a file."""

    def __init__(self, inode, offset, data):
        super().__init__({inode})
        self.inode, self.offset, self.data = inode, offset, data

    def parts(self):
        return ["zeros"] + (["torn"] if len(self.data) > SECTOR else [])

    def apply(self, inodes, part=None):
        file, data = inodes[self.inode], self.data
        if part == "zeros":
            # The file has its new size, but the bytes were never written.
            file.data = file.data.ljust(self.offset + len(data), b"\0")
            return
        if part == "torn":
            data = data[:max(SECTOR, len(data) // 2 // SECTOR * SECTOR)]
        old = file.data.ljust(self.offset, b"\0")
        file.data = old[:self.offset] + data + old[self.offset + len(data):]


class Attributes(Operation):
    """A new size, minimum size or mode of a file."""

    def __init__(self, inode, size=None, least=0, mode=None):
        super().__init__({inode})
        self.inode, self.size, self.least, self.mode = inode, size, least, mode

    def apply(self, inodes, part=None):
        inode = inodes[self.inode]
        if self.mode is not None:
            inode.mode = stat.S_IFMT(inode.mode) | self.mode
            return
        size = self.size if self.size is not None else max(self.least, len(inode.data))
        inode.data = inode.data[:size].ljust(size, b"\0")


class Names(Operation):
    """Directory entries that atomically change to another inode, or to none."""

    def __init__(self, names):
        super().__init__({directory for directory, _ in names})
        self.names = names

    def apply(self, inodes, part=None):
        for (directory, name), inode in self.names.items():
            inodes[directory].names.pop(name, None)
            if inode is not None:
                inodes[directory].names[name] = inode


class Step:
    """The effect of one call: an operation, a sync of an inode, or a report of success."""

    def __init__(self, call, operation=None, synced=None, tells=False):
        self.call, self.operation, self.synced, self.tells = call, operation, synced, tells


class Recording:
    """The changes of a command to a directory, from its traced calls and the bytes it wrote."""

    def __init__(self, root):
        """Records the directory before the command."""
        self.root = str(root)
        # The current inode for each inode number; file systems reuse numbers.
        self.numbers = {}
        # The write position of each descriptor.
        self.positions = {}
        self.before, self.steps = {}, []
        self.top = self._note(self.root)

    def _note(self, path):
        status = os.lstat(path)
        if stat.S_ISDIR(status.st_mode):
            names = {name: self._note(os.path.join(path, name)) for name in os.listdir(path)}
            return self._new(Inode(status.st_mode, names=names))
        with open(path, "rb") as file:
            inode = self._new(Inode(status.st_mode, file.read()))
        self.numbers[status.st_ino] = inode
        return inode

    def _new(self, inode):
        self.before[len(self.before)] = inode
        return len(self.before) - 1

    def follow(self, calls):
        """Replays the calls in order."""
        self.live = {number: inode.copied() for number, inode in self.before.items()}
        for call in calls:
            if call.record.get("result", -1) < 0:
                continue
            step = self._step(call)
            if step is None:
                continue
            if step.operation:
                step.operation.apply(self.live)
            self.steps.append(step)
        return self

    def _make(self, inode):
        number = self._new(inode)
        self.live[number] = inode.copied()
        return number

    def _place(self, path):
        """The directory of a path and the name in it; None for a path outside the root."""
        path = os.path.normpath(path)
        if not path.startswith(self.root + "/"):
            return None
        *parents, name = path[len(self.root) + 1:].split("/")
        inode = self.top
        for parent in parents:
            inode = self.live[inode].names[parent]
        return inode, name

    def _inode(self, file):
        """The inode of a recorded file or directory; None for one outside the root."""
        if not file["directory"]:
            return self.numbers.get(file["inode"])
        if os.path.normpath(file["path"]) == self.root:
            return self.top
        place = self._place(file["path"])
        return place and self.live[place[0]].names[place[1]]

    def _step(self, call):
        record = call.record
        if "file" in record:
            return self._step_of_file(call, record)
        place = self._place(record["path"]["path"])
        if call.name == "openat":
            return self._opened(call, record, place)
        if call.name in ("linkat", "link", "renameat", "renameat2", "rename"):
            target = self._place(record["path2"]["path"])
            inode = self._inode(record["path"])
            if target is None:
                return None
            if call.name in ("linkat", "link"):
                return Step(call, Names({target: inode}))
            return Step(call, Names({place: None, target: inode}))
        if place is None:
            return None
        if call.name in ("mkdirat", "mkdir"):
            mode = record["number2" if call.name == "mkdirat" else "number1"]
            return Step(call, Names({place: self._make(Inode(stat.S_IFDIR | mode & ~MASK, names={}))}))
        if call.name in ("unlinkat", "unlink", "rmdir"):
            return Step(call, Names({place: None}))
        raise ValueError(f"it is not known what a power cut does to {call}")

    def _step_of_file(self, call, record):
        if call.name == "write" and record["file"]["fd"] == 1:
            return Step(call, tells=True)
        inode = self._inode(record["file"])
        if inode is None or call.name == "sync_file_range":
            return None
        if call.name in ("fsync", "fdatasync"):
            return Step(call, synced=inode)
        if call.name in ("pwrite", "write"):
            number, offset = record["file"]["fd"], record.get("offset")
            if offset is None:
                offset = self.positions[number]
                self.positions[number] += record["result"]
            return Step(call, Write(inode, offset, bytes.fromhex(record["data"])[:record["result"]]))
        if call.name == "ftruncate":
            return Step(call, Attributes(inode, size=record["number1"]))
        if call.name == "fallocate":
            return Step(call, Attributes(inode, least=record["number2"] + record["number3"]))
        if call.name == "fchmod":
            return Step(call, Attributes(inode, mode=record["number1"]))
        raise ValueError(f"it is not known what a power cut does to {call}")

    def _opened(self, call, record, place):
        opened = record["opened"]
        self.positions[opened["fd"]] = 0
        # For a file without a name (O_TMPFILE), the path is the directory.
        is_nameless = record["path"]["directory"]
        if is_nameless and self._inode(record["path"]) is None:
            return None
        if not is_nameless and (place is None or record["path"]["inode"] != 0):
            return None
        self.numbers[opened["inode"]] = self._make(Inode(stat.S_IFREG | record["number3"] & ~MASK, b""))
        return None if is_nameless else Step(call, Names({place: self.numbers[opened["inode"]]}))

    def pending(self, end):
        """The steps before `end` that a power cut at that moment may undo."""
        synced, result = {}, []
        for index in reversed(range(end)):
            step = self.steps[index]
            if step.synced is not None:
                synced[step.synced] = index
            elif step.operation and not step.operation.of <= synced.keys():
                result.append(index)
        return result[::-1]

    def cuts(self, end):
        """The states that a power cut after `end` steps may leave, if at most two operations differ in fate from all
        the others. Yields the set of lost steps, and the steps that survive in part."""
        pending = self.pending(end)
        for count in range(3):
            for chosen in itertools.combinations(pending, count):
                yield frozenset(chosen), {}
                yield frozenset(pending) - frozenset(chosen), {}
        for index in pending:
            for part in self.steps[index].operation.parts():
                yield frozenset(), {index: part}

    def tree(self, end, lost, parts):
        """The resulting files and directories, by path."""
        inodes = {number: inode.copied() for number, inode in self.before.items()}
        for index, step in enumerate(self.steps[:end]):
            if step.operation and index not in lost:
                step.operation.apply(inodes, parts.get(index))
        found, waiting = {}, [("", self.top)]
        while waiting:
            path, number = waiting.pop()
            inode = inodes[number]
            found[path] = inode
            if inode.names is not None:
                waiting += [(os.path.join(path, name), child) for name, child in inode.names.items()]
        return found
