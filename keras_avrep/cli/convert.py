"""Turn torchvision's ResNet weights into a backbone preset.

    keras-avrep convert r2plus1d_18.pth --out presets/r2plus1d_18

Reads R3D-18, R(2+1)D-18 and MC3-18 state dicts, and for pictures ResNet-18 and
34; what network it is follows from the names and shapes in the file.
"""


def add_arguments(parser):
    parser.add_argument("weights", help=".pth or .pt state dict, or .npz of arrays")
    parser.add_argument("--out", required=True, help="preset folder to write")


def run(args):
    from keras_avrep.backbones import (
        ImageResNetBackbone,
        VideoResNetBackbone,
        convert_torchvision,
        infer_backbone_arguments,
        infer_image_backbone_arguments,
        load_torch_state_dict,
    )
    from keras_avrep.cli.progress import say

    state = load_torch_state_dict(args.weights)
    # Only networks for video have a stem of several layers.
    if any("stem.0." in name for name in state):
        arguments = infer_backbone_arguments(state)
        backbone = VideoResNetBackbone(**arguments)
    else:
        arguments = {**infer_image_backbone_arguments(state), "last_stride": 2}
        backbone = ImageResNetBackbone(**arguments)
    result = convert_torchvision(backbone, state)
    backbone.save_to_preset(args.out)
    say(f"{arguments}")
    say(f"loaded {result['loaded']} tensors, ignored {len(result['ignored'])}")
    say(f"wrote {args.out}")
