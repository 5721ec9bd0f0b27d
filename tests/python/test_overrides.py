"""__torch_function__: torch.fx, tensor-likes and modes see each public function as one call."""

import importlib
import inspect
import pickle
from typing import Any

import pytest
import torch
from public import FUNCTIONS, small_calls, takes_zi
from support import assert_close
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

import polezero
from polezero import _overrides

NAMES = sorted(FUNCTIONS)
# What takes no tensor makes none a node, nor of a subclass.
OF_NUMBERS = {"besselap", "buttap", "buttord", "cheb1ord", "cheb2ord", "ellipord", "iirdesign", "legendreap"}
OF_NUMBERS |= {"octave_bands", "weighting"}
OF_TENSORS = [name for name in NAMES if name not in OF_NUMBERS]


def test_every_public_function_has_a_call() -> None:
    assert set(small_calls()) == set(NAMES), "each has its arguments in small_calls of public.py"


def tensors_of(arguments: dict[str, Any]) -> list[str]:
    return [name for name, value in arguments.items() if isinstance(value, Tensor)]


# ---- torch.fx


@pytest.mark.parametrize("name", OF_TENSORS)
def test_a_call_with_proxies_is_one_node_of_a_graph(name: str) -> None:
    function, arguments = FUNCTIONS[name], small_calls()[name]
    graph = torch.fx.Graph()
    tracer = torch.fx.proxy.GraphAppendingTracer(graph)
    proxies = {k: torch.fx.Proxy(graph.placeholder(k), tracer) for k in tensors_of(arguments)}

    graph.output(function(**arguments | proxies).node)

    (node,) = [n for n in graph.nodes if n.op == "call_function"]
    assert node.target is function
    traced = torch.fx.GraphModule({}, graph)
    assert f"polezero.{name}".replace(".", "_") in traced.code  # by the public name
    assert_close(traced(*(arguments[k] for k in proxies)), function(**arguments))


@pytest.mark.parametrize("by_name", [False, True])
def test_a_proxy_in_a_system_makes_the_call_a_node(by_name: bool) -> None:
    graph = torch.fx.Graph()
    a = torch.fx.Proxy(graph.placeholder("a"), torch.fx.proxy.GraphAppendingTracer(graph))
    system = ([1.0], a)

    graph.output((polezero.poles(system=system) if by_name else polezero.poles(system)).node)

    (node,) = [n for n in graph.nodes if n.op == "call_function"]
    assert node.target is polezero.poles
    coefficients = torch.tensor([1.0, -0.5])
    assert_close(torch.fx.GraphModule({}, graph)(coefficients), polezero.poles(([1.0], coefficients)))


class Smoother(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = torch.nn.Parameter(torch.tensor([1.0, -0.5]))

    def forward(self, x: Tensor) -> Tensor:
        y, zf = polezero.lfilter([1.0], self.a, x, zi=0)
        return polezero.allpole([0.25], y) + zf


def test_a_module_is_traced_saved_and_loaded() -> None:
    module, x = Smoother(), torch.randn(3, 8)

    traced = torch.fx.symbolic_trace(module)

    targets = [n.target for n in traced.graph.nodes if n.op == "call_function"]
    assert [t for t in targets if t in FUNCTIONS.values()] == [polezero.lfilter, polezero.allpole]
    assert_close(traced(x), module(x), tolerance=0.0)
    assert_close(pickle.loads(pickle.dumps(traced))(x), module(x), tolerance=0.0)


# ---- tensor-likes


class Like:
    """Holds a tensor and notes what is called with it."""

    calls: list[Any] = []  # noqa: RUF012  (emptied by each test)

    def __init__(self, value: Tensor) -> None:
        self.value = value

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        cls.calls.append(func)
        args, kwargs = tree_map(lambda t: t.value if isinstance(t, Like) else t, (args, kwargs or {}))
        return tree_map(lambda t: cls(t) if isinstance(t, Tensor) else t, func(*args, **kwargs))


@pytest.mark.parametrize("by_keyword", [False, True], ids=["by_position", "by_keyword"])
@pytest.mark.parametrize("name", NAMES)
def test_a_tensor_like_gets_the_call(name: str, by_keyword: bool) -> None:
    function, arguments = FUNCTIONS[name], small_calls()[name]
    expected = function(**arguments)
    for place in tensors_of(arguments):
        given = arguments | {place: Like(arguments[place])}
        Like.calls.clear()

        if by_keyword:
            got = function(**given)
        else:
            bound = inspect.signature(function).bind(**given)
            got = function(*bound.args, **bound.kwargs)

        assert Like.calls == [function]
        assert_close(tree_map(lambda t: t.value, got), expected, tolerance=0.0)


@pytest.mark.parametrize("name", [n for n in NAMES if takes_zi(n)])
def test_a_tensor_like_as_state_gets_the_call(name: str) -> None:
    function, arguments = FUNCTIONS[name], small_calls()[name]
    _, zf = function(**arguments, zi=0)
    Like.calls.clear()

    got = function(**arguments, zi=Like(zf))

    assert Like.calls == [function]
    assert_close(tree_map(lambda t: t.value, got), function(**arguments, zi=zf), tolerance=0.0)


def test_a_type_that_refuses_is_named_beside_the_function() -> None:
    class Refuses:
        @classmethod
        def __torch_function__(cls, *args: Any) -> Any:
            return NotImplemented

    with pytest.raises(TypeError, match=r"(?s)'polezero\.lfilter'.*Refuses"):
        polezero.lfilter([1.0], [1.0], Refuses())


# ---- modes


class Record(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls.append(func)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", NAMES)
def test_a_mode_sees_one_call(name: str) -> None:
    function, arguments = FUNCTIONS[name], small_calls()[name]
    expected = function(**arguments)

    with Record() as outer, Record() as inner:
        got = function(**arguments)

    assert inner.calls == outer.calls == [function]
    assert_close(got, expected, tolerance=0.0)


# ---- what stays as it was


class Plain(Tensor):
    pass


@pytest.mark.parametrize("name", OF_TENSORS)
def test_a_plain_subclass_gives_itself(name: str) -> None:
    function, arguments = FUNCTIONS[name], small_calls()[name]
    places = tensors_of(arguments)

    got = function(**arguments | {k: arguments[k].as_subclass(Plain) for k in places})

    assert all(type(t) is Plain for t in tree_leaves(got))
    expected = function(**arguments)
    assert_close(tree_map(lambda t: t.as_subclass(Tensor), got), expected, tolerance=0.0)


@pytest.mark.parametrize("name", NAMES)
def test_tensors_and_parameters_take_the_short_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function, arguments = FUNCTIONS[name], small_calls()[name]

    def long_way(*args: Any) -> None:
        raise AssertionError("handle_torch_function was called")

    monkeypatch.setattr(_overrides, "handle_torch_function", long_way)
    function(**arguments)
    floats = [k for k in tensors_of(arguments) if not k.startswith("delay")]
    function(**arguments | {k: torch.nn.Parameter(arguments[k]) for k in floats})


@pytest.mark.parametrize("name", NAMES)
def test_functions_are_pickled_by_their_public_name(name: str) -> None:
    function = FUNCTIONS[name]
    assert pickle.loads(pickle.dumps(function)) is function
    namespace, _, last = f"polezero.{name}".rpartition(".")
    assert function.__module__ == namespace and function.__name__ == last
    assert getattr(importlib.import_module(namespace), last) is function


def test_a_compiled_call_is_one_graph_with_a_mode_too() -> None:
    b, a, x = small_calls()["lfilter"].values()
    compiled = torch.compile(lambda b, a, x: polezero.lfilter(b, a, x, zi=0), fullgraph=True, backend="eager")
    expected = polezero.lfilter(b, a, x, zi=0)

    assert_close(compiled(b, a, x), expected)
    with torch.device("cpu"):  # a TorchFunctionMode
        assert_close(compiled(b, a, x), expected)


def test_more_functions_are_compiled_in_one_process_than_one_code_object_has_graphs() -> None:
    """All are wrapped by one function: with its code they would share its eight graphs (recompile_limit)."""
    names = ["lfilter", "sosfilt", "allpole", "filtfilt", "lattice", "parallel", "lfilter_zi", "sosfilt_zi", "poles"]
    calls = small_calls()
    for name in names:
        function = getattr(polezero, name)
        compiled = torch.compile(function, fullgraph=True, backend="eager")(**calls[name])
        for got, expected in zip(tree_leaves(compiled), tree_leaves(function(**calls[name]))):
            assert_close(got, expected)
