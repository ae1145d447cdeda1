"""Which model found how much: the numbers behind the headline."""

from dataclasses import dataclass

import numpy as np

from keras_avrep.report.run_reader import ModelRun, Run, as_dict, number

CHUNK = 512


@dataclass(frozen=True)
class Score:
    """One measure of one label, for every model.

    `label` is `"video"` where a hit is another clip of the same video, and
    empty where the summary names no label.
    """

    label: str
    measure: str
    values: list[float | None]
    chance: float | None

    @property
    def title(self) -> str:
        """The measure's short name."""
        if self.measure.startswith("r_at_"):
            return f"R@{self.measure[5:]}"
        return {"linear": "linear probe", "knn": "kNN"}.get(self.measure, self.measure)

    @property
    def best(self) -> float | None:
        """The highest value that any model reached."""
        return max((v for v in self.values if v is not None), default=None)


def label_title(label: str) -> str:
    """A label's name as a heading."""
    return {"video": "same video", "": "all videos"}.get(label, label)


def read_scores(run: Run) -> list[Score]:
    """Every measure the summary holds, label by label."""
    scores = []
    for label in _labels(run):
        for measure in _measures(run, label):
            values = [
                number(_numbers(m, _kind(measure), label).get(measure))
                for m in run.models
            ]
            if any(value is not None for value in values):
                chance = _chance(run, label, measure)
                scores.append(Score(label, measure, values, chance))
    return scores


def _kind(measure: str) -> str:
    return "retrieval" if measure.startswith("r_at_") else "probe"


def _numbers(model: ModelRun, kind: str, label: str) -> dict:
    block = as_dict(model.scores.get(kind))
    return as_dict(block.get(label)) if label else block


def _labels(run: Run) -> list[str]:
    labels: dict[str, None] = {}
    for model in run.models:
        for kind in ("retrieval", "probe"):
            block = as_dict(model.scores.get(kind))
            labels.update({k: None for k, v in block.items() if isinstance(v, dict)})
    return list(labels) or [""]


def _measures(run: Run, label: str) -> list[str]:
    ranks: set[int] = set()
    probes: dict[str, None] = {}
    for model in run.models:
        for name in _numbers(model, "retrieval", label):
            if name.startswith("r_at_") and name[5:].isdecimal():
                ranks.add(int(name[5:]))
        for name in ("linear", "knn"):
            if name in _numbers(model, "probe", label):
                probes[name] = None
    return [f"r_at_{rank}" for rank in sorted(ranks)] + list(probes)


def _chance(run: Run, label: str, measure: str) -> float | None:
    for model in run.models:
        retrieval = _numbers(model, "retrieval", label)
        own = number(retrieval.get(f"chance_{measure}"))
        if own is not None:
            return own
        # Guessing a class and drawing one neighbour succeed about equally often;
        # among five neighbours a chance hit is more likely.
        if measure in ("r_at_1", "linear", "knn"):
            probe = _numbers(model, "probe", label)
            shared = number(probe.get("chance", retrieval.get("chance")))
            if shared is not None:
                return shared
    return None


def label_names(model: ModelRun) -> list[str]:
    """Labels that the stored features carry, one for each video of both splits."""
    prefix = "test_label_"
    names = [key[len(prefix) :] for key in model.features if key.startswith(prefix)]
    return [name for name in names if _is_complete(model, name)]


def _is_complete(model: ModelRun, label: str) -> bool:
    return all(
        (values := model.features.get(f"{split}_label_{label}")) is not None
        and values.shape == (len(model.features[f"{split}_features"]),)
        for split in ("test", "train")
    )


def nearest_labels(model: ModelRun, label: str) -> tuple[np.ndarray, np.ndarray]:
    """The true class of every test video and that of its nearest gallery video."""
    truth, found = _neighbour_labels(model, label, 1)
    return truth, found[:, 0]


def share_of_hits(model: ModelRun, label: str, count: int) -> float:
    """Of all neighbours of all test videos, `count` of each, those of its class."""
    truth, found = _neighbour_labels(model, label, count)
    return float(np.mean(found == truth[:, None]))


def _neighbour_labels(model: ModelRun, label: str, count: int):
    """True classes of test videos, and those of their nearest `count`, unordered."""
    test, train = (model.features[f"{s}_features"] for s in ("test", "train"))
    # Of one video nothing is left without its own mean.
    test, train = _unit(test, train if len(test) == 1 else test), _unit(train, train)
    found = [
        _nearest(test[start : start + CHUNK] @ train.T, count)
        for start in range(0, len(test), CHUNK)
    ]
    classes = np.asarray(model.features[f"train_label_{label}"]).astype(str)
    truth = np.asarray(model.features[f"test_label_{label}"]).astype(str)
    return truth, classes[np.concatenate(found)]


def _nearest(similarity: np.ndarray, count: int) -> np.ndarray:
    # Of equals, the first is the nearest, as retrieval has it.
    if count == 1:
        return similarity.argmax(axis=1)[:, None]
    count = min(count, similarity.shape[1])
    return np.argpartition(-similarity, count - 1, axis=1)[:, :count]


def can_compare(model: ModelRun) -> bool:
    """Whether both splits have features of one width."""
    test, train = (model.features.get(f"{s}_features") for s in ("test", "train"))
    if test is None or train is None or test.ndim != 2 or train.ndim != 2:
        return False
    return test.shape[1] == train.shape[1] and min(len(test), len(train)) > 0


def _unit(features: np.ndarray, around: np.ndarray) -> np.ndarray:
    # Each split minus its own mean, as the retrieval numbers are measured.
    features, around = (
        np.nan_to_num(np.asarray(x, "float64")) for x in (features, around)
    )
    features = features - around.mean(axis=0)
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(length, 1e-12)
