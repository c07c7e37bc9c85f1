#!/usr/bin/env python3
"""A service with OpenAI's embeddings API, for tests: vectors of words, and the faults that it is told to have.

usage: embedding_service.py FOLDER [CERTIFICATE]

It writes its port to FOLDER/port and the headers of each request to FOLDER/requests, and reads how to behave from
FOLDER/mode at every request: `good`, `changed` (other vectors under the same name), `short` (another dimension),
`noisy` (the same vectors but for the fifth decimal), `busy` (every second request is turned away), `redirect`,
`long` (an endless answer), `echo` (refuses, and says back all that it was shown), `text`, `key` (only
`Bearer test-secret` is let in). With a file of a certificate and its key it speaks TLS.
"""
import base64
import hashlib
import http.server
import json
import os
import ssl
import sys

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
                                  "authorization": self.headers.get("Authorization")}) + "\n")
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
