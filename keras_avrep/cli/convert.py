"""Turn torchvision's ResNet weights into a backbone preset.

    keras-avrep convert r2plus1d_18.pth --out presets/r2plus1d_18
    keras-avrep convert resnet18.pth --last-stride 1 --out presets/resnet18

Reads R3D-18, R(2+1)D-18 and MC3-18 state dicts, and for pictures or, with one
channel, sound ResNet-18 and 34; what network it is follows from the names and shapes
in the file. How pixels were normalised in training does not: torchvision's networks
for video know Kinetics' mean and deviation, many other checkpoints ImageNet's.
"""


def add_arguments(parser):
    parser.add_argument("weights", help=".pth or .pt state dict, or .npz of arrays")
    parser.add_argument("--out", required=True, help="preset folder to write")
    parser.add_argument(
        "--normalisation",
        choices=("kinetics", "imagenet"),
        help="mean and deviation of pixels that a network for video was trained with; "
        "kinetics by default, as torchvision's",
    )
    parser.add_argument(
        "--last-stride",
        type=int,
        choices=(1, 2),
        help="of a network for pictures or sound: 1 makes maps of twice the height "
        "and width, as localisers need; 2 by default, as torchvision's",
    )


def run(args):
    from keras_avrep.backbones import convert_torchvision, load_torch_state_dict
    from keras_avrep.cli.progress import say

    state = load_torch_state_dict(args.weights)
    # Only networks for video have a stem of several layers.
    if any("stem.0." in name for name in state):
        cls, arguments = video_network(state, args)
    else:
        cls, arguments = picture_network(state, args)
    backbone = cls(**arguments)
    result = convert_torchvision(backbone, state)
    backbone.save_to_preset(args.out)
    say(f"{cls.__name__}: {arguments}")
    say(f"loaded {result['loaded']} tensors, ignored {len(result['ignored'])}")
    say(f"wrote {args.out}")


def video_network(state, args):
    """Class and arguments of the network for video that weights are of."""
    from keras_avrep.backbones import VideoResNetBackbone, infer_backbone_arguments
    from keras_avrep.models import KINETICS_MEAN, KINETICS_STD, renormalisation

    if args.last_stride is not None:
        raise ValueError(
            f"--last-stride is for pictures and sound; {args.weights} holds a network "
            "for video: leave it out."
        )
    arguments = infer_backbone_arguments(state)
    if args.normalisation != "imagenet" and "image_shape" not in arguments:
        arguments |= renormalisation(KINETICS_MEAN, KINETICS_STD)
    return VideoResNetBackbone, arguments


def picture_network(state, args):
    """Class and arguments of the network for pictures, or sound, weights are of."""
    from keras_avrep.backbones import (
        AudioResNetBackbone,
        ImageResNetBackbone,
        infer_image_backbone_arguments,
    )

    if args.normalisation is not None:
        raise ValueError(
            f"--normalisation is for video; {args.weights} holds a network for "
            "pictures or sound: leave it out."
        )
    arguments = infer_image_backbone_arguments(state)
    arguments["last_stride"] = args.last_stride or 2
    shape = arguments.get("image_shape")
    if shape is not None and shape[-1] == 1:
        arguments["spectrogram_shape"] = arguments.pop("image_shape")
        return AudioResNetBackbone, arguments
    return ImageResNetBackbone, arguments
