"""A tiny localiser with weights for the package, from a rung of its claims.

    python benchmarks/claims.py csol --seeds 1 --rungs full
    python benchmarks/package_localiser.py csol runs/claims/csol0/full

Writes `keras_avrep/models/NAME/presets/NAME_tiny_orchestra/`.
"""

import argparse
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
LARGEST = 2_000_000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("system", choices=("csol", "ier"))
    parser.add_argument("run", type=Path, help="folder of a rung")
    args = parser.parse_args()
    name = f"{args.system}_tiny_orchestra"
    target = ROOT / "keras_avrep/models" / args.system / "presets" / name
    source = args.run / "preset"
    size = sum(path.stat().st_size for path in source.iterdir())
    if size > LARGEST:
        raise SystemExit(f"{source} has {size} bytes, more than 2 MB.")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    print(f"{target.relative_to(ROOT)}: {size} bytes")


if __name__ == "__main__":
    main()
