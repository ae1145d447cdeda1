"""What a model finds for some queries, to be looked at."""

from pathlib import Path

import numpy as np

from keras_avrep.data import MediaError, read_sample
from keras_avrep.data.files import replacing
from keras_avrep.evaluation.retrieval import nearest_neighbours
from keras_avrep.views import UniformClips


def write_gallery(
    path, gallery, queries, gallery_records, query_records, clip, count=8, neighbours=5
):
    """Write clips of queries and of their nearest neighbours to `.npz`.

    Args:
        path: the file.
        gallery: `Features` of the train split.
        queries: `Features` of the test split.
        gallery_records: list of `VideoRecord`.
        query_records: list of `VideoRecord`.
        clip: dict of `num_frames`, `stride` and `size`.
        count: int. Queries, equally spaced over the test split. Defaults to 8.
        neighbours: int. Neighbours of each. Defaults to 5.

    Returns:
        `None`, and no file if no video can be decoded. The file has `test_clips`
        uint8 `(Q, T, H, W, 3)`,
        `neighbour_clips` `(Q, K, T, H, W, 3)`, `test_labels`,
        `neighbour_labels` and `hits` bool `(Q, K)`.
    """
    sampler = UniformClips(1, clip["num_frames"], clip["stride"])
    by_id = {r.video_id: r for r in [*gallery_records, *query_records]}
    chosen = np.unique(np.linspace(0, len(queries.paths) - 1, count).astype(int))
    order, _ = nearest_neighbours(queries.values, gallery.values, neighbours)

    def read(video_id):
        record = by_id[video_id]
        return read_sample(record, sampler(record), clip["size"])["video"][0]

    rows = []
    for query in chosen:
        found = [gallery.paths[i] for i in order[query]]
        try:
            clips = [read(video_id) for video_id in [queries.paths[query], *found]]
        except MediaError:
            continue
        rows.append((query, clips))
    # Those of a former evaluation must not pass for this one's.
    Path(path).unlink(missing_ok=True)
    if not rows:
        return
    label = _shown_label(gallery, queries)
    names = np.array([_label(queries, label, query) for query, _ in rows])
    found = np.array([[_label(gallery, label, i) for i in order[q]] for q, _ in rows])
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary,
            test_clips=np.stack([clips[0] for _, clips in rows]),
            neighbour_clips=np.stack([np.stack(clips[1:]) for _, clips in rows]),
            test_labels=names,
            neighbour_labels=found,
            hits=(found == names[:, None]) & (names[:, None] != ""),
        )


def _shown_label(gallery, queries):
    shared = sorted(set(gallery.labels) & set(queries.labels))
    return "motion" if "motion" in shared else (shared[0] if shared else None)


def _label(features, name, index):
    return features.labels[name][index] if name else ""
