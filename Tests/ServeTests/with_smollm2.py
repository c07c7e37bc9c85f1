"""A real small language model, SmolLM2, behind OpenAI's API; `Scripts/llm.sh` serves it on the port FTI_LLM_PORT."""
import os

import openai

from bench import NAME, QUESTION, chat, raises


class Engine:
    """Where the model answers, in the form of the stand-in."""

    url = f"http://127.0.0.1:{os.environ.get('FTI_LLM_PORT', '8012')}/v1"
    model = "smollm2"


class Shared:
    def __init__(self, bench):
        self.bench = bench
        # Two words are enough for another model to differ, and the machine writes a few words a second.
        canary = bench.folder / "canary.json"
        bench.run("fti-inference", "canary", Engine.url, "--model", Engine.model, "--items", "2", "-o", canary)
        prompt = bench.write("prompt.json", {
            "type": "prompt", "version": 1, "system": "Answer in one short sentence from the passages.",
            "budget": {"context": 600, "answer": 32}, "nothingFound": {"answer": "decline", "text": "Not known."}})
        self.release = bench.release("--canary", canary, "--prompt", prompt)
        self.service = bench.serve(Engine, engine={"timeout": "300s", "atOnce": 1})
        self.client = self.service.client().with_options(timeout=600)


begin = Shared


def check_the_model_is_verified_by_its_canary(shared):
    status, checks = shared.service.ready
    assert status == 200 and checks["versions"]["verified"] is True, checks


def check_chat(shared):
    answer = chat(shared.client)
    record = answer.fti
    assert answer.choices[0].message.content.strip() and record["verified"] is True
    assert record["release"] == shared.release and record["generator"]["model"] == Engine.model
    assert record["generator"]["promptTokens"] > 50 and 0 < record["generator"]["replyTokens"] <= 32
    assert set(record["citations"]["shown"]) <= {passage["number"] for passage in record["passages"]}


def check_stream(shared):
    parts = [chunk.choices[0].delta.content or "" for chunk in chat(shared.client, stream=True) if chunk.choices]
    assert len(parts) > 3 and "".join(parts).strip()
    # Without randomness, the same question gets the same answer.
    assert "".join(parts) == chat(shared.client).choices[0].message.content


def check_another_model_is_not_used(shared):
    other = shared.bench.generator()
    service = shared.bench.serve(other)
    error = raises(openai.InternalServerError, lambda: chat(service.client()), 503)
    assert error.code == "wrong_model" and NAME in service.get("/v1/models")[2]["data"][0]["id"], QUESTION
