"""RouteLLM's matrix factorisation, trained on the questions that Barn is; see `benchmarks.routing`.

RouteLLM ships weights for embeddings that OpenAI computes, and these need a network. So its own
training code (Ong et al. 2024, routellm 0.2.0) runs here on all-MiniLM-L6-v2's embeddings: the
strong model wins where a question is reasoning-heavy, the weak one where it is vision-heavy. Its
own inference class then answers, with its call for an embedding answered by MiniLM.
"""

import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.rival_knn import MiniLM  # first: it sets how many threads there are

os.environ.setdefault("OPENAI_API_KEY", "none: nothing is asked of it")

import numpy as np
import torch
from numpy.typing import NDArray
from routellm.routers.matrix_factorization import (  # type: ignore[import-not-found]  # as above
    model as inference,
)
from routellm.routers.matrix_factorization import train_matrix_factorization as training

from benchmarks.rivals import folds, read, score, tell, texts, timed

STRONG, WEAK = "gpt-4-1106-preview", "mixtral-8x7b-instruct-v0.1"
DIM, BATCH, LEARNING_RATE, WEIGHT_DECAY, NOISE = 128, 64, 3e-4, 1e-5, 0.1  # of its own script
EPOCHS = 20  # its script's 100 change nothing any more: there are ten thousand rows, not millions


def trained(known: NDArray[np.float32], vision: NDArray[np.bool_], kept: list[int]) -> Any:
    """Its inference model with weights from its training loop, on the rows in `kept`."""
    duels = [
        {"model_a": STRONG, "model_b": WEAK, "idx": i, "winner": "model_b" if v else "model_a"}
        for i, v in zip(kept, vision[kept], strict=True)
    ]
    count, width = known.shape
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "embeddings.npy"
        np.save(path, known)
        net = training.MFModel_Train(DIM, len(inference.MODEL_IDS), count, width, npy_path=path)
    rows = training.PairwiseDataset(duels)
    few = training.PairwiseDataset(duels[:BATCH])  # its loop wants something to look at
    training.train_loops(
        net, rows.get_dataloaders(BATCH), few.get_dataloaders(BATCH, shuffle=False), LEARNING_RATE,
        WEIGHT_DECAY, NOISE, EPOCHS, device="cpu",
    )  # fmt: skip
    model = inference.MFModel(DIM, len(inference.MODEL_IDS), width, 1, use_proj=True)
    weights = {k: v for k, v in net.state_dict().items() if not k.startswith("Q.")}
    renamed = {
        k.replace("text_proj.", "text_proj.0.").replace("classifier.", "classifier.0."): v
        for k, v in weights.items()
    }
    model.load_state_dict(renamed)
    return model.eval()


def main() -> None:
    """Measure it, and print one line."""
    torch.set_num_threads(1)
    rows = read(Path(sys.argv[1]))
    vision = np.array([r["family"] == "vision" for r in rows])
    embedder = MiniLM()
    known = embedder.many([r["question"] for r in rows])
    place = {r["question"]: k for k, r in enumerate(rows)}
    held: list[NDArray[np.float32]] = []  # the embedding that the next call gets, if known already

    def create(input: list[str], model: str) -> Any:  # noqa: A002, ARG001 - as OpenAI names it
        found = held.pop() if held else embedder.embed(input)[0]
        return SimpleNamespace(data=[SimpleNamespace(embedding=found)])

    inference.OPENAI_CLIENT = SimpleNamespace(embeddings=SimpleNamespace(create=create))
    strong, weak = inference.MODEL_IDS[STRONG], inference.MODEL_IDS[WEAK]
    said: dict[int, bool] = {}
    model: Any = None
    for asked, kept in folds(rows):
        model = trained(known, vision, kept)
        for i in asked:
            held.append(known[place[rows[i]["question"]]])
            said[i] = model.pred_win_rate(strong, weak, rows[i]["question"]) < 0.5
    latency = timed(lambda text: model.pred_win_rate(strong, weak, text), texts(rows))
    tell("RouteLLM 0.2.0 matrix factorisation on MiniLM", score(rows, said), latency)


if __name__ == "__main__":
    main()
