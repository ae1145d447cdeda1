"""A run folder of an untrained, tiny CSOL, as `pretrain` leaves it."""

import json

import tiny_csol


def write_run(folder, cluster_names):
    """Save the model and what its moments are; returns the folder."""
    tiny_csol.build().save_to_preset(str(folder / "preset"))
    clip = {"size": tiny_csol.SIZE, "duration": 0.25, "sample_rate": 16000}
    clip |= {"cluster_names": cluster_names}
    (folder / "preset" / "clip.json").write_text(json.dumps(clip))
    (folder / "run.json").write_text("{}")
    (folder / "history.csv").write_text("step,loss\n1,2.0\n2,1.0\n")
    return folder
