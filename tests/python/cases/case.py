"""What the tests know of a public function. See `Case`; the files beside this one have one for each."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor

import polezero

DOUBLES = (torch.float64, torch.complex128)
# The tests that run over all cases, a file test_<concern>.py each but "gpu" (gpu_small.py, gpu_stress.py, test_cuda.py)
# and "smoke" (smoke.py).
CONCERNS = (
    *("autograd", "compile", "cuda", "errors", "functorch", "nonfinite", "numerics", "opcheck", "promotion"),
    *("semantics", "smoke", "threads"),
)

# The opt-outs of a function of coefficients.
NO_SIGNAL = dict.fromkeys(
    ("cuda", "nonfinite", "numerics", "smoke", "threads"), "a few operations of torch on coefficients"
)

Arguments = Callable[[torch.dtype], Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One way to call a function: by the names of its arguments, with options."""

    options: Mapping[str, Any] = field(default_factory=dict)
    arguments: str | None = None  # the names of the inputs, where they are not the first ones of the case's
    # Instead of the case's: what is done with the function's result, say, where that alone is not to be compared.
    function: Callable[..., Any] | None = None
    truth: Callable[..., Any] | None = None
    opt_out: Mapping[str, str] = field(default_factory=dict)  # concerns, each with the reason
    # Tests that fail, by what their names begin with, and the fault that is known. When it is mended, they fail too.
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Example(Call):
    """A small call, for what costs much for each sample: derivatives, transforms, graphs."""

    inputs: Callable[[torch.dtype], Sequence[Tensor]]
    main: bool = False  # concerns that cost much run over it as well as over a case's first
    dtypes: tuple[torch.dtype, ...] = DOUBLES


@dataclass(frozen=True, kw_only=True)
class Sized(Call):
    """A call with as many rows and samples as are wanted, through poles of any radius."""

    # The first inputs, of a number of samples and a radius, in float64, complex128 or int64.
    coefficients: Callable[[int, float], Sequence[Tensor]] = lambda T, radius: ()
    ports: tuple[int, ...] = ()  # x is [rows, *ports, T]
    state: Callable[[int], tuple[int, ...]] | None = None  # its shape, of a number of rows
    over_time: Mapping[str, int] = field(default_factory=dict)  # the axis of time of coefficients that have one
    shortest: int = 0  # samples; fewer are refused
    # Where NaN in a sample is felt: "as in the reference", "from then on" or "everywhere" in its row.
    spreads: str = "as in the reference"
    # The largest relative RMS error of float32 at any radius (the worst, of two final states, are 2.3e-7); None: the
    # project's targets, which test_numerics.py has.
    error: float | None = 5e-7
    splits_rows: bool = False  # one long row is cut in time on threads, and equal to rounding
    # Real float32 samples are filtered in blocks, whose sums another beginning groups otherwise: chunks are equal to
    # rounding, and up to order 2 to the bit where they are long and whole blocks.
    in_blocks: bool = False


@dataclass(frozen=True)
class Bad:
    """A call that is refused, and the sentence, in which * is anything."""

    call: Callable[[], Any]
    exception: type[Exception]
    sentence: str


@dataclass(frozen=True)
class Case:
    """A public function and its truth, plain PyTorch that takes the same arguments."""

    name: str  # behind "polezero."
    truth: Callable[..., Any]
    arguments: str  # the names of its tensors, in the order in which examples give them
    # The first is the one with all arguments; concerns that cost much run over it alone.
    examples: Mapping[str, Example]
    sized: Mapping[str, Sized] = field(default_factory=dict)
    # The registered ops that it is made of, if they are not another case's, each with lists of arguments.
    ops: Mapping[str, Mapping[str, Arguments]] = field(default_factory=dict)
    bad: Mapping[str, Bad] = field(default_factory=dict)
    signal: str | None = "x"
    real_signal: bool = False  # also beside complex coefficients
    states: tuple[str, ...] = ("zi",)
    own_dtype: tuple[str, ...] = ()  # arguments that have no say in the dtype of the results
    # The dtypes of the outputs, where not all of them have that of the result.
    results: Callable[[torch.dtype], Sequence[torch.dtype]] | None = None
    opt_out: Mapping[str, str] = field(default_factory=dict)  # concerns, each with the reason
    # The signals, "x" and "y", that are kept for the gradient of each argument.
    saves: Mapping[str, str] = field(default_factory=dict)
    # Derivatives ("reverse over forward") that operations of torch do not have, each with the reason.
    lacks: Mapping[str, str] = field(default_factory=dict)

    def output_dtypes(self, result: torch.dtype, count: int) -> list[torch.dtype]:
        """The dtypes of so many outputs, where that is the dtype of the result."""
        return [result] * count if self.results is None else list(self.results(result))[:count]

    @property
    def function(self) -> Callable[..., Any]:
        return attrgetter(self.name)(polezero)


@dataclass(frozen=True)
class Bound:
    """A call of a case: the unit that concerns run over."""

    case: Case
    label: str
    call: Any  # an Example or a Sized

    @property
    def id(self) -> str:
        return f"{self.case.name}-{self.label}"

    def reason_against(self, concern: str) -> str | None:
        assert concern in CONCERNS
        return self.call.opt_out.get(concern) or self.case.opt_out.get(concern)

    @property
    def names(self) -> list[str]:
        return (self.call.arguments or self.case.arguments).split()

    @property
    def function(self) -> Callable[..., Any]:
        return self.call.function or self.case.function

    def named(self, make: Callable[[], Sequence[Tensor]]) -> dict[str, Tensor]:
        """Made on the CPU and copied to where the tests are: constants are the same tensors in every call."""
        device = torch.get_default_device()
        with torch.device("cpu"):
            tensors = make()
        return {name: t.detach().clone().to(device) for name, t in zip(self.names, tensors)}

    def small(self, dtype: torch.dtype) -> dict[str, Tensor]:
        return self.named(lambda: self.call.inputs(dtype))

    def sized(self, rows: int, T: int, dtype: torch.dtype, radius: float = 0.9) -> dict[str, Tensor]:
        """Uniform noise from -0.5 to 0.5 through the filter."""
        call: Sized = self.call

        def make() -> list[Tensor]:
            tensors = list(call.coefficients(T, radius))
            signal = dtype.to_real() if self.case.real_signal else dtype
            tensors.append(torch.rand(rows, *call.ports, T, dtype=signal) - 0.5)
            if call.state is not None:
                state = dtype.to_complex() if any(t.is_complex() for t in tensors) else dtype
                tensors.append(torch.rand(call.state(rows), dtype=state) - 0.5)
            return tensors

        return self.cast(self.named(make), dtype)

    def cast(self, inputs: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
        """Complex tensors in the complex dtype; what has a dtype of its own keeps it."""

        def in_dtype(name: str, t: Tensor) -> Tensor:
            if not is_variable(t) or name in self.case.own_dtype:
                return t
            real = name == self.case.signal and self.case.real_signal
            return t.to(dtype.to_complex() if t.is_complex() else dtype.to_real() if real else dtype)

        return {name: in_dtype(name, t) for name, t in inputs.items()}

    def run(self, inputs: Mapping[str, Tensor], **options: Any) -> tuple[Tensor, ...]:
        """The outputs."""
        return as_tuple(self.function(**inputs, **self.call.options, **options))

    def true(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """What they should be; options that make no difference to that are none of the truth's."""
        truth = self.call.truth or self.case.truth
        known = inspect.signature(truth).parameters
        every = any(p.kind == p.VAR_KEYWORD for p in known.values())
        return as_tuple(truth(**inputs, **{k: v for k, v in self.call.options.items() if every or k in known}))

    def at(self, inputs: Mapping[str, Tensor]) -> "Point":
        """The function, its truth and where they are differentiated: integers are no variables."""
        fixed = {name: t for name, t in inputs.items() if not is_variable(t)}
        names = [name for name in inputs if name not in fixed]

        def of_variables(function: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *tensors: function(fixed | dict(zip(names, tensors, strict=True)))

        return Point(of_variables(self.run), of_variables(self.true), tuple(inputs[name] for name in names), names)


@dataclass(frozen=True)
class Point:
    function: Callable[..., tuple[Tensor, ...]]
    truth: Callable[..., tuple[Tensor, ...]]
    inputs: tuple[Tensor, ...]
    names: list[str]

    def __iter__(self) -> Iterator[Any]:
        return iter((self.function, self.truth, self.inputs))


def as_tuple(outputs: Any) -> tuple[Tensor, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


def is_variable(t: Tensor) -> bool:
    return t.is_floating_point() or t.is_complex()


def widened(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same in double precision."""
    return {
        name: t.to(torch.complex128 if t.is_complex() else torch.float64) if is_variable(t) else t
        for name, t in inputs.items()
    }
