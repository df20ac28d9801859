"""Which backbones can answer a query at all, and why the others cannot."""

from collections.abc import Iterator, Mapping, Sequence

from routing.domain import ModelCard, ModelId, Query


class NoEligibleModelError(Exception):
    """Every backbone refused; `objections` says why, per backbone."""

    def __init__(self, objections: Mapping[ModelId, tuple[str, ...]]) -> None:
        super().__init__("; ".join(f"{m}: {', '.join(why)}" for m, why in objections.items()))
        self.objections = objections


def objections(query: Query, card: ModelCard) -> Iterator[str]:
    """Yield each reason `card` cannot answer `query`; none means it can."""
    prompt = query.prompt_tokens.get(card.id, 0)
    need = prompt + query.room_tokens
    if need > card.context_tokens:
        yield (
            f"needs {need} tokens of context ({prompt} of prompt, {query.room_tokens} to "
            f"generate), has {card.context_tokens}"
        )
    if len(query.images) > card.max_images:
        yield f"takes {card.max_images} image(s), got {len(query.images)}"


def eligible(query: Query, cards: Sequence[ModelCard]) -> tuple[ModelCard, ...]:
    """Keep the cards nobody objects to.

    Raises:
        NoEligibleModelError: none is left.
    """
    found = {card.id: tuple(objections(query, card)) for card in cards}
    fit = tuple(card for card in cards if not found[card.id])
    if not fit:
        raise NoEligibleModelError(found)
    return fit
