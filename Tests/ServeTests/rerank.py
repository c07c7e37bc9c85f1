"""A cross-encoder that a release binds: the order of passages, their scores, and a model that cannot be run."""
import array
import json
import random
import struct

from bench import NAME, QUESTION, chat, until

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "drill", "holes", "brick", "the", "in", "a", "##s", "frost", "alarm", "mm"]
WIDTH, INNER, LAYERS = 32, 48, 2


def tensors():
    """The names and shapes of the tensors of a small BERT with one output."""
    def dense(name, outputs, inputs=WIDTH):
        yield f"{name}.weight", [outputs, inputs]
        yield f"{name}.bias", [outputs]

    def norm(name):
        yield f"{name}.LayerNorm.weight", [WIDTH]
        yield f"{name}.LayerNorm.bias", [WIDTH]

    for name, rows in (("word", len(WORDS)), ("position", 128), ("token_type", 2)):
        yield f"bert.embeddings.{name}_embeddings.weight", [rows, WIDTH]
    yield from norm("bert.embeddings")
    for layer in range(LAYERS):
        name = f"bert.encoder.layer.{layer}"
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            yield from dense(f"{name}.{part}", WIDTH)
        yield from norm(f"{name}.attention.output")
        yield from dense(f"{name}.intermediate.dense", INNER)
        yield from dense(f"{name}.output.dense", WIDTH, INNER)
        yield from norm(f"{name}.output")
    yield from dense("bert.pooler.dense", WIDTH)
    yield from dense("classifier", 1)


def reranker(bench, name="reranker", kind="bert"):
    """Puts a cross-encoder with random weights; returns its id."""
    numbers, header, data = random.Random(1), {}, array.array("f")
    for tensor, shape in tensors():
        start = 4 * len(data)
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        data.extend(numbers.gauss(1 if tensor.endswith("Norm.weight") else 0, 0.3) for _ in range(count))
        header[tensor] = {"dtype": "F32", "shape": shape, "data_offsets": [start, 4 * len(data)]}
    text = json.dumps(header).encode()
    bench.write(f"{name}/config.json", {
        "model_type": kind, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "hidden_act": "gelu",
        "max_position_embeddings": 128, "hidden_size": WIDTH, "intermediate_size": INNER, "layer_norm_eps": 1e-12})
    bench.write(f"{name}/vocab.txt", "\n".join(WORDS) + "\n")
    path = bench.folder / name / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + data.tobytes())
    bench.run("ftictl", "put", f"models/{name}", name)
    return bench.resolve(f"models/{name}")


def search(client, **options):
    return list(client.vector_stores.search(vector_store_id=NAME, query=QUESTION, **options))


def check_passages_come_in_the_order_of_the_reranker(bench):
    plain = search(bench.serve().client(), max_num_results=20)
    assert all(result.attributes.get("rerank_score") is None for result in plain)
    model = reranker(bench)
    bench.release("--reranker", "models/reranker")
    service = bench.serve(rerank={"candidates": 8})
    client = service.client()
    found = search(client, max_num_results=20)
    assert {result.file_id for result in found[:8]} == {result.file_id for result in plain[:8]}
    assert [result.file_id for result in found[8:]] == [result.file_id for result in plain[8:]]
    assert [result.file_id for result in found] != [result.file_id for result in plain]
    logits = [result.attributes["rerank_score"] for result in found[:8]]
    assert logits == sorted(logits, reverse=True) and len(set(logits)) > 1
    assert all("rerank_score" not in result.attributes for result in found[8:])
    # Scores fall over both groups, also where a threshold cuts.
    scores = [result.score for result in found]
    assert scores[:8] == sorted(scores[:8], reverse=True) and max(scores[8:]) <= scores[7]
    above = search(client, max_num_results=20, ranking_options={"score_threshold": scores[3]})
    assert len(above) == sum(score >= scores[3] for score in scores)
    # OpenAI's name for no reranking.
    unranked = search(client, max_num_results=20, ranking_options={"ranker": "none"})
    assert all("rerank_score" not in result.attributes for result in unranked)

    raw = client.chat.completions.with_raw_response.create(
        model=NAME, messages=[{"role": "user", "content": QUESTION}])
    record = raw.parse().fti
    assert raw.headers["Fti-Reranker"] == record["rerank"]["model"] == model
    assert record["rerank"]["candidates"] == 8
    assert all("rerank" in passage for passage in record["passages"])
    assert service.ready[1]["versions"]["reranker"] == model
    assert f'reranker="{model}"' in service.get("/metrics")[2]


def check_a_reranker_that_cannot_be_run_is_rejected(bench):
    reranker(bench)
    first = bench.release("--reranker", "models/reranker")
    service = bench.serve()
    service.serves(first)
    other = reranker(bench, "other", kind="gpt2")
    bench.release("--reranker", "models/other")
    parked = until(lambda: service.ready[1]["versions"]["parked"], "the release is rejected")
    assert parked["snapshots"]["reranker"] == other
    assert "no encoder for the architecture gpt2" in parked["reason"]
    assert service.ready[0] == 200 and service.ready[1]["versions"]["release"] == first
    assert chat(service.client()).fti["release"] == first


def check_the_configuration_names_a_reranker_without_a_release(bench):
    model = reranker(bench)
    pair = {"features": "features/prod", "model": "models/candidate"}
    service = bench.serve(serve=pair, rerank={"model": "models/reranker", "candidates": 3})
    results = list(service.client().vector_stores.search(vector_store_id="models/candidate", query=QUESTION))
    assert ["rerank_score" in result.attributes for result in results[:5]] == [True] * 3 + [False] * 2
    assert service.ready[1]["versions"]["reranker"] == model
