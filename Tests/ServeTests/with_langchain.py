"""LangChain's classes for OpenAI, which know nothing of this service."""
import sys

import openai
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from bench import NAME, QUESTION, raises


class Shared:
    def __init__(self, bench):
        self.bench = bench
        self.generator = bench.generator()
        self.service = bench.serve(self.generator)
        self.options = {"base_url": self.service.url + "/v1", "api_key": "none", "model": NAME, "max_retries": 0}
        self.chat = ChatOpenAI(**self.options)


begin = Shared


def check_invoke(shared):
    answer = shared.chat.invoke(QUESTION)
    assert answer.content.endswith("[1]") and answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["total_tokens"] > 0 and answer.response_metadata["model_name"] == NAME


def check_a_conversation(shared):
    answer = shared.chat.invoke([
        SystemMessage("You are terse."), HumanMessage(QUESTION), AIMessage("Drill 6 mm holes. [1]"),
        HumanMessage("And in timber?")])
    assert answer.content.endswith("[1]")
    roles = [message["role"] for message in shared.generator.counts["last"]["messages"]]
    assert roles == ["system", "user", "assistant", "user"], roles


def check_stream(shared):
    for options in ({}, {"stream_usage": True}):
        parts = list(ChatOpenAI(**shared.options, **options).stream(QUESTION))
        whole = parts[0]
        for part in parts[1:]:
            whole += part
        assert len(parts) > 5 and whole.content.endswith("[1]"), whole
        if options:
            assert whole.usage_metadata["total_tokens"] > 0


def check_batch(shared):
    questions = [QUESTION, "When does the frost alarm go off?", "How do I pair a probe?"]
    answers = shared.chat.batch(questions)
    assert len(answers) == 3 and all(answer.content.endswith("[1]") for answer in answers)
    assert len({answer.content for answer in answers}) == 3


def check_the_responses_API(shared):
    chat = ChatOpenAI(**shared.options, use_responses_api=True)
    answer = chat.invoke(QUESTION)
    assert answer.text.endswith("[1]"), answer
    parts = list(chat.stream(QUESTION))
    assert "".join(part.text for part in parts).endswith("[1]")


def check_tools_are_refused(shared):
    tool = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {
        "type": "object", "properties": {}}}}
    error = raises(openai.BadRequestError, lambda: shared.chat.bind_tools([tool]).invoke(QUESTION), 400)
    assert error.param == "tools"


def check_embeddings(shared):
    embeddings = OpenAIEmbeddings(**shared.options, check_embedding_ctx_length=False)
    vectors = embeddings.embed_documents(["frost alarm", "drill"])
    assert len(vectors) == 2 and len(vectors[0]) == 384
    query = embeddings.embed_query("frost alarm")
    assert len(query) == 384
    # By default it sends token ids of a tokenizer that it fetches, of a model of OpenAI.
    usual = OpenAIEmbeddings(**shared.options)
    try:
        usual.embed_query("frost alarm")
    except openai.BadRequestError as error:
        assert error.param == "input" and "check_embedding_ctx_length=False" in error.message, error
    except Exception as error:
        # The tokenizer comes from the network, not from PyPI.
        assert "tiktoken" in repr(error).lower() or "connection" in repr(error).lower(), repr(error)
        print(f"not checked: token ids, for want of the tokenizer: {type(error).__name__}", file=sys.stderr)
