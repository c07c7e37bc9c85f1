"""Debian packages: the files of a program, and the archive that dpkg installs."""

import gzip
import hashlib
import lzma
import textwrap
from email.utils import formatdate
from pathlib import Path

import libraries
import manual
from programs import LICENSE, MAINTAINER, Program
from tree import Tree

HERE = Path(__file__).parent
SCRIPTS = ("postinst", "prerm", "postrm")
#: A tenth larger than by the default, in half of the time.
PRESET = 3


def files(program: Program, executable: Path, build: Path, version: str, epoch: int) -> Tree:
    """Everything that the package installs."""
    tree = Tree()
    name = program.name
    tree.file(f"/usr/bin/{name}", libraries.stripped(executable), 0o755)
    for page, text in manual.pages(name, executable).items():
        tree.file(f"/usr/share/man/man1/{page}.gz", gzip.compress(text, mtime=0))
    for shell, path in (
            ("bash", f"bash-completion/completions/{name}"), ("zsh", f"zsh/vendor-completions/_{name}"),
            ("fish", f"fish/vendor_completions.d/{name}.fish")):
        tree.file(f"/usr/share/{path}", manual.completions(name, executable, shell))
    for unit in sorted((HERE / "systemd").glob(f"{name}[.@-]*")):
        tree.file(f"/usr/lib/systemd/system/{unit.name}", unit)
    if program.is_service:
        tree.file(f"/usr/lib/sysusers.d/{name}.conf", HERE / "systemd/sysusers.conf")
        tree.folder("/etc/fti")
    documents = f"/usr/share/doc/{name}"
    for example in sorted((HERE / "examples").glob(f"{name.removeprefix('fti-')}.*")):
        tree.file(f"{documents}/examples/{example.name}", example)
    tree.file(f"{documents}/copyright", copyright_text(program))
    change = f"fti ({version}) unstable; urgency=medium\n\n  * Version {version}.\n\n -- {MAINTAINER}  {date(epoch)}\n"
    tree.file(f"{documents}/changelog.gz", gzip.compress(change.encode(), mtime=0))
    for library, text in libraries.linked_licenses(build, name, HERE.parent).items():
        tree.file(f"{documents}/licenses/{library}.gz", gzip.compress(text, mtime=0))
    return tree


def archive(program: Program, tree: Tree, depends: str, version: str, architecture: str, epoch: int) -> bytes:
    """The package: an `ar` archive of a version, the control files and the files to install."""
    size = sum(len(data) for _, data in tree.files())
    fields = {
        "Package": program.name, "Source": "fti", "Version": version, "Architecture": architecture,
        "Maintainer": MAINTAINER, "Installed-Size": str((size + 1023) // 1024), "Depends": depends,
        "Recommends": ", ".join(program.recommends), "Suggests": ", ".join(program.suggests),
        "Section": "database", "Priority": "optional",
        "Description": program.summary + "".join(f"\n {line}" for line in textwrap.wrap(program.description, 76)),
    }
    control = Tree()
    control.file("/control", "".join(f"{key}: {value}\n" for key, value in fields.items() if value))
    control.file("/md5sums", "".join(
        f"{hashlib.md5(data).hexdigest()}  {path.removeprefix('/')}\n" for path, data in tree.files()))
    if program.is_service:
        for script in SCRIPTS:
            text = (HERE / "maintainer" / script).read_text()
            control.file(f"/{script}", text.replace("#PACKAGE#", program.name), 0o755)
    members = (
        ("debian-binary", b"2.0\n"), ("control.tar.xz", lzma.compress(control.tar(epoch), preset=PRESET)),
        ("data.tar.xz", lzma.compress(tree.tar(epoch), preset=PRESET)))
    result = b"!<arch>\n"
    for name, data in members:
        result += f"{name:<16}{epoch:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
        result += data + b"\n" * (len(data) % 2)
    return result


def copyright_text(program: Program) -> str:
    return f"""Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: fti
Comment: The folder licenses beside this file has the licences of the libraries that are linked into {program.name}.

Files: *
Copyright: 2026 The fti contributors
License: {LICENSE}
 On Debian systems the text of the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.
"""


def date(epoch: int) -> str:
    return formatdate(epoch).replace("-0000", "+0000")
