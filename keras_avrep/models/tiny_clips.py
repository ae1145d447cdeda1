"""What the smallest presets of all systems that learn from video have in common.

They are made for the procedural world `scenes`, and for trying things out on a CPU.
"""

# R(2+1)D of 0.4 M parameters.
TINY_R2PLUS1D = {
    "convolution": "2plus1d",
    "blocks": [1, 1, 1, 1],
    "width_multiplier": 0.1875,
}
TINY_CLIP = {"num_frames": 8, "stride": 1, "size": 48}
# Directions are to be learned, and colours tell small scenes apart.
TINY_VIEWS = {"size": 48, "flip": 0.0, "gray": 0.0, "jitter": 0.0}
