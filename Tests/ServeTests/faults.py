"""What clients get when the language model behind the service fails."""
import openai

from bench import NAME, QUESTION, raises, until

# The shapes in which services explain an error.
SHAPES = [
    {"error": {"message": "WHY", "type": "invalid_request_error", "param": None, "code": None}},
    {"error": "WHY"},
    {"detail": [{"loc": ["body", "messages"], "msg": "WHY"}]},
    "<html><head><title>WHY</title></head><body>proxy</body></html>",
]


class Shared:
    def __init__(self, bench):
        self.bench = bench
        self.generator = bench.generator()
        self.service = bench.serve(self.generator, engine={"timeout": "4s", "atOnce": 4})
        self.client = self.service.client()

    def chat(self, **options):
        return self.client.chat.completions.create(
            model=NAME, messages=[{"role": "user", "content": QUESTION}], **options)

    def fails(self, expected, *words, kind=openai.InternalServerError, **faults):
        """Checks that answers fail with a status, whole and streamed, while the generator has faults."""
        self.generator.behave(**faults)
        for streamed in (False, True):
            error = raises(kind, lambda: self.chat(stream=streamed), expected)
            assert error.type == ("server_error" if expected >= 500 else "rate_limit_error"), error.body
            assert error.param is None and "127.0.0.1" not in error.message and "WHY" not in error.message, error.body
            for word in words:
                assert word in error.message, error.message
        return error


begin = Shared


def check_a_refusal_is_a_failure_of_the_service_whatever_its_status_and_shape(shared):
    for status in (400, 401, 404, 422, 500, 503):
        for shape in SHAPES:
            shared.fails(503, f"status {status}", mode="refuse", status=status, body=shape)
    shared.fails(503, "an error", mode="say", body=SHAPES[0])
    shared.fails(503, "could not be reached", mode="close")
    # The log has the status and the address; the model's own words may repeat a question.
    log = shared.service.output
    assert "WHY" not in log and "status 401" in log and "127.0.0.1" in log, log


def check_a_language_model_with_too_many_requests_is_429(shared):
    for wanted, after in ((None, "5"), (7, "7"), (100, "100")):
        wait = {} if wanted is None else {"retryAfter": wanted}
        error = shared.fails(429, "too many requests", kind=openai.RateLimitError,
                             mode="refuse", status=429, body=SHAPES[0], **wait)
        assert error.response.headers["Retry-After"] == after, error.response.headers


def check_other_wrong_answers(shared):
    for mode in ("close", "garbage", "no-choices", "empty"):
        shared.fails(503, mode=mode)


def check_5_GB_are_not_read(shared):
    shared.generator.control({"forget": True})
    for mode in ("endless", "endless-event"):
        shared.fails(503, mode=mode)
    sent = until(lambda: not shared.generator.counts["now"] and shared.generator.counts["sentBytes"], "it stops")
    assert sent < 256 << 20, sent
    memory = shared.service.metric("process_resident_memory_bytes")
    assert memory < 1 << 30, memory


def check_numbers_of_tokens_that_cannot_be_are_estimated(shared):
    for count in (2**53, 2**40 + 1, -1, 1.5, 1e300):
        shared.generator.behave(mode="say", body={
            "choices": [{"message": {"role": "assistant", "content": "Drill. [1]"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": count, "completion_tokens": count}})
        answer = shared.chat()
        assert 0 < answer.usage.completion_tokens < 10 < answer.usage.prompt_tokens < 10_000, answer.usage
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
        assert answer.fti["generator"]["promptTokens"] is None


def check_a_language_model_that_hangs_is_504(shared):
    for mode in ("hang", "hang-headers"):
        shared.fails(504, "time", mode=mode)
    # The client may ask for less time; the request to the language model ends with it.
    shared.generator.control({"forget": True})
    raises(openai.InternalServerError, lambda: shared.chat(extra_headers={"X-Request-Timeout": "0.5"}), 504)
    until(lambda: shared.generator.counts["cancelled"] == 1, "the language model's request is cancelled")


def check_a_stream_that_breaks_off_ends_with_an_error(shared):
    for faults in ({"mode": "cut"}, {"mode": "error-event", "body": SHAPES[0]}, {"mode": "hang-middle"}):
        shared.generator.behave(**faults)
        parts = []
        logged = shared.service.output.count('"level":"error"')

        def read():
            for chunk in shared.chat(stream=True):
                parts.append(chunk.choices[0].delta.content or "")

        raises(openai.APIError, read)
        assert "".join(parts), faults
        assert shared.service.output.count('"level":"error"') > logged, "the log has the reason"
        # The other API has an event for it, which its client makes an error or an event of.
        kinds, numbers = [], []

        def read_events():
            for event in shared.client.responses.create(model=NAME, input=QUESTION, stream=True):
                kinds.append(event.type)
                numbers.append(event.sequence_number)
            assert event.type == "response.failed" and event.response.status == "failed", event
            assert event.response.error.code == "server_error" and "language model" in event.response.error.message

        read_events()
        assert numbers == list(range(len(kinds))), numbers
        assert "response.completed" not in kinds and "response.output_text.delta" in kinds


def check_a_client_that_leaves_stops_the_language_model(shared):
    shared.generator.behave(mode="drip", seconds=0.2)
    shared.generator.control({"forget": True})
    stream = shared.chat(stream=True)
    next(iter(stream))
    stream.close()
    until(lambda: shared.generator.counts["cancelled"] == 1, "the request is cancelled")


def check_lost_requests_are_repeated(shared):
    shared.generator.behave()
    service = shared.bench.serve(shared.generator, engine={"retries": 2})
    client = service.client()
    for mode in ({"mode": "refuse", "status": 503}, {"mode": "close"}):
        shared.generator.control({"forget": True, **mode, "first": 1})
        answer = client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": QUESTION}])
        assert answer.choices[0].message.content.endswith("[1]")
        assert shared.generator.counts["requests"] == 2


def check_search_works_without_the_language_model(shared):
    shared.generator.behave(mode="close")
    found = list(shared.client.vector_stores.search(vector_store_id=NAME, query=QUESTION))
    assert found[0].filename == "install/mounting.md"
    assert shared.service.metric('fti_generation_errors_total{reason="service"}') > 0


def check_nothing_is_left_behind(shared):
    shared.generator.behave()
    until(lambda: shared.generator.counts["now"] == 0, "no request of the language model is left")
    assert shared.chat().choices[0].message.content.endswith("[1]")
    until(lambda: shared.service.metric("http_requests_in_flight") <= 1, "no request is left")
    assert shared.service.is_running
