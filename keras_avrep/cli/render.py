"""Render synthetic videos with exact annotations.

    keras-avrep render videos --pretrain 512 --train 256 --test 256
    keras-avrep render videos --photos my_photos --size 112
    keras-avrep render phases --phases 3 --pretrain-phases
    keras-avrep render slow --speed 0.5 1.5 --switch-probability 0.5 --fixed-scenes
    keras-avrep render duets --world orchestra --kind duet --test 100
    keras-avrep render wild --world orchestra --kind unconstrained --seed 1
    keras-avrep render seconds --world orchestra --cut --seconds 3
    keras-avrep render clean --world orchestra --kind unconstrained --seed 1 --clean
    keras-avrep render synthetic --world orchestra --kind composite --csol-mixtures

The world `scenes`: sprites that move over still scenes; scene, sprite and motion are
independent, and no single frame tells the motion. The world `orchestra`: instruments
that can be seen and heard, one or several, some of them silent.
"""

from keras_avrep.cli.argument_types import finite, output_folder, share
from keras_avrep.cli.arguments import above_zero, add_seed, not_negative, positive

# Options that belong to one world only, and what they are where not given.
SCENES = {
    "num_frames": 48,
    "photos": None,
    "sprites": 1,
    "boxes": None,
    "phases": 1,
    "pretrain_phases": False,
    "motions": None,
    "camera_pan": 0.0,
    "speed": (2.5, 4.5),
    "switch_probability": 1.0,
    "fixed_scenes": False,
}
ORCHESTRA = {
    "kind": "solo",
    "num_classes": None,
    "seconds": 1.0,
    "fps": 4.0,
    "look_alike": 0.0,
    "sound_alike": 0.0,
    "pulse": 0.0,
    "off_screen": (0, 2),
    "gain_range_db": 15.0,
    "noise_db": (-30.0, -15.0),
    "clean": False,
    "pictures": None,
    "recordings": None,
    "mixtures": False,
    "csol_mixtures": False,
    "cut": False,
    "wav": False,
    "stems": False,
}
KINDS = ("solo", "duet", "composite", "unconstrained")


def add_arguments(parser):
    parser.add_argument(
        "folder",
        type=output_folder,
        help="where to write the videos: an empty one, or one to go on with",
    )
    parser.add_argument("--world", choices=("scenes", "orchestra"), default="scenes")
    parser.add_argument(
        "--pretrain", type=not_negative, default=512, help="unlabelled videos"
    )
    parser.add_argument(
        "--train", type=not_negative, default=256, help="labelled videos"
    )
    parser.add_argument(
        "--test", type=not_negative, default=256, help="held-out videos"
    )
    parser.add_argument(
        "--size", type=positive, help="pixels; 64 for scenes, 96 for an orchestra"
    )
    parser.add_argument(
        "--contrast",
        type=finite,
        default=0.35,
        help="of the drawn scene (0.35); higher hides sprites and instruments better",
    )
    add_seed(parser)
    _add_scenes_arguments(parser.add_argument_group("scenes"))
    _add_orchestra_arguments(parser.add_argument_group("orchestra"))


def _add_scenes_arguments(group):
    group.add_argument("--num-frames", type=positive, help="frames of a video (48)")
    group.add_argument("--photos", help="folder of images to use as scenes")
    group.add_argument(
        "--sprites", type=positive, help="of a video; labels are of the first (1)"
    )
    group.add_argument(
        "--boxes",
        action="store_true",
        default=None,
        help="annotate boxes also of a single sprite; several always have them",
    )
    group.add_argument(
        "--phases", type=positive, help="motions of a labelled video, one by one (1)"
    )
    group.add_argument(
        "--pretrain-phases",
        action="store_true",
        default=None,
        help="as many in unlabelled videos, which else switch once",
    )
    group.add_argument("--motions", nargs="+", help="only these, of eight")
    group.add_argument("--camera-pan", type=finite, help="pixels a frame (0)")
    group.add_argument(
        "--speed",
        type=finite,
        nargs=2,
        metavar=("LEAST", "MOST"),
        help="of sprites, in pixels a frame; slower is harder (2.5 4.5)",
    )
    group.add_argument(
        "--switch-probability",
        type=share,
        help="share of unlabelled videos whose motion changes in the middle (1)",
    )
    group.add_argument(
        "--fixed-scenes",
        action="store_true",
        default=None,
        help="one scene of each kind for all videos; else each has one of its own",
    )


def _add_orchestra_arguments(group):
    group.add_argument("--kind", choices=KINDS, help="what is seen and heard (solo)")
    group.add_argument(
        "--num-classes", type=positive, help="instruments, up to 11 (all)"
    )
    group.add_argument("--seconds", type=above_zero, help="length of a video (1)")
    group.add_argument("--fps", type=above_zero, help="frames per second (4)")
    group.add_argument(
        "--look-alike", type=share, help="0 to 1: how far pairs look the same (0)"
    )
    group.add_argument(
        "--sound-alike", type=share, help="0 to 1: how far pairs sound the same (0)"
    )
    group.add_argument(
        "--pulse", type=finite, help="share by which what sounds grows and shrinks (0)"
    )
    _add_wild_arguments(group)
    group.add_argument("--pictures", help="folder of real pictures, CLASS/FILE")
    group.add_argument("--recordings", help="folder of real recordings, CLASS/FILE")
    group.add_argument(
        "--mixtures",
        action="store_true",
        default=None,
        help="write pictures, waveforms and the sound of each source, not videos",
    )
    group.add_argument(
        "--csol-mixtures",
        action="store_true",
        default=None,
        help="write pictures, sounds and boxes of what sounds, as CSOL has them",
    )
    group.add_argument(
        "--cut",
        action="store_true",
        default=None,
        help="write sounds and pictures of each second, and boxes, as MUSIC has them",
    )
    for name, text in (("wav", "the sound"), ("stems", "that of each source")):
        group.add_argument(
            f"--{name}",
            action="store_true",
            default=None,
            help=f"write {text} beside each video, without loss",
        )


def _add_wild_arguments(group):
    """Of unconstrained videos."""
    group.add_argument(
        "--off-screen",
        type=int,
        nargs=2,
        metavar=("LEAST", "MOST"),
        help="unseen sources of an unconstrained video (0 2)",
    )
    group.add_argument(
        "--gain-range-db",
        type=finite,
        help="how far others are below the loudest in unconstrained videos (15)",
    )
    group.add_argument(
        "--noise-db",
        type=finite,
        nargs=2,
        metavar=("LEAST", "MOST"),
        help="level of the noise in unconstrained videos (-30 -15)",
    )
    group.add_argument(
        "--clean",
        action="store_true",
        default=None,
        help="the same unconstrained videos without unseen sources and noise",
    )


def run(args):
    from keras_avrep.cli.progress import Progress
    from keras_avrep.worlds import render_mixtures, render_seconds, render_world

    own, other = SCENES, ORCHESTRA
    if args.world == "orchestra":
        own, other = ORCHESTRA, SCENES
    _refuse(args, other)
    for name, default in own.items():
        if getattr(args, name) is None:
            setattr(args, name, default)
    counts = {"pretrain": args.pretrain, "train": args.train, "test": args.test}
    progress = Progress("rendered")
    if args.world == "scenes":
        world = _scenes(args)
        render_world(world, args.folder, counts, progress, args.boxes)
        _say_rejects(world, args.folder)
        return
    _refuse_two_layouts(args)
    world = _orchestra(args)
    if args.mixtures or args.csol_mixtures:
        layout = "ier" if args.mixtures else "csol"
        render_mixtures(world, args.folder, counts, progress, layout)
    elif args.cut:
        render_seconds(world, args.folder, counts, progress)
    else:
        files = {"wav": args.wav, "stems": args.stems}
        render_world(world, args.folder, counts, progress, **files)
    _say_rejects(world, args.folder)


def _say_rejects(world, folder):
    """Which real files could not be used."""
    import json
    from pathlib import Path

    from keras_avrep.cli.progress import say
    from keras_avrep.data.files import write_text

    if not world.rejects:
        return
    for reject in world.rejects:
        say(f"left out: {reject['path']}: {reject['reason']}")
    path = Path(folder) / "rejects.jsonl"
    write_text(path, "".join(json.dumps(r) + "\n" for r in world.rejects))
    say(f"left out: {len(world.rejects)} files that cannot be used; see {path}")


def _refuse(args, names):
    """Options of the other world are a mistake, not to be passed over."""
    for name in names:
        if getattr(args, name) is not None:
            option = "--" + name.replace("_", "-")
            raise ValueError(f"{option} does not belong to the world {args.world}.")


def _refuse_two_layouts(args):
    """What is written beside videos goes with none of the other layouts."""
    layouts = ("mixtures", "csol_mixtures", "cut")
    given = [name for name in (*layouts, "wav", "stems") if getattr(args, name)]
    if len(given) > 1 and given[0] in layouts:
        layout, other = (name.replace("_", "-") for name in given[:2])
        raise ValueError(
            f"--{other} does not go with --{layout}, which decides what is written."
        )


def _scenes(args):
    from keras_avrep.worlds import ScenesWorld

    least, most = args.speed
    if not 0 < least <= most:
        raise ValueError(
            f"--speed is {least:g} {most:g}; give two numbers above 0, the smaller "
            "first."
        )
    return ScenesWorld(
        size=args.size or 64,
        num_frames=args.num_frames,
        num_sprites=args.sprites,
        scene_contrast=args.contrast,
        photo_folder=args.photos,
        phases=args.phases,
        pretrain_phases=args.pretrain_phases,
        motions=args.motions,
        camera_pan=args.camera_pan,
        speed=args.speed,
        switch_probability=args.switch_probability,
        fresh_scenes=not args.fixed_scenes,
        seed=args.seed,
    )


def _orchestra(args):
    from keras_avrep.worlds import OrchestraWorld

    return OrchestraWorld(
        args.kind,
        num_classes=args.num_classes,
        size=args.size or 96,
        seconds=args.seconds,
        fps=args.fps,
        scene_contrast=args.contrast,
        look_alike=args.look_alike,
        sound_alike=args.sound_alike,
        pulse=args.pulse,
        num_off_screen=args.off_screen,
        gain_range_db=args.gain_range_db,
        noise_db=args.noise_db,
        clean=args.clean,
        pictures=args.pictures,
        recordings=args.recordings,
        seed=args.seed,
    )
