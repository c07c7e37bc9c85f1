"""A tree of files in memory, which becomes the same tar archive on every run."""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    mode: int
    data: bytes | None = None
    #: Where a symbolic link points.
    target: str | None = None
    owner: int = 0


class Tree:
    """Files, folders and links by their absolute paths. Folders above an entry are added with it."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def file(self, path: str, data: bytes | str | Path, mode: int = 0o644) -> None:
        if isinstance(data, Path):
            data = data.read_bytes()
        self._add(path, Entry(mode, data.encode() if isinstance(data, str) else data))

    def link(self, path: str, target: str) -> None:
        self._add(path, Entry(0o777, target=target))

    def folder(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        self._add(path, Entry(mode, owner=owner))

    def _add(self, path: str, entry: Entry) -> None:
        known = self.entries.get(path)
        if known is not None and known != entry:
            raise ValueError(f"{path} would be packaged twice, with different contents")
        self.entries[path] = entry
        for parent in Path(path).parents:
            if str(parent) != "/":
                self.entries.setdefault(str(parent), Entry(0o755))

    def files(self) -> list[tuple[str, bytes]]:
        return [(path, entry.data) for path, entry in sorted(self.entries.items()) if entry.data is not None]

    def tar(self, epoch: int) -> bytes:
        """A tar archive: sorted by path, of one time, owned by root except where an entry says otherwise."""
        result = io.BytesIO()
        with tarfile.open(fileobj=result, mode="w", format=tarfile.GNU_FORMAT) as archive:
            archive.addfile(self._info("./", Entry(0o755), epoch))
            for path, entry in sorted(self.entries.items()):
                archive.addfile(self._info(f".{path}", entry, epoch), io.BytesIO(entry.data or b""))
        return result.getvalue()

    @staticmethod
    def _info(name: str, entry: Entry, epoch: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.mode, info.mtime, info.uid, info.gid = entry.mode, epoch, entry.owner, entry.owner
        info.uname = info.gname = "root" if entry.owner == 0 else ""
        if entry.target is not None:
            info.type, info.linkname = tarfile.SYMTYPE, entry.target
        elif entry.data is None:
            info.type = tarfile.DIRTYPE
        else:
            info.size = len(entry.data)
        return info
