"""How a set is split and a network is trained: two tables of a plan."""

from typing import Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from ..core.config import Config, Count, CountOrNone, Width
from ..core.errors import ConfigurationError
from ..data.splits import AUTO, PUBLISHED, Shares

LARGE: Final = 4800  # images: 60 % of 8,000, from where on the task's batch size is kept
STEPS: Final = 24  # of an epoch of fewer
SMALLEST_BATCH: Final = 8
YEAR: Final = 525_600  # minutes


class SplitConfig(Config):
    """`seed` is the split's own, so that trainings with other seeds are evaluated on the same images."""

    shares: str = Field(
        default=AUTO,
        description="percent of training, validation and test; `published`: the publisher's own parts; "
        "`auto`: these where the images have them, else 60/20/20; `--split`",
    )
    seed: int = Field(
        default=0,
        ge=0,
        description="of the split, so that trainings with other seeds are evaluated on the same images",
    )
    near_copies: Literal["on", "off"] = Field(
        default="on",
        description="`on`: images that are one picture, moved by a pixel or two, saved anew, scaled or "
        "brightened, stay in one part of a split that is drawn, up to a million images; `off`: only equal "
        "ones; `--near-copies`",
    )

    @field_validator("shares")
    @classmethod
    def _parses(cls, text: str) -> str:
        if text in (AUTO, PUBLISHED):
            return text
        try:
            return str(Shares.parse(text))
        except ConfigurationError as error:
            raise ValueError(f"{error.must}, or {PUBLISHED}, or {AUTO} ({error.do})") from error


class TrainingConfig(Config):
    """How a network is trained. The defaults are those of the autoencoder."""

    optimizer: Literal["adam", "rmsprop", "adamw", "muon"] = Field(
        default="adam",
        description="how a gradient becomes a step; `muon`: inner matrices and kernels by Muon, the first "
        "and the last layer and all vectors by AdamW",
    )
    learning_rate: float = Field(
        default=0.0033638691442384257, gt=0, description="the highest of the schedule; `--learning-rate`"
    )
    muon_learning_rate: float = Field(
        default=0.02, gt=0, description="the same of the weights that Muon moves"
    )
    muon_steps: int = Field(
        default=5, ge=1, le=8, description="of the iteration that makes a step of Muon orthogonal"
    )
    weight_decay: float = Field(
        default=1e-5,
        ge=0,
        description="how strongly weights are pulled to zero; `adamw` and `muon` pull matrices and kernels "
        "alone, and apart from the gradient",
    )
    batch_size: Width = Field(
        default=266,
        description="images a step; `--batch-size`. Where none is named and fewer than 4,800 images "
        "are learned from: a 24th of them, 8 or more. The last, smaller batch of an epoch"
        " is kept; a batch larger than the set becomes one of all images, said and "
        "recorded",
    )
    epochs: Count = Field(default=50, description="passes over the images; `--epochs`")
    min_steps: CountOrNone = Field(
        default=0,
        description="fewest steps of a training: few images are passed over more often, where no number of "
        "epochs is named; said and recorded; 0: no such number",
    )
    minutes: float | None = Field(
        default=None,
        gt=0,
        le=YEAR,
        allow_inf_nan=False,
        description="as many epochs as fit this time on this machine, measured at the start, then "
        "recorded as `training.epochs`; `--minutes`",
    )
    schedule: Literal["constant", "cosine", "one-cycle"] = Field(
        default="constant", description="of the learning rate over the training"
    )
    warmup: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="share of the steps over which the learning rate rises; not set: 0.3 of `one-cycle`, "
        "0 of the others",
    )
    clip_norm: float = Field(default=0, ge=0, description="largest norm of the gradient; 0: not clipped")
    early_stopping: CountOrNone = Field(
        default=0, description="end after so many epochs without a better validation score; 0: never"
    )
    ema: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="decay of the moving average of the weights, which is then what is validated and kept; "
        "its first steps average fewer; 0: no average",
    )
    extra: str | None = Field(
        default=None,
        min_length=1,
        description="a SPEC of images that are learned from and never evaluated, with fewer of them in each "
        "epoch; copies and near copies of evaluated images are left out, and `data.limit` takes no sample of "
        "them; `--extra`",
    )
    extra_until: float = Field(
        default=0.8, gt=0, le=1, description="share of the training after which no extra image is left"
    )
    augment: Literal["none", "auto", "shift", "affine", "mirror"] = Field(
        default="none",
        description="how images are moved before they are learned from, each by amounts of its own: "
        "`shift`, by whole pixels; `affine`: small turns, shears and changes of size as well; `mirror`: as "
        "`affine`, and every other image mirrored. `auto`: `none` in fewer than 10 epochs, else `mirror` for "
        "colour photographs without classes of one character, and `affine` for all others; `--augment`",
    )
    augment_share: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description="share of the batches whose images are moved; half of it in the last tenth of the "
        "training",
    )
    keep: Literal["last", "best"] = Field(
        default="last",
        description="the weights that stay: of the `last` epoch, or of the `best` validation score; `--keep`",
    )
    fit: Literal["train", "train+validation"] = Field(
        default="train",
        description="the images that are learned from; `train+validation` leaves no validation curve;"
        " `--learn-from`",
    )

    @field_validator("optimizer", mode="before")
    @classmethod
    def _any_case(cls, name: Any) -> Any:
        return name.lower() if isinstance(name, str) else name

    @model_validator(mode="after")
    def _validation_is_there(self) -> "TrainingConfig":
        if self.fit == "train+validation" and (self.keep == "best" or self.early_stopping):
            raise ValueError(
                "fit = 'train+validation' leaves no validation images to choose by: "
                "use keep = 'last' and early_stopping = 0, or fit = 'train'"
            )
        return self

    def fitted(self, images: int) -> "TrainingConfig":
        """The same, its batch fitted to so many images to learn from, where no size was named.

        From `LARGE` images on the batch is the task's. In a smaller set it leaves an epoch about `STEPS`
        steps, but is never below `SMALLEST_BATCH` (docs/decisions/0012-batch-size.md has measurements).
        Where no number of epochs was named, there are at least as many as make `min_steps` steps.
        """
        changes, size = {}, self.batch_size
        if "batch_size" not in self.model_fields_set and images < LARGE:
            changes["batch_size"] = size = min(size, max(images // STEPS, SMALLEST_BATCH))
        if "epochs" not in self.model_fields_set and self.min_steps:
            steps = -(-images // size)  # of an epoch
            changes["epochs"] = max(self.epochs, -(-self.min_steps // steps))
        return self.model_copy(update=changes) if changes else self
