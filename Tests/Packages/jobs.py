"""A small real job for each program, in a root that has nothing of fti but that program."""

import json
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import metrics
from roots import Failure, Root

PROJECT = Path(__file__).resolve().parent.parent.parent
UNIT = PROJECT / "Packaging/systemd/fti-inference.service"
QUESTION = "At what temperature does the frost alarm go off by default?"


class Job:
    """Runs a program in a root as a user whose folder is `home`, with a copy of the example repository."""

    def __init__(self, root: Root, program: str, home: str, user: int):
        self.root, self.program, self.home, self.user = root, program, home, user

    def call(self, *arguments: str) -> str:
        return self.root.run(f"/usr/bin/{self.program}", *arguments, user=self.user, home=self.home)

    def json(self, *arguments: str) -> dict:
        output = self.call(*arguments, "--json")
        return json.loads(output.splitlines()[-1])

    def put(self, name: str, source: Path) -> str:
        self.root.put(f"{self.home}/{name}", source, self.user)
        return f"{self.home}/{name}"

    def write(self, name: str, text: str) -> str:
        self.root.write(f"{self.home}/{name}", text, self.user)
        return f"{self.home}/{name}"

    def repository(self) -> str:
        return self.put("team.fti", PROJECT / ".fti-example")


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise Failure(message)


def ftictl(job: Job) -> None:
    repository = f"{job.home}/new.fti"
    job.call("init", repository)
    job.call("--repo", repository, "put", "models/a", job.write("model.txt", "weights\n"), "-m", "first")
    log = job.call("--repo", repository, "log", "models/a")
    expect("first" in log, f"the log does not show the version:\n{log}")
    job.call("--repo", repository, "verify", "--full")
    # The commands of other programs are not there, and it says so.
    missing = job.root.run("/usr/bin/ftictl", "feature", "run", user=job.user, home=job.home, check=False)
    expect("no fti-feature" in missing, f"another program answered:\n{missing}")


def fti_feature(job: Job) -> None:
    documents = job.put("handbook", PROJECT / "Examples/handbook/edition-1")
    job.put("handbook/manual.pdf", PROJECT / "Tests/Documents/odd/pdf/manual.pdf")
    # Shift_JIS needs a table of the C library.
    page = job.root.folder / f"{job.home}/handbook/page.html".lstrip("/")
    page.write_bytes("<meta charset=shift_jis><title>温室</title><p>霜の警報は三度で鳴ります。</p>".encode("shift_jis"))
    configuration = job.write("feature.yaml", f"""repo: {job.repository()}
ref: features/packaged
sources: [{{files: {documents}, include: ["**/*.md", "**/*.html", "**/*.pdf"]}}]
embed: {{name: builtin, dimension: 384}}
""")
    report = job.json("run", configuration)
    expect(report["added"] == 55 and not report["skipped"], f"not every document was read: {report['skipped']}")


def fti_training(job: Job) -> None:
    questions = job.put("questions.jsonl", PROJECT / "Examples/handbook/questions.jsonl")
    configuration = job.write("training.yaml", f"""repo: {job.repository()}
features: features/prod
questions: {questions}
model: models/packaged
""")
    report = job.json("run", configuration)
    expect("models/packaged" in [ref["name"] for ref in report["refs"]], f"no model was published: {report}")


def fti_inference(job: Job) -> None:
    repository = job.repository()
    reply = job.json("--repo", repository, "ask", QUESTION)
    expect(reply["answered"] and "3" in reply["answer"], f"no answer: {reply}")
    stays_ended(job, repository)
    serve(job, repository)


def stays_ended(job: Job, repository: str) -> None:
    """systemd does not restart the service after a mistake that would only come back, but does after a crash."""
    final = re.search(r"^RestartPreventExitStatus=(.*)$", UNIT.read_text(), re.MULTILINE)[1].split()
    expect(not {"1", "74", "SIGABRT", "SIGSEGV"} & set(final), f"the unit is not restarted after {final}")
    for mistake in (f"repo: {repository}\nserve: releases/absent", f"repo: {repository}\nserve: features/prod",
                    f"repo: {job.home}/absent.fti", "serves: releases/prod"):
        configuration = job.write("mistaken.yaml", mistake + "\n")
        command = job.root.command(f"/usr/bin/{job.program}", "serve", configuration, user=job.user, home=job.home)
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        expect(str(ended.returncode) in final, f"{mistake!r}: {ended.returncode} would be restarted:\n{ended.stdout}")


def serve(job: Job, repository: str) -> None:
    """The service answers a question over HTTP, has the metrics of the dashboard, and ends when it is asked to."""
    port = 18080
    configuration = job.write("inference.yaml", f"""repo: {repository}
serve: {{features: features/prod, model: models/current}}
listen: {{address: 127.0.0.1, port: {port}}}
generator: {{kind: extractive}}
""")
    command = job.root.command(
        f"/usr/bin/{job.program}", "serve", configuration, user=job.user, home=job.home)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}/readyz")
        models = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=10))
        body = {"model": models["data"][0]["id"], "messages": [{"role": "user", "content": QUESTION}]}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/chat/completions", headers={"content-type": "application/json"},
            data=json.dumps(body).encode())
        answer = json.load(urllib.request.urlopen(request, timeout=60))["choices"][0]["message"]["content"]
        expect("3" in answer, f"no answer: {answer}")
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
        wrong = metrics.complaints(*metrics.exposed(text))
        expect(not wrong, "the dashboard or an alert asks for more than is exposed:\n" + "\n".join(wrong))
        page = (PROJECT / "docs/serving.md").read_text()
        hidden = [f"{name} {kind}" for name, kind in re.findall(r"^# TYPE (fti_\w+) (\w+)$", text, re.MULTILINE)
                  if f"| `{name}` | {kind} |" not in page]
        expect(not hidden, f"docs/serving.md does not describe {hidden}")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            output, _ = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure("the service did not end within 30 s of SIGTERM") from None
    expect(process.returncode == 0, f"the service ended with {process.returncode}:\n{output}")


def wait_until_ready(process: subprocess.Popen, url: str) -> None:
    for _ in range(240):
        if process.poll() is not None:
            raise Failure(f"the service ended with {process.returncode}:\n{process.stdout.read()}")
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except OSError:
            time.sleep(0.25)
    raise Failure(f"{url} was not ready within a minute")


JOBS = {"ftictl": ftictl, "fti-feature": fti_feature, "fti-training": fti_training, "fti-inference": fti_inference}
