"""What users of other packages found broken in streams, tried on ours.

Each test names the symptom; most are out of torchfx's issues 72 and 84 to 97 (a rate or a parameter that is changed and
not noticed, state that is lost, kept by half or shared, chunks of odd sizes). `test_nn.py` has what all modules share:
that chunks equal the whole, and that changes are noticed.
"""

import copy
import itertools
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from polezero.nn import Biquad, DCBlocker, Envelope, FilterModule, Loudness, Smoother, Weighting

MODULES: dict[str, Callable[..., FilterModule]] = {
    "Biquad": lambda **options: Biquad("lowpass", 500.0, fs=8000, **options),
    "Smoother": lambda **options: Smoother(0.005, fs=8000, **options),
    "Smoother-first": lambda **options: Smoother(0.005, initial="first", fs=8000, **options),
    "Envelope": lambda **options: Envelope("rms", 0.005, fs=8000, **options),
    "DCBlocker": lambda **options: DCBlocker(200.0, fs=8000, **options),
}
CHANGED = {"Biquad": ("frequency", 50.0), "DCBlocker": ("frequency", 20.0)}
T = 96


@pytest.fixture(params=list(MODULES))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def make(name: str) -> Callable[..., FilterModule]:
    return MODULES[name]


def change(name: str, module: FilterModule) -> None:
    parameter, value = CHANGED.get(name, ("time_constant", 0.05))
    setattr(module, parameter, value)


def signal(*leading: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 1 + torch.randn(*leading, T, generator=generator, dtype=torch.float64)


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


def test_a_compiled_stateful_module_has_one_graph_for_all_places(make: Callable[..., FilterModule]) -> None:
    graphs = []

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Callable[..., object]:
        graphs.append(graph)
        return graph.forward

    module, x, hop = make(stateful=True), signal(2), 6
    parameter = next(iter(module.values()))
    frames = getattr(module, parameter).detach() * torch.linspace(1, 1.5, T // hop + 1).expand(2, -1).double()
    torch.compiler.reset()
    compiled = torch.compile(module, fullgraph=True, backend=backend)
    close(torch.cat([compiled(part) for part in x.split(4, -1)], -1), make()(x))
    assert len(graphs) == 2  # from rest, and from a state
    module.reset()
    parts = [
        compiled(part, hop=hop, **{parameter: frames[:, 4 * k // hop :][:, :3]})
        for k, part in enumerate(x.split(4, -1))
    ]
    close(torch.cat(parts, -1), make()(x, hop=hop, **{parameter: frames}))
    assert len(graphs) <= 6


# ---- the rate: coefficients of the old one are kept (84), none is said and the signal passes as it is (85)


@pytest.mark.parametrize("made", [*MODULES.values(), lambda: Weighting("A", fs=8000), lambda: Loudness(fs=8000)])
def test_a_module_is_of_one_rate_and_says_so(made: Callable[[], FilterModule]) -> None:
    module, x = made(), signal(2)
    before = module(x)
    with pytest.raises(
        ValueError, match=rf"^{module._get_name()}: fs: expected the 8000 Hz that the module was made for"
    ):
        module.fs = 48000
    with pytest.raises(ValueError, match=rf"^{module._get_name()}: fs: expected the 8000 Hz .*, got 44100$"):
        module.stream(fs=44100)
    assert module.fs == 8000 and torch.equal(module(x), before)


def test_no_audio_module_is_made_without_a_rate() -> None:
    for made in (lambda: Biquad("lowpass", 500.0), Smoother, Envelope, DCBlocker, lambda: Weighting("A"), Loudness):
        with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'fs'"):
            made()


# ---- parameters: changes after the first call are not noticed (88)


def test_every_way_to_change_a_parameter_is_noticed(name: str, make: Callable[..., FilterModule]) -> None:
    changed = make()
    change(name, changed)
    x = signal(2)
    for stateful in (False, True):

        def assigned(module: FilterModule) -> None:
            change(name, module)

        def loaded(module: FilterModule) -> None:
            module.load_state_dict(changed.state_dict())

        def in_place(module: FilterModule) -> None:
            with torch.no_grad():
                for p, q in zip(module.parameters(), changed.parameters()):
                    p.copy_(q)

        def behind_autograd(module: FilterModule) -> None:
            for p, q in zip(module.parameters(), changed.parameters()):
                p.data = q.data.clone()

        for way in (assigned, loaded, in_place, behind_autograd):
            module = make(stateful=stateful)
            module(x)
            way(module)
            module.reset()
            assert torch.equal(module(x), changed(x)), way.__name__


def test_a_compiled_module_notices_too(name: str, make: Callable[..., FilterModule]) -> None:
    module, x = make(), signal(2)
    torch.compiler.reset()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    before = compiled(x)
    change(name, module)
    close(compiled(x), module(x))
    assert not torch.allclose(before, module(x))


def test_an_optimiser_moves_a_stream(name: str, make: Callable[..., FilterModule]) -> None:
    """Truncated backpropagation: a step after each chunk, and no graph that is freed and walked again."""
    module, x, wanted = make(stateful=True), signal(2), make()
    change(name, wanted)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)
    seen = []
    for part, target in zip(x.split(12, -1), wanted(x).detach().split(12, -1)):
        optimiser.zero_grad()
        (module(part) - target).square().mean().backward()
        assert all(p.grad is not None for p in module.parameters())
        optimiser.step()
        seen.append(torch.cat([p.detach().flatten() for p in module.parameters()]))
    assert all(not torch.equal(a, b) for a, b in itertools.pairwise(seen))


def test_a_changed_time_constant_makes_no_step() -> None:
    """A settled smoother stays settled, and a settled blocker at 0: the state is no product with the old pole."""
    for module, expected in ((Smoother(0.001, fs=8000), 1.0), (DCBlocker(400.0, fs=8000), 0.0)):
        stream, constant = module.stream(), torch.ones(4000, dtype=torch.float64)
        stream(constant)
        setattr(module, next(iter(module.values())), 0.1 if expected else 1.0)
        close(stream(constant), torch.full_like(constant, expected))


# ---- state: lost at the edge of a chunk (72, 86), kept by half after a reset, shared between streams


def test_chunks_of_one_sample_and_of_none(make: Callable[..., FilterModule]) -> None:
    module, x = make(), signal(2, 3)
    whole, stream = module(x), module.stream()
    assert stream(x[..., :0]).shape == (2, 3, 0)
    parts = []
    for n in range(T):
        parts += [stream(x[..., n : n + 1]), stream(x[..., :0])]
    close(torch.cat(parts, -1), whole)


@pytest.mark.parametrize("dtype, tolerance", [(torch.bfloat16, 8e-3), (torch.float16, 1e-3), (torch.float32, 2e-7)])
def test_chunks_of_one_sample_are_as_exact_as_the_whole(dtype: torch.dtype, tolerance: float) -> None:
    modules = (
        Biquad("lowpass", 20.0, 5.0, fs=48000, frequency_range=(10.0, 100.0), trainable=False),
        Smoother(0.1, fs=48000, trainable=False),
        DCBlocker(20.0, fs=48000, trainable=False),
    )
    x = (1 + 0.1 * torch.randn(1000, generator=torch.Generator().manual_seed(0))).to(dtype)
    for module in modules:
        stream = module.stream()
        y = torch.cat([stream(x[n : n + 1]) for n in range(len(x))])
        exact = module(x.double())
        assert y.dtype == dtype
        assert float((y - exact).abs().max() / exact.abs().max()) < tolerance, module


def test_reset_clears_all_of_the_state(make: Callable[..., FilterModule]) -> None:
    for module in (make(), make(channels=3)):
        x, stream = signal(2, 3), module.stream()
        first = stream(x)
        stream(1e6 * x[..., :7])
        stream.reset()
        assert torch.equal(stream(x), first)
        stream.reset()
        assert stream(x[:1, :, :5].float()).dtype == torch.float32  # another shape and dtype: a new signal


def test_reset_begins_the_frames_anew(name: str, make: Callable[..., FilterModule]) -> None:
    module, x = make(), signal(2)
    parameter = next(iter(module.values()))
    own = float(getattr(module, parameter).detach())
    frames = torch.linspace(own, 2 * own, T // 8 + 1, dtype=torch.float64).expand(2, -1)
    stream = module.stream()
    stream(x[..., :13], hop=8, **{parameter: frames})
    stream.reset()
    close(stream(x, hop=8, **{parameter: frames}), module(x, hop=8, **{parameter: frames}))


def test_streams_of_one_module_are_independent(make: Callable[..., FilterModule]) -> None:
    module = make(stateful=True)
    signals = [signal(2, seed=1), signal(3, seed=2)]
    streams = [module.stream(), module.stream()]
    wholes = [make()(x) for x in signals]
    parts: list[list[Tensor]] = [[], []]
    for k in range(0, T, 8):
        for stream, x, got in zip(streams, signals, parts):
            got.append(stream(x[..., k : k + 8]))
        module(signals[0][..., :5])
    for got, whole in zip(parts, wholes):
        close(torch.cat(got, -1), whole)


def test_a_copy_goes_on_by_itself(name: str, make: Callable[..., FilterModule]) -> None:
    module, x = make(stateful=True), signal(2)
    module(x[..., :40])
    other = copy.deepcopy(module)
    change(name, other)
    after = other(x[..., 40:])
    close(module(x[..., 40:]), make()(x)[..., 40:])  # unmoved by the copy's parameter and state
    assert not torch.allclose(after, make()(x)[..., 40:])


def test_a_buffer_that_the_caller_fills_again_is_not_part_of_the_state(make: Callable[..., FilterModule]) -> None:
    """Callbacks of sound cards hand the same memory over and over (87), and read results later."""
    module, x = make(), signal(2)
    whole, stream, buffer, parts = module(x).detach(), module.stream(), torch.empty(2, 8, dtype=torch.float64), []
    with torch.no_grad():
        for part in x.split(8, -1):
            buffer.copy_(part)
            parts.append(stream(buffer))
            buffer.fill_(1e9)
    close(torch.cat(parts, -1), whole)


def test_a_loaded_state_is_that_of_its_own_batch() -> None:
    saved, loaded = (Biquad("lowpass", 500.0, fs=8000, save_state=True) for _ in range(2))
    saved(signal(3)), loaded(signal(2))
    loaded.load_state_dict(saved.state_dict())
    assert torch.equal(loaded(signal(3, seed=1)), saved(signal(3, seed=1)))


@pytest.mark.parametrize("changed", ["state.position", "state.further"])
def test_a_state_that_is_not_whole_is_not_loaded(changed: str) -> None:
    saved, loaded = (Biquad("lowpass", 500.0, fs=8000, save_state=True) for _ in range(2))
    saved(signal(3)), loaded(signal(3, seed=1))
    values, before = saved.state_dict(), loaded._stream.state
    if changed in values:
        del values[changed]
    else:
        values[changed] = torch.zeros(2)
    with pytest.raises(RuntimeError, match=r"Missing key.* in state_dict: .state"):
        loaded.load_state_dict(values)
    assert loaded._stream.state is before


def test_a_loaded_state_of_another_batch_is_refused_as_a_chunk_of_another_batch_is() -> None:
    saved, loaded = (Biquad("lowpass", 500.0, fs=8000, save_state=True) for _ in range(2))
    saved(signal(3))
    loaded.load_state_dict(saved.state_dict())
    expected = r"chunks of torch.float64 with leading shape \[3\], as before \(or reset\(\)\)"
    for wrong, got in ((signal(2), "float64 with .2."), (signal(3).float(), "float32 with .3.")):
        with pytest.raises(ValueError, match=f"^Biquad: x: expected {expected}, got torch.{got}$"):
            loaded(wrong)
    assert torch.equal(loaded(signal(3, seed=1)), saved(signal(3, seed=1)))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_a_copy_of_a_stateful_module_goes_its_own_way(copied: Callable[[FilterModule], FilterModule]) -> None:
    module, x = Biquad("lowpass", 500.0, fs=8000, stateful=True, trainable=False), signal(2)
    module(x)
    other = copied(module)
    expected = [module(x), module(x)]
    for y in expected:  # (a copy that asks the module that it was made of forgets nothing, and learns nothing)
        close(other(x), y)
    other.reset()
    module(x)
    close(other.float()(x), Biquad("lowpass", 500.0, fs=8000, dtype=torch.float32)(x))


def test_items_of_a_batch_know_nothing_of_each_other(make: Callable[..., FilterModule]) -> None:
    """Batches that are filtered as one signal, or share a state, give other results than their items (92)."""
    module, x = make(), signal(4)
    loud = torch.cat([x[:1], 1e6 * x[1:]])
    stream, alone = module.stream(), module.stream()
    for part, single in zip(loud.split(13, -1), x[:1].split(13, -1)):
        close(stream(part)[:1], alone(single))


def test_streams_count_further_than_32_bits(make: Callable[..., FilterModule]) -> None:
    module, x = make(), signal(2)  # a counter that wraps (96)
    parameter = next(iter(module.values()))
    frames = float(getattr(module, parameter).detach()) * torch.tensor([[1.0, 1.5, 1.25]], dtype=torch.float64)
    results = []
    for position in (8, 2**35 + 8):
        stream = module.stream()
        stream(x[..., :4])
        stream.state = position, stream.state[1]
        results.append(stream(x[..., 4:20], hop=8, **{parameter: frames}))
        assert stream.state[0] == position + 16
    assert torch.equal(*results)


# ---- other signals: a batch or dtype that does not fit is one error, after which all is as before


def test_what_does_not_fit_is_refused_and_the_stream_goes_on(name: str, make: Callable[..., FilterModule]) -> None:
    for options in ({}, {"stateful": True}):
        module, x = make(**options), signal(2)
        call = module if options else module.stream()
        kind = name.partition("-")[0]
        first = call(x[..., :40])
        chunks = rf"^{kind}: x: expected chunks of torch.float64 with leading shape \[2\], as before .*, got "
        for wrong in (signal(3), signal(), signal(2, 1), x.float()):
            with pytest.raises(ValueError, match=chunks):
                call(wrong)
        with pytest.raises(TypeError, match=f"^{kind}: x: expected a torch.Tensor, got list$"):
            call([1.0, 2.0])  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=f"^{kind}: {next(iter(module.values()))}: expected a number, shape "):
            call(x, **{next(iter(module.values())): torch.ones(7)})
        with pytest.raises((ValueError, RuntimeError)):
            call(x.to("meta"))
        close(torch.cat([first, call(x[..., 40:])], -1), make()(x))


def test_a_stream_goes_from_inference_into_training_and_back(make: Callable[..., FilterModule]) -> None:
    module, x = make(), signal(2)
    whole = module(x).detach()
    stream = module.stream()
    parts = []
    for k, part in enumerate(x.split(8, -1)):  # each of the three after each of the others
        mode = (torch.inference_mode, torch.no_grad, torch.enable_grad)[(0, 1, 2, 0, 2, 1)[k % 6]]
        with mode():
            y = stream(part)
            if mode is torch.enable_grad and y.requires_grad:
                y.sum().backward()
            parts.append(y.detach().clone())
    close(torch.cat(parts, -1), whole)
