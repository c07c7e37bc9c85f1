"""Measures what half-open connections cost the other clients of a running server.

    python3 half_open.py http://127.0.0.1:8080/v1/models --post /v1/embeddings --pid PID

One process asks for the URL at a fixed rate over a few connections that stay open. After a while another process
opens connections from 40 loopback addresses and leaves them half open: a quarter sends nothing, a quarter half of the
headers, a quarter half of a body (to --post), and a quarter asks for the URL and reads no answer. Whatever the server
closes is opened again after one to four seconds. Prints the latencies before and meanwhile, and the memory of the
server.

The address that measures is 127.0.0.1; the half-open connections come from 127.0.1.1 onwards, so limits for each
address apply to them alone. Only Linux routes all these addresses to the machine itself.
"""

import argparse
import asyncio
import http.client
import multiprocessing
import pathlib
import resource
import socket
import threading
import time
import urllib.parse


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(part * len(values)))] if values else float("nan")


def measure(url, headers, rate, clients, seconds, results):
    """Sends requests at a fixed rate; a latency counts from the moment at which the request was due."""
    parts = urllib.parse.urlsplit(url)
    path = parts.path + ("?" + parts.query if parts.query else "")
    latencies, failures = [], []
    start = time.perf_counter()

    def client(number):
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        due = start + number / rate
        while due < start + seconds:
            time.sleep(max(0, due - time.perf_counter()))
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    failures.append(answer.status)
                latencies.append(time.perf_counter() - due)
            except OSError as error:
                failures.append(repr(error))
                connection.close()
            except http.client.HTTPException as error:
                failures.append(repr(error))
                connection.close()
            due += clients / rate

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((latencies, failures))


def attack(url, post, count, addresses, seconds, opened):
    """Keeps a number of connections half open."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    parts = urllib.parse.urlsplit(url)
    head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    kinds = [
        "",
        head + "X-Never: ends",
        f"POST {post} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 1000\r\n"
        "Content-Type: application/json\r\n\r\n{",
        head + "\r\n",
    ]

    async def hold(number):
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        reads = number % len(kinds) != 3
        while loop.time() < end:
            connection = socket.socket()
            connection.setblocking(False)
            if not reads:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                connection.bind((f"127.0.1.{1 + number % addresses}", 0))
                await loop.sock_connect(connection, (parts.hostname, parts.port))
                opened.value += 1
                data = kinds[number % len(kinds)].encode()
                left = max(0.1, end - loop.time())
                await asyncio.wait_for(loop.sock_sendall(connection, data), left)
                while reads and loop.time() < end:
                    left = max(0.1, end - loop.time())
                    if not await asyncio.wait_for(loop.sock_recv(connection, 4096), left):
                        break
                if not reads:
                    # A client that reads nothing does not notice that it was cut off.
                    await asyncio.sleep(min(30, max(0, end - loop.time())))
            except (OSError, asyncio.TimeoutError):
                pass
            finally:
                connection.close()
            await asyncio.sleep(1 + number % 30 / 10)

    async def all_of_them():
        await asyncio.gather(*(hold(number) for number in range(count)))

    asyncio.run(all_of_them())


def memory(pid):
    """The resident memory of a process now and at most, in MiB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="what the other clients ask for; must answer 200")
    parser.add_argument("--pid", type=int, required=True, help="the process of the server")
    parser.add_argument("--post", default="/", help="the path of a route that reads a body")
    parser.add_argument("--token", help="sent as Authorization: Bearer TOKEN")
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--addresses", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--before", type=float, default=20, help="seconds without half-open connections")
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--clients", type=int, default=4)
    arguments = parser.parse_args()
    headers = {"Authorization": f"Bearer {arguments.token}"} if arguments.token else {}
    results = multiprocessing.Queue()
    opened = multiprocessing.Value("l", 0, lock=False)

    def run(seconds):
        process = multiprocessing.Process(
            target=measure,
            args=(arguments.url, headers, arguments.rate, arguments.clients, seconds, results))
        process.start()
        latencies, failures = results.get()
        process.join()
        return latencies, failures

    def report(name, latencies, failures):
        p50, p99 = (percentile(latencies, part) * 1000 for part in (0.5, 0.99))
        print(f"{name}: {len(latencies)} requests, {len(failures)} failed {failures[:3] or ''}, "
              f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, memory {memory(arguments.pid)[0]:.0f} MiB",
              flush=True)
        return p99

    run(2)
    before = report("before", *run(arguments.before))
    attacker = multiprocessing.Process(
        target=attack,
        args=(arguments.url, arguments.post, arguments.connections, arguments.addresses, arguments.seconds + 3,
              opened))
    attacker.start()
    time.sleep(2)
    meanwhile = report("meanwhile", *run(arguments.seconds))
    attacker.join()
    print(f"opened {opened.value} half-open connections; p99 is {meanwhile / before:.2f} times as long; "
          f"memory at most {memory(arguments.pid)[1]:.0f} MiB")


if __name__ == "__main__":
    main()
