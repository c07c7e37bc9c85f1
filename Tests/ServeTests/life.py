"""What a configuration is checked for, replicas beside each other, feedback, damage, logs, and the end."""
import json
import resource
import shutil
import socket

import openai

from bench import NAME, QUESTION, chat, raises, search, until


def check_check_looks_at_all_that_a_configuration_names(bench):
    generator = bench.generator()
    bench.release("--canary", bench.canary(generator))
    engine = {"kind": "openai", "url": generator.url, "model": generator.model, "retries": 0}
    good = {"repo": str(bench.repository), "serve": NAME, "listen": {"port": 0}, "generator": engine,
            "feedback": {"folder": "feedback"}}

    def checked(status=0, **changed):
        path = bench.write("serve.yaml", {**good, **changed})
        return bench.run("fti-inference", "serve", path, "--check", status=status)

    shown = checked()
    for words in (f"serving      {NAME}", "http://127.0.0.1:0", f"{generator.model} at {generator.url}", "tokens       none",
                  "feedback     ", bench.resolve(NAME)):
        assert words in shown, shown
    for words, status, changed in (
            ("nowhere.txt", 74, {"tokens": "nowhere.txt"}),
            ("without tokens", 64, {"listen": {"address": "0.0.0.0", "port": 0}}),
            ("listen.hosts", 64, {"listen": {"hosts": ["http://a.b:80"]}}),
            ("nowhere.pem", 74, {"listen": {"tls": {"certificate": "nowhere.pem", "key": "nowhere.pem"}}}),
            ("serve.yaml", 74, {"feedback": {"folder": "serve.yaml"}}),
            ("releases/nowhere", 2, {"serve": "releases/nowhere"})):
        assert words in (complaint := checked(status, **changed)), complaint
    # Quotes need no prompt and no canary, so somebody forgot the language model.
    path = bench.write("serve.yaml", {**good, "generator": {"kind": "extractive"}})
    assert "quotes" in bench.run("sh", "-c", f"fti-inference serve {path} --check 2>&1")
    generator.behave(name="another model")
    path = bench.write("serve.yaml", good)
    done = bench.run("sh", "-c", f"fti-inference serve {path} --check 2>&1; echo status $?")
    assert "not the one that the release records" in done and "status 0" not in done, done


def check_another_replica_is_named(bench):
    generator = bench.generator()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    first = bench.serve(generator, replica="replica-1", listen={"port": port})
    second = bench.serve(generator, replica="replica-2")
    answer = chat(first.client()).fti["id"]
    status, _, body = second.get(f"/v1/answers/{answer}")
    assert status == 404 and f"replica-1 at 127.0.0.1:{port}" in body["error"]["message"], body
    assert body["error"]["code"] == "answer_elsewhere"
    status, _, body = second.get("/v1/answers/ans-" + 32 * "0")
    assert status == 404 and body["error"]["code"] == "answer_not_found", body
    assert second.get("/v1/answers/none")[0] == 404
    # Only the newest answers are kept.
    short = bench.serve(generator, answers={"keep": 2})
    ids = [chat(short.client()).fti["id"] for _ in range(3)]
    assert [short.get(f"/v1/answers/{id}")[0] for id in ids] == [404, 200, 200]
    assert "not kept any more" in short.get(f"/v1/answers/{ids[0]}")[2]["error"]["message"]
    # In files, all of them are.
    service = bench.serve(generator, answers={"file": "answers"}, replica="filed")
    ids = [chat(service.client()).fti["id"] for _ in range(3)]
    assert [service.get(f"/v1/answers/{id}")[0] for id in ids] == [200, 200, 200]
    lines = [json.loads(line) for path in sorted((bench.folder / "answers").iterdir())
             for line in path.read_text().splitlines()]
    assert [line["id"] for line in lines] == ids
    # A service that starts later finds them, too, if it has the name of the one before.
    service.terminate()
    assert service.end() == 0
    service = bench.serve(generator, answers={"file": "answers"}, replica="filed", feedback={"folder": "feedback"})
    assert service.get(f"/v1/answers/{ids[1]}")[2] == lines[1]
    assert service.get(f"/v1/answers/{ids[1]}/feedback", {"rating": "good"})[0] == 200
    assert service.get(f"/answers/{ids[0]}")[0] == 200
    stored, = (bench.folder / "feedback").iterdir()
    assert json.loads(stored.read_text())["answer"] == lines[1]


def check_feedback_becomes_features(bench):
    generator = bench.generator()
    service = bench.serve(generator, feedback={"folder": "feedback"}, replica="web-1")
    record = chat(service.client()).fti
    key = record["passages"][1]["key"]
    status, _, stored = service.get(f"/v1/answers/{record['id']}/feedback", {
        "rating": "bad", "better": "Drill 6 mm holes. [1]", "passage": key, "comment": "too long"})
    assert status == 200 and stored["id"].startswith("fb-"), stored
    files = list((bench.folder / "feedback").iterdir())
    assert [path.name[:17] for path in files] == [f"web-1-{record['time'][:10]}.jsonl"[:17]], files
    lines = [json.loads(line) for line in files[0].read_text().splitlines()]
    assert len(lines) == 1 and lines[0]["answer"] == record and lines[0]["id"] == stored["id"]
    assert lines[0]["rating"] == "bad" and lines[0]["passage"] == key and lines[0]["from"] is None
    # A replica that does not have the answer takes the client's own record of it.
    other = bench.serve(generator, feedback={"folder": "feedback"}, replica="web-2")
    second = chat(service.client()).fti
    place = f"/v1/answers/{second['id']}/feedback"
    assert other.get(place, {"rating": "good", "answer": second})[0] == 200
    assert other.get(place, {"rating": "good", "answer": record})[0] == 400, "the record of another answer"
    for wrong in ({}, {"rating": "splendid"}, {"better": 7}, {"comment": " "}, {"passage": "x" * 70_000}):
        assert other.get(place, wrong)[0] == 400, wrong
    assert len(list((bench.folder / "feedback").iterdir())) == 2
    assert bench.serve(generator).get(place, {"rating": "good"})[0] == 404, "none is accepted"
    # Without any record of the answer, nobody could learn from the feedback.
    status, _, body = other.get(place, {"rating": "good"})
    assert status == 404 and body["error"]["code"] == "answer_elsewhere" and "web-1" in body["error"]["message"], body
    status, _, body = service.get("/v1/answers/ans-" + 32 * "0" + "/feedback", {"rating": "good"})
    assert status == 404 and body["error"]["code"] == "answer_not_found", body
    assert "record" in body["error"]["message"], body
    # The service has moved no ref; the feature pipeline makes rows of the folder.
    assert "feedback" not in bench.run("ftictl", "refs")
    bench.write("feedback.yaml", {
        "ref": "features/feedback", "sources": [{"files": "feedback", "kind": "feedback"}],
        "embed": {"name": "builtin", "dimension": 64}})
    bench.run("fti-feature", "run", "feedback.yaml")
    rows = [json.loads(line)["attributes"]
            for line in bench.run("ftictl", "ls", "features/feedback", "--json").splitlines()]
    assert {(row["answerId"], row["rating"]) for row in rows} == {(record["id"], "bad"), (second["id"], "good")}


def check_feedback_is_stored_where_files_were_moved_or_deleted(bench):
    folder = bench.folder / "feedback"
    service = bench.serve(bench.generator(), feedback={"folder": "feedback"})
    place = f"/v1/answers/{chat(service.client()).fti['id']}/feedback"

    def stored():
        status, _, body = service.get(place, {"rating": "good"})
        assert status == 200, body
        file, = folder.iterdir()
        assert [json.loads(line)["id"] for line in file.read_text().splitlines()][-1] == body["id"]
        return file

    for remove in (lambda file: file.unlink(), lambda file: file.rename(bench.folder / "moved"),
                   lambda _: shutil.rmtree(folder), lambda _: folder.rename(bench.folder / "archive")):
        remove(stored())
    stored()
    shutil.rmtree(folder)
    folder.touch()
    status, _, body = service.get(place, {"rating": "good"})
    assert status == 503 and str(bench.folder) not in body["error"]["message"], body
    folder.unlink()
    stored()


def check_a_full_disk_costs_the_record_of_an_answer_and_not_the_answer(bench):
    service = bench.serve(bench.generator(), answers={"file": "answers"}, feedback={"folder": "feedback"})
    client = service.client()
    kept = chat(client).fti
    file, = (bench.folder / "answers").iterdir()
    limit = file.stat().st_size + 100
    # Beyond this size, writes fail in the middle of a line, as on a full disk.
    process = service.process.pid
    soft, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (limit, hard))
    lost = chat(client).fti
    assert lost["answered"] and service.get(f"/v1/answers/{lost['id']}")[0] == 404
    parts = list(chat(client, stream=True))
    assert parts[-1].choices[0].finish_reason == "stop"
    assert client.responses.create(model=NAME, input=QUESTION).status == "completed"
    assert service.metric("fti_answers_lost_total") == 3
    assert service.metric("fti_answers_kept") == 1 and file.stat().st_size == limit - 100
    place = f"/v1/answers/{lost['id']}/feedback"
    assert service.get(place, {"rating": "good"})[0] == 404
    resource.prlimit(process, resource.RLIMIT_FSIZE, (soft, hard))
    assert service.get(place, {"rating": "good", "answer": lost})[0] == 200
    later = chat(client).fti
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == [kept["id"], later["id"]]
    service.terminate()
    assert service.end() == 0 and "an answer could not be kept" in service.output


def check_a_repository_that_is_damaged_is_503_until_it_is_repaired(bench):
    service = bench.serve()
    client = service.client()
    assert list(search(client))
    whole = {pack: pack.read_bytes() for pack in (bench.repository / "packs").rglob("*")
             if pack.is_file() and pack.stat().st_size > 4096}
    for pack in whole:
        with open(pack, "r+b") as file:
            file.truncate(4096)
    causes = []
    for question in (QUESTION, "frost alarm", "larkctl probe", "valve", "backup", "firmware"):
        try:
            found = list(search(client, question))
            chat(client, question)
            assert found
        except openai.InternalServerError as error:
            assert error.status_code == 503 and error.code in ("damaged", "unavailable"), error.body
            causes.append(error.message)
        assert service.is_running, service.output
    assert causes, "what is not in memory any more is missed"
    assert service.get("/healthz")[0] == 200
    for pack, data in whole.items():
        with open(pack, "r+b") as file:
            file.write(data)

    def answers():
        try:
            return all(list(search(client, question)) for question in ("larkctl probe", "valve", "backup", "firmware"))
        except openai.InternalServerError:
            return False

    until(answers, "the service answers from the repaired files")


def check_SIGTERM_lets_requests_finish(bench):
    generator = bench.generator()
    service = bench.serve(generator)
    client = service.client()
    generator.behave(mode="drip", seconds=0.2)
    stream = iter(chat(client, QUESTION + " ECHO " + "word " * 20, stream=True))
    next(stream)
    service.terminate()
    until(lambda: not service.accepts, "the service accepts no more connections")
    rest = list(stream)
    assert rest[-1].choices[0].finish_reason == "stop"
    assert service.end() == 0
    # The lease ends with the service.
    assert "fti-inference" not in bench.run("ftictl", "status", "--json")


def check_balancers_learn_of_the_end_before_it(bench):
    service = bench.serve(limits={"announce": "3s"})
    assert service.ready[0] == 200
    service.terminate()
    until(lambda: service.ready[0] == 503, "it is not ready any more")
    assert service.get("/healthz")[0] == 200 and list(search(service.client())), "it still answers"
    assert service.end() == 0


def check_a_language_model_that_hangs_delays_neither_start_nor_end(bench):
    generator = bench.generator()
    bench.release("--canary", bench.canary(generator))
    generator.behave(mode="hang")
    # The canary alone could take five minutes.
    service = bench.serve(generator)
    assert list(search(service.client())) and service.ready[0] == 503
    asked = generator.counts["requests"]
    until(lambda: generator.counts["requests"] > asked, "the model is asked again in the background")
    service.terminate()
    assert service.end() == 0


def check_questions_are_logged_only_where_asked_for(bench):
    for asked in (False, True):
        service = bench.serve(logs={"questions": asked})
        text = chat(service.client()).choices[0].message.content
        assert list(search(service.client(), "How long is the cable?"))
        service.terminate()
        assert service.end() == 0
        for words in (QUESTION, json.dumps(text)[1:20], "How long is the cable?"):
            assert (words in service.output) is asked, service.output
