"""Render a world to real video files with annotations.

    keras-avrep render videos --pretrain 512 --train 256 --test 256
    keras-avrep render videos --photos my_photos --size 112

Draws the world `scenes`: sprites that move over still scenes; scene, sprite and
motion are independent, and no single frame tells the motion.
"""


def add_arguments(parser):
    parser.add_argument("folder", help="where to write the videos")
    parser.add_argument("--pretrain", type=int, default=512, help="unlabelled videos")
    parser.add_argument("--train", type=int, default=256, help="labelled videos")
    parser.add_argument("--test", type=int, default=256, help="held-out videos")
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--num-frames", type=int, default=48, help="frames of a video")
    parser.add_argument(
        "--contrast",
        type=float,
        default=0.35,
        help="of the scene; higher hides the motion better",
    )
    parser.add_argument("--photos", help="folder of images to use as scenes")
    parser.add_argument(
        "--sprites", type=int, default=1, help="of a video; labels are of the first"
    )
    parser.add_argument(
        "--boxes",
        action="store_true",
        help="annotate boxes also of a single sprite; several always have them",
    )
    parser.add_argument("--seed", type=int, default=0)


def run(args):
    from keras_avrep.cli.progress import Progress
    from keras_avrep.worlds import ScenesWorld, render_world

    world = ScenesWorld(
        size=args.size,
        num_frames=args.num_frames,
        num_sprites=args.sprites,
        scene_contrast=args.contrast,
        photo_folder=args.photos,
        seed=args.seed,
    )
    counts = {"pretrain": args.pretrain, "train": args.train, "test": args.test}
    progress = Progress("rendered")
    render_world(world, args.folder, counts, progress, args.boxes or None)
