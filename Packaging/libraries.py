"""What an executable needs to run: shared libraries, the Debian packages that they come from, and licences."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

#: Names of Debian packages whose libraries ftictl links statically. Their licences go with it.
STATIC_LIBRARIES = ("libc6-dev", "libssl-dev", "libstemmer-dev", "libutf8proc-dev", "libzstd-dev", "zlib1g-dev")

#: Packages of modules that are not in a folder of their own name.
MODULE_PACKAGES = {"SystemPackage": "swift-system"}


class PackagingError(Exception):
    """A sentence for the person who runs `make packages`."""


def run(*command: str, cwd: str | None = None) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout
    except FileNotFoundError:
        raise PackagingError(f"{command[0]} is missing (apt-get install dpkg-dev binutils)") from None
    except subprocess.CalledProcessError as error:
        raise PackagingError(f"{' '.join(command)} failed: {error.stderr.strip()}") from None


def stripped(executable: Path) -> bytes:
    """The executable without the symbols that only a debugger reads: half of its size."""
    with tempfile.TemporaryDirectory() as folder:
        copy = f"{folder}/{executable.name}"
        run("strip", "-o", copy, str(executable))
        return Path(copy).read_bytes()


def shared_libraries(executable: str) -> list[tuple[str, str]]:
    """The name under which each shared library is loaded, and its file, with the loader. Empty if it is static."""
    found = subprocess.run(["ldd", executable], capture_output=True, text=True)
    if "not a dynamic executable" in found.stderr:
        return []
    result = []
    for line in found.stdout.splitlines():
        if "not found" in line:
            raise PackagingError(f"{executable} needs {line.strip()}")
        match = re.match(r"\s*(\S+)(?: => (\S+))? \(0x", line)
        if match and "/" in line:
            result.append((os.path.basename(match[1]), match[2] or match[1]))
    return sorted(result)


def dependencies(executable: Path) -> str:
    """The field Depends: the packages of the libraries that it links, with the oldest versions that have their symbols."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/debian")
        Path(f"{folder}/debian/control").write_text("Source: fti\n\nPackage: fti\nArchitecture: any\n")
        output = run("dpkg-shlibdeps", "-O", "--warnings=0", f"-e{executable.resolve()}", cwd=folder)
    return output.partition("shlibs:Depends=")[2].strip()


def owner(file: str) -> str:
    """The Debian package that a file comes from."""
    real = os.path.realpath(file)
    # Packages from before the merge of /usr list their libraries below /lib.
    for path in (real, real.removeprefix("/usr"), file):
        found = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(": ")[0].split(",")[0].partition(":")[0]
    raise PackagingError(f"no Debian package has {file}, so its licence is unknown")


def package_record(package: str) -> str:
    """What dpkg knows about a package, as scanners of images read it."""
    return run("dpkg-query", "-s", package)


def copyright_file(package: str) -> bytes:
    return Path(f"/usr/share/doc/{package}/copyright").read_bytes()


def linked_licenses(build: Path, program: str, root: Path) -> dict[str, bytes]:
    """The licences of what is linked into an executable, by name: Swift's runtime, and the packages of its modules."""
    swift = Path(run("sh", "-c", 'realpath "$(command -v "${SWIFT:-swift}")"').strip()).parent.parent
    licenses = {"swift": (swift / "share/swift/LICENSE.txt").read_bytes()}
    objects = (build / f"{program}.product/Objects.LinkFileList").read_text()
    for module in sorted(set(re.findall(r"/([^/]+)\.build/", objects))):
        if (root / "Sources" / module).is_dir() or module == program.replace("-", "_"):
            continue
        if (root / "Sources/Pipelines" / module.removesuffix("Pipeline")).is_dir():
            continue
        checkouts = root / ".build/checkouts"
        known = MODULE_PACKAGES.get(module)
        found = [checkouts / known] if known else [path.parent.parent for path in checkouts.glob(f"*/Sources/{module}")]
        if not found:
            raise PackagingError(f"{program} links the module {module}, whose licence is unknown")
        package = found[0]
        texts = [path.read_bytes() for path in sorted(package.glob("[LN][IO][CT][EI][NC]*"))]
        if not texts:
            raise PackagingError(f"{package.name} has no licence file")
        licenses[package.name] = b"\n".join(texts)
    if program == "ftictl":
        licenses |= {package.removesuffix("-dev"): copyright_file(package) for package in STATIC_LIBRARIES}
    return licenses
