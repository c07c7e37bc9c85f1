"""Images in the OCI layout: a folder of blobs by their SHA-256, without a base image."""

import glob
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
from datetime import datetime, timezone
from pathlib import Path

import libraries
from programs import LICENSE, Program
from tree import Tree

#: The user of a container. It has a number, so that an orchestrator can tell that it is not root.
USER = 65532
HOME = "/var/lib/fti"


def root(program: Program, executable: Path) -> Tree:
    """The file system of the image: the program, what it loads and what it runs."""
    tree = Tree()
    for path in ("bin", "lib", "lib64", "sbin"):
        tree.link(f"/{path}", f"usr/{path}")
        tree.folder(f"/usr/{path}")
    tree.folder("/tmp", 0o1777)
    tree.folder("/etc/fti")
    tree.folder(HOME, 0o750, USER)
    tree.file("/etc/passwd", f"root:x:0:0:root:/root:/sbin/nologin\nfti:x:{USER}:{USER}:fti:{HOME}:/sbin/nologin\n")
    tree.file("/etc/group", f"root:x:0:\nfti:x:{USER}:\n")
    tree.file("/etc/nsswitch.conf", "hosts: files dns\n")
    tree.file("/usr/share/doc/fti/LICENSE", Path(__file__).parent.parent / "LICENSE")
    tree.file(f"/usr/bin/{program.name}", libraries.stripped(executable), 0o755)

    sources: set[str] = set()
    executables = [str(executable)]
    for helper in program.helpers:
        path = shutil.which(helper)
        if path is None:
            raise libraries.PackagingError(f"{helper} is missing (apt-get install poppler-utils)")
        executables.append(path)
        sources.add(path)
        tree.file(f"/usr/bin/{helper}", Path(path), 0o755)
    for each in executables:
        for name, file in libraries.shared_libraries(each):
            sources.add(file)
            # The folders that the loader searches without a cache; a link of /lib leads to the same place.
            folder = os.path.dirname(file)
            tree.file(f"{folder if folder.startswith('/usr') else '/usr' + folder}/{name}", Path(file), 0o755)
    for pattern in program.data:
        matches = sorted(glob.glob(pattern))
        if not matches:
            raise libraries.PackagingError(f"nothing matches {pattern}")
        for match in matches:
            sources |= add(tree, match)
    for package in sorted({libraries.owner(source) for source in sources}):
        tree.file(f"/usr/share/doc/{package}/copyright", libraries.copyright_file(package))
        # Scanners for vulnerabilities read this folder.
        tree.file(f"/var/lib/dpkg/status.d/{package}", libraries.package_record(package))
    return tree


def add(tree: Tree, path: str) -> set[str]:
    """Adds a file or a folder of the machine; returns the files whose packages are to be named."""
    if os.path.isfile(path):
        tree.file(path, Path(path))
        # The bundle of certificates is made at installation, so no package lists it.
        return {"/usr/sbin/update-ca-certificates"} if path.startswith("/etc/ssl") else {path}
    sources = set()
    for folder, _, names in os.walk(path):
        for name in sorted(names):
            file = f"{folder}/{name}"
            if name.endswith(".cache"):
                continue
            if os.path.islink(file):
                tree.link(file, os.readlink(file))
            else:
                tree.file(file, Path(file))
            sources.add(file)
    # One file speaks for a folder of one package.
    return set(sorted(sources)[:1])


def layout(
    program: Program, tree: Tree, licenses: dict[str, bytes], version: str, revision: str, architecture: str, epoch: int
) -> dict[str, bytes]:
    """The files of the layout, by path."""
    for name, text in licenses.items():
        tree.file(f"/usr/share/doc/fti/licenses/{name}", text)
    uncompressed = tree.tar(epoch)
    layer = gzip.compress(uncompressed, mtime=0)
    created = datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = {
        "org.opencontainers.image.created": created,
        "org.opencontainers.image.title": program.name,
        "org.opencontainers.image.description": program.summary,
        "org.opencontainers.image.licenses": LICENSE,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": revision,
    }
    settings = {
        "User": f"{USER}:{USER}", "WorkingDir": HOME, "StopSignal": "SIGTERM", "Labels": labels,
        "Entrypoint": [f"/usr/bin/{program.name}"], "Cmd": list(program.command),
        "Env": ["PATH=/usr/bin", f"HOME={HOME}", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"],
    }
    if program.port is not None:
        settings["ExposedPorts"] = {f"{program.port}/tcp": {}}
    config = encode({
        "architecture": architecture, "os": "linux", "created": created, "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(uncompressed)}"]},
        "history": [{"created": created, "created_by": "make packages", "comment": f"{program.name} {version}"}],
    })
    manifest = encode({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
        "annotations": labels,
    })
    index = encode({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [descriptor("application/vnd.oci.image.manifest.v1+json", manifest) | {
            "platform": {"architecture": architecture, "os": "linux"},
            "annotations": {"org.opencontainers.image.ref.name": version},
        }],
    })
    blobs = {f"blobs/sha256/{digest(blob)}": blob for blob in (layer, config, manifest)}
    return {"oci-layout": encode({"imageLayoutVersion": "1.0.0"}), "index.json": index} | blobs


def archive(files: dict[str, bytes], epoch: int) -> bytes:
    """The layout as one tar file, which registries' clients load."""
    result = io.BytesIO()
    with tarfile.open(fileobj=result, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(files):
            info = tarfile.TarInfo(path)
            info.size, info.mtime, info.mode = len(files[path]), epoch, 0o644
            tar.addfile(info, io.BytesIO(files[path]))
    return result.getvalue()


def descriptor(kind: str, blob: bytes) -> dict:
    return {"mediaType": kind, "digest": f"sha256:{digest(blob)}", "size": len(blob)}


def digest(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def encode(value: dict) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
