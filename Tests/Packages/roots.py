"""Clean root file systems of this machine's distribution, and commands inside of them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

#: Paths that installing and removing any package may leave changed.
LEFT_BY_APT = re.compile(
    r"/(var/(cache|log|tmp|lib/(apt|dpkg|systemd|pam|ucf))|tmp|root|proc|sys|dev|run)(/|$)|/etc/(ld\.so\.cache|.*-)$"
    r"|/etc/resolv\.conf$|/usr/lib/.*/gconv/gconv-modules\.cache$")


class Failure(Exception):
    """What went wrong, with the output of the command."""


def codename() -> str:
    return re.search(r"^VERSION_CODENAME=(\S+)", Path("/etc/os-release").read_text(), re.MULTILINE)[1]


def run(*command: str, check: bool = True, text: str | None = None) -> str:
    done = subprocess.run(
        command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout


def base(cache: Path) -> Path:
    """An archive of the smallest root that has apt; made once, from the mirrors of this machine."""
    release = codename()
    archive = cache / f"minbase-{release}.tar"
    if not archive.exists():
        targets = run(
            "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
        sources = sorted({f"deb {line}" for line in targets.splitlines() if f" {release}" in line})
        part = archive.with_suffix(".part.tar")
        run("mmdebstrap", "--variant=minbase", release, str(part), "-", text="\n".join(sources) + "\n")
        part.rename(archive)
    return archive


class Root:
    """A root file system in a folder, which is removed at the end of a `with`."""

    def __init__(self, folder: Path, downloads: Path | None = None):
        self.folder, self.downloads = folder, downloads

    @classmethod
    def unpacked(cls, archive: Path, folder: Path, downloads: Path) -> "Root":
        folder.mkdir(parents=True)
        run("tar", "-xf", str(archive), "-C", str(folder))
        shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
        downloads.mkdir(parents=True, exist_ok=True)
        return cls(folder, downloads)

    def __enter__(self) -> "Root":
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder)

    def run(self, *command: str, user: int = 0, home: str = "/root", check: bool = True) -> str:
        return run(*self.command(*command, user=user, home=home), check=check)

    def command(self, *command: str, user: int = 0, home: str = "/root") -> list[str]:
        """A command line that runs a command in this root, with the /proc and /dev that a container gets as well.

        The mounts are in a namespace of their own and vanish with the command.
        """
        folder = str(self.folder)
        mounts = f"mount -t proc proc {folder}/proc && mount --rbind /dev {folder}/dev"
        if self.downloads is not None:
            mounts += f" && mount --bind {self.downloads} {folder}/var/cache/apt/archives"
        for name in ("proc", "dev"):
            (self.folder / name).mkdir(exist_ok=True)
        # A root without a shell has no `env` either, so the environment is set outside.
        environment = ["env", "-i", f"HOME={home}", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                       "DEBIAN_FRONTEND=noninteractive"]
        environment += [f"{key}={value}" for key, value in os.environ.items() if key.lower().endswith("_proxy")]
        return [*environment, "unshare", "--mount", "--propagation", "private", "sh", "-c",
                f'{mounts} && exec chroot --userspec={user}:{user} {folder} "$@"', "sh", *command]

    def apt(self, *arguments: str) -> str:
        return self.run("apt-get", "-y", "-q", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root", *arguments)

    def paths(self) -> set[str]:
        """Every path of the root, apart from those that any use of apt changes."""
        found = set()
        for folder, folders, files in os.walk(self.folder):
            inside = folder.removeprefix(str(self.folder))
            for name in (*folders, *files):
                if not LEFT_BY_APT.match(f"{inside}/{name}"):
                    found.add(f"{inside}/{name}")
        return found

    def users(self) -> set[str]:
        return {line.partition(":")[0] for line in (self.folder / "etc/passwd").read_text().splitlines()}

    def put(self, path: str, source: Path, owner: int = 0) -> None:
        """Copies a file or a folder into the root."""
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
        for each in (target, *target.rglob("*")):
            os.chown(each, owner, owner)

    def write(self, path: str, text: str, owner: int = 0) -> None:
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        os.chown(target, owner, owner)
