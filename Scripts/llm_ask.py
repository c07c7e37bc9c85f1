"""Asks fti-inference as any program would that uses OpenAI's API: through its client `openai`, streaming.

usage: llm_ask.py URL QUESTION          prints the answer as it comes, its sources and its versions
       llm_ask.py URL --save FILE QUESTION     and writes the record of the answer to FILE
       llm_ask.py URL --until FILE QUESTION... asks in turn until FILE exists; prints a line for each answer

Fails if an answer fails, or if its head and its record name different versions.
"""

import argparse
import itertools
import json
import os
import sys
import time

from openai import OpenAI

VERSIONS = ("release", "features", "ranker", "generator")


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("url")
    parser.add_argument("--save")
    parser.add_argument("--until")
    parser.add_argument("questions", nargs="+")
    options = parser.parse_args()
    # The client demands a key; a service that listens on a loopback address without tokens ignores it.
    client = OpenAI(base_url=f"{options.url}/v1", api_key="none", max_retries=0, timeout=900)
    model = client.models.list().data[0].id
    if options.until:
        return ask_until(client, model, options.questions, options.until)
    record = ask(client, model, options.questions[0], echo=True)
    print(f"\n\nanswered from {record['release'][:12]}, transaction {record['transaction']}"
          f"{', by the verified model' if record['verified'] and record['generator']['kind'] != 'extractive' else ''}")
    for passage in record["passages"]:
        print(f"  [{passage['number']}] {passage['key']}")
    if options.save:
        with open(options.save, "w") as file:
            json.dump(record, file)


def ask(client: OpenAI, model: str, question: str, echo: bool) -> dict:
    """The record of an answer, which the last part of a stream carries."""
    response = client.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": question}], stream=True)
    text, record = "", None
    for chunk in response.parse():
        if chunk.choices and (part := chunk.choices[0].delta.content):
            text += part
            if echo:
                print(part, end="", flush=True)
        record = (chunk.model_extra or {}).get("fti", record)
    if record is None:
        sys.exit("the stream ended without the record of the answer")
    for role in VERSIONS:
        named = record["generator"].get("snapshot") if role == "generator" else record.get(role)
        head = response.headers.get(f"fti-{role}")
        if head != named:
            sys.exit(f"the head names {role} {head}, the record {named}: versions are mixed")
    return record


def ask_until(client: OpenAI, model: str, questions: list[str], file: str) -> None:
    count = 0
    for question in itertools.cycle(questions):
        began = time.monotonic()
        record = ask(client, model, question, echo=False)
        count += 1
        print(f"{record['release'][:12]}  {time.monotonic() - began:4.1f} s  {question}", flush=True)
        if os.path.exists(file):
            break
    print(f"{count} questions, none failed, none mixed versions", flush=True)


if __name__ == "__main__":
    main()
