"""Manual pages and completions of the programs, from what they say about themselves."""

import tempfile
from pathlib import Path

import libraries


def completions(name: str, executable: Path, shell: str) -> str:
    script = libraries.run(str(executable), "--generate-completion-script", shell)
    # Shells read it; nothing executes it.
    return script.removeprefix("#!/bin/bash\n")


def pages(name: str, executable: Path) -> dict[str, bytes]:
    """The pages of section 1, by file name. ftictl writes its own."""
    if name == "ftictl":
        with tempfile.TemporaryDirectory() as folder:
            libraries.run(str(executable), "man", folder)
            return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
    help_text = libraries.run(str(executable), "--help")
    summary = help_text.splitlines()[0].removeprefix("OVERVIEW: ").rstrip(".")
    _, _, after = help_text.partition("SUBCOMMANDS:\n")
    commands = [line.split()[0] for line in after.splitlines() if line.startswith("  ") and line[2:3].isalpha()
                and not line.startswith("  See ")]
    text = f'.TH {name.upper()} 1 "" "fti" "fti"\n.SH NAME\n{name} \\- {escaped(summary)}\n'
    text += f".SH SYNOPSIS\n.B {escaped(name)}\n.I command\n[options]\n"
    for command in commands:
        text += f".SH {escaped(command.upper())}\n.nf\n{escaped(libraries.run(str(executable), command, '--help'))}.fi\n"
    return {f"{name}.1": text.encode()}


def escaped(text: str) -> str:
    """Text for roff: backslashes, hyphens, and the dots and quotes that would begin a request."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join(f"\\&{line}" if line[:1] in (".", "'") else line for line in lines)
