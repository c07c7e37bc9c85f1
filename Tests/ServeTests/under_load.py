"""A short load: every request is answered, and the memory stays."""
import concurrent.futures

from bench import QUESTION, chat, search

QUESTIONS = (QUESTION, "When does the frost alarm go off?", "How do I pair a probe?", "What is the larkbus?")


def check_thousands_of_searches_by_many_clients(bench):
    service = bench.serve()

    first = [[result.file_id for result in search(service.client(), question)] for question in QUESTIONS]

    def ask(number):
        client = service.client()
        for turn in range(100):
            choice = (number + turn) % len(QUESTIONS)
            found = [result.file_id for result in search(client, QUESTIONS[choice])]
            assert found == first[choice], found

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for _ in pool.map(ask, range(20)):
            pass
    assert service.metric("http_requests_in_flight") <= 1
    status, _, text = service.get("/metrics")
    assert status == 200 and 'status="200"' in text and 'status="500"' not in text


def check_hundreds_of_answers_at_once(bench):
    generator = bench.generator()
    service = bench.serve(generator, engine={"atOnce": 4})

    def ask(number):
        client = service.client()
        answer = chat(client, QUESTIONS[number % 4], stream=number % 2 == 1)
        if number % 2:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)
        else:
            text = answer.choices[0].message.content
        assert text.endswith("[1]"), text

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for _ in pool.map(ask, range(400)):
            pass
    assert generator.counts["mostAtOnce"] <= 4, "the bound on requests at once holds"
    assert generator.counts["now"] == 0 and service.is_running
