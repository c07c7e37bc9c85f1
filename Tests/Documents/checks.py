"""The checks of a document: words, lines of code, titles, and where chunks begin and end."""
import collections
import re
import unicodedata

# Scripts without spaces: each character counts as a word, and a chunk may end between any two.
LETTERS = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
TOKEN = re.compile(rf"{LETTERS}|(?:(?!{LETTERS})\w)+")
# A longer sequence of characters does not count as a word, and may be split anywhere.
LONGEST_WORD = 60
SENTENCE_END = re.compile(r"[.!?:;…。！？：；．][\"'”’»)\]}*_`]*$")
# The readers leave out the words of these findings on their own.
KNOWN_TO_READERS = re.compile(r"navigation|script|style|comment|hidden|template|header|footer|sidebar|contents|form", re.I)
# A line that introduces the text below it.
LEAD_IN = re.compile(
    r"^(\.\. [\w:+.-]+::.*|:\w[\w -]*:|(note|warning|tip|caution|important|danger|hint|attention|see also|example):?"
    r"|(new|changed|deprecated) in version [\w.]+:?|.*[^:]:)$", re.I)


def normal(text):
    return " ".join(unicodedata.normalize("NFKC", text.replace("\u00ad", "").replace("\u200b", "")).split())


def tokens(text):
    text = unicodedata.normalize("NFKC", text.replace("\u00ad", "").replace("\u200b", "")).casefold()
    return [word for word in TOKEN.findall(text) if len(word) <= LONGEST_WORD]


def shown(row):
    return " ".join(row.get("headings") or []) + "\n" + row["text"]


def words_of_rows(rows):
    """Counts the words of the texts, and those of each heading once."""
    found, seen = collections.Counter(), set()
    for row in rows:
        found.update(tokens(row["text"]))
        path = ()
        for heading in row.get("headings") or []:
            path += (heading,)
            if path not in seen:
                seen.add(path)
                found.update(tokens(heading))
    return found


def missing_words(reading, rows):
    """The number of words that the reader found, and the words missing from the rows."""
    wanted = collections.Counter()
    for block in reading.blocks:
        wanted.update(tokens(block))
    return wanted.total(), wanted - words_of_rows(rows)


def code_lines(reading):
    return [line.rstrip() for block in reading.code for line in block.split("\n") if line.strip()]


def missing_code(reading, rows):
    """The number of lines of code that the reader found, and those that are not lines of a row."""
    wanted = collections.Counter(code_lines(reading))
    found = collections.Counter(line.rstrip() for row in rows for line in row["text"].split("\n"))
    return wanted.total(), wanted - found


def untitled(reading, rows):
    """The rows whose first heading differs from the reader's title or from the row's own title."""
    wanted = tokens(reading.title)
    out = []
    for row in rows:
        first = (row.get("headings") or [""])[0]
        if wanted and tokens(first) != wanted or row.get("title") and first != row["title"]:
            out.append(row)
    return out


class Starts:
    """The places where chunks may begin: blocks, lines of code, and the ends of sentences."""

    def __init__(self, reading):
        self.blocks = [normal(block) for block in reading.blocks]
        self.starts = {block[:24] for block in self.blocks}
        self.code = {line.strip() for line in code_lines(reading)}
        self.text = "\n".join(self.blocks)

    def is_inside_sentence(self, row):
        if row["text"].lstrip().split("\n", 1)[0].strip() in self.code:
            return False
        begin = re.sub(r"^([-*•|]|\d+[.)])\s+", "", normal(row["text"]))
        if not begin or begin[:24] in self.starts or any(begin.startswith(s) for s in self.starts if len(s) < 24 and s):
            return False
        at = self.text.find(begin[:40])
        if at > 0:
            before = self.text[:at].rstrip(" ")
            return not (before.endswith("\n") or SENTENCE_END.search(before[-8:]))
        return begin[0].islower()


def inside_sentence(reading, rows):
    """The number of chunks that continue a section, and those that begin inside a sentence."""
    later = [row for row in rows if int(row["ordinal"]) > 0]
    if not later:
        return 0, []
    starts = Starts(reading)
    return len(later), [row for row in later if starts.is_inside_sentence(row)]


def parted(rows):
    """The chunks whose last line introduces text that only the next chunk contains."""
    out = []
    for row, following in zip(rows, rows[1:]):
        if row["document"] != following["document"] or row["section"] != following["section"]:
            continue
        line = row["text"].rstrip().rsplit("\n", 1)[-1].strip()
        if len(line) < 300 and LEAD_IN.match(line) and line not in following["text"]:
            out.append(row)
    return out


def left_out(findings):
    """The number of words that the report lists as left out, except those that readers leave out on their own."""
    return sum(item.get("count") or 0 for item in findings
               if item.get("fate") == "left-out" and item.get("unit") == "words"
               and not KNOWN_TO_READERS.search(item.get("reason") or ""))
