#!/usr/bin/env python3
"""A service with OpenAI's embeddings API, for tests: vectors of words, and the faults that it is told to have.

usage: embedding_service.py FOLDER [CERTIFICATE]

It writes its port to FOLDER/port and the headers of each request to FOLDER/requests, and reads how to behave from
FOLDER/mode at every request: `good`, `changed` (other vectors under the same name), `short` (another dimension),
`noisy` (the same vectors but for the fifth decimal), `busy` (every second request is turned away), `redirect`,
`long` (an endless answer), `echo` (refuses, and says back all that it was shown), `text`, `key` (only
`Bearer test-secret` is let in), `wide` (its own dimension is twice as great, and `dimensions` is understood), `rigid` (the
same, and `dimensions` is refused), `strict` (a member beside the usual three is refused), `stall N` (nobody is answered after N
requests), `say N STATUS BODY` (after N requests, all are answered so). With a file of a certificate and its key it speaks TLS.
"""
import base64
import hashlib
import http.server
import json
import os
import ssl
import sys
import time

FOLDER = sys.argv[1]
DIMENSION = 64


def vector(text, salt, dimension):
    numbers = [0.001] * dimension
    for word in text.lower().split() or [""]:
        digest = hashlib.sha256((salt + word.strip(".,?!")).encode()).digest()
        numbers[int.from_bytes(digest[:4], "big") % dimension] += 1 if digest[4] & 1 else -1
    return numbers


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    requests = 0

    def log_message(self, *_):
        pass

    def reply(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        Service.requests += 1
        mode = open(os.path.join(FOLDER, "mode")).read().strip()
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open(os.path.join(FOLDER, "requests"), "a") as log:
            log.write(json.dumps({"path": self.path, "texts": len(question["input"]),
                                  "members": sorted(question), "key": self.headers.get("api-key"),
                                  "authorization": self.headers.get("Authorization")}) + "\n")
        word, *rest = mode.split(" ", 3)
        if word == "stall" and Service.requests > int(rest[0]):
            time.sleep(3600)
        if word == "say" and Service.requests > int(rest[0]):
            return self.reply(int(rest[1]), rest[2].encode())
        extra = set(question) - {"input", "model", "encoding_format"}
        if mode == "strict" and extra or mode == "rigid" and "dimensions" in question:
            return self.reply(400, json.dumps({"error": {"message": "unknown " + str(extra)}}).encode())
        if mode == "busy" and Service.requests % 2:
            return self.reply(429, b"{}", [("Retry-After", "0")])
        if mode == "redirect":
            return self.reply(307, b"", [("Location", "http://127.0.0.1:1/v1/embeddings")])
        if mode == "text":
            return self.reply(200, b"<html>hello</html>")
        if mode == "long":
            return self.reply(200, b"[" + b" " * (64 << 20))
        authorization = self.headers.get("Authorization")
        if mode == "echo":
            shown = str(authorization)
            if shown.startswith("Basic "):
                shown += " " + base64.b64decode(shown[6:]).decode()
            said = "x" * 150 + " pass-word " + self.path + " " + shown
            return self.reply(403, json.dumps({"error": said}).encode())
        if mode == "key" and authorization != "Bearer test-secret":
            said = {"error": {"message": "incorrect key: " + str(authorization)}}
            return self.reply(401, json.dumps(said).encode())
        dimension = DIMENSION // 2 if mode == "short" else DIMENSION
        if mode in ("wide", "rigid"):
            dimension = question.get("dimensions", 2 * DIMENSION)
        salt = question["model"] + ("changed" if mode == "changed" else "")
        data = []
        for index, text in enumerate(question["input"]):
            numbers = vector(text, salt, dimension)
            if mode == "noisy":
                numbers = [number + 1e-5 * (Service.requests % 3) for number in numbers]
            data.append({"object": "embedding", "index": index, "embedding": numbers})
        # A service may answer in any order.
        data.reverse()
        self.reply(200, json.dumps({"object": "list", "data": data}).encode())


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(os.path.join(FOLDER, "port.new"), "w") as file:
    file.write(str(server.server_port))
os.rename(os.path.join(FOLDER, "port.new"), os.path.join(FOLDER, "port"))
server.serve_forever()
