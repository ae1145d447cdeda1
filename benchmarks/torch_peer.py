"""The same training step as `DCLR`, written directly in PyTorch.

What a good engineer would write for one machine: bfloat16 autocast where the CPU
or GPU has it, channels-last memory, clips decoded ahead in threads, one batch for
the three inputs. It shares only the decoding of frames with the library.
"""

import copy
import queue
import threading
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from keras_avrep.data import read_sample
from keras_avrep.views import RandomClips

HEADS = ("vv", "vs", "vd", "sv", "dv")
TERMS = {"vv": "vv", "vs": "sv", "sv": "vs", "vd": "dv", "dv": "vd"}


def conv_block(channels_in, channels_out, middle, stride):
    """Spatial then temporal convolution, normalised in between."""
    return nn.Sequential(
        nn.Conv3d(
            channels_in, middle, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False
        ),
        nn.BatchNorm3d(middle),
        nn.ReLU(inplace=True),
        nn.Conv3d(
            middle, channels_out, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False
        ),
    )


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        middle = 27 * channels_in * channels // (9 * channels_in + 3 * channels)
        self.first = conv_block(channels_in, channels, middle, stride)
        self.norm1 = nn.BatchNorm3d(channels)
        self.second = conv_block(channels, channels, middle, 1)
        self.norm2 = nn.BatchNorm3d(channels)
        self.short = nn.Identity()
        if stride > 1 or channels_in != channels:
            self.short = nn.Sequential(
                nn.Conv3d(channels_in, channels, 1, stride, bias=False),
                nn.BatchNorm3d(channels),
            )

    def forward(self, x):
        y = functional.relu(self.norm1(self.first(x)), inplace=True)
        return functional.relu(self.norm2(self.second(y)) + self.short(x))


def r2plus1d(width, blocks=(1, 1, 1, 1)):
    """R(2+1)D without pooling."""
    widths = [round(c * width) for c in (64, 128, 256, 512)]
    middle = round(45 * width)
    layers = [
        nn.Conv3d(3, middle, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
        nn.BatchNorm3d(middle),
        nn.ReLU(inplace=True),
        nn.Conv3d(middle, widths[0], (3, 1, 1), 1, (1, 0, 0), bias=False),
        nn.BatchNorm3d(widths[0]),
        nn.ReLU(inplace=True),
    ]
    previous = widths[0]
    for stage, (channels, depth) in enumerate(zip(widths, blocks, strict=True)):
        for block in range(depth):
            stride = 2 if stage and not block else 1
            layers.append(Block(previous, channels, stride))
            previous = channels
    return nn.Sequential(*layers), previous


class TorchDCLR(nn.Module):
    """Backbone, five heads, their momentum twins and the queues."""

    def __init__(self, width, blocks, hidden=128, dim=64, slots=256, momentum=0.99):
        super().__init__()
        backbone, features = r2plus1d(width, blocks)
        heads = nn.ModuleDict(
            {
                name: nn.Sequential(
                    nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, dim)
                )
                for name in HEADS
            }
        )
        self.online = nn.ModuleDict({"backbone": backbone, "heads": heads})
        self.twin = copy.deepcopy(self.online)
        for weight in self.twin.parameters():
            weight.requires_grad_(False)
        self.momentum = momentum
        bank = functional.normalize(torch.randn(len(HEADS), slots, dim), dim=-1)
        self.register_buffer("bank", bank)
        self.pointer = 0

    @torch.no_grad()
    def update_twin(self):
        pairs = zip(self.twin.parameters(), self.online.parameters(), strict=True)
        for slow, fast in pairs:
            slow.lerp_(fast, 1 - self.momentum)

    def encode(self, network, views):
        return network["backbone"](torch.cat(views)).float().chunk(len(views))

    def project(self, network, maps, activations):
        rgb, static, dynamic = maps
        pooled = {
            "vv": rgb.mean((2, 3, 4)),
            "vs": (rgb * activations[0]).mean((2, 3, 4)),
            "vd": (rgb * activations[1]).mean((2, 3, 4)),
            "sv": static.mean((2, 3, 4)),
            "dv": dynamic.mean((2, 3, 4)),
        }
        return {
            name: functional.normalize(network["heads"][name](x).float(), dim=-1)
            for name, x in pooled.items()
        }

    def loss(self, views_q, views_k, temperature=0.1):
        with torch.no_grad():
            self.update_twin()
            maps_k = self.encode(self.twin, views_k)
            keys = self.project(self.twin, maps_k, activation_maps(maps_k[1:]))
            # All inputs in one batch, like clip k's: batch norm is the same.
            maps_q = self.encode(self.twin, views_q)[1:]
            activations = activation_maps(maps_q)
            mined = self.mine(maps_q)
        maps = self.encode(self.online, views_q)
        queries = self.project(self.online, maps, activations)
        total = 0
        for query, key in TERMS.items():
            positive = (queries[query] * keys[key]).sum(-1, keepdim=True)
            negatives = queries[query] @ self.bank[HEADS.index(key)].T
            logits = torch.cat([positive, negatives], dim=1) / temperature
            chosen = mined[{"s": 0, "d": 1}.get(query.replace("v", "")[:1], 0)]
            kept = logits.masked_fill(~chosen, -torch.inf)
            total = total + (logits.logsumexp(1) - kept.logsumexp(1)).mean()
        return total, keys

    def mine(self, maps_q):
        masks = []
        for maps, head in zip(maps_q, ("sv", "dv"), strict=True):
            z = self.twin["heads"][head](maps.mean((2, 3, 4)).float())
            similarity = (
                functional.normalize(z, dim=-1) @ self.bank[HEADS.index(head)].T
            )
            mask = torch.zeros_like(similarity, dtype=torch.bool)
            mask.scatter_(1, similarity.topk(5, dim=1).indices, True)
            own = torch.ones(len(mask), 1, dtype=torch.bool, device=mask.device)
            masks.append(torch.cat([own, mask], dim=1))
        return masks

    @torch.no_grad()
    def enqueue(self, keys):
        stacked = torch.stack([keys[name] for name in HEADS])
        count = stacked.shape[1]
        slots = (self.pointer + torch.arange(count)) % self.bank.shape[1]
        slots = slots.to(self.bank.device)
        self.bank[:, slots] = stacked
        self.pointer = (self.pointer + count) % self.bank.shape[1]


def activation_maps(maps):
    sums = [m.sum(1, keepdim=True) for m in maps]
    return [s / (s.mean((2, 3, 4), keepdim=True) + 1e-6) for s in sums]


MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1, 1)


def crop(video, size, scale, rng):
    """One random-resized crop for each clip `(B, T, H, W, 3)` of uint8."""
    boxes = [random_box(video.shape[2], scale, rng) for _ in video]
    video = video.permute(0, 4, 1, 2, 3).contiguous(
        memory_format=torch.channels_last_3d
    )
    resized = crop_together if video.is_cuda else crop_apart
    x = resized(video, boxes, size)
    return (x / 255 - MEAN.to(x.device)) / STD.to(x.device)


def random_box(height, scale, rng):
    """Top, left, height and width in pixels."""
    area = rng.uniform(*scale)
    ratio = np.exp(rng.uniform(-0.288, 0.288))
    w = min(height, round(height * (area * ratio) ** 0.5))
    h = min(height, round(height * (area / ratio) ** 0.5))
    return rng.integers(height - h + 1), rng.integers(height - w + 1), h, w


def crop_apart(video, boxes, size):
    """Clip by clip, as is fastest on a CPU."""
    result = []
    for clip, (top, left, h, w) in zip(video, boxes, strict=True):
        part = clip[:, :, top : top + h, left : left + w].transpose(0, 1).float()
        part = functional.interpolate(
            part, (size, size), mode="bilinear", antialias=True
        )
        result.append(part.transpose(0, 1))
    return torch.stack(result)


def crop_together(video, boxes, size):
    """All clips in one sampling, as a GPU likes it; without antialiasing."""
    count, channels, frames, height, width = video.shape
    top, left, h, w = np.array(boxes, "float32").T
    theta = np.zeros((count, 2, 3), "float32")
    theta[:, 0, 0], theta[:, 1, 1] = w / width, h / height
    theta[:, 0, 2] = (2 * left + w) / width - 1
    theta[:, 1, 2] = (2 * top + h) / height - 1
    theta = torch.from_numpy(theta).to(video.device, non_blocking=True)
    shape = (count, channels * frames, size, size)
    grid = functional.affine_grid(theta, shape, align_corners=False)
    flat = video.reshape(count, channels * frames, height, width).float()
    x = functional.grid_sample(flat, grid, align_corners=False)
    return x.reshape(count, channels, frames, size, size).contiguous(
        memory_format=torch.channels_last_3d
    )


def views_of(video, static, size, scale, rng):
    rgb = crop(video, size, scale, rng)
    frozen = crop(static[:, None], size, scale, rng).expand_as(rgb)
    return [rgb, frozen, rgb - rgb.roll(1, dims=2)]


def decode_ahead(records, clip, batch_size, steps, threads, seed):
    """Batches from a queue that threads keep full."""
    sampler = RandomClips(2, clip["num_frames"], clip["stride"])
    order = np.random.default_rng(seed).permutation(len(records))
    results: dict[int, list] = {}
    ready, free, lock = threading.Condition(), threading.Semaphore(6), threading.Lock()
    todo = queue.SimpleQueue()
    for step in range(steps):
        todo.put(step)

    def work():
        while True:
            free.acquire()
            with lock:
                if todo.empty():
                    return
                step = todo.get()
            rng = np.random.default_rng([seed, step])
            rows = [
                records[order[(step * batch_size + i) % len(records)]]
                for i in range(batch_size)
            ]
            samples = [read_sample(r, sampler(r, rng), clip["size"]) for r in rows]
            with ready:
                results[step] = samples
                ready.notify_all()

    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()
    for step in range(steps):
        with ready:
            ready.wait_for(lambda step=step: step in results)
            samples = results.pop(step)
        free.release()
        yield (
            torch.from_numpy(np.stack([s["video"] for s in samples])),
            torch.from_numpy(np.stack([s["static"] for s in samples])),
        )


def run(
    records, clip, view_size, scale, width, blocks, batch_size, steps, bfloat16, threads
):
    """Train some steps; returns clips a second without the first step."""
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rng = np.random.default_rng(0)
    model = TorchDCLR(width, blocks).to(device, memory_format=torch.channels_last_3d)
    optimizer = torch.optim.Adam(model.online.parameters(), 1e-3, fused=True)
    began = None
    batches = decode_ahead(records, clip, batch_size, steps, threads, 0)
    for batch in batches:
        video, static = (on_device(x, device) for x in batch)
        q, k = (
            views_of(video[:, i], static[:, i], view_size, scale, rng) for i in (0, 1)
        )
        with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
            total, keys = model.loss(q, k)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()
        model.enqueue(keys)
        if began is None:
            finish(device)
            began = time.perf_counter()
    finish(device)
    return 2 * batch_size * (steps - 1) / (time.perf_counter() - began)


def on_device(x, device):
    """Copied beside the computation, from pinned memory, if there is a GPU."""
    return x if device == "cpu" else x.pin_memory().to(device, non_blocking=True)


def finish(device):
    """Wait for what the GPU still has to do."""
    if device == "cuda":
        torch.cuda.synchronize()
