"""The log of a chat API says what the teacher said who was asked over it: a real client, a real server, real files."""
import json
import warnings
from copy import copy
from functools import cache

import pytest

from sieves_distill import Classification, Doc, LLMTeacher, read_docs
from sieves_distill.testing import LLMServer, completion

POSTS = ["They won the cup.", "A faster chip.", "The team has a new app.", "They won the cup."]
SAID = {"They": "sports", "A fa": "tech", "The ": "tech"}


@cache
def record(name: str) -> tuple:
    "The task, its documents as the teacher labelled them, and the log of what went over the wire."
    task_options, teacher_options, say = TEACHERS[name]
    lines = []

    def reply(body: dict, n: int):
        answer = (503, {"error": {"message": "overloaded"}}) if n == 2 else say(body)
        status, content = answer if isinstance(answer, tuple) else (200, answer)
        lines.append({"request": body, "response": {"status": status, "body": content}})
        return answer
    with LLMServer(reply) as server:
        model = LLMTeacher("m", server.url, cache=False, concurrency=1, **teacher_options)
        task = Classification(["sports", "tech"], task_id="topic", model=model, **task_options)
        return task, task([Doc(post) for post in POSTS], progress=False), lines


def topic_of(body: dict) -> str:
    asked = [message["content"] for message in body["messages"] if message["role"] == "user"]
    return SAID[asked[-1].removeprefix("Post: ")[:4]]


def as_json(body: dict): return completion(f"<think>tech?</think>{json.dumps({'label': topic_of(body)})}")


def with_scores(body: dict):
    topic = topic_of(body)
    return completion(topic, [(topic, -0.1, {"sports": -0.1, "tech": -2.4} | {topic: -0.1})])


def stated(body: dict): return completion(json.dumps({"label": topic_of(body), "score": 0.75}))


def judged(body: dict): return completion(json.dumps({label: label == topic_of(body) for label in ("sports", "tech")}))


ONE, MANY = {"multi_label": False}, {"multi_label": True}
TEACHERS = {
    "JSON behind a draft": (ONE, {"prompt": "Post: {text}"}, as_json),
    "a label with scores": (ONE, {"answer": "label", "instructions": "", "prefill": "It is"}, with_scores),
    "stated scores, examples": (ONE, {"scores": "stated", "examples": [("A match.", "sports")]}, stated),
    "several labels": (MANY, {"scores": None}, judged),
}


@pytest.mark.parametrize("name", TEACHERS)
@pytest.mark.parametrize("form", ["rows", "text", "file", "batch", "responses", "stream"])
def test_a_log_says_what_the_teacher_said(name, form, tmp_path):
    task, docs, lines = record(name)
    source = WRITERS[form](lines, tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read = read_docs(source, format="openai", task=task)
    expected = {doc.text: doc.results["topic"] for doc in docs}
    assert {doc.text: doc.results["topic"] for doc in read} == expected and len(read) == 3
    with_scores = not isinstance(docs[0].results["topic"], (str, list))
    kinds = [doc.meta["topic"]["scores"] if with_scores else None for doc in docs[:3]]
    assert [doc.meta["topic"].get("scores") for doc in read] == kinds
    assert any("1 status 503" in str(warning.message) for warning in caught)
    assert len(task.to_hf_dataset(read)) == 3


def as_text(lines: list, path) -> list:
    "Both bodies as JSON text, as databases of proxies keep them."
    return [{"request_body": json.dumps(line["request"]), "response_body": json.dumps(line["response"]["body"]),
             "status_code": line["response"]["status"]} for line in lines]


def as_file(lines: list, path) -> str:
    (path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path / "log.jsonl")


def as_batch(lines: list, path) -> list:
    "The two files of a batch, the second in another order."
    asked = [{"custom_id": f"r{i}", "method": "POST", "url": "/v1/chat/completions", "body": line["request"]}
             for i, line in enumerate(lines)]
    told = [{"id": f"b{i}", "custom_id": f"r{i}", "error": None, "response": {
        "status_code": line["response"]["status"], "body": line["response"]["body"]}} for i, line in enumerate(lines)]
    for name, rows in (("input", asked), ("output", told[::-1])):
        (path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [path / "input.jsonl", path / "output.jsonl"]


def as_responses(lines: list, path) -> list:
    "As the same calls look over the `responses` API."
    rows = []
    for line in lines:
        body, messages = line["response"]["body"], line["request"]["messages"]
        if "choices" in body:
            choice = body["choices"][0]
            tokens = (choice.get("logprobs") or {}).get("content")
            part = {"type": "output_text", "text": choice["message"]["content"], "logprobs": tokens}
            body = {"object": "response", "status": "completed", "model": "m", "output": [
                {"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": [part]}]}
        system = [message["content"] for message in messages if message["role"] == "system"]
        asked = {"model": "m", "instructions": system[0] if system else None,
                 "input": [message for message in messages if message["role"] != "system"]}
        rows.append({"request": asked, "response": {"status": line["response"]["status"], "body": body}})
    return rows


def as_stream(lines: list, path) -> list:
    "Each response in pieces of three characters, as server-sent events."
    return [{"request": {**line["request"], "stream": True}, "response": {
        "status": line["response"]["status"], "body": streamed(line["response"]["body"])}} for line in lines]


def streamed(body: dict):
    if "choices" not in body: return body
    choice = body["choices"][0]
    words, tokens = choice["message"]["content"], (choice.get("logprobs") or {}).get("content") or []
    deltas = [{"content": words[i:i + 3]} for i in range(0, len(words), 3)]
    chunks = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    if tokens: chunks[0]["logprobs"] = {"content": tokens}
    chunks.append({"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]})
    events = [{"object": "chat.completion.chunk", "model": "m", "choices": [chunk]} for chunk in chunks]
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


WRITERS = {"rows": lambda lines, path: lines, "text": as_text, "file": as_file, "batch": as_batch,
           "responses": as_responses, "stream": as_stream}


CHAT = {"id": "x", "created": 3, "model": "m", "usage": {"prompt_tokens": 1, "completion_tokens": 2}, "choices": [{
    "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "tech", "tool_calls": [
        {"function": {"arguments": '{"label": "tech"}'}}]}, "logprobs": {"content": [
            {"token": "tech", "bytes": [1], "logprob": -0.1, "top_logprobs": [{"token": "tech", "logprob": -0.1}]}]}}]}
ASKED = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "A chip"}]}]}
RESPONSE = {"status": "completed", "model": "m", "usage": {"input_tokens": 1}, "output": [
    {"type": "message", "content": [{"type": "output_text", "text": "tech", "logprobs": []}]},
    {"type": "function_call", "arguments": "{}"}]}
CHUNK = {"model": "m", "choices": [{"index": 0, "finish_reason": "stop", "delta": {"content": "tech", "tool_calls": [
    {"index": 0, "function": {"arguments": "a"}}]}, "logprobs": {"content": []}}]}
ROWS = [{"request": ASKED, "response": {"status": 200, "body": CHAT}},
        {"custom_id": "a", "response": {"status_code": 200, "body": CHAT}, "error": None},
        {**ASKED, "response": RESPONSE, "status": "success", "error_str": None, "id": "a"},
        {"request": ASKED, "response": [CHUNK, {"type": "response.completed", "response": RESPONSE}]},
        {"request": {"model": "m", "input": ASKED["messages"], "instructions": "s"}, "response": RESPONSE},
        {"messages": [*ASKED["messages"], {"role": "assistant", "content": "tech"}]}]
JUNK = [None, 3, True, "x", [], {}, [None], [3], {"content": 3}, "[]", float("nan"), {"messages": 3}, "data: [", [[]],
        "\ud800"]


def places(value, path=()):
    "The paths to all that is in a value."
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in inner:
        yield (*path, step)
        yield from places(part, (*path, step))


def spoiled(value, path: tuple, junk):
    "A value with something else at a path."
    if not path: return junk
    copied = copy(value)
    copied[path[0]] = spoiled(value[path[0]], path[1:], junk)
    return copied


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_whatever_stands_in_a_log_is_an_answer_or_counted(row):
    "A call that is spoiled anywhere is left out and counted; one that is well, beside it, is read."
    task = Classification(["sports", "tech"], multi_label=False, task_id="topic")
    well = {"request": {"messages": [{"role": "user", "content": "A match"}]}, "response": "sports"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in places(ROWS[row]):
            for junk in JUNK:
                log = [spoiled(ROWS[row], path, junk), {"custom_id": "a", "body": ASKED}, well]
                docs = read_docs(log, format="openai", task=task, prompt="{text}")
                assert docs[-1].text == "A match" and len(docs) <= 2
