"""Bad input: the exact exception, in one sentence that names the function, the argument, what was expected and what
came.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from cases import ALL, MAIN
from cases.case import Bad, Bound
from cases.sentences import DTYPES
from support import each
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

import polezero
from polezero import _C

X = torch.ones(2, 5)


@pytest.fixture(params=["grad_mode", "inference_mode"])
def mode(request: pytest.FixtureRequest) -> Iterator[None]:
    with torch.inference_mode(request.param == "inference_mode"):
        yield


def assert_refused(call: Callable[[], Any], exception: type[Exception], sentence: str) -> None:
    """The call raises this exception and none derived from it; * in the sentence is anything."""
    with pytest.raises(exception) as raised:
        call()
    message = str(raised.value)
    assert re.fullmatch(re.escape(sentence).replace(r"\*", ".*"), message), message
    assert type(raised.value) is exception
    assert ": expected " in message and "\n" not in message


class OnDevice(TorchFunctionMode):
    """Functions get tensors that are on the CPU where the tests make theirs."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        device = torch.get_default_device()

        def moved(t: Tensor) -> Tensor:
            return t.to(device) if t.is_cpu and t.dim() > 0 and not t.requires_grad else t

        args, kwargs = tree_map_only(Tensor, moved, (args, kwargs or {}))
        return func(*args, **kwargs)


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize(
    "bad", [pytest.param(bad, id=f"{case.name}-{label}") for case in ALL.values() for label, bad in case.bad.items()]
)
def test_bad_input_gets_one_sentence(bad: Bad) -> None:
    with OnDevice():
        assert_refused(bad.call, bad.exception, bad.sentence.replace(" on cpu ", f" on {torch.ones(()).device} "))


# What no function takes for its signal, and what it says: an exception, and the sentence behind "x: ".
NO_SIGNALS: dict[str, tuple[Callable[[Tensor], Any], type[Exception], str]] = {
    "list": (
        lambda x: x.tolist(),
        TypeError,
        "expected a torch.Tensor, got builtins.list (torch.as_tensor makes one*)",
    ),
    "scalar": (lambda x: x.sum(), ValueError, "expected *, got *"),  # one, two or [..., I, T]
    "sparse": (lambda x: x.to_sparse(), ValueError, "expected a strided tensor, got Sparse"),
    "nested": (
        lambda x: torch.nested.nested_tensor([torch.zeros(3)], layout=torch.jagged),
        ValueError,
        "expected a strided tensor, got a nested one",
    ),
    "float8": (lambda x: x.to(torch.float8_e4m3fn), TypeError, f"{DTYPES} Float8_e4m3fn"),
    "complex32": (lambda x: x.to(torch.complex32), TypeError, f"{DTYPES} ComplexHalf"),
}


@pytest.mark.parametrize("kind", NO_SIGNALS)
@each("errors", [bound for bound in MAIN if bound.case.signal is not None])
def test_what_is_no_signal_is_refused(example: Bound, kind: str) -> None:
    make, exception, sentence = NO_SIGNALS[kind]
    inputs, signal = example.small(torch.float32), example.case.signal
    inputs[signal] = make(inputs[signal])
    assert_refused(lambda: example.run(inputs), exception, f"{example.case.name}: {signal}: {sentence}")


@each("errors", [bound for bound in MAIN if bound.call.function is None])
def test_coefficients_that_are_no_numbers_or_elsewhere_are_refused(example: Bound) -> None:
    inputs = example.small(torch.float32)
    first = example.case.signal or next(iter(inputs))
    for name, t in inputs.items():
        if name == first or t.dim() == 0:  # a number may be anywhere
            continue
        argument = f"{example.case.name}: {name}: expected a tensor"
        text, elsewhere = inputs | {name: "abc"}, inputs | {name: t.to("meta")}
        assert_refused(lambda text=text: example.run(text), ValueError, f"{argument}*, got 'abc'")
        sentence = f"{argument} on {inputs[first].device} as {first}, got one on meta"
        assert_refused(lambda elsewhere=elsewhere: example.run(elsewhere), ValueError, sentence)


def test_the_wrong_number_of_arguments_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        polezero.lfilter([1.0], [1.0])
    with pytest.raises(TypeError):
        polezero.lfilter([1.0], [1.0], X, -1, None, "one_pass")


@pytest.mark.skipif(
    not torch.cuda.is_available() or _C.build_info()["cuda_archs"] != "none",
    reason="needs a GPU and a build without CUDA kernels",
)
def test_a_build_without_cuda_kernels_says_so() -> None:
    with pytest.raises(NotImplementedError, match="this build of polezero has no CUDA kernels"):
        polezero.lpv.lattice(torch.zeros(2).cuda(), X.cuda())


@each("errors", MAIN)
def test_nothing_is_checked_by_value_on_tensors_without_values(example: Bound) -> None:
    inputs = example.small(torch.float32)
    on_meta = example.run({name: torch.zeros_like(t, device="meta") for name, t in inputs.items()})
    for got, expected in zip(on_meta, example.run(inputs), strict=True):
        assert got.device.type == "meta" and (got.shape, got.dtype) == (expected.shape, expected.dtype)
