"""torch.compile, compiled autograd, torch.export and AOTInductor.

Most tests compile with aot_eager, which traces the forward and backward graphs and runs them as they are: what
inductor adds, generated code around the same op calls, is tested once, for it costs seconds.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cases import EXAMPLES, MAIN, SIZED
from cases.allpole import lpv_inputs
from cases.case import Bound, as_tuple, is_variable
from cases.lfilter import lfilter_inputs
from cases.sosfilt import sosfilt_inputs
from support import GRADIENT_TOLERANCE, assert_close, each, loss, requires_grad
from torch import Tensor
from torch._dynamo.utils import counters
from torch.func import grad, jacfwd, jvp, vmap

import polezero
from polezero import reference


@pytest.fixture(autouse=True)
def _no_code_from_other_tests() -> None:
    torch._dynamo.reset()
    counters.clear()


def compiled(function: Callable[..., Any], backend: str = "aot_eager", **options: Any) -> Callable[..., Any]:
    return torch.compile(function, fullgraph=True, backend=backend, **options)


def value_and_gradients(function: Callable[..., Any], inputs: tuple[Tensor, ...]) -> Any:
    outputs = as_tuple(function(*inputs))
    return outputs, torch.autograd.grad(loss(lambda: outputs)(), inputs)


@each("compile", MAIN)
def test_one_graph_forward_and_backward(example: Bound) -> None:
    function, truth, inputs = example.at(example.small(example.call.dtypes[-1]))
    inputs = requires_grad(inputs)
    result = value_and_gradients(compiled(function), inputs)
    assert_close(result, value_and_gradients(truth, inputs), tolerance=GRADIENT_TOLERANCE)


# All sizes differ, from the 6 numbers of a section too, or a dynamic shape that happens to equal another one would be
# tied to it.
SIZES = ((7, 11), (9, 13), (14, 29))


@each("compile", SIZED)
def test_new_sizes_of_batch_and_time_do_not_recompile(example: Bound) -> None:
    """Users compile the function itself, numbers among the arguments: each is a symbol to Dynamo."""
    compiled_function = compiled(example.function, dynamic=True)
    for rows, T in SIZES:
        inputs = example.sized(rows, T, torch.float64)
        leaves = [t.requires_grad_() for t in inputs.values() if is_variable(t)]
        result, expected = (
            (outputs, torch.autograd.grad(loss(lambda *y: y)(*outputs), leaves))
            for outputs in (
                as_tuple(f(**inputs, **example.call.options)) for f in (compiled_function, example.function)
            )
        )
        assert_close(result, expected, tolerance=GRADIENT_TOLERANCE)
    assert counters["stats"]["unique_graphs"] == 1


class Exported(torch.nn.Module):
    def __init__(self, example: Bound) -> None:
        super().__init__()
        self.example = example

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return self.example.run(dict(zip(self.example.names, inputs)))


@each("compile", SIZED)
def test_any_function_exports_with_dynamic_sizes(example: Bound) -> None:
    sizes = {7: torch.export.Dim("rows"), 11: torch.export.Dim("T", min=6)}  # no other dimension is as long
    inputs = example.sized(7, 11, torch.float64)
    shapes: Any = [{k: sizes[n] for k, n in enumerate(t.shape) if n in sizes} for t in inputs.values()]
    program = torch.export.export(Exported(example), tuple(inputs.values()), dynamic_shapes=(tuple(shapes),))
    inputs = example.sized(9, 23, torch.float64)
    assert_close(tuple(program.module()(*inputs.values())), example.run(inputs))


def bank(rows: int, T: int) -> tuple[Tensor, Tensor]:
    """b of each row, and a of each sample."""
    return lfilter_inputs(N=3, lead_b=(rows, 1), lead_a=(T,))[:2]


def signal(rows: int, T: int) -> Tensor:
    return torch.randn(rows, T, dtype=torch.float64)


# Functions that take no signal, and arguments of some rows and samples: compiled they are what they are otherwise.
COEFFICIENTS: dict[str, tuple[Callable[..., Any], Callable[[int, int], tuple[Any, ...]]]] = {
    "lfilter_zi": (polezero.lfilter_zi, bank),
    "lfiltic": (polezero.lfiltic, lambda rows, T: (*bank(rows, T), signal(rows, T)[..., None])),
    "parallel_form": (polezero.parallel_form, bank),
    "diagonalise": (
        polezero.diagonalise,
        lambda rows, T: (torch.randn(rows, 1, 3, 3), torch.randn(T, 3, 2), torch.ones(1, 3)),
    ),
    "freq.apply": (polezero.freq.apply, lambda rows, T: (*lfilter_inputs(N=3)[:2], signal(rows, T) + 0j)),
    "freq.response": (polezero.freq.response, lambda rows, T: (*bank(rows, T), 17)),
    "freq.comb": (
        polezero.freq.comb,
        lambda rows, T: (0.5 * torch.rand(rows, 1).double(), 3 + torch.rand(T).double(), 17),
    ),
}


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_functions_of_coefficients_do_not_recompile(name: str) -> None:
    function, make = COEFFICIENTS[name]
    compiled_function = compiled(function, dynamic=True)
    for rows, T in SIZES:
        inputs = make(rows, T)
        assert_close(as_tuple(compiled_function(*inputs)), as_tuple(function(*inputs)), GRADIENT_TOLERANCE)
    assert counters["stats"]["unique_graphs"] == 1


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_functions_of_coefficients_export_with_dynamic_sizes(name: str) -> None:
    function, make = COEFFICIENTS[name]

    class Function(torch.nn.Module):
        def forward(self, *inputs: Any) -> tuple[Tensor, ...]:
            return as_tuple(function(*inputs))

    sizes = {7: torch.export.Dim("rows"), 11: torch.export.Dim("T", min=6)}
    example = make(7, 11)
    shapes: Any = [
        {k: sizes[n] for k, n in enumerate(t.shape) if n in sizes} if isinstance(t, Tensor) else None for t in example
    ]
    program = torch.export.export(Function(), example, dynamic_shapes=(tuple(shapes),))
    inputs = make(9, 23)
    assert_close(tuple(program.module()(*inputs)), as_tuple(function(*inputs)))


# ---- what is special of some functions


def lfilter(b: Tensor, a: Tensor, x: Tensor, zi: Tensor | None = None) -> Any:
    return polezero.lfilter(b, a, x, zi=zi)


def true_lfilter(b: Tensor, a: Tensor, x: Tensor, zi: Tensor | None = None) -> Any:
    return reference.lfilter(b, a, x, zi=zi)


def test_inductor_compiles_forward_and_backward() -> None:
    inputs = requires_grad(lfilter_inputs(M=3, N=2, T=20, lead_zi=(2,)))

    def around(f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda b, a, x, zi: tuple(y.sin() for y in f(b * 0.5, a, x + 1, zi))

    result = value_and_gradients(compiled(around(lfilter), "inductor"), inputs)
    assert_close(result, value_and_gradients(around(true_lfilter), inputs), tolerance=GRADIENT_TOLERANCE)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16], ids=["float64", "float16"])
@pytest.mark.parametrize("make", [list, np.array], ids=["lists", "arrays"])
def test_coefficients_that_are_not_tensors_compile_too(make: Callable[..., Any], dtype: torch.dtype) -> None:
    x = torch.randn(2, 20).to(dtype).requires_grad_()
    b, a, zi = make([1.0, 0.5]), make([1.0, -0.9, 0.4]), make([0.5, 0.25])
    result = compiled(lambda x: polezero.lfilter(b, a, x, zi=zi))(x)
    assert result[0].dtype == dtype
    tensors = [torch.tensor(t, dtype=torch.float64) for t in ([1.0, 0.5], [1.0, -0.9, 0.4], [0.5, 0.25])]
    assert_close(result, reference.lfilter(tensors[0], tensors[1], x, zi=tensors[2]))


TRANSFORMS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "jvp": lambda f: lambda *p: jvp(f, p, tuple(t + 1 for t in p)),
    "grad": lambda f: grad(loss(f), (0, 1, 2, 3)),
    "vmap": lambda f: lambda *p: vmap(f)(*(torch.stack([t, 2 * t]) for t in p)),
    "vmap_grad": lambda f: lambda *p: vmap(grad(loss(f), (0, 1)))(*(torch.stack([t, 2 * t]) for t in p)),
    "jacfwd": lambda f: jacfwd(lambda *p: f(*p)[0], argnums=1),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_transforms_compile(transform: str) -> None:
    inputs = lfilter_inputs(M=1, lead_zi=(2,))
    apply = TRANSFORMS[transform]
    assert_close(compiled(apply(lfilter))(*inputs), apply(true_lfilter)(*inputs), tolerance=GRADIENT_TOLERANCE)


@pytest.mark.parametrize("id", ["lfilter-zi", "lfilter-two_pass_zi", "allpole-zi"])
def test_compiled_autograd_compiles_an_eager_graph(id: str) -> None:
    (example,) = (bound for bound in EXAMPLES if bound.id == id)
    function, truth, inputs = example.at(example.small(torch.float64))
    inputs = requires_grad(inputs)
    with torch._dynamo.compiled_autograd._enable(torch.compile(backend="aot_eager", fullgraph=True)):
        loss(function)(*inputs).backward()
    assert counters["compiled_autograd"]["captures"] == 1
    assert_close(
        [t.grad for t in inputs], torch.autograd.grad(loss(truth)(*inputs), inputs), tolerance=GRADIENT_TOLERANCE
    )


def test_compiled_autograd_captures_a_cascade() -> None:
    b, a, x = inputs = requires_grad(lfilter_inputs(T=20))
    with torch._dynamo.compiled_autograd._enable(torch.compile(backend="aot_eager", fullgraph=True)):
        lfilter(b, a, lfilter(b, a, x)).square().sum().backward()
    truth = reference.lfilter(b, a, reference.lfilter(b, a, x)).square().sum()
    assert_close([t.grad for t in inputs], torch.autograd.grad(truth, inputs), tolerance=GRADIENT_TOLERANCE)


def kernel_calls(graph: torch.fx.GraphModule) -> list[str]:
    return [
        node.target._schema.name.removeprefix("polezero::")
        for node in graph.graph.nodes
        if isinstance(node.target, torch._ops.OpOverload) and node.target.namespace == "polezero"
    ]


def test_a_compiled_training_step_is_two_kernel_calls() -> None:
    from torch._dynamo.backends.common import aot_autograd

    graphs: list[list[str]] = []

    def keep(graph: torch.fx.GraphModule, _: Any) -> Callable[..., Any]:
        graphs.append(kernel_calls(graph))
        return graph.forward

    step = torch.compile(lfilter, fullgraph=True, backend=aot_autograd(fw_compiler=keep))
    inputs = requires_grad(lfilter_inputs(T=20))
    step(*inputs).sum().backward()
    assert graphs == [["lfilter_forward"], ["lfilter_backward"]]


def test_autocast_inside_a_compiled_function_computes_in_float32() -> None:
    inputs = tuple(t.detach().bfloat16().requires_grad_() for t in lfilter_inputs(T=20))

    def step(*p: Tensor) -> Tensor:
        with torch.autocast(p[0].device.type, dtype=torch.bfloat16):
            return lfilter(*p)

    y = compiled(step)(*inputs)

    assert y.dtype == torch.float32
    assert [g.dtype for g in torch.autograd.grad(y.sum(), inputs)] == [torch.bfloat16] * 3


class Filter(torch.nn.Module):
    def forward(self, b: Tensor, a: Tensor, x: Tensor, zi: Tensor) -> tuple[Tensor, Tensor]:
        y, zf = polezero.lfilter(b, a, x, zi=zi)
        return 2 * y, zf


class VaryingFilter(torch.nn.Module):
    def forward(self, a: Tensor, x: Tensor, zi: Tensor) -> tuple[Tensor, Tensor]:
        return polezero.lpv.allpole(a, x, zi)


ROWS, T = torch.export.Dim("rows"), torch.export.Dim("T", min=4)


def exported(strict: bool = False) -> torch.export.ExportedProgram:
    shapes: Any = ({}, {}, {0: ROWS, 1: T}, {0: ROWS})
    example = lfilter_inputs(M=1, N=3, T=9, lead_x=(4,), lead_zi=(4,))
    return torch.export.export(Filter(), example, dynamic_shapes=shapes, strict=strict)


def exported_varying() -> torch.export.ExportedProgram:
    shapes: Any = ({0: ROWS, 1: T}, {0: ROWS, 1: T}, {0: ROWS})
    return torch.export.export(VaryingFilter(), varying_inputs(4, 9), dynamic_shapes=shapes)


def varying_inputs(rows: int, T: int) -> tuple[Tensor, ...]:
    a, _, _ = lpv_inputs(M=-1, T=T, lead=(rows,), zi=2)
    return a, torch.randn(rows, T, dtype=a.dtype), torch.randn(rows, 2, dtype=a.dtype)


def assert_filters_other_sizes(module: Callable[..., Any]) -> None:
    inputs = lfilter_inputs(M=1, N=3, T=21, lead_x=(5,), lead_zi=(5,))
    y, zf = true_lfilter(*inputs)
    assert_close(list(module(*inputs)), [2 * y, zf])


def assert_varies_with_other_sizes(module: Callable[..., Any]) -> None:
    inputs = varying_inputs(5, 21)
    assert_close(list(module(*inputs)), list(reference.lpv_allpole(*inputs)))


def test_time_varying_filters_export_with_dynamic_sizes(tmp_path: Path) -> None:
    program = exported_varying()
    assert_varies_with_other_sizes(program.module())
    torch.export.save(program, tmp_path / "filter.pt2")
    assert_varies_with_other_sizes(torch.export.load(tmp_path / "filter.pt2").module())


@pytest.mark.parametrize("strict", [False, True], ids=["traced", "strict"])
def test_export_with_dynamic_sizes(strict: bool, tmp_path: Path) -> None:
    program = exported(strict)
    assert_filters_other_sizes(program.module())
    program = program.run_decompositions()
    assert kernel_calls(program.graph_module) == ["lfilter_forward"]
    assert_filters_other_sizes(program.module())

    torch.export.save(program, tmp_path / "filter.pt2")
    assert_filters_other_sizes(torch.export.load(tmp_path / "filter.pt2").module())


def test_aot_inductor_package_runs_from_python(tmp_path: Path) -> None:
    path = torch._inductor.aoti_compile_and_package(exported(), package_path=str(tmp_path / "filter.pt2"))
    assert_filters_other_sizes(torch._inductor.aoti_load_package(path))


def test_aot_inductor_package_of_a_time_varying_filter(tmp_path: Path) -> None:
    path = torch._inductor.aoti_compile_and_package(exported_varying(), package_path=str(tmp_path / "filter.pt2"))
    assert_varies_with_other_sizes(torch._inductor.aoti_load_package(path))


class Cascade(torch.nn.Module):
    def forward(self, sos: Tensor, x: Tensor, zi: Tensor) -> tuple[Tensor, Tensor]:
        return polezero.sosfilt(sos, x, zi=zi)


def test_aot_inductor_package_of_a_cascade(tmp_path: Path) -> None:
    shapes: Any = ({}, {0: ROWS, 1: T}, {1: ROWS})
    example = sosfilt_inputs(T=9, lead_x=(4,), lead_zi=(4,))
    program = torch.export.export(Cascade(), example, dynamic_shapes=shapes)
    assert kernel_calls(program.run_decompositions().graph_module) == ["sosfilt_forward"]

    path = torch._inductor.aoti_compile_and_package(program, package_path=str(tmp_path / "cascade.pt2"))

    sos, x, zi = sosfilt_inputs(T=21, lead_x=(6,), lead_zi=(6,))
    filtered = torch._inductor.aoti_load_package(path)(sos, x, zi)
    assert_close(list(filtered), list(reference.sosfilt(sos, x, -1, zi)))


@pytest.mark.filterwarnings("ignore:.torch.jit.*is deprecated")
def test_torchscript_reads_ops_and_traces_functions(tmp_path: Path) -> None:
    b, a, x = inputs = lfilter_inputs()
    torch.jit.save(torch.jit.trace(lambda b, a, x: polezero.lfilter(b, a, x), inputs), str(tmp_path / "traced.pt"))

    for module in (torch.jit.script(script_of_the_op), torch.jit.load(str(tmp_path / "traced.pt"))):
        assert_close(module(b, a, x[:, :3]), reference.lfilter(b, a, x[:, :3]))


def script_of_the_op(b: Tensor, a: Tensor, x: Tensor) -> Tensor:
    return torch.ops.polezero.lfilter(b, a, x)[0]
