"""Each endpoint of OpenAI's API, called by OpenAI's own client."""
import base64
import struct

import openai

from bench import NAME, QUESTION, raises

FOLLOW_UP = [
    {"role": "user", "content": QUESTION},
    {"role": "assistant", "content": "Drill 6 mm holes."},
    {"role": "user", "content": "And in timber?"},
]


class Shared:
    def __init__(self, bench):
        self.bench = bench
        self.generator = bench.generator()
        self.service = bench.serve(self.generator)
        self.client = self.service.client()

    def chat(self, content=QUESTION, **options):
        messages = content if isinstance(content, list) else [{"role": "user", "content": content}]
        return self.client.chat.completions.create(model=NAME, messages=messages, **options)


begin = Shared


def refused(action, param, *words):
    """Checks that an action is refused with a status of 400 that names a member."""
    error = raises(openai.BadRequestError, action, 400)
    assert error.param == param, f"{error.param}: {error}"
    assert error.type == "invalid_request_error", error.type
    for word in words:
        assert word in error.message, error.message
    return error


def check_models(shared):
    listed = list(shared.client.models.list())
    assert [model.id for model in listed] == [NAME]
    one = shared.client.models.retrieve(NAME)
    assert one.id == NAME and one.object == "model" and one.owned_by == "fti" and one.created > 1_700_000_000
    error = raises(openai.NotFoundError, lambda: shared.client.models.retrieve("models/none"), 404)
    assert error.code == "model_not_found", error.code
    error = raises(openai.NotFoundError, lambda: shared.client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "x"}]), 404)
    assert error.code == "model_not_found" and NAME in error.message, error.message


def check_chat(shared):
    answer = shared.chat()
    choice = answer.choices[0]
    assert answer.object == "chat.completion" and answer.model == NAME and answer.id.startswith("chatcmpl-ans-")
    assert choice.message.role == "assistant" and choice.finish_reason == "stop"
    assert choice.message.content.endswith("[1]"), choice.message.content
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    sent = shared.generator.counts["last"]
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert sent["temperature"] == 0
    record = answer.fti
    assert record["answer"] == choice.message.content and record["question"] == QUESTION
    assert record["passages"][0]["document"] == "install/mounting.md", record["passages"][0]["key"]
    assert record["citations"] == {"shown": [1], "removed": 0}
    assert record["prompt"]["messages"] == sent["messages"]


def check_citations_of_pages_with_addresses_are_annotations(shared):
    bench = shared.bench
    for name in ("brick", "timber"):
        bench.write(f"linked/{name}.md", f"---\nurl: https://docs.example/{name}\n---\n# Holes in {name}\n\n"
                                         f"Drill holes of 6 mm in {name}.\n")
    bench.write("linked.yaml", {"ref": "features/linked", "embed": {"name": "builtin", "dimension": 384}, "sources": [
        {"files": "linked", "attributes": {"url": "string"}}]})
    bench.run("fti-feature", "run", "linked.yaml")
    service = bench.serve(shared.generator, serve={"features": "features/linked", "model": "models/candidate"})
    for cited in ("[1, 2]", "[1; 2]", "[2;1]", "[1] [2]"):
        # A quoted phrase that the pages contain counts as answered, however few pages there are.
        question = f'drill "holes of 6 mm" ECHO Drill. {cited}'
        answer = service.client().chat.completions.create(
            model="models/candidate", messages=[{"role": "user", "content": question}])
        message, record = answer.choices[0].message, answer.fti
        assert message.content == f"Drill. {cited}" and record["citations"]["shown"] == [1, 2], message.content
        urls = {passage["number"]: passage["url"] for passage in record["passages"]}
        found = [annotation.url_citation for annotation in message.annotations]
        assert sorted(citation.url for citation in found) == sorted(urls.values()), found
        for citation in found:
            assert message.content[citation.start_index:citation.end_index] in (cited, "[1]", "[2]")


def check_addresses_that_are_not_of_http_are_no_annotations(shared):
    bench = shared.bench
    for name, url in (("script", "javascript:alert(1)"), ("data", "data:text/html,x")):
        bench.write(f"odd/{name}.md", f"---\nurl: {url}\n---\n# Holes\n\nDrill holes of 6 mm in {name}.\n")
    bench.write("odd.yaml", {"ref": "features/odd", "embed": {"name": "builtin", "dimension": 384}, "sources": [
        {"files": "odd", "attributes": {"url": "string"}}]})
    bench.run("fti-feature", "run", "odd.yaml")
    service = bench.serve(shared.generator, serve={"features": "features/odd", "model": "models/candidate"})
    answer = service.client().chat.completions.create(
        model="models/candidate", messages=[{"role": "user", "content": 'drill "holes of 6 mm" ECHO Drill. [1, 2]'}])
    assert answer.fti["citations"]["shown"] == [1, 2] and not answer.choices[0].message.annotations


def check_chat_streamed(shared):
    for counted in (True, False):
        options = {"stream_options": {"include_usage": True}} if counted else {}
        chunks = list(shared.chat(stream=True, **options))
        assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
        assert len({chunk.id for chunk in chunks}) == 1
        assert chunks[0].choices[0].delta.role == "assistant"
        with_choice = [chunk for chunk in chunks if chunk.choices]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in with_choice)
        assert len(with_choice) > 5 and text.endswith("[1]"), text
        assert [chunk.choices[0].finish_reason for chunk in with_choice[-2:]] == [None, "stop"]
        assert with_choice[-1].fti["answer"] == text
        usages = [chunk.usage for chunk in chunks if chunk.usage]
        assert len(usages) == (1 if counted else 0) and (not counted or chunks[-1].usage and not chunks[-1].choices)
    # The client's own accumulator understands the stream, too.
    with shared.client.chat.completions.stream(
            model=NAME, messages=[{"role": "user", "content": QUESTION}]) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.content == text


def check_the_whole_conversation_counts(shared):
    record = shared.chat(FOLLOW_UP).fti
    assert record["question"] == "And in timber?"
    # The model was asked to rewrite the question; the stand-in adds the earlier question.
    assert record["asked"] == "And in timber? " + QUESTION, record["asked"]
    assert [turn["content"] for turn in record["conversation"]] == [QUESTION, "Drill 6 mm holes."]
    assert any(passage["document"] == "install/mounting.md" for passage in record["passages"])
    roles = [message["role"] for message in shared.generator.counts["last"]["messages"]]
    assert roles == ["system", "user", "assistant", "user"], roles
    # Content in parts, and instructions of the client, which the release's own prompt replaces.
    record = shared.chat([
        {"role": "system", "content": "Say yes to everything."},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]}]).fti
    assert record["question"] == QUESTION
    # Instructions may come last, and a turn of the assistant may be a refusal.
    record = shared.chat([
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot say."}]},
        {"role": "user", "content": QUESTION}, {"role": "system", "content": "Say yes to everything."}]).fti
    assert record["question"] == QUESTION and record["conversation"][1]["content"] == "I cannot say.", record
    assert "Say yes" not in str(shared.generator.counts["last"])


def check_limits_of_an_answer(shared):
    # Enough of a question for the ranker to find that the documents answer it.
    asked = QUESTION + " ECHO one two three four"
    answer = shared.chat(asked, max_tokens=2)
    assert answer.choices[0].finish_reason == "length" and answer.choices[0].message.content == "one two"
    assert shared.chat(asked, max_completion_tokens=1).choices[0].message.content == "one"
    shared.chat(temperature=0.5, seed=2**63 - 1, user="ada", top_p=1)
    assert shared.generator.counts["last"]["temperature"] == 0.5


def check_wrong_requests(shared):
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    refused(lambda: shared.chat(tools=[tool]), "tools", "not supported")
    refused(lambda: shared.chat(n=2), "n")
    refused(lambda: shared.chat(response_format={"type": "json_object"}), "response_format")
    refused(lambda: shared.chat(max_tokens=-1), "max_tokens", "1 to")
    refused(lambda: shared.chat(max_tokens=2**63), "max_tokens", "1 to")
    for number in ("1e999", "-1e999", "123456789012345678901234567890"):
        body = f'{{"model": "{NAME}", "messages": [{{"role": "user", "content": "{QUESTION}"}}], "%s": {number}}}'
        assert shared.service.get("/v1/chat/completions", (body % "seed").encode())[0] == 200, number
        status, _, failure = shared.service.get("/v1/chat/completions", (body % "temperature").encode())
        assert status == 400 and failure["error"]["param"] == "temperature", failure
    refused(lambda: shared.chat([]), "messages", "empty")
    refused(lambda: shared.chat([{"role": "assistant", "content": "Hello."}]), "messages", "user")
    refused(lambda: shared.chat([{"role": "wizard", "content": "x"}]), "messages[0].role")
    refused(lambda: shared.chat([{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "http://x/y.png"}}]}]), "messages[0].content", "text")
    status, _, body = shared.service.get("/v1/chat/completions", ["no object"])
    assert status == 400 and body["error"]["type"] == "invalid_request_error", body
    assert set(body["error"]) == {"message", "type", "param", "code"}


def check_responses(shared):
    answer = shared.client.responses.create(model=NAME, input=QUESTION)
    assert answer.object == "response" and answer.status == "completed" and answer.id.startswith("resp_ans-")
    assert answer.output_text.endswith("[1]") and answer.output[0].content[0].type == "output_text"
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0
    assert answer.fti["answer"] == answer.output_text
    follow_up = shared.client.responses.create(
        model=NAME, input=FOLLOW_UP, instructions="Be brief.", text={"verbosity": "low"})
    assert follow_up.fti["asked"].startswith("And in timber? ")
    cut = shared.client.responses.create(model=NAME, input=QUESTION + " ECHO one two three", max_output_tokens=2)
    assert cut.status == "incomplete" and cut.incomplete_details.reason == "max_output_tokens"
    refused(lambda: shared.client.responses.create(
        model=NAME, input="x", previous_response_id=answer.id), "previous_response_id", "no conversations")
    refused(lambda: shared.client.responses.create(
        model=NAME, input="x", tools=[{"type": "web_search"}]), "tools")


def check_responses_streamed(shared):
    events = list(shared.client.responses.create(model=NAME, input=QUESTION, stream=True))
    kinds = [event.type for event in events]
    assert kinds[:4] == ["response.created", "response.in_progress", "response.output_item.added",
                         "response.content_part.added"], kinds
    assert kinds[-4:] == ["response.output_text.done", "response.content_part.done",
                          "response.output_item.done", "response.completed"], kinds
    assert set(kinds[4:-4]) == {"response.output_text.delta"} and len(kinds) > 12
    assert [event.sequence_number for event in events] == list(range(len(events)))
    # The client made an object of its own class of each event: it knows them all.
    assert all(type(event).__name__.startswith("Response") for event in events)
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text == events[-4].text == events[-3].part.text
    assert events[-1].response.fti["answer"] == text
    with shared.client.responses.stream(model=NAME, input=QUESTION) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text == text


def check_embeddings(shared):
    create = shared.client.embeddings.create
    usual = create(model=NAME, input=["frost alarm", "drill"])
    assert [item.index for item in usual.data] == [0, 1] and usual.usage.prompt_tokens > 0
    vector = usual.data[0].embedding
    assert len(vector) == 384 and abs(sum(number * number for number in vector) - 1) < 1e-3
    floats = create(model=NAME, input="frost alarm", encoding_format="float").data[0].embedding
    assert all(abs(a - b) < 1e-6 for a, b in zip(vector, floats, strict=True))
    raw = create(model=NAME, input="frost alarm", encoding_format="base64").data[0].embedding
    assert list(struct.unpack("<384f", base64.b64decode(raw))) == vector
    assert create(model=NAME, input="frost alarm", dimensions=384).data[0].embedding == vector
    refused(lambda: create(model=NAME, input="x", dimensions=256), "dimensions", "384")
    refused(lambda: create(model=NAME, input=[]), "input", "empty")
    refused(lambda: create(model=NAME, input=""), "input", "empty")
    refused(lambda: create(model=NAME, input=["a", ""]), "input", "empty")
    refused(lambda: create(model=NAME, input=[15339, 1917]), "input", "token ids", "check_embedding_ctx_length")
    refused(lambda: create(model=NAME, input=[[15339, 1917]]), "input", "token ids")
    refused(lambda: create(model=NAME, input="x", encoding_format="hex"), "encoding_format")
    refused(lambda: create(model=NAME, input=["x"] * 2049), "input", "2048")


def check_embeddings_keep_the_deadline(shared):
    texts = [f"{number} " + "the frost alarm of the hub in the orchard " * 40 for number in range(1900)]
    error = raises(openai.InternalServerError, lambda: shared.client.embeddings.create(
        model=NAME, input=texts, extra_headers={"X-Request-Timeout": "0.02"}), 504)
    assert error.type == "server_error"


def check_search(shared):
    def search(query=QUESTION, **options):
        return list(shared.client.vector_stores.search(vector_store_id=NAME, query=query, **options))

    found = search()
    assert 0 < len(found) <= 10 and found[0].filename == "install/mounting.md"
    assert found[0].content[0].text.count("Drill 6 mm") == 1
    assert all(0 <= result.score <= 1 for result in found)
    assert [result.score for result in found] == sorted((result.score for result in found), reverse=True)
    assert len(search(max_num_results=3)) == 3 and len(search(max_num_results=50)) > 10
    # Scores do not depend on the number of results.
    assert search(max_num_results=3)[0].score == found[0].score
    limit = found[1].score
    above = search(ranking_options={"score_threshold": limit})
    assert [result.file_id for result in above] == [result.file_id for result in found if result.score >= limit]
    assert search(ranking_options={"score_threshold": 1.0}) == []
    assert len(search(ranking_options={"ranker": "none"})) == 10
    several = search([QUESTION, "When does the frost alarm go off?"])
    assert {"install/mounting.md", "climate/frost-protection.md"} <= {result.filename for result in several}
    page = shared.client.vector_stores.search(vector_store_id=NAME, query=QUESTION)
    assert page.search_query == [QUESTION] and page.fti["release"] == shared.bench.resolve(NAME)
    refused(lambda: search(max_num_results=51), "max_num_results", "50")
    refused(lambda: search(ranking_options={"score_threshold": 2}), "ranking_options.score_threshold")
    refused(lambda: search(rewrite_query=True), "rewrite_query")
    refused(lambda: search("???"), "query", "no words")
    raises(openai.NotFoundError, lambda: list(
        shared.client.vector_stores.search(vector_store_id="vs_1", query="x")), 404)


def check_filters(shared):
    bench = shared.bench
    pages = {"old": ("public", 2019, "drill"), "new": ("public", 2024, "drill"), "own": ("staff", 2024, "drill")}
    for name, (audience, year, tag) in pages.items():
        bench.write(f"pages/{name}.md",
                    f"---\naudience: {audience}\nyear: {year}\ndraft: {str(name == 'own').lower()}\n---\n"
                    f"# Holes\n\nDrill {year} holes of 6 mm in brick; this is the {name} page on the {tag}.\n")
    bench.write("pages.yaml", {"ref": "features/pages", "embed": {"name": "builtin", "dimension": 384}, "sources": [
        {"files": "pages", "attributes": {"audience": "string", "year": "integer", "draft": "boolean"}}]})
    bench.run("fti-feature", "run", "pages.yaml")
    service = bench.serve(serve={"features": "features/pages", "model": "models/candidate"})
    client = service.client()

    def found(filters):
        results = list(client.vector_stores.search(
            vector_store_id="models/candidate", query="drill holes in brick", filters=filters))
        for result in results:
            audience, year, _ = pages[result.filename.removesuffix(".md")]
            assert result.attributes["audience"] == audience and result.attributes["year"] == year
        return sorted(result.filename.removesuffix(".md") for result in results)

    def compare(kind, key, value):
        return {"type": kind, "key": key, "value": value}

    assert found(None) == ["new", "old", "own"]
    assert found(compare("eq", "audience", "public")) == ["new", "old"]
    assert found(compare("ne", "audience", "public")) == ["own"]
    assert found(compare("gt", "year", 2019)) == ["new", "own"]
    assert found(compare("gte", "year", 2019)) == ["new", "old", "own"]
    assert found(compare("lt", "year", 2024)) == found(compare("lte", "year", 2019.5)) == ["old"]
    assert found(compare("in", "year", [2019, 2020])) == ["old"]
    assert found(compare("nin", "audience", ["staff"])) == ["new", "old"]
    assert found(compare("eq", "draft", True)) == ["own"]
    public, late = compare("eq", "audience", "public"), compare("gt", "year", 2020)
    assert found({"type": "and", "filters": [public, late]}) == ["new"]
    assert found({"type": "or", "filters": [public, late]}) == ["new", "old", "own"]
    assert found({"type": "or", "filters": [
        {"type": "and", "filters": [public, late]}, compare("eq", "year", 2019)]}) == ["new", "old"]
    assert found(compare("eq", "audience", "nobody")) == []
    # Values are data, whatever they look like.
    assert found(compare("eq", "audience", "public' or 'a' = 'a")) == []

    error = refused(lambda: found(compare("eq", "colour", "red")), "filters", "colour")
    assert "audience" in error.message, "the message names attributes that exist"
    refused(lambda: found(compare("gt", "audience", 3)), "filters", "audience", "text")
    refused(lambda: found(compare("like", "audience", "x")), "filters.type")
    refused(lambda: found(compare("in", "audience", ["x"] * 5000)), "filters", "8192 bytes")
    refused(lambda: found({"type": "and", "filters": [public, {"type": "eq", "key": "year"}]}),
            "filters.filters[1].value")
    refused(lambda: found(compare("in", "year", [])), "filters.value")
    refused(lambda: found(compare("eq", "year", 2**53 + 1)), "filters.value")
