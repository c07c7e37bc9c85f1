"""What clients get when the service refuses: tokens, a full queue, a spent budget."""
import contextlib
import hashlib
import json
import threading

import openai

from bench import QUESTION, chat, raises, search, until

def check_tokens(bench):
    generator = bench.generator()
    token = "s3cret-token"
    service = bench.serve(
        generator, tokens=f"# who\nteam-a {hashlib.sha256(token.encode()).hexdigest()}\n")
    for key in ("wrong", "", token[:-1]):
        status, headers, body = service.get("/v1/models", headers={"Authorization": "Bearer " + key})
        assert status == 401 and body["error"]["code"] == "invalid_api_key", (key, body)
        assert headers["WWW-Authenticate"] == "Bearer"
    error = raises(openai.AuthenticationError, lambda: service.client("wrong").models.list(), 401)
    assert error.type == "authentication_error"
    assert service.get("/v1/models")[0] == 401
    assert chat(service.client(token)).choices[0].message.content
    for path in ("/healthz", "/readyz", "/metrics"):
        assert service.get(path)[0] == 200, path
    lines = [json.loads(line) for line in service.output.splitlines() if line.startswith("{")]
    assert any(line.get("token") == "team-a" for line in lines)
    assert token not in service.output and QUESTION not in service.output


def check_a_full_queue_is_429(bench):
    generator = bench.generator()
    generator.behave(mode="drip", seconds=0.3)
    service = bench.serve(
        generator, limits={"queue": 1}, engine={"atOnce": 1, "timeout": "60s"})

    def load():
        return sum(float(line.rsplit(" ", 1)[1]) for line in service.get("/metrics")[2].splitlines()
                   if line.startswith(("work_running", "work_waiting")))

    def occupy():
        with contextlib.suppress(openai.APIError):
            chat(service.client())

    # Two threads, of which one waits for the only request that the language model may get, and one place in the queue.
    threads = [threading.Thread(target=occupy) for _ in range(3)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        until(lambda: load() >= count, f"{count} requests run or wait")
    error = raises(openai.RateLimitError, lambda: chat(service.client()), 429)
    assert error.type == "rate_limit_error" and error.code == "rate_limit_exceeded"
    assert 1 <= int(error.response.headers["Retry-After"]) <= 60
    # Passages need no language model, and have threads of their own.
    assert list(search(service.client()))
    # A client that waits as it is told gets its answer.
    generator.behave()
    patient = service.client().with_options(max_retries=30)
    assert chat(patient).choices[0].message.content.endswith("[1]")
    for thread in threads:
        thread.join()


def check_a_spent_budget_is_429(bench):
    service = bench.serve(bench.generator(), engine={"budget": {"tokens": 10, "per": "hour"}})
    client = service.client()
    assert chat(client).usage.total_tokens > 10
    error = raises(openai.RateLimitError, lambda: chat(client), 429)
    assert "budget" in error.message and 1 <= int(error.response.headers["Retry-After"]) <= 3600
