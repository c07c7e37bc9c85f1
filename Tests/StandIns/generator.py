#!/usr/bin/env python3
"""A language model for tests: OpenAI's API for chat completions, with answers that follow from the messages, and faults.

usage: generator.py FOLDER [--port PORT] [--model NAME] [--certificate FILE]

It writes its port to FOLDER/port. An answer depends on the messages alone:

- A request to rewrite a question (its system message begins with `Rewrite`) gets the last question, followed by the
  words of the user's previous one.
- A request for test questions (its system message begins with `You write test questions`) gets JSON with one example
  for each sentence of the text, up to the number asked for: the answer is the sentence. A text that contains
  `REPLY64 x` gets the text that x encodes in Base64.
- A prompt with passages gets the first sentence of the first passage and its number: `Drill 6 mm holes. [1]`. A question
  that contains `CITE x` gets an answer that cites x besides: `CITE 7` adds ` [7]`.
- A question that contains `ECHO ` gets the text after it; one that contains `LONG n` gets n words.
- Any other conversation gets a few words that follow from its hash, as a model without randomness would give them.

How it behaves is told by one JSON object of faults: in the file FOLDER/faults, by `POST /control`, or, for one request, in the
header `X-Fault` or after `FAULT ` at the end of the last message's text. `GET /control` and the file FOLDER/counts tell what
the service counted; `POST /control {"forget": true}` begins anew. Members:

  mode          good (default), or one of the words below
  first         the fault concerns the first N requests only (then the service is good)
  every         the fault concerns one request in N only
  beyond        the fault concerns the requests after the first N only
  status        the status of `refuse`                                       (400)
  body          the body of `refuse` and `say`: text, or JSON                 ({"error": {"message": "refused"}})
  retryAfter    the header Retry-After of `refuse`
  seconds       how long `hang...` and `drip` wait                            (3600, 0.05)
  after         the number of parts before `hang-middle`, `cut`, `error-event`   (2)
  stream        false: answers as one object even where a stream is asked for
  usage         false: never sends the number of tokens
  strict        members of the request that are refused with status 400
  name          answers as a model with this name would: other words
  reasoning     true: sends some reasoning before the answer
  finish        the reason why the answer ends                               (stop)

  close         closes the connection without an answer
  hang          sends nothing            hang-headers   sends the headers and nothing more
  hang-middle   stops in the middle      cut            closes the connection in the middle
  end           ends the stream in the middle, as if it were complete
  drip          sends each part after a pause
  refuse        answers with `status` and `body`
  say           answers with status 200 and `body`
  error-event   sends `body` as an event in the stream
  endless       sends 5 GB, in chunks    endless-event  sends one event of 5 GB
  garbage       a stream of something else
  empty         an answer without text   no-choices     an object without choices
"""
import argparse
import base64
import hashlib
import http.server
import json
import os
import re
import ssl
import threading
import time

WORDS = ("the a lamp pump valve frost morning water stone garden window slowly never under over light "
         "keeps opens falls turns quiet green old seven small bright answers waits").split()


def text_of(content):
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def made_up(seed, count):
    """Words that follow from a text, as without randomness."""
    digest = hashlib.sha256(seed.encode()).digest()
    words = []
    for index in range(count):
        digest = hashlib.sha256(digest + bytes([index & 255])).digest()
        words.append(WORDS[digest[0] % len(WORDS)])
    return " ".join(words)


def examples(prompt, count):
    """Examples about the text of a prompt."""
    text = re.search(r"<text>\n(.*)\n</text>", prompt, re.DOTALL).group(1)
    told = re.search(r"REPLY64 (\S+)", text)
    if told:
        return base64.b64decode(told.group(1)).decode(errors="replace")
    body = "\n".join(line for line in text.split("\n") if not re.match(r"(Document|Section): ", line))
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", " ".join(body.split())) if len(s.split()) >= 4]
    return json.dumps({"examples": [
        {"question": f"Tell me about {made_up(sentence, 6)}?", "answer": sentence,
         "worse": " ".join(reversed(sentence.split()))} for sentence in sentences[:count]]})


def answer(messages, name):
    """The whole answer to a conversation."""
    last = text_of(messages[-1]["content"])
    system = text_of(messages[0]["content"]) if messages[0]["role"] == "system" else ""
    if system.startswith("Rewrite"):
        question = last.rsplit("Last question: ", 1)[-1]
        earlier = re.findall(r"^User: (.*)$", last, re.MULTILINE)
        return question + (" " + earlier[-1] if earlier else "")
    if system.startswith("You write test questions"):
        return examples(last, int(re.search(r"\d+", system).group(0)))
    echoed = re.search(r"ECHO (.*)", last, re.DOTALL)
    if echoed:
        return echoed.group(1)
    long = re.search(r"LONG (\d+)", last)
    if long:
        return made_up(name + last, int(long.group(1)))
    passage = re.search(r"<passage 1>\n(.*?)\n</passage>", last, re.DOTALL)
    if passage:
        lines = passage.group(1).split("\n", 1)
        body = lines[-1]
        sentence = re.match(r".*?[.!?](?=\s|$)|.*", body, re.DOTALL).group(0).strip()
        cited = "".join(f" [{number}]" for number in re.findall(r"CITE (\d+)", last))
        return f"{sentence} [1]{cited}"
    return made_up(name + json.dumps([[m["role"], text_of(m["content"])] for m in messages]), 12)


class State:
    """What the service counted, and how it is to behave."""

    def __init__(self):
        self.lock = threading.Lock()
        self.faults = {}
        self.forget()

    def forget(self):
        self.counts = {"requests": 0, "streams": 0, "now": 0, "mostAtOnce": 0, "cancelled": 0, "completed": 0,
                       "models": 0, "sentBytes": 0, "last": None, "paths": {}, "authorization": None}

    def begin(self, path, body, authorization):
        with self.lock:
            counts = self.counts
            counts["requests"] += 1
            counts["streams"] += 1 if body.get("stream") else 0
            counts["now"] += 1
            counts["mostAtOnce"] = max(counts["mostAtOnce"], counts["now"])
            counts["last"] = body
            counts["authorization"] = authorization
            counts["paths"][path] = counts["paths"].get(path, 0) + 1
            self.save()
            return counts["requests"]

    def end(self, how):
        with self.lock:
            self.counts["now"] -= 1
            self.counts[how] += 1
            self.save()

    def save(self):
        path = os.path.join(FOLDER, "counts")
        with open(path + ".new", "w") as file:
            json.dump(self.counts, file)
        os.rename(path + ".new", path)


STATE = State()
FOLDER = "."
MODEL = "stand-in"


class Cancelled(Exception):
    """The client closed the connection."""


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # As the servers of language models do; otherwise each streamed part may wait 40 ms for an acknowledgement.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def send(self, status, body, headers=(), kind="application/json"):
        if not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.write(body)

    def write(self, data):
        try:
            self.wfile.write(data)
            self.wfile.flush()
            with STATE.lock:
                STATE.counts["sentBytes"] += len(data)
        except OSError as error:
            raise Cancelled from error

    def chunk(self, data):
        if not isinstance(data, bytes):
            data = data.encode()
        self.write(b"%x\r\n%s\r\n" % (len(data), data))

    def do_GET(self):
        if self.path == "/control":
            with STATE.lock:
                body = json.dumps(STATE.counts)
            return self.send(200, body)
        if self.path.endswith("/models"):
            with STATE.lock:
                STATE.counts["models"] += 1
            return self.send(200, {"object": "list", "data": [
                {"id": MODEL, "object": "model", "created": 1, "owned_by": "tests"}]})
        self.send(404, {"error": {"message": "there is nothing here"}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if self.path == "/control":
            with STATE.lock:
                if body.pop("forget", False):
                    running = STATE.counts["now"]
                    STATE.forget()
                    STATE.counts["now"] = running
                if body:
                    STATE.faults = body
            return self.send(200, {})
        if not self.path.endswith("/chat/completions"):
            return self.send(404, {"detail": "Not Found"})
        number = STATE.begin(self.path, body, self.headers.get("Authorization"))
        how = "completed"
        try:
            self.reply(body, self.fault(body, number))
        except Cancelled:
            how = "cancelled"
            self.close_connection = True
        finally:
            STATE.end(how)

    def fault(self, body, number):
        last = text_of(body["messages"][-1]["content"])
        marked = re.search(r"FAULT (\{.*\})\s*$", last, re.DOTALL)
        if marked:
            fault = json.loads(marked.group(1))
        elif self.headers.get("X-Fault"):
            fault = json.loads(self.headers["X-Fault"])
        else:
            with STATE.lock:
                fault = dict(STATE.faults)
            path = os.path.join(FOLDER, "faults")
            if not fault and os.path.exists(path):
                with open(path) as file:
                    fault = json.loads(file.read() or "{}")
        concerned = (number <= fault.get("first", number) and number % fault.get("every", 1) == 0
                     and number > fault.get("beyond", 0))
        return fault if concerned else {}

    def wait(self, seconds):
        """Waits, and notices when the client leaves."""
        end = time.monotonic() + seconds
        self.connection.settimeout(0.05)
        while time.monotonic() < end:
            try:
                if not self.connection.recv(1):
                    raise Cancelled
            except TimeoutError:
                continue
            except OSError as error:
                raise Cancelled from error
        self.connection.settimeout(None)

    def reply(self, body, fault):
        mode = fault.get("mode", "good")
        refused = {"error": {"message": "refused", "type": "invalid_request_error", "param": None, "code": None}}
        said = fault.get("body", refused)
        if mode == "close":
            self.close_connection = True
            return
        if mode == "hang":
            return self.wait(fault.get("seconds", 3600))
        if mode == "refuse":
            after = [("Retry-After", str(fault["retryAfter"]))] if "retryAfter" in fault else []
            kind = "text/html" if str(said).startswith("<") else "application/json"
            return self.send(fault.get("status", 400), said, after, kind)
        if mode == "say":
            return self.send(200, said)
        for member in fault.get("strict", ()):
            if member in body:
                hint = " (use max_completion_tokens)" if member == "max_tokens" else ""
                return self.send(400, {"error": {
                    "message": f"Unrecognized request argument supplied: {member}{hint}"}})
        if body.get("model") != MODEL:
            return self.send(404, {"error": {"message": f"The model {body.get('model')} does not exist",
                                             "code": "model_not_found"}})
        if mode == "no-choices":
            return self.send(200, {"object": "chat.completion"})
        text = "" if mode == "empty" else answer(body["messages"], fault.get("name", MODEL))
        limit = body.get("max_tokens") or body.get("max_completion_tokens")
        parts = re.findall(r"\s*\S+|\s+", text)
        finish = fault.get("finish", "stop")
        if limit is not None and len(parts) > limit:
            parts, finish = parts[:limit], "length"
        usage = {"prompt_tokens": sum(len(text_of(m["content"]).split()) for m in body["messages"]),
                 "completion_tokens": len(parts)}
        usage["total_tokens"] = sum(usage.values())
        if fault.get("usage") is False:
            usage = None
        if not body.get("stream") or fault.get("stream") is False:
            whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL,
                     "choices": [{"index": 0, "message": {"role": "assistant", "content": "".join(parts)},
                                  "finish_reason": finish, "logprobs": None}]}
            if usage:
                whole["usage"] = usage
            return self.send(200, whole)
        options = body.get("stream_options") or {}
        self.stream(parts, finish, usage if options.get("include_usage") else None, mode, fault, said)

    def stream(self, parts, finish, usage, mode, fault, said):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.write(b"")
        after = fault.get("after", 2)

        def event(choices, **more):
            part = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
                    "choices": choices, **more}
            self.chunk(f"data: {json.dumps(part)}\n\n")

        def delta(content, reason=None):
            event([{"index": 0, "delta": content, "finish_reason": reason, "logprobs": None}])

        if mode == "hang-headers":
            return self.wait(fault.get("seconds", 3600))
        if mode == "garbage":
            self.chunk("data: \x00\x01 this is no JSON\n\ndata: [1, 2\n\n")
            return self.chunk(b"")
        if mode in ("endless", "endless-event"):
            block = b": " + b"x" * 65534 if mode == "endless-event" else b": nothing\n\n" * 6000
            for _ in range((5 << 30) // len(block)):
                self.chunk(block)
            return self.chunk(b"")
        delta({"role": "assistant", "content": ""})
        if fault.get("reasoning"):
            delta({"reasoning_content": "I wonder. "})
        for index, part in enumerate(parts):
            if index == after and mode == "hang-middle":
                return self.wait(fault.get("seconds", 3600))
            if index == after and mode == "cut":
                self.close_connection = True
                return
            if index == after and mode == "end":
                return self.chunk(b"")
            if index == after and mode == "error-event":
                self.chunk(f"data: {said if isinstance(said, str) else json.dumps(said)}\n\n")
                return self.chunk(b"")
            if mode == "drip":
                self.wait(fault.get("seconds", 0.05))
            delta({"content": part})
        delta({}, finish)
        if usage:
            event([], usage=usage)
        self.chunk("data: [DONE]\n\n")
        self.chunk(b"")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass


def main():
    global FOLDER, MODEL
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--certificate")
    options = parser.parse_args()
    FOLDER, MODEL = options.folder, options.model
    server = Server(("127.0.0.1", options.port), Service)
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    path = os.path.join(FOLDER, "port")
    with open(path + ".new", "w") as file:
        file.write(str(server.server_port))
    os.rename(path + ".new", path)
    server.serve_forever()


if __name__ == "__main__":
    main()
