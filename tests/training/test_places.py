"""The last stage asks where things are and how they stand to each other, and is right."""

from training.data.mixture import PLACING, make_item


def test_the_stage_of_places_asks_where_everything_is_by_every_name() -> None:
    asked_by: dict[str, int] = {}
    for index in range(200):
        item = make_item(5, "train", index, PLACING)
        if item.kind != "scene":
            continue
        things = [t.replace("large ", "").split() for t in (item.told or "").split(", ")]
        places = [(t[-1], t[-2], " ".join(t[:-2])) for t in things]
        (lesson,) = (a for a in item.asked if a.lesson)
        by = 0 if "shape" in lesson.question else 1
        assert sorted(lesson.answer.split(", ")) == sorted(f"{t[by]} {t[2]}" for t in places)
        for shape, colour, place in places:
            for name in (shape, f"{colour} shape", f"{colour} {shape}"):
                where = f"where is the {name}"
                told = [a.answer for a in item.asked if a.question.lower().strip("?") == where]
                fitting = {
                    t[2] for t in places if name in {t[0], f"{t[1]} shape", f"{t[1]} {t[0]}"}
                }
                assert set(told) <= fitting == {place} or not told
                kind = name.replace(shape, "S").replace(colour, "C")
                asked_by[kind] = asked_by.get(kind, 0) + len(told)
    assert min(asked_by.values()) > 10


def test_left_and_right_are_asked_more_often_than_above_and_below() -> None:
    asked = dict.fromkeys(("left of", "right of", "above", "below"), 0)
    for index in range(600):
        for one in make_item(3, "train", index, PLACING).asked:
            if one.skill == "spatial" and one.answer in {"yes", "no"}:
                asked = {word: n + (f" {word} the " in one.question) for word, n in asked.items()}

    assert min(asked["left of"], asked["right of"]) > 1.2 * max(asked["above"], asked["below"])
