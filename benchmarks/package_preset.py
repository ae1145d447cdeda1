r"""A tiny preset with weights for the package, from a finished run.

    keras-avrep demo --steps 600
    python benchmarks/package_preset.py dclr runs/demo/dclr
    keras-avrep render runs/scenes --pretrain 1024 --seed 1
    keras-avrep pretrain runs/scenes --model StaticDynamicConcepts --steps 300 \
        --batch-size 16 --learning-rate 2e-3 --seed 1 --out runs/concepts
    python benchmarks/package_preset.py static_dynamic_concepts runs/concepts
    # So are Controllable Augmentations, and TeG with --model TeG --steps 600.
    python benchmarks/claims.py const_cl --seed-list 1 --rungs const_cl
    python benchmarks/package_preset.py const_cl runs/claims/const_cl1/const_cl
    python benchmarks/claims.py csol --seeds 1 --rungs shared_optimizer
    python benchmarks/package_preset.py csol runs/claims/csol0/shared_optimizer

Writes `keras_avrep/models/NAME/presets/NAME_tiny_WORLD/`. Of what learns from video
that is the backbone: twins and queues are of use to training alone. Heads that make
a file too large are stored in half precision, and left out where that is too large.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import h5py

from keras_avrep.models.systems import LOCALISERS, all_systems

MODELS = Path(__file__).parents[1] / "keras_avrep" / "models"
LARGEST = 2_000_000
# All but the backbone's weights; a preset is of use without.
HEADS = "task.weights.h5"


def packed(folder, target):
    """Copy the files of a preset that are not too large."""
    target.mkdir(parents=True)
    for path in sorted(folder.iterdir()):
        copy = target / path.name
        if path.stat().st_size > LARGEST and path.name == HEADS:
            halve(path, copy)
        else:
            shutil.copy(path, copy)
        size = copy.stat().st_size
        if size > LARGEST and path.name != HEADS:
            raise SystemExit(f"{path} has {size} bytes, more than 2 MB.")
        fits = size <= LARGEST
        print(f"{path.name}: {size} bytes{'' if fits else ', left out'}")
        if not fits:
            copy.unlink()


def halve(path, copy):
    """The same weights in half precision, which Keras reads as well."""
    with h5py.File(path) as source, h5py.File(copy, "w") as target:
        target.attrs.update(source.attrs)

        def store(name, item):
            if isinstance(item, h5py.Group):
                made = target.require_group(name)
            else:
                value = item[()]
                half = value.dtype == "float32"
                made = target.create_dataset(
                    name, data=value.astype("float16") if half else value
                )
            made.attrs.update(item.attrs)

        source.visititems(store)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("system", help="name of its folder in keras_avrep/models")
    parser.add_argument("run", type=Path, help="folder of a run, with its preset")
    args = parser.parse_args()
    systems = {system.preset_folder.parent.name: system for system in all_systems()}
    if args.system not in systems:
        raise SystemExit(f"There is no {args.system}, only {', '.join(systems)}.")
    system = systems[args.system]
    world = "orchestra" if system in LOCALISERS else "scenes"
    name = f"{args.system}_tiny_{world}"
    target = MODELS / args.system / "presets" / name
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / name
        packed(args.run / "preset", made)
        system.from_preset(str(made))
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made, target)


if __name__ == "__main__":
    main()
