"""Names that can be typed, known without importing what they stand for.

The registries are the home of these: a test holds this copy to them. It exists because importing JAX takes longer than
a wrong option deserves.
"""

ACTIVATIONS = (
    "linear",
    "relu",
    "threshold-tanh",
    "threshold-log1p",
    "threshold-ratio",
    "sigmoid",
    "logistic",
    "hardsigmoid",
    "tanh",
    "erf",
    "hardtanh",
    "softplus",
    "gelu",
    "silu",
    "cos",
)
SAMPLERS = (
    "blackjax-nuts",
    "hmc",
    "codes",
    "langevin",
    "mala",
    "mclmc",
    "mclmc-unadjusted",
    "nuts",
    "pcnl",
)
#: What is taken where nobody names a sampler: for draws, and to move the particles of an evidence.
DRAWS_SAMPLER, EVIDENCE_SAMPLER = "codes", "hmc"
#: Samplers of other libraries that the bench alone runs.
RIVALS = (
    "blackjax-nuts-low-rank",
    "blackjax-chees",
    "blackjax-laps",
)
THEORIES = (
    "global-minimum",
    "lazy",
    "mean-field",
    "proportional",
)
SPACES = (
    "reduced",
    "function",
    "weights",
)
TASKS = (
    "orthogonal",
    "hypercube",
    "parity",
    "context",
    "teacher",
    "digits",
    "mnist",
    "cifar10",
    "npz",
)
#: Studies, and the images that they can be about.
STUDIES = ("generalisation", "abstraction", "phases", "depth", "collapse", "manifolds")
DATASETS = (
    "mnist",
    "digits",
    "cifar10",
)
#: Suites of the bench, and its single targets.
SUITES = (
    "full",
    "toy",
    "quick",
)
TARGETS = (
    "toy-linear-1e-3",
    "toy-linear-1e-4",
    "toy-sigmoid-1e-3",
    "toy-sigmoid-1e-4",
    "toy-relu-1e-3",
    "toy-relu-1e-4",
    "large-sigmoid",
    "large-relu",
    "digits-sigmoid",
    "six-digits-sigmoid",
    "mnist-sigmoid-1e-3",
    "cifar10-sigmoid-1e-3",
    "mnist-sigmoid-1e-4",
    "cifar10-sigmoid-1e-4",
    "mnist-relu-1e-3",
    "cifar10-relu-1e-3",
    "mnist-relu-1e-4",
    "cifar10-relu-1e-4",
    "hypercube-relu",
    "two-layer-sigmoid",
    "two-layer-relu",
    "three-layer-sigmoid",
    "three-layer-relu",
    "tiny-sigmoid",
    "tiny-relu",
)
#: Options of tasks: what each is for, and the tasks that take it.
TASK_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "samples": (
        "training inputs",
        (
            "orthogonal",
            "parity",
            "teacher",
            "digits",
            "mnist",
            "cifar10",
            "npz",
        ),
    ),
    "classes": (
        "how many classes, or which ones: 3 is short for the first three",
        (
            "orthogonal",
            "digits",
            "mnist",
            "cifar10",
            "npz",
        ),
    ),
    "ratios": (
        "the share of samples in each class",
        ("orthogonal",),
    ),
    "test": (
        "held-out inputs",
        (
            "orthogonal",
            "parity",
            "teacher",
            "digits",
            "mnist",
            "cifar10",
            "npz",
        ),
    ),
    "labels": (
        "what is learned: classes or parity-magnitude of a digit; factors, xor or factors,xor of a hypercube",
        (
            "hypercube",
            "digits",
            "mnist",
        ),
    ),
    "labels_dim": (
        "binary labels; all their combinations occur",
        ("hypercube",),
    ),
    "repeats": (
        "samples of each combination of labels or factors",
        (
            "hypercube",
            "context",
        ),
    ),
    "dimension": (
        "coordinates of an input",
        (
            "parity",
            "teacher",
        ),
    ),
    "relevant": (
        "coordinates whose product is learned",
        ("parity",),
    ),
    "stimuli": (
        "binary stimuli beside the binary context",
        ("context",),
    ),
    "teacher_activation": (
        "activation of the teacher",
        ("teacher",),
    ),
    "teacher_width": (
        "teacher's neurons",
        ("teacher",),
    ),
    "noise": (
        "standard deviation of the noise on training targets",
        ("teacher",),
    ),
    "inputs": (
        "how the inputs relate to each other",
        (
            "hypercube",
            "context",
        ),
    ),
    "alignment": (
        "g, the strength of that relation",
        (
            "hypercube",
            "context",
        ),
    ),
    "data": (
        "an .npz file with arrays x (samples first) and y (labels), factors or targets",
        ("npz",),
    ),
    "preprocess": (
        "what is done to the inputs before they are learned",
        (
            "orthogonal",
            "hypercube",
            "parity",
            "context",
            "teacher",
            "digits",
            "mnist",
            "cifar10",
            "npz",
        ),
    ),
    "seed": (
        "fixes every random choice",
        (
            "orthogonal",
            "hypercube",
            "parity",
            "context",
            "teacher",
            "digits",
            "mnist",
            "cifar10",
            "npz",
        ),
    ),
}
