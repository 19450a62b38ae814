"""The report's networks and loops as a reader of the report would write them: plain PyTorch, nothing ours."""

import torch
from torch import Tensor, nn


def autoencoder() -> nn.Module:
    """64/128/128 channels, 128 neurons, code 10."""
    return nn.Sequential(
        nn.Conv2d(1, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(64, 128, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(128, 128, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1152, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
        nn.Linear(10, 128),
        nn.ReLU(),
        nn.Linear(128, 1152),
        nn.ReLU(),
        nn.Unflatten(1, (128, 3, 3)),
        nn.ConvTranspose2d(128, 128, 3, stride=2),
        nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 1, 3, stride=2, padding=1, output_padding=1),
        nn.Sigmoid(),
    )


def denoiser() -> nn.Module:
    """The published best of section 3: 64/64/128 channels."""
    layers = list(autoencoder())
    layers[2] = nn.Conv2d(64, 64, 3, stride=2, padding=1)
    layers[4] = nn.Conv2d(64, 128, 3, stride=2)
    layers[15] = nn.ConvTranspose2d(128, 64, 3, stride=2)
    layers[17] = nn.ConvTranspose2d(64, 64, 3, stride=2, padding=1, output_padding=1)
    return nn.Sequential(*layers)


class Variational(nn.Module):
    """200 and 400 channels, dropout 0.3, code 10."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 200, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Conv2d(200, 400, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Flatten(),
        )
        self.mu, self.logvar = nn.Linear(19600, 10), nn.Linear(19600, 10)
        self.decoder = nn.Sequential(
            nn.Linear(10, 19600),
            nn.Unflatten(1, (400, 7, 7)),
            nn.ConvTranspose2d(400, 200, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(200, 1, 4, stride=2, padding=1),
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encoder(images)
        mu, logvar = self.mu(hidden), self.logvar(hidden)
        code = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return self.decoder(code), mu, logvar


def classifier() -> nn.Module:
    """45/52/17 neurons over codes of 10."""
    return nn.Sequential(
        nn.Linear(10, 45),
        nn.ReLU(),
        nn.Linear(45, 52),
        nn.ReLU(),
        nn.Linear(52, 17),
        nn.ReLU(),
        nn.Linear(17, 10),
    )


def loss_of(kind: str, network: nn.Module, inputs: Tensor, labels: Tensor | None) -> Tensor:
    """What the report minimises."""
    if kind == "classifier":
        return nn.functional.cross_entropy(network(inputs), labels)
    if kind == "vae":
        logits, mu, logvar = network(inputs)
        bce = nn.functional.binary_cross_entropy_with_logits(logits, inputs, reduction="sum")
        divergence = -0.5 * torch.sum(1 + logvar - mu.square() - logvar.exp())
        return (bce + divergence) / len(inputs)
    given = inputs + 0.1 * torch.randn_like(inputs) if kind == "dae" else inputs
    return nn.functional.mse_loss(network(given), inputs)


NETWORKS = {"ae": autoencoder, "dae": denoiser, "vae": Variational, "classifier": classifier}
BATCH = {"ae": 266, "dae": 505, "vae": 256, "classifier": 411}
RATE = {
    "ae": 0.0033638691442384257,
    "dae": 0.003301244567030449,
    "vae": 1e-3,
    "classifier": 0.0018263185631044734,
}
