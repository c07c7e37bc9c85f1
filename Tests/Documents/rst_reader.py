"""Reads reStructuredText with docutils, with stand-ins for the directives and roles of Sphinx and Django."""
import re

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles

# Directives that show nothing, or only text from elsewhere.
SILENT = {
    "include", "literalinclude", "toctree", "contents", "sectnum", "module", "currentmodule", "py:module",
    "py:currentmodule", "highlight", "highlightlang", "index", "meta", "sectionauthor", "moduleauthor", "codeauthor",
    "default-role", "role", "tabularcolumns", "automodule", "autoclass", "autofunction", "automethod", "default-domain",
    "title", "header", "footer", "target-notes", "raw", "image", "graphviz", "digraph", "graph", "inheritance-diagram",
}
# Directives with a verbatim body.
LITERAL = {
    "code-block", "code", "sourcecode", "console", "prompt", "ipython", "testcode", "testoutput", "testsetup", "doctest",
    "productionlist", "snippet", "highlight-block",
}
# Directives whose argument is not shown.
WITHOUT_ARGUMENT = {"only", "ifconfig", "rst-class", "cssclass", "container", "hlist", "compound", "glossary"}
# Roles that show the title of their target.
BY_TITLE = {"ref", "doc", "numref", "any"}


class AnyOption(dict):
    """An option specification that accepts every option."""

    def __getitem__(self, name):
        return lambda value: value

    def __contains__(self, name):
        return True

    def __bool__(self):
        return True


class Silent(Directive):
    optional_arguments = 100
    final_argument_whitespace = True
    has_content = True
    option_spec = AnyOption()

    def run(self):
        return []


class Literal(Silent):
    optional_arguments = 1

    def run(self):
        out = []
        if self.options.get("caption"):
            out.append(nodes.paragraph("", self.options["caption"]))
        text = "\n".join(self.content)
        if self.name == "productionlist":
            text = "\n".join(self.arguments + [text])
        out.append(nodes.literal_block(text, text))
        return out


class Generic(Silent):
    optional_arguments = 1

    def run(self):
        out = nodes.container()
        if self.arguments and self.name not in WITHOUT_ARGUMENT:
            for line in self.arguments[0].split("\n"):
                found, _ = self.state.inline_text(line, self.lineno)
                out += nodes.paragraph("", "", *found)
        self.state.nested_parse(self.content, self.content_offset, out)
        return [out]


def generic_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    text = text.replace("\x00", "\\")
    titled = re.match(r"(?s)(.*?)\s*<([^<>]*)>$", text)
    if titled and titled[1]:
        shown = titled[1]
    elif name in BY_TITLE:
        shown = ""
    else:
        shown = text.lstrip("!")
        if shown.startswith("~"):
            shown = shown[1:].rsplit(".", 1)[-1]
    return [nodes.inline(rawtext, shown)], []


KNOWN_ROLES = {"emphasis", "strong", "literal", "subscript", "superscript", "sub", "sup", "title-reference", "math",
               "code", "title", "t"}
find_directive, find_role = directives.directive, roles.role


def directive(name, language, document):
    key = name.lower()
    if key in SILENT:
        return Silent, []
    if key in LITERAL:
        return Literal, []
    # In Sphinx, `class` documents a class.
    if key == "class" or key in WITHOUT_ARGUMENT:
        return Generic, []
    found, messages = find_directive(key, language, document)
    return (found, messages) if found else (Generic, [])


def role(name, language, lineno, reporter):
    if name.lower() in KNOWN_ROLES:
        return find_role(name, language, lineno, reporter)
    return lambda role_name, *rest, **others: generic_role(name.lower(), *rest, **others), []


def install():
    directives.directive = directive
    roles.role = role


SKIPPED = (nodes.comment, nodes.system_message, nodes.substitution_definition, nodes.raw, nodes.pending, nodes.image,
           nodes.footnote_reference, nodes.label, nodes.citation_reference)
LEAVES = (nodes.paragraph, nodes.title, nodes.subtitle, nodes.term, nodes.line, nodes.rubric, nodes.caption,
          nodes.attribution, nodes.field_name, nodes.option_group, nodes.literal_block, nodes.doctest_block,
          nodes.math_block, nodes.classifier, nodes.author, nodes.version, nodes.date, nodes.copyright, nodes.status,
          nodes.contact, nodes.organization, nodes.address, nodes.revision)
HIDDEN_FIELDS = {"orphan", "tocdepth", "nosearch", "nocomments"}


def text_of(node):
    """The visible text of a leaf."""
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, SKIPPED):
        return ""
    text = "".join(text_of(child) for child in node.children)
    return node.get("delimiter", " ") + text if isinstance(node, nodes.option_argument) else text


def read(text):
    """The title, the blocks and the code of a document."""
    install()
    tree = publish_doctree(text, settings_overrides={
        "report_level": 5, "halt_level": 5, "file_insertion_enabled": False, "raw_enabled": True, "warning_stream": False,
        "syntax_highlight": "none", "smart_quotes": False, "_disable_config": True, "line_length_limit": 10_000_000})
    blocks, code = [], []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, SKIPPED):
            continue
        if isinstance(node, nodes.field) and node.children[0].astext() in HIDDEN_FIELDS:
            continue
        if isinstance(node, LEAVES):
            shown = text_of(node)
            if shown.strip():
                blocks.append(shown)
                if isinstance(node, (nodes.literal_block, nodes.doctest_block)):
                    code.append(shown)
            continue
        waiting.extend(reversed(node.children))
    title = next((text_of(t) for t in tree.findall(nodes.title) if isinstance(t.parent, (nodes.document, nodes.section))), "")
    return " ".join(title.split()), blocks, code
