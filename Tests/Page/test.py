#!/usr/bin/env python3
"""Tests the page of `fti-inference serve` in headless Chromium.

usage: test.py BINARIES [PICTURES] [--only WORD]

Puts pictures of the pages into the folder PICTURES (Tests/Page/.pictures): look at them after a change.
"""
import argparse
import json
import pathlib
import shutil
import tempfile
import time

from browser import Browser, until
from service import TOKEN, World, fetch, run_tests

HERE = pathlib.Path(__file__).resolve().parent
CHECKS = (HERE / "checks.js").read_text()
QUESTION = "What size holes do I drill in brick?"
SIZE_LIMIT = 30_000
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Bench:
    """The services that the tests share."""

    def __init__(self, world, browser, pictures):
        self.world, self.browser, self.pictures = world, browser, pictures
        self.model = world.generator()
        generator = f"generator: {{kind: openai, url: {self.model.url}/v1, model: stand-in}}"
        handbook = world.handbook("handbook.fti")
        self.open = world.serve("open", handbook, f"{generator}\nfeedback: {{folder: feedback}}")
        self.quoting = world.serve("quoting", handbook, "feedback: {folder: quoted-feedback}")
        self.guarded = world.serve(
            "guarded", handbook, f"{generator}\ntokens: {world.tokens()}\nfeedback: {{folder: guarded-feedback}}")
        self.hostile = world.serve("hostile", world.hostile(), "feedback: {folder: hostile-feedback}")

    def tab(self, url=None, **media):
        tab = self.browser.tab()
        if media:
            tab.prefer(**media)
        if url:
            tab.go(url)
        return tab

    def ask(self, tab, question, submit="#ask button"):
        tab.type("#q", question)
        tab.click(submit)
        tab.wait("!!document.querySelector('article .sources') || !!document.querySelector('.notice')")

    def audit(self, tab, name):
        found = tab.run(CHECKS)
        assert not found["complaints"], f"{name}: " + "\n".join(found["complaints"])
        return found["least"]


@test
def streams(bench):
    """With script: the answer streams in, sources follow, and the address becomes the permanent one."""
    bench.model.behave(mode="drip", seconds=0.3)
    tab = bench.tab(bench.open + "/")
    tab.type("#q", QUESTION)
    tab.press("Enter")
    tab.wait("(document.querySelector('.stream')?.textContent.length ?? 0) > 3")
    assert tab.run("document.querySelector('.stream').getAttribute('aria-live')") == "polite"
    assert tab.run("document.querySelector('.stream').getAttribute('aria-busy')") == "true"
    assert tab.run("document.activeElement.textContent") == "Stop"
    tab.picture(f"{bench.pictures}/streaming.png")
    partial = tab.run("document.querySelector('.stream').textContent")
    bench.model.behave()
    tab.wait("!!document.querySelector('.sources')")
    final = tab.run("document.querySelector('article .text').textContent.trim()")
    assert final.startswith(partial.strip()) and len(final) > len(partial), (partial, final)
    assert tab.run("document.querySelector('article .text').getAttribute('aria-busy')") == "false"
    assert tab.run("location.pathname").startswith("/answers/ans-")
    assert tab.run("document.title") == QUESTION
    assert tab.run("document.activeElement.tagName") == "H1"
    shown = tab.run("document.querySelector('article').textContent.replace(/\\s+/g, ' ')")
    tab.go(tab.run("location.href"))
    again = tab.run("document.querySelector('article').textContent.replace(/\\s+/g, ' ')")
    assert shown.strip() == again.strip(), "the permanent page shows the same"
    # A citation leads to its passage, and a source into the document.
    tab.click(".cite")
    assert tab.run("location.hash") == "#source-1"
    tab.click("#source-1 h3 a")
    tab.settle()
    assert tab.run("location.pathname") == "/sources"
    box = tab.run("(({top, bottom}) => ({top, bottom}))(document.querySelector('#passage').getBoundingClientRect())")
    assert 0 <= box["top"] and box["bottom"] <= 900, box
    assert "6 mm holes" in tab.text("#passage")
    tab.run("history.back()")
    tab.settle()
    assert tab.run("location.pathname").startswith("/answers/")
    assert not tab.failures and not tab.complaints, (tab.failures, tab.complaints)


@test
def asks_again(bench):
    """A second question replaces the first answer; going back shows the first again."""
    bench.model.behave()
    tab = bench.tab(bench.open + "/")
    bench.ask(tab, QUESTION)
    first = tab.run("location.pathname")
    bench.ask(tab, "How long does charging the battery take?")
    tab.wait(f"location.pathname !== {json.dumps(first)}")
    assert tab.run("document.querySelectorAll('article').length") == 1
    tab.run("history.back()")
    tab.wait(f"document.querySelector('h1')?.textContent === {json.dumps(QUESTION)}")
    assert not tab.failures, tab.failures


@test
def stops(bench):
    """Stop ends the answer, down to the language model."""
    bench.model.behave(mode="drip", seconds=0.1)
    before = bench.model.count("cancelled")
    tab = bench.tab(bench.open + "/")
    tab.type("#q", "LONG 500")
    tab.click("#ask button")
    tab.wait("(document.querySelector('.stream')?.textContent.length ?? 0) > 3")
    tab.press("Enter")
    tab.wait("document.querySelector('article')?.innerText.includes('Stopped.')")
    until(lambda: bench.model.count("cancelled") > before, "the language model is told")
    assert tab.run("document.querySelector('#q').value") == "LONG 500"
    assert tab.run("location.pathname") == "/"
    bench.model.behave()
    assert not tab.failures, tab.failures


@test
def fails(bench):
    """A failure is said, and the question is not lost, with and without script."""
    bench.model.behave(mode="refuse", status=400)
    tab = bench.tab(bench.open + "/")
    bench.ask(tab, QUESTION)
    assert tab.run("document.querySelector('.notice').getAttribute('role')") == "alert"
    assert tab.text(".notice").strip()
    assert tab.run("document.querySelector('#q').value") == QUESTION
    bench.audit(tab, "failure")
    status, _, body = fetch(bench.open + "/", {"q": QUESTION})
    assert status >= 400 and 'role="alert"' in body and QUESTION in body.split("<textarea")[1]
    bench.model.behave(mode="error-event", after=2)
    bench.ask(tab, QUESTION)
    tab.wait("!!document.querySelector('.notice')")
    bench.model.behave()


@test
def works_without_script(bench):
    """Everything works with scripts off: ask, read, open a source, judge."""
    bench.model.behave()
    tab = bench.tab()
    tab.scripts(False)
    tab.go(bench.open + "/")
    tab.type("#q", QUESTION)
    tab.click("#ask button")
    tab.settle()
    assert tab.run("location.pathname") == "/" and "template is printed" in tab.text("article .text")
    tab.click(".meta a")
    tab.settle()
    assert tab.run("location.pathname").startswith("/answers/ans-")
    tab.click("#source-1 h3 a")
    tab.settle()
    assert tab.run("document.querySelector('#passage').getBoundingClientRect().top") < 900
    tab.click("article > .meta a:last-child")
    tab.settle()
    tab.click("#feedback summary")
    tab.click("input[value=good]")
    tab.type("#comment", "without script")
    tab.click("#feedback button")
    tab.settle()
    assert "Thank you" in tab.text(), tab.text()
    line = bench.world.feedback("feedback")[-1]
    assert line["rating"] == "good" and line["comment"] == "without script" and line["answer"]["question"] == QUESTION
    bench.audit(tab, "thanks")


@test
def takes_feedback(bench):
    """Feedback by script is written to the folder, with the passage and the answer."""
    tab = bench.tab(bench.quoting + "/")
    bench.ask(tab, QUESTION)
    tab.click("#feedback summary")
    tab.click("input[value=bad]")
    tab.type("#better", "Drill 6 mm holes.\nUse the sleeves.")
    tab.run("document.querySelector('#passage').selectedIndex = 2")
    tab.picture(f"{bench.pictures}/feedback.png")
    bench.audit(tab, "feedback")
    key = tab.run("decodeURIComponent(document.querySelector('#passage').value)")
    tab.click("#feedback button")
    tab.wait("!!document.querySelector('#feedback .thanks')")
    (line,) = bench.world.feedback("quoted-feedback")
    assert line["rating"] == "bad" and line["better"] == "Drill 6 mm holes.\nUse the sleeves." and line["passage"] == key
    assert line["answer"]["id"] == line["answerId"] == tab.run("location.pathname.split('/').pop()")
    # Feedback that says nothing is refused, and the form stays.
    tab.go(tab.run("location.href"))
    tab.click("#feedback summary")
    tab.click("#feedback button")
    tab.wait("!!document.querySelector('#feedback form .notice')")
    assert len(bench.world.feedback("quoted-feedback")) == 1
    assert not tab.failures, tab.failures


@test
def survives_documents(bench):
    """A hostile document is shown as text: nothing runs, nothing loads, no link leads elsewhere."""
    tab = bench.tab(bench.hostile + "/")
    bench.ask(tab, "What do zebra crossings need?")
    tab.run("document.querySelectorAll('details').forEach(details => { details.open = true; })")

    def check(what):
        time.sleep(0.2)
        assert tab.run("typeof pwned") == "undefined", what
        assert not tab.complaints, (what, tab.complaints)
        assert tab.run("[...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
                       ".filter(a => /^on/.test(a.name) || /^\\s*javascript:/i.test(a.value)).length") == 0, what
        assert tab.run("document.querySelectorAll('main script, main img, main b, main iframe, main style').length") == 0
        assert "\u202e" not in tab.text("body"), what
        outside = tab.run("[...document.querySelectorAll('a[href]')].filter(a => a.origin !== location.origin)"
                          ".map(a => a.rel + ' ' + a.href)")
        for link in outside:
            assert link.startswith("noopener noreferrer nofollow https://"), link
        bench.audit(tab, what)
    tab.size(320, 700, is_phone=True)
    check("hostile answer")
    assert "<script>pwned=5</script>" in tab.text() and "\\u{202e}" in tab.text()
    tab.picture(f"{bench.pictures}/hostile-phone.png")
    tab.click(".sources h3 a")
    tab.settle()
    check("hostile source")
    tab.picture(f"{bench.pictures}/hostile-source-phone.png")
    # The question is hostile as well.
    tab.go(bench.hostile + "/")
    question = "</textarea><script>pwned=8</script> zebra \"\u0301 onfocus=pwned=9 autofocus x=\""
    bench.ask(tab, question)
    check("hostile question")
    assert tab.text("h1") == question
    assert all(address.startswith(bench.hostile) for address in tab.addresses if "://" in address), tab.addresses


@test
def guards(bench):
    """With tokens: nothing without one; the script keeps it in the tab; it is in no address."""
    bench.model.behave()
    tab = bench.tab(bench.guarded + "/")
    assert tab.run("document.querySelector('#token').labels[0].textContent") == "Token"
    bench.audit(tab, "token")
    tab.picture(f"{bench.pictures}/token.png")
    tab.type("#q", QUESTION)
    tab.type("#token", "wrong")
    tab.click("#ask button")
    tab.wait("!!document.querySelector('.notice')")
    assert tab.run("document.querySelector('#token').checkVisibility()"), "it is asked for again"
    tab.run("document.querySelector('#token').value = ''")
    tab.type("#token", TOKEN)
    tab.click("#ask button")
    tab.wait("!!document.querySelector('article .sources')")
    assert not tab.run("document.querySelector('#token').checkVisibility()")
    assert tab.run("document.cookie") == "" and tab.run("localStorage.length") == 0
    address = tab.run("location.href")
    tab.go(address)
    tab.wait("!!document.querySelector('article .sources')")
    tab.click("#source-1 h3 a")
    tab.wait("!!document.querySelector('#passage')")
    assert tab.run("document.activeElement.id") == "passage"
    tab.go(address)
    tab.wait("!!document.querySelector('#feedback')")
    tab.click("#feedback summary")
    tab.click("input[value=good]")
    tab.click("#feedback button")
    tab.wait("!!document.querySelector('#feedback .thanks')")
    assert bench.world.feedback("guarded-feedback")[-1]["from"] == "team-a"
    tab.click("#forget")
    tab.go(address)
    assert tab.run("!!document.querySelector('form[data-locked]') && !document.querySelector('article')")
    tab.picture(f"{bench.pictures}/locked.png")
    bench.audit(tab, "locked")
    # A token that is no longer valid is forgotten.
    tab.run("sessionStorage.setItem('fti-token', 'revoked')")
    tab.go(address)
    tab.wait("sessionStorage.getItem('fti-token') === null")
    assert tab.run("document.querySelector('#token').checkVisibility()") and "null" not in tab.text("body")
    tab.type("#token", "naïve")
    tab.click("main button")
    tab.settle()
    assert tab.run("sessionStorage.getItem('fti-token')") is None
    # Another tab, without script.
    other = bench.tab()
    other.scripts(False)
    other.go(address)
    other.type("#token", TOKEN)
    other.click("main button")
    other.settle()
    assert "template is printed" in other.text("article .text")
    for used in tab.addresses + other.addresses:
        assert TOKEN not in used, used
    assert not [failure for failure in tab.failures + other.failures], tab.failures


@test
def shows_what_is_parked(bench):
    """Versions that do not fit are shown with the reason, and the service goes on."""
    world = bench.world
    repository = world.path("parked.fti")
    shutil.copytree(world.path("hostile.fti"), repository)
    address = world.serve("parked", repository, "poll: 50ms\nretrieval: {where: \"author = 'Ada'\"}")
    # The next version has no attribute of this name.
    world.write("plain/page.md", "# Plain\n\nThis document has no author, and so the condition does not fit it.\n")
    world.write("plain.yaml", "ref: features/prod\nsources: [{files: plain}]\n")
    world.do("fti-feature", "run", "plain.yaml", "--rebuild", "--repo", repository)
    world.release("parked.fti")
    until(lambda: "New version rejected" in fetch(address + "/")[2], "the page says so")
    tab = bench.tab(address + "/")
    assert "still serving the previous one" in tab.text("#served .notice")
    bench.ask(tab, "When does white paint dry?")
    assert "within an hour" in tab.text("article .text")
    tab.click("header a[href='#served']")
    assert "Rejected (features" in tab.text("#served") and tab.run("document.querySelector('#served details').open")
    bench.audit(tab, "parked")
    tab.picture(f"{bench.pictures}/parked.png")


@test
def suits_everyone(bench):
    """Every page in both schemes, on a desk and on a phone of 320 points: contrast, labels, structure, width."""
    bench.model.behave()
    least = 99
    long = "Please tell me, as exactly as you can, " + "and with all that follows from it, " * 6 + "what size holes to drill?"
    for scheme in ("light", "dark"):
        for device, (width, height) in {"desk": (1100, 900), "phone": (320, 640)}.items():
            tab = bench.tab(prefers_color_scheme=scheme)
            tab.size(width, height, is_phone=device == "phone")
            name = f"{scheme}-{device}"

            def look(page):
                tab.picture(f"{bench.pictures}/{page}-{name}.png")
                return bench.audit(tab, f"{page} {name}")
            tab.go(bench.open + "/")
            least = min(least, look("ask"))
            bench.ask(tab, QUESTION)
            tab.run("scrollTo(0, 0)")
            least = min(least, look("answer"))
            tab.run("document.querySelectorAll('details').forEach(details => { details.open = true; })")
            least = min(least, look("opened"))
            tab.click("#source-1 h3 a")
            tab.settle()
            least = min(least, look("source"))
            tab.go(bench.quoting + "/sources?key=reference%2Fspecifications.html%23hub%2F00#passage")
            least = min(least, look("table"))
            tab.go(bench.quoting + "/")
            bench.ask(tab, long)
            least = min(least, look("long"))
            tab.go(bench.quoting + "/answers/ans-" + "0" * 32)
            least = min(least, look("missing"))
    print(f"    the least contrast is {least:.2f}")


@test
def suits_a_keyboard(bench):
    """The tab key reaches everything in the order of the page, and shows where it is; motion can be off."""
    bench.model.behave()
    tab = bench.tab(bench.open + "/", prefers_reduced_motion="reduce")
    tab.press("Tab")
    assert tab.run("document.activeElement.className") == "skip"
    assert tab.run("document.activeElement.getBoundingClientRect().left") >= 0, "the link to skip is shown"
    bench.ask(tab, QUESTION)
    tab.go(tab.run("location.href"))
    wanted = tab.run("[...document.querySelectorAll('a[href], button, textarea, select, summary, input:not([type=hidden]),"
                     " pre, .scroll')].filter(e => e.checkVisibility()).length")
    places = []
    for _ in range(wanted + 5):
        tab.press("Tab")
        place = tab.run("""(() => {
          const at = document.activeElement;
          if (at === document.body) return null;
          const style = getComputedStyle(at);
          const order = [...document.querySelectorAll('*')].indexOf(at);
          return { order, name: at.outerHTML.slice(0, 80),
                   shows: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
        })()""")
        if place is None or places and place["order"] <= places[-1]["order"]:
            break
        places.append(place)
    assert len(places) >= wanted, (len(places), wanted, places)
    for place in places:
        assert place["shows"], place
    bench.model.behave(mode="drip", seconds=0.2)
    tab.type("#q", "LONG 30")
    tab.click("#ask button")
    tab.wait("!!document.querySelector('.busy')")
    assert tab.run("getComputedStyle(document.querySelector('.busy'), '::before').animationName") == "none"
    bench.model.behave()


@test
def is_small(bench):
    """The page with its style and script is small, and says that nothing else may be loaded."""
    _, headers, page = fetch(bench.open + "/")
    assert "unsafe" not in headers["Content-Security-Policy"]
    total = len(page.encode())
    for asset in ("css", "js", "svg"):
        address = page.split(f'"/page.{asset}')[1].split('"')[0]
        status, headers, body = fetch(f"{bench.open}/page.{asset}{address}")
        assert status == 200 and "immutable" in headers["Cache-Control"]
        total += len(body.encode())
    assert total < SIZE_LIMIT, total
    print(f"    {total} bytes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("pictures", nargs="?", default=str(HERE / ".pictures"))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world, browser = World(options.binaries, folder), None
        try:
            browser = Browser()
            bench = Bench(world, browser, options.pictures)
            failed = run_tests(TESTS, bench, options.only)
        finally:
            if browser:
                browser.close()
            world.close()
    print(f"{failed} of the tests failed" if failed else f"all passed; pictures are in {options.pictures}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
