"""Makes a Debian package and an OCI image of each program, in dist/. Two runs on the same build make the same bytes.

usage: build.py [--release FOLDER] [--into FOLDER] [PROGRAM...]

FOLDER is .build/release, and dist, by default. The packages are for the architecture and the release of Debian or
Ubuntu on which they are made. SOURCE_DATE_EPOCH sets their time; without it, the time of the last commit is used.
"""

import argparse
import os
import re
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import deb
import libraries
import oci
from libraries import PackagingError, run
from programs import PROGRAMS, Program

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[2].removeprefix("usage: "))
    parser.add_argument("--release", type=Path, default=ROOT / ".build/release")
    parser.add_argument("--into", type=Path, default=ROOT / "dist")
    parser.add_argument("programs", nargs="*", default=[program.name for program in PROGRAMS])
    options = parser.parse_args()
    chosen = [program for program in PROGRAMS if program.name in options.programs]
    if len(chosen) != len(set(options.programs)):
        parser.error(f"the programs are {', '.join(program.name for program in PROGRAMS)}")
    try:
        epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct"))
        version = source_version()
        options.into.mkdir(parents=True, exist_ok=True)
        # Compression takes most of the time.
        with ProcessPoolExecutor(max_workers=2) as pool:
            jobs = [pool.submit(package, program, options.release, options.into, version, epoch) for program in chosen]
            for job in jobs:
                print(job.result(), flush=True)
    except PackagingError as error:
        sys.exit(f"packages: {error}")


def package(program: Program, release: Path, into: Path, version: str, epoch: int) -> str:
    """Makes both packages of one program; returns a line about them."""
    began = time.monotonic()
    executable = release / program.name
    if not executable.exists():
        raise PackagingError(f"{executable} is missing; run: make build")
    built = run(str(executable), "--version").split()[-1]
    if built != version:
        raise PackagingError(f"{executable} is version {built}, the sources are {version}; run: make build")
    linked = {name for name, _ in libraries.shared_libraries(str(executable))}
    if any(name.startswith(("libswift", "libFoundation")) for name in linked):
        raise PackagingError(f"{executable} needs Swift at run time; run: make build")
    architecture = run("dpkg", "--print-architecture").strip()

    tree = deb.files(program, executable, release, version, epoch)
    depends = libraries.dependencies(executable) if linked else ""
    debian = into / f"{program.name}_{version}_{architecture}.deb"
    debian.write_bytes(deb.archive(program, tree, depends, version, architecture, epoch))

    files = oci.layout(
        program, oci.root(program, executable), libraries.linked_licenses(release, program.name, ROOT),
        version, revision(), architecture, epoch)
    image = into / f"{program.name}_{version}_{architecture}.oci"
    shutil.rmtree(image, ignore_errors=True)
    for path, data in files.items():
        (image / path).parent.mkdir(parents=True, exist_ok=True)
        (image / path).write_bytes(data)
    archive = image.with_name(image.name + ".tar")
    archive.write_bytes(oci.archive(files, epoch))
    sizes = " and ".join(f"{path.name} ({path.stat().st_size / 1e6:.1f} MB)" for path in (debian, archive))
    return f"{program.name}: {sizes} in {time.monotonic() - began:.0f} s"


def source_version() -> str:
    """The version that the sources give all programs."""
    source = (ROOT / "Sources/CommandSupport/CommandLineTool.swift").read_text()
    match = re.search(r'enum Version \{.*?static let text = "([^"]+)"', source, re.DOTALL)
    if match is None:
        raise PackagingError("no version in Sources/CommandSupport/CommandLineTool.swift")
    return match[1]


def revision() -> str:
    """The commit that an image was made of; marked where files differ from it."""
    try:
        return git("rev-parse", "HEAD").strip() + ("-modified" if git("status", "--porcelain").strip() else "")
    except PackagingError:
        return "unknown"


def git(*arguments: str) -> str:
    try:
        return run("git", "-C", str(ROOT), *arguments)
    except PackagingError as error:
        raise PackagingError(f"{error}; outside of a clone, set SOURCE_DATE_EPOCH") from None


if __name__ == "__main__":
    main()
