"""Clients that keep asking at a rate, and check that no answer mixes two versions."""
import collections
import http.client
import json
import threading
import time

ROLES = ("release", "features", "ranker", "prompt", "space")
NAME = "releases/prod"


class Asking:
    """A number of clients, each on its own connection, that ask until `stop` is called."""

    def __init__(self, service, expected, questions, rate, clients=8, kinds=("search",)):
        # The hashes of each release, by its id.
        self.expected, self.questions, self.kinds = expected, questions, kinds
        self.port = service.port
        self.statuses = collections.Counter()
        self.reasons = collections.Counter()
        self.mixed, self.lost, self.latencies = [], [], []
        self.seen = collections.Counter()
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.started = time.monotonic()
        self.threads = [threading.Thread(target=self.run, args=(number, clients / rate)) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    @property
    def count(self):
        return sum(self.statuses.values())

    def percentile(self, part):
        """In milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000

    def run(self, number, pause):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        due = self.started + pause * number / len(self.questions)
        turn = number
        while not self.stopped.wait(max(0, due - time.monotonic())):
            due += pause
            turn += 1
            kind = self.kinds[turn % len(self.kinds)]
            question = self.questions[turn % len(self.questions)]
            start = time.monotonic()
            try:
                status, headers, body = self.ask(connection, kind, question)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                with self.lock:
                    self.lost.append(repr(error))
                continue
            with self.lock:
                self.latencies.append(time.monotonic() - start)
                self.statuses[status] += 1
                self.check(kind, status, headers, body)

    def ask(self, connection, kind, question):
        messages = [{"role": "user", "content": question}]
        path, body = {
            "search": ("/v1/vector_stores/releases%2Fprod/search", {"query": question, "max_num_results": 10}),
            "chat": ("/v1/chat/completions", {"model": NAME, "messages": messages}),
            "stream": ("/v1/chat/completions", {"model": NAME, "messages": messages, "stream": True}),
            "embedding": ("/v1/embeddings", {"model": NAME, "input": question, "encoding_format": "base64"}),
        }[kind]
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()

    def check(self, kind, status, headers, text):
        """Whether headers and body name the versions of one release, or else a reason."""
        if status != 200:
            error = json.loads(text)["error"]
            self.reasons[f"{status} {error['code']}"] += 1
            return
        named = {role: headers.get(f"Fti-{role}") for role in ROLES}
        want = self.expected[named["release"]]
        self.seen[named["release"]] += 1
        if kind == "stream":
            events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
            if "error" in events[-1]:
                self.reasons[f"stream {events[-1]['error']['code']}"] += 1
                return
            record = events[-1]["fti"]
        else:
            record = json.loads(text).get("fti") or named
        prompt = record.get("prompt")
        record = {**record, "prompt": prompt["id"] if isinstance(prompt, dict) else prompt or named["prompt"]}
        if named != want or any(record[role] != want[role] for role in ROLES):
            self.mixed.append((kind, named, record))


def hashes(service):
    """The hashes that the service names now."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    connection.request("GET", "/v1/models/releases%2Fprod")
    served = json.loads(connection.getresponse().read())["fti"]
    connection.close()
    return {role: served[role] for role in ROLES}


def learn(bench, service):
    """The hashes of releases a and b, which it serves one after the other."""
    expected = {}
    for name in "ba":
        release = bench.resolve(f"releases/{name}")
        bench.run("ftictl", "move", NAME, release)
        service.serves(release)
        expected[release] = hashes(service)
    return expected
