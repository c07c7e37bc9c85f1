"""Installs each package alone in a clean root, runs it, and removes it without a trace; runs each image with nothing
but its own files.

usage: test.py [--dist FOLDER] [--cache FOLDER] [PROGRAM...]

Needs root, for the clean roots, and a Debian mirror. setup.sh installs the tools. The clean root and the downloads of
apt are kept in the cache, by default $XDG_CACHE_HOME/fti/packages.
"""

import argparse
import filecmp
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from jobs import JOBS, PROJECT, Job, expect
from roots import Failure, Root, base, run

sys.path.insert(0, str(PROJECT / "Packaging"))
import build  # noqa: E402
from oci import HOME, USER  # noqa: E402
from programs import PROGRAMS, Program  # noqa: E402


class PackageTests:
    def __init__(self, dist: Path, cache: Path, work: Path):
        self.dist, self.cache, self.work = dist, cache, work
        self.version = build.source_version()
        self.architecture = run("dpkg", "--print-architecture").strip()
        self.passed = self.failed = 0

    def file(self, program: Program, ending: str) -> Path:
        path = self.dist / f"{program.name}_{self.version}_{self.architecture}.{ending}"
        if not path.exists():
            raise Failure(f"{path} is missing; run: make packages")
        return path

    def root(self, name: str) -> Root:
        return Root.unpacked(self.updated, self.work / name, self.cache / "archives")

    def check(self, what: str, test, *arguments: object) -> None:
        began = time.monotonic()
        try:
            test(*arguments)
            self.passed += 1
            print(f"ok      {what} ({time.monotonic() - began:.0f} s)", flush=True)
        except Exception as failure:
            self.failed += 1
            text = str(failure) if isinstance(failure, Failure) else traceback.format_exc()
            print(f"FAILED  {what}\n        " + text.replace("\n", "\n        "), flush=True)

    def all(self, programs: list[Program]) -> None:
        self.updated = self.work / "updated.tar"
        with Root.unpacked(base(self.cache), self.work / "base", self.cache / "archives") as root:
            root.apt("update")
            run("tar", "-cf", str(self.updated), "-C", str(root.folder), ".")
        self.check("two builds of the packages are identical", self.identical, programs)
        for program in programs:
            self.check(f"{program.name}: the package, alone in a clean root", self.package, program)
            self.check(f"{program.name}: the image, with only its own files", self.image, program)
            self.check(f"{program.name}: lintian finds no error", self.lint, program)
        if len(programs) == len(PROGRAMS):
            self.check("all packages together, with systemd", self.together, programs)
        else:
            print("not run  all packages together: only some were chosen")

    def identical(self, programs: list[Program]) -> None:
        again = self.work / "again"
        run(sys.executable, str(PROJECT / "Packaging/build.py"), "--into", str(again), *(p.name for p in programs))
        for path in sorted(again.rglob("*")):
            if path.is_file():
                first = self.dist / path.relative_to(again)
                expect(first.exists() and filecmp.cmp(first, path, shallow=False), f"{first} differs")
        shutil.rmtree(again)

    def package(self, program: Program) -> None:
        with self.root(program.name) as root:
            before, users = root.paths(), root.users()
            root.put(f"/tmp/{program.name}.deb", self.file(program, "deb"))
            root.apt("install", f"/tmp/{program.name}.deb")
            added = root.paths() - before
            self.is_alone(program, added)
            for needed in (f"/usr/share/man/man1/{program.name}.1.gz", f"/usr/share/doc/{program.name}/copyright",
                           f"/usr/share/bash-completion/completions/{program.name}"):
                expect(needed in added, f"{needed} is missing")
            job = Job(root, program.name, "/work", 1000)
            (root.folder / "work").mkdir()
            os.chown(root.folder / "work", 1000, 1000)
            self.works(program, job)
            shutil.rmtree(root.folder / "work")
            expect(("fti" in root.users()) == program.is_service, "the user fti is there without a service, or missing")
            self.purge(root, [program], before, users)

    def image(self, program: Program) -> None:
        layout = self.file(program, "oci")
        inspected = json.loads(run("skopeo", "inspect", f"oci:{layout}:{self.version}"))
        labels = inspected["Labels"]
        expect(labels["org.opencontainers.image.title"] == program.name
               and labels["org.opencontainers.image.version"] == self.version and len(inspected["Layers"]) == 1,
               f"skopeo shows {inspected}")
        archive = self.file(program, "oci.tar")
        from_archive = json.loads(run("skopeo", "inspect", f"oci-archive:{archive}:{self.version}"))
        expect(from_archive["Digest"] == inspected["Digest"], "the archive holds another image than the folder")
        config = json.loads(run("skopeo", "inspect", "--config", f"oci:{layout}:{self.version}"))["config"]
        expect(config["User"] == f"{USER}:{USER}" and config["Entrypoint"] == [f"/usr/bin/{program.name}"],
               f"skopeo shows {config}")

        bundle = self.work / f"{program.name}-image"
        run("umoci", "unpack", "--image", f"{layout}:{self.version}", str(bundle))
        try:
            root = Root(bundle / "rootfs")
            self.is_alone(program, root.paths())
            programs = {path.name for path in (root.folder / "usr/bin").iterdir()}
            expect(programs == {program.name, *program.helpers}, f"the image has the programs {programs}")
            self.works(program, Job(root, program.name, HOME, USER))
        finally:
            shutil.rmtree(bundle)

    @staticmethod
    def is_alone(program: Program, paths: set[str]) -> None:
        others = [path for path in paths if path.startswith("/usr/bin/fti") and path != f"/usr/bin/{program.name}"]
        swift = [path for path in paths if "libswift" in path or "libFoundation" in path]
        expect(f"/usr/bin/{program.name}" in paths and not others and not swift, f"not alone: {others} {swift}")

    def works(self, program: Program, job: Job) -> None:
        version = job.call("--version")
        expect(version.split() == [program.name, self.version], f"--version says {version!r}")
        expect("USAGE" in job.call("--help"), "--help shows no usage")
        JOBS[program.name](job)

    def lint(self, program: Program) -> None:
        run("lintian", "--allow-root", "--fail-on", "error", "--suppress-tags", ",".join(EXPECTED),
            str(self.file(program, "deb")))

    def together(self, programs: list[Program]) -> None:
        """They share folders and a user, ftictl finds the others, and systemd accepts the units."""
        with self.root("together") as root:
            root.apt("install", "--no-install-recommends", "systemd")
            before, users = root.paths(), root.users()
            for program in programs:
                root.put(f"/tmp/{program.name}.deb", self.file(program, "deb"))
            root.apt("install", "--no-install-recommends", *(f"/tmp/{program.name}.deb" for program in programs))
            expect("fti" in root.users(), "systemd-sysusers did not make the user fti")
            expect("fti-feature" in root.run("ftictl", "feature", "--help"), "ftictl does not find fti-feature")
            units = sorted(path for path in root.paths() - before if path.startswith("/usr/lib/systemd/system/"))
            expect(len(units) == 7, f"the units are {units}")
            services = [unit for unit in units if unit.endswith(".service")]
            complaints = root.run("systemd-analyze", "verify", "--man=no", *units)
            expect(not complaints.strip(), complaints)
            root.run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
                     *(unit for unit in services if "@" not in unit))
            self.purge(root, programs, before, users)

    @staticmethod
    def purge(root: Root, programs: list[Program], before: set[str], users: set[str]) -> None:
        """Removes the packages, and all that came with them; nothing may be left."""
        root.apt("purge", *(program.name for program in programs))
        # apt itself suggests ca-certificates, and would keep what came along.
        root.apt("autoremove", "--purge", "-o", "APT::AutoRemove::SuggestsImportant=false",
                 "-o", "APT::AutoRemove::RecommendsImportant=false")
        left = sorted(root.paths() - before) + sorted(root.users() - users)
        expect(not left, f"left behind after purge: {len(left)}, such as {left[:5]}")


#: Tags of lintian about static linking, which is intended, and about the default maintainer.
EXPECTED = (
    "statically-linked-binary", "embedded-library", "bogus-mail-host", "bogus-mail-host-in-debian-changelog")


def main() -> None:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fti/packages"
    parser = argparse.ArgumentParser(usage="test.py [--dist FOLDER] [--cache FOLDER] [PROGRAM...]")
    parser.add_argument("--dist", type=Path, default=PROJECT / "dist")
    parser.add_argument("--cache", type=Path, default=cache)
    parser.add_argument("programs", nargs="*", default=[program.name for program in PROGRAMS])
    options = parser.parse_args()
    if os.getuid() != 0:
        sys.exit("packages: this test makes clean root file systems and needs root: sudo make test-packages")
    options.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fti-packages-") as work:
        os.chmod(work, 0o755)
        tests = PackageTests(options.dist, options.cache, Path(work))
        try:
            tests.all([program for program in PROGRAMS if program.name in options.programs])
        except Failure as failure:
            sys.exit(f"packages: {failure}")
    print(f"{tests.passed} passed, {tests.failed} failed")
    sys.exit(tests.failed > 0)


if __name__ == "__main__":
    main()
