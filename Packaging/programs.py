"""The four programs that are packaged: what each is, and what it needs besides its shared libraries."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    name: str
    #: One line, for lists of packages.
    summary: str
    #: What it does, in sentences.
    description: str
    #: Whether units run it as the user `fti`; a command line tool needs no user.
    is_service: bool
    #: Debian packages that it works without, but not fully.
    recommends: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    #: Programs that it runs, which an image must hold.
    helpers: tuple[str, ...] = ()
    #: Folders and files that its libraries and helpers read, as patterns; an image must hold them.
    data: tuple[str, ...] = ()
    #: The arguments of an image that is started without any.
    command: tuple[str, ...] = ("--help",)
    #: The TCP port on which it listens.
    port: int | None = None


#: Certificates of public authorities, for services behind https.
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

PROGRAMS = (
    Program(
        "ftictl", "store of versions for features, datasets, models and releases",
        "ftictl keeps versions of everything that a language model application is made of, and moves names "
        "between them in transactions: put, promote, roll back, release, pin, verify. It is one static executable.",
        is_service=False, suggests=("fti-feature", "fti-training", "fti-inference")),
    Program(
        "fti-feature", "feature pipeline of fti: documents to embedded chunks",
        "fti-feature reads documents, splits them into chunks, embeds those that changed, and publishes them as "
        "a new version of the features. A timer runs it with the configuration in /etc/fti/feature.yaml.",
        is_service=True, recommends=("ca-certificates", "poppler-utils"), suggests=("ftictl",),
        # A shell sets the limits under which the readers of PDF run.
        helpers=("sh", "pdfinfo", "pdftohtml"),
        # iconv of the C library reads the tables of legacy encodings, poppler those of East Asian PDFs.
        data=(CERTIFICATES, "/usr/lib/*/gconv", "/usr/lib/locale/C.utf8", "/usr/share/poppler")),
    Program(
        "fti-training", "training pipeline of fti: datasets and a ranker from features",
        "fti-training builds datasets from features, trains the ranker of the retrieval, and publishes both in "
        "one transaction. A timer runs it with the configuration in /etc/fti/training.yaml.",
        is_service=True, recommends=("ca-certificates",), suggests=("ftictl", "bubblewrap"), data=(CERTIFICATES,)),
    Program(
        "fti-inference", "inference service of fti: answers with sources, over OpenAI's API",
        "fti-inference retrieves chunks for a question and answers from them, by quoting or with a language "
        "model. It follows the release that a ref names. A service runs it with /etc/fti/inference.yaml.",
        is_service=True, recommends=("ca-certificates",), suggests=("ftictl",), data=(CERTIFICATES,),
        command=("serve", "/etc/fti/inference.yaml"), port=8080),
)

#: Who makes the packages: the variables of Debian's tools, or else a neutral placeholder.
MAINTAINER = f"{os.environ.get('DEBFULLNAME', 'fti')} <{os.environ.get('DEBEMAIL', 'fti@localhost')}>"
LICENSE = "Apache-2.0"
