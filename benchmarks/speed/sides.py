"""One side of a comparison: it prepares, then trains a round each time it is asked.

The images are random bytes, but for how often they are 0 (speed does not depend on them).
"""

import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from .networks import BATCH, NETWORKS, RATE, loss_of

PASSES = {"classifier": 30}  # a round; one would be over in some milliseconds


def data(images: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (images, 1, 28, 28), dtype=np.uint8)
    return pixels * (draw.random((images, 1, 28, 28)) < 0.5), draw.integers(0, 10, images)


def codes(images: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((images, 10), dtype=np.float32)


class Samples(Dataset):
    """An item at a time, made a tensor when it is asked for: what a torchvision data set does."""

    def __init__(self, inputs: np.ndarray, labels: np.ndarray) -> None:
        self.inputs, self.labels = inputs, labels

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        one = torch.from_numpy(self.inputs[index])
        return (one.float().div(255) if one.dtype == torch.uint8 else one), int(self.labels[index])


def plain(kind: str, images: int) -> Callable[[], int]:
    """A DataLoader by sample, NCHW, float32, Adam, the loss read at every step."""
    pixels, labels = data(images)
    return plain_loop(kind, Samples(codes(images) if kind == "classifier" else pixels, labels))[0]


def plain_tensors(kind: str, images: int) -> Callable[[], int]:
    """The same with PyTorch's own TensorDataset, for codes that are tensors already."""
    if kind != "classifier":
        raise SystemExit("the loop over tensors is the classifier's")
    return plain_loop(
        kind, TensorDataset(torch.from_numpy(codes(images)), torch.from_numpy(data(images)[1]))
    )[0]


def plain_loop(kind: str, samples: Dataset) -> tuple[Callable[[], int], nn.Module]:
    """What trains for an epoch, and the network that it trains."""
    loader = DataLoader(samples, batch_size=BATCH[kind], shuffle=True)
    network = NETWORKS[kind]()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE[kind], weight_decay=1e-5)

    def epoch() -> int:
        network.train()
        total = 0.0
        for inputs, answers in loader:
            optimizer.zero_grad()
            loss = loss_of(kind, network, inputs, answers)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return len(samples)

    return epoch, network


def ours(kind: str, images: int, precision: str = "auto") -> Callable[[], int]:
    """The product's own plan, loop and data; validation left out, as in the plain loop."""
    from latentspace.data.batches import ResidentSet
    from latentspace.experiment.config import Experiment
    from latentspace.training.components import make_fabric, set_up
    from latentspace.training.loop import learn
    from latentspace.training.precision import settle_precision

    base = Experiment(kind=kind, device="cpu", threads=torch.get_num_threads(), precision=precision)
    plan = settle_precision(
        base.model_copy(update={"training": base.training.model_copy(update={"epochs": 10**6})})
    )
    fabric = make_fabric(plan)
    pixels, labels = data(images)
    if kind == "classifier":
        network: torch.nn.Module = plan.build_classifier(10, 10)
        held = ResidentSet(torch.from_numpy(codes(images)), torch.from_numpy(labels))
    else:
        network, held = plan.build((1, 28, 28)), ResidentSet(torch.from_numpy(pixels))
    records = learn(plan, set_up(plan, fabric, network, held))

    def epoch() -> int:
        next(records)
        return images

    return epoch


def pythae(kind: str, images: int) -> Callable[[], int]:
    """pythae's BaseTrainer with the same network; its own loop, called for one epoch at a time."""
    import tempfile

    from pythae.data.datasets import BaseDataset
    from pythae.models import AE, AEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    if kind != "ae":
        raise SystemExit("pythae is compared on the autoencoder")
    layers = list(NETWORKS["ae"]())

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.Sequential(*layers[:10])

        def forward(self, x: torch.Tensor) -> ModelOutput:
            return ModelOutput(embedding=self.layers(x))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.Sequential(*layers[10:])

        def forward(self, z: torch.Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.layers(z))

    pixels, labels = data(images)
    model = AE(AEConfig(input_dim=(1, 28, 28), latent_dim=10), encoder=Encoder(), decoder=Decoder())
    config = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(prefix="pythae-"),
        learning_rate=RATE["ae"],
        per_device_train_batch_size=BATCH["ae"],
        num_epochs=1,
        no_cuda=True,
        optimizer_params={"weight_decay": 1e-5},
    )
    trainer = BaseTrainer(
        model=model,
        train_dataset=BaseDataset(torch.from_numpy(pixels).float() / 255, torch.from_numpy(labels)),
        training_config=config,
    )
    trainer.prepare_training()

    def epoch() -> int:
        trainer.train_step(1)
        return images

    return epoch


def skorch(kind: str, images: int) -> Callable[[], int]:
    """skorch's NeuralNet with the same network, its own loop, no validation, no printing."""
    from skorch import NeuralNet

    pixels, labels = data(images)
    if kind == "classifier":
        inputs, targets, criterion = codes(images), labels, torch.nn.CrossEntropyLoss
    elif kind == "ae":
        inputs = targets = pixels.astype(np.float32) / 255
        criterion = torch.nn.MSELoss
    else:
        raise SystemExit("skorch is compared on the autoencoder and the classifier")
    net = NeuralNet(
        NETWORKS[kind](),
        criterion=criterion,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=1e-5,
        lr=RATE[kind],
        batch_size=BATCH[kind],
        iterator_train__shuffle=True,
        train_split=None,
        max_epochs=1,
        verbose=0,
        device="cpu",
    ).initialize()

    def epoch() -> int:
        net.partial_fit(inputs, targets)
        return images

    return epoch


def encode_one_by_one(kind: str, images: int) -> Callable[[], int]:  # noqa: ARG001
    """As the report made its codes: an image, a pass."""
    pixels, _ = data(images)
    encoder = torch.nn.Sequential(*list(NETWORKS["ae"]())[:10]).eval()

    @torch.no_grad()
    def whole() -> int:
        torch.cat([encoder(torch.from_numpy(one[None]).float() / 255) for one in pixels])
        return images

    return whole


def encode_ours(kind: str, images: int, precision: str = "32") -> Callable[[], int]:  # noqa: ARG001
    from latentspace.experiment.config import Experiment
    from latentspace.inference.trained import encode_all
    from latentspace.training.components import make_fabric

    plan = Experiment(device="cpu", threads=torch.get_num_threads())
    device = make_fabric(plan).device
    pixels, _ = data(images)
    held, model = torch.from_numpy(pixels), plan.build((1, 28, 28))

    def whole() -> int:
        encode_all(model, held, device, precision)
        return images

    return whole


SIDES = {
    "plain": plain,
    "plain-tensors": plain_tensors,
    "ours": ours,
    "ours-32": lambda kind, images: ours(kind, images, "32"),
    "pythae": pythae,
    "skorch": skorch,
    "one-by-one": encode_one_by_one,
    "encode-ours": encode_ours,
    "encode-bf16": lambda kind, images: encode_ours(kind, images, "bf16"),
}


def rounds_of(side: str, kind: str, threads: int, images: int) -> Iterator[tuple[int, float]]:
    """Prepared and warm; then, for each round, how many images it took, and the seconds."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    whole, passes = SIDES[side](kind, images), PASSES.get(kind, 1)
    whole()  # warms up
    yield 0, 0.0
    while True:
        began = time.perf_counter()
        done = sum(whole() for _ in range(passes))
        yield done, time.perf_counter() - began
