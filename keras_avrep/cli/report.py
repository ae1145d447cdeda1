"""Write the one-file HTML report of a run folder.

keras-avrep report runs/demo --picture overview.png
keras-avrep report runs/csol --picture sounding.png
keras-avrep report runs/concepts --picture concepts.png
"""


def add_arguments(parser):
    parser.add_argument("run", help="run folder that holds summary.json")
    parser.add_argument("--out", help="HTML file; by default report.html in the run")
    parser.add_argument(
        "--picture",
        help="PNG file of what the run has to show: moments that a localiser was "
        "scored on, what units stand for, or else scores and what was found",
    )


def run(args):
    from pathlib import Path

    from keras_avrep.cli.progress import say
    from keras_avrep.report import write_picture, write_report

    if not Path(args.run).is_dir():
        raise ValueError(f"{args.run} is not a run folder.")
    say(f"wrote {write_report(args.run, args.out)}")
    if args.picture:
        say(f"wrote {write_picture(args.run, args.picture)}")
