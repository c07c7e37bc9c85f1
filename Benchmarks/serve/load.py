"""Load by h2load: peak rate, and latencies at a fixed rate. Every round asks several questions at once, a process each."""
import os
import pathlib
import re
import subprocess
import tempfile


def processor_seconds(pid):
    """The processor time of a process and of all that it started, so far."""
    total = 0
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # The parent, or the group, is the process itself.
        if str(pid) in (folder.name, fields[1], fields[2]):
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


class Load:
    """What a round of requests took; `processor` is the server's processor time for each request in milliseconds."""

    def __init__(self, seconds, latencies, statuses, processor):
        self.seconds, self.latencies, self.statuses = seconds, sorted(latencies), statuses
        self.processor = processor

    @property
    def rate(self):
        return len(self.latencies) / self.seconds

    @property
    def failed(self):
        return sum(1 for status in self.statuses if status != 200)

    def percentile(self, part):
        """In milliseconds."""
        return self.latencies[min(len(self.latencies) - 1, int(part * len(self.latencies)))] / 1000


def ask(url, pid, bodies, clients=4, seconds=5, rate=None, warm=1):
    """Posts each of several bodies to the server of a process, from a process of its own.

    `clients` is the number of connections in all, `rate` the number of requests a second in all; None for as many as possible.
    """
    with tempfile.TemporaryDirectory() as folder:
        processes, before = [], processor_seconds(pid)
        each = max(1, clients // len(bodies))
        for number, body in enumerate(bodies):
            data, log = pathlib.Path(folder, f"{number}.json"), pathlib.Path(folder, f"{number}.log")
            data.write_bytes(body)
            command = ["h2load", "--h1", "-t1", f"-c{each}", "-D", str(seconds), "--warm-up-time", str(warm), "-d", data,
                       "-H", "content-type: application/json", f"--log-file={log}", url]
            if rate:
                # h2load takes whole numbers for each connection.
                command.insert(1, f"--rps={max(1, round(rate / len(bodies) / each))}")
            processes.append((subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True), log))
        latencies, statuses, total = [], [], 0
        for process, log in processes:
            output, _ = process.communicate()
            assert process.returncode == 0, output
            counted = re.search(r"requests: (\d+) total.*?(\d+) failed, (\d+) errored, (\d+) timeout", output)
            rows = [line.split("\t") for line in log.read_text().splitlines()]
            total += len(rows)
            # Requests of the warm-up are in the log, too.
            first = min(int(row[0]) for row in rows) + warm * 1_000_000
            rows = [row for row in rows if int(row[0]) >= first]
            latencies += [int(row[2]) for row in rows]
            statuses += [int(row[1]) for row in rows] + [0] * (int(counted[3]) + int(counted[4]))
        processor = (processor_seconds(pid) - before) / total * 1000
        return Load(seconds, latencies, statuses, processor)

