r"""A tiny preset with weights for the package, from a finished run.

    make demo
    python benchmarks/package_preset.py dclr runs/demo/dclr
    keras-avrep render runs/scenes --pretrain 1024 --seed 1
    keras-avrep pretrain runs/scenes --model StaticDynamicConcepts --steps 300 \
        --batch-size 16 --learning-rate 2e-3 --seed 1 --out runs/concepts
    python benchmarks/package_preset.py static_dynamic_concepts runs/concepts
    # So are Controllable Augmentations, and TeG with --model TeG --steps 600.
    python benchmarks/claims.py csol --seeds 1 --rungs full
    python benchmarks/package_preset.py csol runs/claims/csol0/full

Writes `keras_avrep/models/NAME/presets/NAME_tiny_WORLD/`. Of what learns from video
that is the backbone: twins and queues are of use to training alone, and heads are
left out where they make a file too large.
"""

import argparse
import shutil
from pathlib import Path

from keras_avrep.models.systems import LOCALISERS, all_systems

MODELS = Path(__file__).parents[1] / "keras_avrep" / "models"
LARGEST = 2_000_000
# All but the backbone's weights; a preset is of use without.
HEADS = "task.weights.h5"


def chosen_files(folder):
    """The files of a preset to package, before anything is replaced."""
    kept = []
    for path in sorted(folder.iterdir()):
        size = path.stat().st_size
        fits = size <= LARGEST
        if not fits and path.name != HEADS:
            raise SystemExit(f"{path} has {size} bytes, more than 2 MB.")
        print(f"{path.name}: {size} bytes{'' if fits else ', left out'}")
        kept += [path] if fits else []
    return kept


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
    kept = chosen_files(args.run / "preset")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in kept:
        shutil.copy(path, target / path.name)
    system.from_preset(str(target))


if __name__ == "__main__":
    main()
