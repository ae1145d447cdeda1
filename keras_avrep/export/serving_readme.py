"""What a folder for TensorFlow Serving says of itself, and of each model in it."""

from pathlib import Path

from keras_avrep.export.inference_form import output_name

# What the numbers of a part are, after its shape.
MEANINGS = {
    "logits": (
        ": one logit for each class, in the order\nof `{name}_labels.txt`; their "
        "softmax is the probabilities"
    )
}

HEAD = """\
# Serving {names}

This folder is laid out for TensorFlow Serving: `NAME/VERSION/` is a model, and
`models.config` lists every model here. Start the server from this folder:

```shell
docker run --rm -p 8500:8500 -p 8501:8501 -v "$PWD:/models:ro" \\
  tensorflow/serving --model_config_file=/models/models.config
```

A running server takes up a model that is exported with a higher `--version`; one that
replaces another of the same version, or is new here, is served after a restart.

Every model is asked at its signature `serving_default`, over REST on port 8501 or,
as busy clients do, over gRPC on port 8500: JSON makes pixels many times larger.

TensorFlow Serving itself was never run when keras-avrep was tested: models are loaded
with TensorFlow, and warm-up requests checked against the fields of its published
messages.
"""

MODEL = """\
# {name}

`{name}/{version}/` is the model, with its warm-up requests. The signature
`serving_default` takes `video`, float32 pixels in 0..255 of shape
(batch, {time}, {height}, {width}, 3), and gives `{output}`, float32 of shape
(batch, {dim}){meaning}. Any batch size is served.

Ask it over REST:

```shell
python -c 'import json, numpy as np
clip = np.random.randint(0, 256, ({time}, {height}, {width}, 3))
print(json.dumps({{"inputs": {{"video": [clip.tolist()]}}}}))' > request.json
curl -X POST -d @request.json http://localhost:8501/v1/models/{name}:predict
```

The answer is `{{"outputs": [[...]]}}`, {dim} numbers for each clip.
"""


def served_names(folder: Path) -> list[str]:
    """Names of the models of a folder, new ones and those of before."""
    graphs = Path(folder).glob("*/*/saved_model.pb")
    return sorted({graph.parts[-3] for graph in graphs if graph.parts[-2].isdigit()})


def write_model_readme(folder: Path, name: str, version: int, fixed, part: str) -> None:
    """Write `NAME.md` of a served model of videos, and the folder's README anew.

    Args:
        folder: path of the serving folder.
        name: string. The served name.
        version: int.
        fixed: the Keras model that was written, its clip shape fixed.
        part: string. Which of a system's inference models it is.
    """
    _, time, height, width, _ = fixed.input_shape
    text = MODEL.format(
        name=name,
        version=version,
        time=time,
        height=height,
        width=width,
        output=output_name(part),
        dim=fixed.output_shape[-1],
        meaning=MEANINGS.get(part, "").format(name=name),
    )
    (folder / f"{name}.md").write_text(text)
    write_serving_readme(folder)


def write_serving_readme(folder: Path) -> None:
    """Write `README.md` of a serving folder: how to start it, and every `NAME.md`.

    A folder without a model to serve gets none.
    """
    folder = Path(folder)
    if not (names := served_names(folder)):
        return
    text = HEAD.format(names=", ".join(names))
    for name in names:
        text += f"\n{_model_section(folder, name)}"
    (folder / "README.md").write_text(text)


def _model_section(folder, name):
    """A model's own file a level deeper; older exports have left none."""
    path = folder / f"{name}.md"
    if not path.exists():
        return f"## {name}\n\nExport it again for a description.\n"
    return f"#{path.read_text()}"
