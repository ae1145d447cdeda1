"""Render a world to real video files with annotations.

    keras-avrep render videos --pretrain 512 --train 256 --test 256
    keras-avrep render videos --photos my_photos --size 112
    keras-avrep render duets --world orchestra --kind duet --test 100

The world `scenes`: sprites that move over still scenes; scene, sprite and motion are
independent, and no single frame tells the motion. The world `orchestra`: instruments
that can be seen and heard, one or several, some of them silent.
"""

# Options that belong to one world only, and what they are where not given.
SCENES = {"num_frames": 48, "photos": None, "sprites": 1, "boxes": False}
ORCHESTRA = {
    "kind": "solo",
    "seconds": 1.0,
    "fps": 4.0,
    "pictures": None,
    "recordings": None,
    "mixtures": False,
}
KINDS = ("solo", "duet", "composite", "unconstrained")


def add_arguments(parser):
    parser.add_argument("folder", help="where to write the videos")
    parser.add_argument("--world", choices=("scenes", "orchestra"), default="scenes")
    parser.add_argument("--pretrain", type=int, default=512, help="unlabelled videos")
    parser.add_argument("--train", type=int, default=256, help="labelled videos")
    parser.add_argument("--test", type=int, default=256, help="held-out videos")
    parser.add_argument(
        "--size", type=int, help="pixels; 64 for scenes, 96 for an orchestra"
    )
    parser.add_argument(
        "--contrast",
        type=float,
        default=0.35,
        help="of the scene; higher hides what matters better",
    )
    parser.add_argument("--seed", type=int, default=0)
    _add_scenes_arguments(parser.add_argument_group("scenes"))
    _add_orchestra_arguments(parser.add_argument_group("orchestra"))


def _add_scenes_arguments(group):
    group.add_argument("--num-frames", type=int, help="frames of a video (48)")
    group.add_argument("--photos", help="folder of images to use as scenes")
    group.add_argument(
        "--sprites", type=int, help="of a video; labels are of the first (1)"
    )
    group.add_argument(
        "--boxes",
        action="store_true",
        default=None,
        help="annotate boxes also of a single sprite; several always have them",
    )


def _add_orchestra_arguments(group):
    group.add_argument("--kind", choices=KINDS, help="what is seen and heard (solo)")
    group.add_argument("--seconds", type=float, help="length of a video (1)")
    group.add_argument("--fps", type=float, help="frames per second (4)")
    group.add_argument("--pictures", help="folder of real pictures, CLASS/FILE")
    group.add_argument("--recordings", help="folder of real recordings, CLASS/FILE")
    group.add_argument(
        "--mixtures",
        action="store_true",
        default=None,
        help="write pictures, waveforms and the sound of each source, not videos",
    )


def run(args):
    from keras_avrep.cli.progress import Progress
    from keras_avrep.worlds import render_mixtures, render_world

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
        render_world(_scenes(args), args.folder, counts, progress, args.boxes or None)
    elif args.mixtures:
        render_mixtures(_orchestra(args), args.folder, counts, progress)
    else:
        render_world(_orchestra(args), args.folder, counts, progress)


def _refuse(args, names):
    """Options of the other world are a mistake, not to be passed over."""
    for name in names:
        if getattr(args, name) is not None:
            option = "--" + name.replace("_", "-")
            raise ValueError(f"{option} does not belong to the world {args.world}.")


def _scenes(args):
    from keras_avrep.worlds import ScenesWorld

    return ScenesWorld(
        size=args.size or 64,
        num_frames=args.num_frames,
        num_sprites=args.sprites,
        scene_contrast=args.contrast,
        photo_folder=args.photos,
        seed=args.seed,
    )


def _orchestra(args):
    from keras_avrep.worlds import OrchestraWorld

    return OrchestraWorld(
        args.kind,
        size=args.size or 96,
        seconds=args.seconds,
        fps=args.fps,
        scene_contrast=args.contrast,
        pictures=args.pictures,
        recordings=args.recordings,
        seed=args.seed,
    )
