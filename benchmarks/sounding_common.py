"""What the claims of both localisers share: worlds, training in memory, scores."""

import functools
from pathlib import Path

import grain
import keras
import numpy as np

from keras_avrep.cli.measuring_sound import labelled_solos, read_truth
from keras_avrep.cli.pretrain_localiser import save
from keras_avrep.data import MomentSet, read_sample, scan_folder
from keras_avrep.evaluation import evaluate_localiser
from keras_avrep.models import system_of
from keras_avrep.training import train_phases
from keras_avrep.worlds import OrchestraWorld, render_world

DEFAULTS = {"batch_size": 32, "learning_rate": 4e-3}
COUNTS = {
    "solo": {"pretrain": 880, "train": 220, "test": 110},
    "composite": {"pretrain": 880, "test": 160},
    "unconstrained": {"pretrain": 880, "test": 160},
    "clean": {"test": 160},
    "quiet": {"test": 160},
}
WORLD = OrchestraWorld("composite")
# Of a video of one second at 4 frames a second.
TIMES = np.array([0.0, 0.25, 0.5, 0.75])


def world_of(kind, seed):
    """The world of a folder.

    Two have the videos of `unconstrained` otherwise: `clean` undisturbed, `quiet`
    with sources down to 20 dB below the loudest.
    """
    if kind == "clean":
        return OrchestraWorld("unconstrained", clean=True, seed=seed)
    if kind == "quiet":
        return OrchestraWorld("unconstrained", gain_range_db=20.0, seed=seed)
    return OrchestraWorld(kind, seed=seed)


def rendered(kind, seed, args):
    """The folder of a world, rendered if it is not there."""
    folder = Path(args.runs) / f"sounding{seed}" / kind
    listed = folder / "annotations.jsonl"
    # To draw the sounds anew for their annotations takes half a minute.
    if listed.exists() and len(listed.read_text().splitlines()) == sum(
        COUNTS[kind].values()
    ):
        return folder
    render_world(world_of(kind, seed), folder, COUNTS[kind])
    return folder


# --- training ---------------------------------------------------------------------


def in_memory(folder, clip, batch_size, seed):
    """Moments of the split `pretrain`, decoded once and kept.

    A video is one second long, so a moment of it is one of its frames with all of
    its sound; the rest is as of `keras_avrep.data.moment_set`.
    """
    large, small = (
        decoded(folder, clip[size], clip["duration"])
        for size in ("training_size", "size")
    )
    count = len(large)
    endless = grain.MapDataset.range(count).seed(seed).shuffle()
    endless = endless.slice(slice(0, count // batch_size * batch_size)).repeat()
    whole = -(-count // batch_size) * batch_size
    once = grain.MapDataset.range(whole).seed(seed).map(lambda i: i % count)
    return MomentSet(
        endless.random_map(Drawn(large)).batch(batch_size),
        once.random_map(Drawn(small)).batch(batch_size),
        count,
        batch_size,
    )


@functools.lru_cache(maxsize=6)
def decoded(folder, size, duration):
    """The samples of the split `pretrain`; a seed's rungs all learn from them."""
    records = trained_on(folder)
    times = {"frame": TIMES, "audio": {"start": 0.0, "duration": duration}}
    return [read_sample(record, times, size) for record in records]


def trained_on(folder):
    """The records of the split `pretrain`."""
    return scan_folder(folder, folder.with_suffix(".cache.json")).split("pretrain")


def classes_of(folder):
    """The class of each of these records, as a number."""
    names = [record.labels["class"] for record in trained_on(folder)]
    return [sorted(set(names)).index(name) for name in names]


class Drawn:
    """One frame of a sample at random, with its sound."""

    def __init__(self, samples):
        self.samples = samples

    def __call__(self, index, rng):
        sample = self.samples[int(index)]
        frame = sample["frame"][rng.integers(len(TIMES))]
        return {"frame": frame, "audio": sample["audio"], "record": np.int64(index)}


def fresh(preset, seed, changes):
    """A model of a preset without weights."""
    keras.utils.set_random_seed(seed)
    system = system_of(preset)
    return system.from_preset(preset, load_weights=False, seed=seed, **changes)


def stage_one(preset, folder, sets, seed, args, changes, schedule):
    """A model that has learned from solos, made once for all that follow from it.

    Returns:
        The model, and the scores of its map when the last pass of correspondence
        ended, before classes were learned.
    """
    model = fresh(preset, seed, changes)
    weights, scores = folder / "stage_one.weights.h5", folder / "solo.npy"
    if not weights.exists():
        phases = model.training_phases(
            sets["solo"], learning_rate=args.learning_rate, seed=seed, **schedule
        )
        last = [p for p in phases if p.name.startswith("correspondence")][-1]

        def after(phase):
            # At once: a run that is broken off later does not come here again.
            if phase is last:
                found = scored(model, preset, "solo", seed, args)["solo"]
                np.save(scores, found, allow_pickle=True)

        run(phases, folder, args, after)
        np.save(folder / "labels.npy", keras.ops.convert_to_numpy(labels_in(phases)))
        model.save_weights(weights)
    model.load_weights(weights)
    found = np.load(scores, allow_pickle=True).item() if scores.exists() else {}
    return model, found


def labels_in(phases):
    """The variable of the clusters of all solos."""
    return next(p.trainer.labels for p in phases if p.name.startswith("clusters"))


def sets_of(kinds, preset, seed, args):
    """What to train on, by kind of folder."""
    clip = system_of(preset).presets[preset]["clip"]
    return {
        kind: in_memory(rendered(kind, seed, args), clip, args.batch_size, seed)
        for kind in kinds
    }


def schedule_of(preset, changes=None):
    """The schedule of a preset, without the rate, which is an argument.

    But for the rung `shared_optimizer`, rungs have an optimiser of classes that starts
    anew with each clustering: the most were measured before there was another.
    """
    schedule = system_of(preset).presets[preset]["schedule"]
    schedule = {"shared_optimizer": False, **schedule, **(changes or {})}
    schedule.pop("learning_rate")
    return schedule


def run(phases, folder, args, after=None):
    """Train, saying a line every 50 steps."""
    return train_phases(
        phases,
        folder,
        clips_per_step=args.batch_size,
        log_every=50,
        checkpoint_every=10**6,
        after_phase=after,
    )


def keep(model, preset, folder, scores):
    """Save a model as `keras-avrep pretrain` does, clusters named by their scores."""
    clip = system_of(preset).presets[preset]["clip"]
    save(model, folder, clip, scores["clusters"]["names"])


# --- scores -----------------------------------------------------------------------


def scored(model, preset, kind, seed, args):
    """What `keras_avrep.evaluation.evaluate_localiser` says of held-out videos."""
    clip = system_of(preset).presets[preset]["clip"]
    test = read_truth(rendered(kind, seed, args)).split("test")
    solos = read_truth(rendered("solo", seed, args)).split("train")
    scores, _ = evaluate_localiser(
        model,
        test,
        labelled_solos(solos),
        size=clip["size"],
        duration=clip["duration"],
        sample_rate=clip["sample_rate"],
        seed=seed,
    )
    return scores
