"""Write the one-file HTML report of a run folder.

keras-avrep report runs/demo
"""


def add_arguments(parser):
    parser.add_argument("run", help="run folder that holds summary.json")
    parser.add_argument("--out", help="HTML file; by default report.html in the run")


def run(args):
    from pathlib import Path

    from keras_avrep.cli.progress import say
    from keras_avrep.report import write_report

    if not Path(args.run).is_dir():
        raise ValueError(f"{args.run} is not a run folder.")
    say(f"wrote {write_report(args.run, args.out)}")
