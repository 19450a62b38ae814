"""What is done differently from the report, and why."""

from ...report.page import Section
from ...runs.directory import Run


def differences_section(run: Run) -> Section:
    decay = f"{run.experiment.training.weight_decay:g}"
    fit = run.experiment.training.fit
    return Section("What is done differently, and why", text=_paragraphs(fit, decay))


def _paragraphs(fit: str, decay: str) -> tuple[str, ...]:
    learned = "the training part alone" if fit == "train" else "the training and the validation part"
    return (
        "The test images stay shut. The report drew its test loss by epoch (figures 2, 6 and 10), which "
        "invites choosing by it. Here the second curve is of the validation part, and the test part is "
        "opened once, to report.",
        f"The final trainings learn from {learned}. The report's learned from its full training set, which "
        "may hold its validation images too.",
        "Copies stay in one part. notMNIST holds many exact copies of images. A plain random split lays "
        "some on both sides, and such test images have been learned from. Here all copies of an image are "
        "in one part; how many images that concerned stands in the table of the data.",
        "The classifier's split is the encoder's. The report split the codes anew, so images that trained "
        "its encoder could be among those that its classifier was evaluated on.",
        "Cross-entropy is taken of logits. The report puts a Softmax on its last layer and trains it with a "
        "loss that applies a Softmax of its own. With ten classes that loss cannot fall under 1.4612, and "
        "its gradients are weak where the network is sure. The classifier is therefore trained twice: on "
        "logits, and, to have something to set beside 1.5658, the report's way.",
        "The denoiser's target is the clean image. Read literally, the report adds noise to the batch and "
        "goes on as before, so that the noisy image would be the target too; that teaches to copy.",
        "The codes are made in batches, in one pass. One image at a time gives the same codes, and takes "
        "far longer.",
        "The variational loss has two honest companions. The report's 183.59 decodes the mean code; the "
        "ELBO decodes a sampled one, and the importance-weighted bound averages over several.",
        f"Weight decay is {decay}, a choice of ours; the report names none. The parameters are otherwise "
        "the report's winners. Several of them lie on the edge of what its searches allowed; the notes "
        "under the tables of parameters say which.",
    )
