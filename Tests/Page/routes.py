#!/usr/bin/env python3
"""Tests the page of `fti-inference serve` over HTTP, without a browser.

usage: routes.py BINARIES [--only WORD]
"""
import argparse
import html.parser
import re
import shutil
import tempfile
import urllib.parse
import urllib.request

from service import TOKEN, World, fetch, run_tests

QUESTION = "What size holes do I drill in brick?"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Bench:
    def __init__(self, world):
        self.world = world
        self.model = world.generator()
        generator = f"generator: {{kind: openai, url: {self.model.url}/v1, model: stand-in}}"
        handbook = world.handbook("handbook.fti")
        self.open = world.serve("open", handbook, f"{generator}\nfeedback: {{folder: feedback}}")
        self.guarded = world.serve("guarded", handbook, f"{generator}\ntokens: {world.tokens()}\n"
                                   "feedback: {folder: guarded-feedback}")
        self.bare = world.serve("bare", handbook, "answers: {keep: 0}")
        self.none = world.serve("none", handbook, "page: false")
        self.hostile = world.serve("hostile", world.hostile())
        self.narrowed = world.serve("narrowed", world.path("hostile.fti"), 'retrieval: {where: "author = \'Ada\'"}')
        self.long = world.serve("long", world.chapters())


class Page(html.parser.HTMLParser):
    """A page's elements; complains about tags that do not match."""
    VOID = {"meta", "link", "input", "br"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.words, self.open = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        assert len(dict(attributes)) == len(attributes), (tag, attributes)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def ids(self):
        return {attributes["id"]: attributes for _, attributes in self.elements if "id" in attributes}


def address(body):
    """The permanent address of the answer on a page."""
    found = re.search(r'href="(/answers/ans-[0-9a-f]{32})"', body)
    return found and found.group(1)


def source(body):
    """The address of the first source on a page."""
    return urllib.parse.urldefrag(html.unescape(re.search(r'href="(/sources\?[^"]*)"', body).group(1))).url


def check(condition, *more):
    assert condition, more


@test
def answers(bench):
    """A form gets a whole page: the answer, citations that lead to sources, and the headers of an answer."""
    status, headers, body = fetch(bench.open + "/", {"q": QUESTION})
    page = Page(body)
    check(status == 200 and headers["Content-Type"] == "text/html; charset=utf-8")
    check(re.fullmatch("ans-[0-9a-f]{32}", headers["Fti-Answer"]) and headers["Fti-Release"])
    check("The template is printed" in page.text and "Not verified" in page.text)
    cited = [link["href"] for link in page.all("a") if link.get("class") == "cite"]
    check(cited and all(link[1:] in page.ids() for link in cited), cited)
    status, _, again = fetch(bench.open + address(body))
    check(status == 200 and "The template is printed" in Page(again).text)
    status, _, place = fetch(bench.open + source(body))
    page = Page(place)
    check(status == 200 and "passage" in page.ids()["passage"]["class"] and "6 mm holes" in page.text)
    check(any(link["href"] == address(body) for link in page.all("a")), "a way back")
    check("href=\"/readyz\"" in body and "releases/prod" in body)


@test
def protects_every_page(bench):
    """All pages, failures included, have a strict policy and are not kept; HEAD has no body."""
    answer = address(fetch(bench.open + "/", {"q": QUESTION})[2])
    for path, expected in {"/": 200, answer: 200, "/answers/none": 404, "/answers/ans-" + "0" * 32: 404, "/sources": 400,
                           "/sources?key=none": 404, "/?q=%FF": 400}.items():
        status, headers, body = fetch(bench.open + path)
        check(status == expected, path, status)
        policy = headers["Content-Security-Policy"]
        check(policy.startswith("default-src 'none'; script-src 'self';") and "unsafe" not in policy, policy)
        check("frame-ancestors 'none'" in policy and "base-uri 'none'" in policy and "form-action 'self'" in policy)
        check(headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff")
        check(headers["Referrer-Policy"] == "same-origin" and headers["Set-Cookie"] is None)
        page = Page(body)
        check(not [a for tag, a in page.elements if "style" in a or tag == "style"], "no style in the page")
        check([a.get("src", "").split("?")[0] for a in page.all("script")] == ["/page.js"])
    request = urllib.request.Request(bench.open + "/", method="HEAD")
    with urllib.request.urlopen(request, timeout=60) as reply:
        check(reply.status == 200 and reply.read() == b"")


@test
def escapes(bench):
    """What a document or a question contains is text, in elements, in attributes and in fields."""
    question = "</textarea></h1><script>q</script> zebra \"\u0301 onfocus=q autofocus x='\u0301 \u202e &amp; \u0600\" onclick=q"
    _, _, body = fetch(bench.hostile + "/", {"q": question})
    pages = [body, fetch(bench.hostile + source(body))[2]]
    pages.append(fetch(bench.hostile + "/?q=" + urllib.parse.quote(question), Sec_Fetch_Site="cross-site")[2])
    for body in pages:
        page = Page(body)
        for tag, attributes in page.elements:
            check(tag not in ("img", "iframe", "b", "style") and (tag != "script" or attributes["src"]), tag)
            for name, value in attributes.items():
                check(not name.startswith("on") and name not in ("autofocus", "style"), tag, name)
                if name in ("href", "src", "action"):
                    check(re.match(r"/|#|https?://", value), value)
        check("\u202e" not in re.sub(r"<textarea.*?</textarea>|<input[^>]*>", "", body, flags=re.DOTALL))
    check("<script>pwned=5</script>" in Page(pages[0]).text and "&quot;\u0301" in pages[0])
    field = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", pages[2], re.DOTALL).group(1)
    check(html.unescape(field) == question, "a question in the field comes back as it was")
    outside = [link for link in Page(pages[0]).all("a") if link["href"].startswith("http")]
    check(all(link["rel"] == "noopener noreferrer nofollow" for link in outside), outside)


@test
def formats(bench):
    """Answers have paragraphs, lists, tables, code and citations, and nothing else."""
    def answer(text):
        _, _, body = fetch(bench.open + "/", {"q": "How do I drill holes in brick? ECHO " + text})
        Page(body)
        return re.search(r'<div class="text"[^>]*>\n(.*?)\n</div>', body, re.DOTALL).group(1)
    shown = answer("One [1] two [1, 2].\n\n- a `<b>`\n- **b**\n  more\n\n3. c\n4. d\n\n# Head\n\n```html\n<i>&\n```\nend")
    check('<a class="cite" href="#source-1" aria-label="Source 1">[1]</a>' in shown, shown)
    check("<ul><li>a <code>&lt;b&gt;</code></li><li><strong>b</strong>\nmore</li></ul>" in shown, shown)
    check('<ol start="3"><li>c</li><li>d</li></ol>' in shown and '<p class="subhead">Head</p>' in shown, shown)
    check('<pre tabindex="0"><code>&lt;i&gt;&amp;</code></pre>\n<p>end</p>' in shown, shown)
    shown = answer("| a | b |\n|---|---|\n| 1 | <u> |\n\nx | y\n\n[a](javascript:b) <img src=x> `open **open")
    check("<tr><th>a</th><th>b</th></tr><tr><td>1</td><td>&lt;u&gt;</td></tr></table>" in shown, shown)
    check("<p>x | y</p>" in shown and "[a](javascript:b) &lt;img src=x&gt; `open **open" in shown, shown)
    check("```\n" not in answer("```\nnever closed\n\n- x") and "<li>" not in answer("```\nnever closed\n\n- x"))


@test
def refuses_other_sites(bench):
    """A page of another site can neither ask nor judge; a link asks only for the user or for a program."""
    own = bench.open
    host = own.removeprefix("http://")
    answer = address(fetch(own + "/", {"q": QUESTION})[2])
    before = bench.model.count("requests"), len(bench.world.feedback("feedback"))
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "null"},
                    {"Origin": "http://evil.example"}, {"Origin": f"http://{host}.evil.example"},
                    {"Origin": f"http://evil.example/?{host}"}, {"Origin": host},
                    {"Sec_Fetch_Site": "cross-site", "Origin": own}):
        for path, form in (("/", {"q": QUESTION}), (answer + "/feedback", {"rating": "bad"})):
            status, _, body = fetch(own + path, form, **headers)
            check(status == 403 and "another site" in Page(body).text, path, headers, status)
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"User_Agent": BROWSER}):
        status, _, body = fetch(own + "/?q=" + urllib.parse.quote(QUESTION), **headers)
        check(status == 200 and QUESTION in body and address(body) is None, headers)
    check((bench.model.count("requests"), len(bench.world.feedback("feedback"))) == before)
    for headers in ({"Origin": own}, {"Sec_Fetch_Site": "same-origin", "User_Agent": BROWSER}, {}):
        check(fetch(own + "/", {"q": QUESTION}, **headers)[0] == 200, headers)
    for headers in ({"Sec_Fetch_Site": "none"}, {"Sec_Fetch_Site": "same-origin"}, {}):
        check(address(fetch(own + "/?q=" + urllib.parse.quote(QUESTION), **headers)[2]), headers)


@test
def needs_tokens(bench):
    """With tokens, only the form and what is served are open; a token counts in a header or a body, not in an address."""
    own, bearer = bench.guarded, {"Authorization": f"Bearer {TOKEN}"}
    status, _, body = fetch(own + "/")
    check(status == 200 and Page(body).ids()["token"]["type"] == "password" and "transaction" in body)
    before = bench.model.count("requests")
    for form in ({"q": QUESTION}, {"q": QUESTION, "token": "wrong"}, {"q": QUESTION, "token": ""}):
        status, headers, body = fetch(own + "/", form)
        check(status == 401 and headers["WWW-Authenticate"] == "Bearer" and QUESTION in body, form)
        check("wrong" not in body, "a token is not sent back")
    encoded = urllib.parse.quote(QUESTION)
    for path in (f"/?q={encoded}", f"/?q={encoded}&token={TOKEN}"):
        status, _, body = fetch(own + path)
        check(status == 200 and address(body) is None and TOKEN not in body, path)
    check(fetch(f"{own}/?token={TOKEN}", {"q": QUESTION})[0] == 401)
    check(bench.model.count("requests") == before)
    status, _, body = fetch(own + "/", {"q": QUESTION, "token": TOKEN})
    check(status == 200 and TOKEN not in body)
    answer, place = address(body), source(body)
    check(address(fetch(own + f"/?q={encoded}", **bearer)[2]))
    for path in (answer, place):
        for refused in (fetch(own + path), fetch(own + path + ("&" if "?" in path else "?") + "token=" + TOKEN),
                        fetch(own + path, {"token": "wrong"})):
            check(refused[0] == 401 and "drill" not in Page(refused[2]).text.lower(), path)
            check(any("data-locked" in form for form in Page(refused[2]).all("form")))
        check(fetch(own + path, **bearer)[0] == 200)
        check(fetch(own + path, **{"Authorization": "Bearer wrong"})[0] == 401)
        parts = urllib.parse.urlsplit(path)
        form = {**dict(urllib.parse.parse_qsl(parts.query)), "token": TOKEN}
        check(fetch(own + parts.path, form)[0] == 200)
    check(fetch(own + answer + "/feedback", {"rating": "good"})[0] == 401)
    check(fetch(own + answer + "/feedback", {"rating": "good", "token": TOKEN})[0] == 200)
    (line,) = bench.world.feedback("guarded-feedback")
    check(line["from"] == "team-a" and line["answer"]["question"] == QUESTION)
    for path in ("/v1/models", "/answers/../v1/models", "/answers/%2e%2e/v1/models", "/answersx", "/answers", "/page.txt"):
        check(fetch(own + path)[0] in (400, 401, 404), path)
        check("stand-in" not in fetch(own + path)[2], path)


@test
def takes_feedback(bench):
    """Feedback is appended with the answer, even where another replica gave it; nonsense is refused."""
    _, _, body = fetch(bench.open + "/", {"q": QUESTION})
    path = address(body) + "/feedback"
    page = Page(body)
    record = next(field["value"] for field in page.all("input") if field.get("name") == "answer")
    key = [option["value"] for option in page.all("option")][1]
    status, _, body = fetch(bench.open + path, {"rating": "bad", "better": "a\r\nb", "passage": key, "answer": record})
    check(status == 200 and "Thank you" in body)
    line = bench.world.feedback("feedback")[-1]
    check(line["rating"] == "bad" and line["better"] == "a\nb" and line["from"] is None, line)
    check(line["passage"] == urllib.parse.unquote(key) == line["answer"]["passages"][0]["key"], line["passage"])
    # The other service does not keep this answer; the form brings it along.
    other = bench.world.serve("other", bench.world.path("handbook.fti"), "feedback: {folder: other-feedback}")
    check(fetch(other + path, {"rating": "good", "answer": record})[0] == 200)
    check(bench.world.feedback("other-feedback")[-1]["answer"]["question"] == QUESTION)
    count = len(bench.world.feedback("feedback"))
    for form in ({}, {"rating": "splendid"}, {"rating": "good", "answer": "{"}, {"rating": "good", "answer": "[1]"},
                 {"rating": "good", "answer": record.replace("ans-", "ans-0", 1)}, {"passage": "%zz"}, {"comment": " "}):
        status, _, body = fetch(bench.open + path, form)
        check(status == 400 and Page(body).all("h1"), form, status)
    check(len(bench.world.feedback("feedback")) == count)
    check(fetch(bench.hostile + path, {"rating": "good"})[0] == 404, "this service takes none")


@test
def shows_permitted_rows_only(bench):
    """A condition of the service holds for sources, too: other rows do not exist."""
    def key(address, question):
        return urllib.parse.parse_qs(urllib.parse.urlsplit(source(fetch(address + "/", {"q": question})[2])).query)["key"][0]
    hidden, shown = key(bench.hostile, "What do zebra crossings need?"), key(bench.hostile, "When does paint dry?")
    check("hostile" in hidden and "harmless" in shown, hidden, shown)
    for name, status in ((hidden, 404), (shown, 200)):
        check(fetch(f"{bench.narrowed}/sources?key={urllib.parse.quote(name)}")[0] == status, name)
        check(fetch(f"{bench.hostile}/sources?key={urllib.parse.quote(name)}")[0] == 200, name)
    check("zebra" not in fetch(f"{bench.narrowed}/sources?key={urllib.parse.quote(hidden)}")[2].lower())


@test
def shows_the_surroundings(bench):
    """A source is shown between its neighbours, each once, and says where the section goes on."""
    key = "page.md#the-house/07"
    status, _, body = fetch(f"{bench.long}/sources?key={urllib.parse.quote(key)}&features=000000000000")
    check(status == 200 and "may have this passage" in body)
    rooms = [int(number) for number in re.findall(r"Room (\d+) has", body)]
    check(rooms == list(range(rooms[0], rooms[-1] + 1)) and len(rooms) >= 9, rooms)
    marked = re.search(r'<div class="text passage" id="passage"[^>]*>(.*?)</div>', body, re.DOTALL).group(1)
    inner = [int(number) for number in re.findall(r"Room (\d+) has", marked)]
    check(rooms[0] < inner[0] and inner[-1] < rooms[-1], inner)
    check("begins earlier" in body and "goes on" in body)
    first = fetch(f"{bench.long}/sources?key={urllib.parse.quote('page.md#the-house/00')}")[2]
    check("begins earlier" not in first and "goes on" in first and "may have" not in first)
    for key in ("page.md#the-house/99", "page.md#the-house/-1", "#/", "page.md", "x" * 4000, "page.md#the-house/00\u0000"):
        check(fetch(f"{bench.long}/sources?key={urllib.parse.quote(key)}")[0] == 404, key)


@test
def keeps_nothing_where_nothing_is_kept(bench):
    """Where no answer is kept, none has an address, and sources are still found. The page can be left out."""
    _, _, body = fetch(bench.bare + "/", {"q": QUESTION})
    check("6 mm" in body and address(body) is None and "/feedback" not in body)
    check(fetch(bench.bare + source(body))[0] == 200)
    for path in ("/", "/sources?key=a", "/page.js"):
        check(fetch(bench.none + path)[0] == 404, path)


@test
def says_that_the_wrong_model_answers(bench):
    """A language model that does not answer as the release records is named on the page, and asking fails."""
    world = bench.world
    world.do("fti-inference", "canary", bench.model.url + "/v1", "--items", "2", "-o", "canary.json")
    shutil.copytree(world.path("long.fti"), world.path("checked.fti"))
    world.do("ftictl", "--repo", world.path("checked.fti"), "release", "releases/prod", "--features", "features/prod",
             "--generator", "models/generator", "--canary", "canary.json")
    generator = f"generator: {{kind: openai, url: {bench.model.url}/v1, model: stand-in}}"
    right = world.serve("right", world.path("checked.fti"), generator)
    check("yes: it answers as the release records" in fetch(right + "/")[2])
    bench.model.behave(name="another")
    wrong = world.serve("wrong", world.path("checked.fti"), generator)
    body = fetch(wrong + "/")[2]
    check("Answers fail at the moment" in body and "no: it does not answer as it should" in body)
    status, _, body = fetch(wrong + "/", {"q": "Which room has a lamp?"})
    check(status >= 400 and 'role="alert"' in body and "Which room" in body, status)
    bench.model.behave()


@test
def refuses_malformed_forms(bench):
    """Forms that are no forms are refused, and the service goes on."""
    def post(data, kind="application/x-www-form-urlencoded"):
        request = urllib.request.Request(bench.bare + "/", data, {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status
        except urllib.error.HTTPError as error:
            return error.code
    check(post(b'{"q": "x"}', "application/json") == 415)
    check(post(b"q=x", "multipart/form-data; boundary=x") == 415)
    for data in (b"q=%", b"q=%4", b"q=%zz", b"q=%ff", b"%=1&q=x", b"q=\xff"):
        check(post(data) == 400, data)
    for data in (b"", b"q=", b"q", b"=&&&=&", b"q=%20+%0A", b"x=1&" * 40 + b"q=x"):
        check(post(data) == 400, data)
    check(post(b"q=" + b"a+" * (3 << 20)) == 413)
    check(post(b"q=drill+holes&q=other", "application/x-www-form-urlencoded; charset=utf-8") == 200)


@test
def serves_assets(bench):
    """Style, script and icon may be kept for ever under their own hash only."""
    body = fetch(bench.open + "/")[2]
    for name, kind in (("css", "text/css"), ("js", "text/javascript"), ("svg", "image/svg+xml")):
        path = re.search(rf'"(/page\.{name}\?v=[0-9a-f]+)"', body).group(1)
        status, headers, _ = fetch(bench.open + path)
        check(status == 200 and headers["Content-Type"].startswith(kind) and "immutable" in headers["Cache-Control"])
        check(fetch(bench.open + path, If_None_Match=headers["ETag"])[0] == 304)
        check("immutable" not in fetch(bench.open + path + "0")[1]["Cache-Control"])
        check(fetch(bench.guarded + path)[0] == 200)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = World(options.binaries, folder)
        try:
            bench = Bench(world)
            failed = run_tests(TESTS, bench, options.only)
        finally:
            world.close()
    print(f"{failed} of the tests failed" if failed else "all passed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
