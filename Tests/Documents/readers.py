"""Independent readers: each extracts the blocks and the code of a document, and shares no code with fti.

A reader leaves out navigation, scripts, comments, the targets of includes and the numbers of footnotes. It also leaves
out every word that may not belong to the text, because all its words are required in the rows.
"""
import codecs
import dataclasses
import html
import json
import pathlib
import re
import subprocess

import html5lib
import nbformat
import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

import rst_reader


@dataclasses.dataclass
class Reading:
    """The content of a document, as extracted by a reader."""
    title: str = ""
    blocks: list = dataclasses.field(default_factory=list)  # paragraphs, headings, cells, items, code
    code: list = dataclasses.field(default_factory=list)  # the blocks that are code


def decode(data, encoding=None):
    """Decodes bytes by their byte-order mark, else in the given encoding, else as UTF-8; errors become U+FFFD."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(name, "replace")
    return data.decode(encoding or "utf-8", "replace")


# HTML

DROPPED = {"head", "nav", "script", "style", "template", "noscript", "iframe", "object", "svg", "canvas", "audio", "video",
           "map", "select", "textarea", "input", "dialog", "footer", "math", "datalist", "title"}
DROPPED_CLASSES = {"navheader", "navfooter", "toc", "sphinxsidebar", "related", "headerlink", "linenos", "viewcode-link",
                   "toctree-wrapper", "breadcrumbs", "id_link", "footnote-ref", "footnote-back", "conum", "noprint"}
DROPPED_ROLES = {"navigation", "banner", "contentinfo", "search", "menu"}
INLINE = {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img",
          "ins", "kbd", "label", "mark", "nobr", "q", "rb", "rp", "rt", "ruby", "rtc", "s", "samp", "small", "span", "strike",
          "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "blink", "nobr"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}


CONTROLS = bytes(32 if byte < 32 and byte not in b"\t\n\r" or byte == 127 else byte for byte in range(256))


def without_confluence(text):
    """Converts Confluence's storage format to plain HTML: keeps code unchanged, and of the parameters only titles."""
    text = re.sub(r"<ac:plain-text-body>\s*<!\[CDATA\[(.*?)\]\]>\s*</ac:plain-text-body>",
                  lambda found: f"<pre>{html.escape(found[1])}</pre>", text, flags=re.S)
    text = re.sub(r"<!\[CDATA\[(.*?)\]\]>", lambda found: html.escape(found[1]), text, flags=re.S)
    text = re.sub(r"<ac:task-(id|status)>.*?</ac:task-\1>", " ", text, flags=re.S)
    return re.sub(r'<ac:parameter ac:name="(?!title")[^"]*">.*?</ac:parameter>', " ", text, flags=re.S)


def read_html(data, encoding=None):
    if isinstance(data, bytes) and b"<ac:" in data:
        data = without_confluence(decode(data, encoding))
    # Control characters separate words; UTF-16 pages stay unchanged.
    if isinstance(data, bytes) and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.translate(CONTROLS)
    arguments = {"transport_encoding": encoding} if encoding and isinstance(data, bytes) else {}
    tree = html5lib.parse(data, namespaceHTMLElements=False, **arguments)
    elements = list(tree.iter())
    page_title = next((" ".join("".join(e.itertext()).split()) for e in elements if e.tag == "title"), "")
    controlled = {name for e in elements if isinstance(e.tag, str) for name in (e.get("aria-controls") or "").split()}
    main = [e for e in elements if e.tag == "main" or isinstance(e.tag, str) and e.get("role") == "main"]
    root = main[0] if main and "".join(main[0].itertext()).strip() else tree.find("body")
    reading = Reading()
    if root is None:
        return reading
    walker = Walker(controlled)
    walker.run(root)
    reading.blocks, reading.code = walker.blocks, walker.code
    reading.title = walker.first_title or walker.first_heading or page_title
    return reading


class Walker:
    """Walks a tree without recursion, and collects its blocks."""

    def __init__(self, controlled):
        self.controlled = controlled
        self.blocks, self.code, self.inline = [], [], []
        self.first_title = self.first_heading = ""
        self.pre = 0
        self.headings_only = 0

    def is_dropped(self, element):
        name, get = element.tag, element.get
        if name in DROPPED:
            return True
        if name in ("main", "article", "body", "html"):
            return False
        if get("hidden") is not None or get("aria-hidden") == "true":
            return not (get("role") == "tabpanel" or get("id") in self.controlled)
        if (get("role") or "").lower() in DROPPED_ROLES:
            return True
        classes = set((get("class") or "").lower().split())
        return bool(DROPPED_CLASSES & classes) or name == "sup" and "footnote" in classes

    def end(self):
        text = " ".join("".join(self.inline).split())
        self.inline = []
        if text and not self.headings_only:
            self.blocks.append(text)

    def run(self, root):
        waiting = [("open", root)]
        while waiting:
            what, value = waiting.pop()
            if what == "text":
                self.inline.append(value)
            elif what == "open":
                self.open(value, waiting)
            else:
                self.close(value)
        self.end()

    def open(self, element, waiting):
        if not isinstance(element.tag, str) or self.is_dropped(element):
            return
        name = element.tag
        if name == "br":
            self.inline.append("\n")
            return
        if name in INLINE:
            pass
        elif self.pre:
            self.inline.append(" ")
        else:
            if name == "pre":
                self.end()
                self.pre += 1
            elif "-" in name or ":" in name:
                self.inline.append(" ")
            else:
                self.end()
            if name == "header":
                self.headings_only += 1
        if name in HEADINGS:
            self.kept_headings_only, self.headings_only = self.headings_only, 0
        waiting.append(("close", element))
        for child in reversed(list(element)):
            if child.tail:
                waiting.append(("text", child.tail))
            waiting.append(("open", child))
        if element.text:
            waiting.append(("text", element.text))

    def close(self, element):
        name = element.tag
        if name == "pre" and self.pre:
            self.pre -= 1
            if self.pre == 0:
                text = "".join(self.inline)
                self.inline = []
                if text.strip():
                    self.blocks.append(text)
                    self.code.append(text)
        elif name in INLINE or self.pre:
            pass
        elif "-" in name or ":" in name:
            self.inline.append(" ")
        else:
            if name in HEADINGS:
                text = " ".join("".join(self.inline).split())
                if text:
                    self.first_heading = self.first_heading or text
                    if name == "h1":
                        self.first_title = self.first_title or text
            self.end()
            if name == "header":
                self.headings_only -= 1
        if name in HEADINGS:
            self.headings_only = getattr(self, "kept_headings_only", 0)


# Markdown and its relatives

def markdown_parser():
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    parser.use(footnote_plugin).use(deflist_plugin)
    parser.add_render_rule("footnote_ref", lambda *_: "")
    parser.add_render_rule("footnote_anchor", lambda *_: "")
    return parser


FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
NOTICE = re.compile(r'^(\s*)(?:!!!|\?\?\?\+?|===[+!]?)\s+(.*)$')


def unfold_notices(lines, depth=0):
    """Removes the indentation of the bodies of MkDocs admonitions and tabs."""
    out, index, fence = [], 0, None
    while index < len(lines):
        line = lines[index]
        mark = FENCE.match(line)
        if mark and (fence is None or mark[1].startswith(fence)):
            fence = None if fence else mark[1]
        notice = None if fence or depth > 20 else NOTICE.match(line)
        if not notice:
            out.append(line)
            index += 1
            continue
        width = len(notice[1]) + 4
        body = []
        index += 1
        while index < len(lines):
            indented = re.sub(r"^[ \t]+", lambda space: space[0].expandtabs(4), lines[index])
            if indented.strip() and not indented.startswith(" " * width):
                break
            body.append(indented[width:])
            index += 1
        title = re.search(r'"(.*)"', notice[2])
        indent = notice[1]
        out += ["", indent + (title[1] if title else ""), ""]
        out += [indent + text if text.strip() else "" for text in unfold_notices(body, depth + 1)] + [""]
    return out


def outside_fences(text, change):
    """Applies `change` to each line outside fenced code."""
    out, fence = [], None
    for line in text.split("\n"):
        mark = FENCE.match(line)
        if mark and (fence is None or mark[1].startswith(fence)):
            fence = None if fence else mark[1]
            out.append(line)
        else:
            out.append(line if fence else change(line))
    return "\n".join(out)


INCLUDE = re.compile(r"^\s*(\{!.*!\}|;?-+8<-+.*|\{%.*%\})\s*$")
ATTRIBUTES = re.compile(r"\{\s*[:#.][^{}\n]*\}")


def front_matter_title(text):
    toml = re.match(r"\+\+\+\n(.*?)\n\+\+\+\n", text, re.S)
    if toml:
        found = re.search(r'^title\s*=\s*"((?:[^"\\]|\\.)*)"', toml[1], re.M)
        return (found[1].replace('\\"', '"') if found else ""), text[toml.end():]
    block = re.match(r"---\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", text, re.S)
    if block:
        try:
            value = yaml.safe_load(block[1])
        except yaml.YAMLError:
            return "", text[block.end():]
        if isinstance(value, dict):
            return " ".join(str(value.get("title") or "").split()), text[block.end():]
    return "", text


def read_markdown(text, dialect="md"):
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    title, text = front_matter_title(text)
    if dialect in ("qmd", "rmd"):
        text = re.sub(r"(?m)^#\|.*\n", "", text)

    def change(line):
        if dialect == "mdx" and re.match(r"(import|export)\s", line) or INCLUDE.match(line):
            return ""
        if re.match(r"\s*:{3,}", line):
            return ""
        line = re.sub(r"\{[^{}]*\}", "", line) if dialect == "mdx" else ATTRIBUTES.sub("", line)
        line = re.sub(r"\{\{[<%].*?[%>]\}\}|\{/\*.*?\*/\}", "", line)
        return re.sub(r"^(\s*>\s*)\[!\w+\]", r"\1", line)
    text = outside_fences("\n".join(unfold_notices(text.split("\n"))), change)
    reading = read_html(markdown_parser().render(text))
    reading.code = ["\n".join(line for line in block.split("\n") if not INCLUDE.match(line))
                    for block in reading.code]
    reading.title = title or reading.title
    return reading


def read_notebook(text):
    reading = Reading()
    try:
        notebook = nbformat.reads(text, as_version=4)
    except Exception:  # for a file that is not a notebook, only the report is checked
        return reading
    for cell in notebook.cells:
        source = cell.source
        if cell.cell_type == "markdown":
            part = read_markdown(source)
            reading.title = reading.title or part.title
            reading.blocks += part.blocks
            reading.code += part.code
        elif cell.cell_type == "code":
            reading.blocks.append(source)
            reading.code.append(source)
            for output in cell.get("outputs", []):
                kinds = output.get("data", {})
                if output.output_type == "stream":
                    reading.blocks.append("".join(output.text))
                elif output.output_type == "error":
                    reading.blocks.append(f"{output.ename} {output.evalue}")
                elif not any(kind.startswith("image/") for kind in kinds):
                    reading.blocks.append("".join(kinds.get("text/plain", "")))
        else:
            reading.blocks.append(source)
    return reading


# By other programs

def output(*command):
    return subprocess.run(command, capture_output=True, timeout=300, check=False).stdout


def read_docx(path):
    reading = read_html(output("pandoc", "--track-changes=accept", "-f", "docx", "-s", "-t", "html",
                              str(path)).decode())
    reading.code = []
    return reading


def read_asciidoc(path):
    page = output("asciidoctor", "-b", "html5", "-S", "secure", "-a", "source-highlighter!", "-o", "-", str(path))
    page = re.sub(rb'<div class="details">.*?</div>', b"", page, flags=re.S)
    # The converter adds the names of included files and the footer.
    page = re.sub(rb'<a href="[^"]*" class="bare include">.*?</a>', b"", page)
    return read_html(re.sub(rb'<div id="footer">.*', b"", page, flags=re.S))


def read_pdf(path):
    text = output("pdftotext", "-raw", str(path), "-").decode("utf-8", "replace")
    # Rejoin words split at the end of a line.
    text = re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", text)
    lines = [line for line in re.split(r"[\n\f]+", text) if line.strip() and not line.strip().isdigit()]
    return Reading(blocks=lines)


def read_plain(text):
    return Reading(blocks=[part for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")) if part])


def read_records(text):
    reading = Reading()
    for line in text.split("\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("text"), str):
            reading.blocks.append(record["text"])
    return reading


def read(path, kind=None, encoding=None):
    """Reads a document.

    `kind` is the file extension that matches the document's format. Returns None if no reader supports it.
    """
    path = pathlib.Path(path)
    kind = (kind or path.suffix.lstrip(".")).lower()
    if kind in ("html", "htm", "xhtml"):
        data = path.read_bytes()
        if not encoding and data.startswith(b"<?xml"):
            declared = re.match(rb'<\?xml[^>]*encoding="([^"]+)"', data)
            encoding = declared[1].decode() if declared else None
        return read_html(data, encoding)
    if kind in ("docx", "adoc", "asciidoc", "pdf"):
        return {"docx": read_docx, "pdf": read_pdf}.get(kind, read_asciidoc)(path)
    text = decode(path.read_bytes(), encoding)
    if kind in ("md", "markdown", "mdx", "qmd", "rmd"):
        return read_markdown(text, kind)
    if kind == "rst":
        title, blocks, code = rst_reader.read(text)
        return Reading(title, blocks, code)
    if kind == "ipynb":
        return read_notebook(text)
    if kind in ("jsonl", "ndjson"):
        return read_records(text)
    return read_plain(text) if kind == "txt" else None
