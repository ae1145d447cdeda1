"""What each part of a method adds, measured on the world `scenes`.

    python benchmarks/claims.py dclr --seeds 3
    python benchmarks/claims.py dclr --table

Every system has a module `claims_NAME.py` beside this one, with its `LADDER` of
variants and what is measured of each. Every finished rung is added to
`results/NAME_claims.json` at once; run the same command again to go on. Several
processes can share the work: give each its own `--rungs` or `--seed-list`. Runs of
other than the usual number of steps have a file of their own.
"""

import argparse
import importlib
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The package does it, too, but Keras is imported before it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
from provenance import commit

from keras_avrep.cli.run_folder import versions, write_json
from keras_avrep.training import choose_device_policy

HERE = Path(__file__).parent
SYSTEMS = sorted(
    p.stem.removeprefix("claims_")
    for p in HERE.glob("claims_*.py")
    if p.stem != "claims_common"
)


def measure(module, path, args):
    """All rungs of all seeds that are not in the results yet."""
    configuration = {name: getattr(args, name) for name in module.DEFAULTS}
    if hasattr(module, "SCHEDULE"):
        configuration["schedule"] = module.SCHEDULE
    policy = choose_device_policy(precision=args.precision)
    keras.config.set_dtype_policy(policy.precision)
    about = {
        "configuration": configuration,
        "world": module.WORLD.get_config(),
        "counts": module.COUNTS,
        "versions": versions(),
    }
    for seed in args.seed_list or range(args.seeds):
        for rung in args.rungs or module.LADDER:
            done = any(is_of(r, seed, rung) for r in read(path, about))
            if done and not args.again:
                continue
            if args.train_only:
                module.train_rung(rung, seed, args)
                continue
            result = rung_result(module, rung, seed, args)
            # Seeds may have been measured on machines of different kinds.
            result |= {"precision": policy.precision, "commit": commit()}
            result |= {"backend": keras.backend.backend(), "device": policy.device}
            print(json.dumps(result), flush=True)
            # Read again: another process may measure other rungs meanwhile.
            kept = [r for r in read(path, about) if not is_of(r, seed, rung)]
            write_json(path, {**about, "results": [*kept, result]})


def rung_result(module, rung, seed, args):
    """Train and measure one rung; what has been trained is only measured."""
    began = time.time()
    if hasattr(module, "run_rung"):
        found = module.run_rung(rung, seed, args)
    else:
        model, training, manifest = module.train_rung(rung, seed, args)
        seconds = training["seconds"]
        found = {
            "losses": training["losses"],
            "clips_per_second": training["clips_per_second"],
            "training_seconds": seconds if seconds is None else round(seconds),
            "trained_on": training["trained_on"],
            **module.measure_rung(rung, seed, args, model, manifest),
        }
    return {
        "seed": seed,
        "rung": rung,
        **found,
        "seconds": round(time.time() - began),
    }


def other_steps(module, args):
    """What names of results and runs say of the steps: nothing of the usual ones."""
    usual = module.DEFAULTS.get("steps")
    return "" if args.steps == usual else f"_{args.steps}_steps"


def is_of(result, seed, rung):
    """Whether a result is that of a seed and a rung."""
    return (result["seed"], result["rung"]) == (seed, rung)


def read(path, about):
    """The results so far, refused if they are of another configuration."""
    if not path.exists():
        return []
    content = json.loads(path.read_text())
    if content["configuration"] != about["configuration"]:
        raise SystemExit(f"{path} is of another configuration; move it away.")
    return content["results"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--seed-list", type=int, nargs="+", help="these seeds instead")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--rungs", nargs="+", help="only these")
    parser.add_argument(
        "--again", action="store_true", help="also what has been measured before"
    )
    parser.add_argument(
        "--train-only",
        action="store_true",
        help="measure later, maybe elsewhere, with the same command without this",
    )
    parser.add_argument("--runs", default="runs/claims", help="folder of the runs")
    parser.add_argument(
        "--jit-compile",
        action="store_true",
        default=None,
        help="XLA also on a CPU: a core instead of all, for claims side by side",
    )
    parser.add_argument(
        "--precision", help="name of a dtype policy; that of this machine by default"
    )
    parser.add_argument("--apart", help="name of a file of their own for these results")
    parser.add_argument("--table", action="store_true", help="only write the tables")
    args = parser.parse_args()
    module = importlib.import_module(f"claims_{args.system}")
    if args.train_only and not hasattr(module, "train_rung"):
        parser.error(f"{args.system} is measured in the run that trains it")
    for name, value in module.DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    args.suffix = other_steps(module, args)
    apart = f"_{args.apart}" if args.apart else ""
    name = f"{args.system}_claims{args.suffix}{apart}.json"
    if not args.table:
        measure(module, HERE / "results" / name, args)
    path = HERE / "results" / f"{args.system}_claims.json"
    results = json.loads(path.read_text())["results"]
    print(module.write_tables(results, HERE.parent))


if __name__ == "__main__":
    main()
