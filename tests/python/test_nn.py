"""What all modules of `polezero.nn` do, over the cases of `modules/`."""

import copy
import doctest
import fnmatch
import inspect
import io
import math
import pickle
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from modules import CASES
from modules.case import ModuleCase
from torch import Tensor
from torch.func import functional_call, stack_module_state
from torch.utils.data import DataLoader

import polezero
from polezero.nn import FilterModule

CLASSES = {
    name: getattr(polezero.nn, name) for name in polezero.nn.__all__ if inspect.isclass(getattr(polezero.nn, name))
}
MODULES = {
    name: kind for name, kind in CLASSES.items() if issubclass(kind, torch.nn.Module) and kind is not FilterModule
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> ModuleCase:
    found = CASES[request.param]
    test = request.function.__name__
    for name, reason in found.opt_out.items():
        if test.startswith(f"test_{name}"):
            pytest.skip(reason)
    return found


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


def parameters(module: FilterModule) -> dict[str, Tensor]:
    return {name: getattr(module, name).detach().clone() for name in module.values()}


# ---- the list


def test_every_module_has_a_case() -> None:
    assert {case.name for case in CASES.values()} == set(MODULES)


@pytest.mark.parametrize("name", CLASSES)
def test_docstrings_have_all_parts_and_examples_that_run(name: str) -> None:
    text = inspect.getdoc(CLASSES[name]) or ""
    if name in MODULES:
        missing = [p for p in ("math::", "args:", "shape", "error", "source:", "example:") if p not in text.lower()]
        assert not missing, f"{name} lacks {missing}"
        assert re.search(r"\bH(_\w)?\([zs]\)", text), f"{name} has no H(z)"
    for test in doctest.DocTestFinder(recurse=False).find(CLASSES[name], name):
        assert doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test).failed == 0


# ---- parameters


def test_attributes_read_and_write_in_physical_units(case: ModuleCase) -> None:
    module = case.make()
    for name in case.typical:
        expected = case.varied(name).expand(getattr(module, name).shape)
        setattr(module, name, expected)
        close(getattr(module, name).detach(), expected, 1e-12)


def test_what_is_out_of_range_is_refused_and_changes_nothing(case: ModuleCase) -> None:
    module = case.make()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    for name in case.typical:
        for wrong in (float("nan"), float("inf"), torch.zeros(3, 5, 7, 2), "loud"):
            with pytest.raises(ValueError, match=f"^{case.name}: {name}: expected .*, got "):
                setattr(module, name, wrong)
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


def test_borders_are_allowed_and_finite(case: ModuleCase) -> None:
    module = case.make()
    for name in case.typical:
        range_ = next(iter(module._stages(name)), None)
        if not hasattr(range_, "low"):
            continue
        for border in (range_.low, range_.high):
            setattr(module, name, border)
            close(getattr(module, name).detach(), torch.full_like(getattr(module, name), border), 1e-15)
            assert all(bool(torch.isfinite(v).all()) for v in module.state_dict().values())


def test_bad_input_is_one_sentence(case: ModuleCase) -> None:
    for call, sentence in case.bad:
        with pytest.raises((ValueError, TypeError)) as error:
            call()
        assert fnmatch.fnmatchcase(str(error.value), sentence), str(error.value)


def test_trained_parameters_are_parameters_and_others_buffers(case: ModuleCase) -> None:
    names = list(case.typical)
    assert len(list(case.make(trainable=False).parameters())) == 0
    assert len(list(case.make().parameters())) >= len(names)
    if names:
        one = case.make(trainable=[names[0]])
        assert [n for n, _ in one.named_parameters()] == [n for n, _ in one.named_parameters() if names[0] in n] != []
    with pytest.raises(
        ValueError, match=f"^{case.name}: trainable: expected True, False or names out of .*, got loudness"
    ):
        case.make(trainable=["loudness"])
    x = case.signal(2)
    close(case.make(trainable=False)(x), case.make()(x).detach())


def test_half_precision_leaves_parameters_as_they_are(case: ModuleCase) -> None:
    module = case.make()
    before = {k: v.dtype for k, v in module.state_dict().items()}
    for convert in (torch.nn.Module.half, torch.nn.Module.bfloat16):
        assert {k: v.dtype for k, v in convert(module).state_dict().items()} == before
    half = {k: v.half() for k, v in module.state_dict().items()}
    other = torch.nn.Sequential(case.make())
    other.load_state_dict({f"0.{k}": v for k, v in half.items()}, assign=True)
    assert {k: v.dtype for k, v in other[0].state_dict().items()} == before
    assert all(torch.equal(v, half[k].to(v.dtype)) for k, v in other[0].state_dict().items())
    assert all(v.dtype == torch.float32 for v in module.float().state_dict().values() if v.is_floating_point())


def test_repr_is_a_line_of_physical_values(case: ModuleCase) -> None:
    text = repr(case.make())
    assert text.startswith(f"{case.name}(") and "fs=" in text and "parametrizations" not in text


def test_coefficients_are_float64_and_responses_are_drawn(case: ModuleCase) -> None:
    for options in ({}, {"channels": 2}):
        if options and "channels" in case.opt_out:
            continue
        module: Any = case.make(dtype=torch.float32, **options)
        coefficients = [module.sos()] if hasattr(module, "sos") else [*module.ba()]
        assert all(c.dtype == torch.float64 for c in coefficients)
        assert all(len(c) == 2 for c in coefficients if options and case.typical)
        w, H = module.freqz(9)
        assert w.shape == (9,) and H.shape[-1] == 9 and bool(torch.isfinite(torch.view_as_real(H.detach())).all())
        if case.label == case.name:
            pyplot = pytest.importorskip("matplotlib.pyplot")
            pyplot.close(module.plot())


# ---- copies


def test_copies_filter_as_the_module(case: ModuleCase) -> None:
    module, x = case.make(), case.signal(2)
    y = module(x)
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    copies = [pickle.loads(pickle.dumps(module)), copy.deepcopy(module), torch.load(file, weights_only=False)]
    for other in copies:
        assert type(other) is type(module) and torch.equal(other(x), y)
        assert {k for k, _ in other.named_parameters()} == {k for k, _ in module.named_parameters()}
    for name in case.typical:  # and are no views of it
        setattr(copies[0], name, case.varied(name))
    assert torch.equal(module(x), y)


def test_state_dicts_load_with_weights_only(case: ModuleCase) -> None:
    module, other, x = case.make(), case.make(), case.signal(2)
    for name in case.typical:
        setattr(module, name, case.varied(name))
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(x), module(x))


@pytest.fixture
def empty_memory_is_nan() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("empty_memory_is_nan")
def test_modules_that_were_made_or_emptied_without_values_are_loaded(case: ModuleCase) -> None:
    module, x = case.make(), case.signal(2)
    with torch.device("meta"):
        made = case.make()
    assert all(t.is_meta for t in made.state_dict().values())
    for other in (made, case.make()):
        other.to_empty(device="cpu").load_state_dict(module.state_dict())
        assert torch.equal(other(x), module(x)) and repr(other) == repr(module)
        other.to("meta").to_empty(device="cpu").load_state_dict(module.state_dict())
        assert torch.equal(other(x), module(x))


# ---- calls


def test_signals_have_any_leading_shape_and_keep_their_dtype(case: ModuleCase) -> None:
    module = case.make()
    x = case.signal(2, 3)
    y = module(x).detach()
    close(module(x[0, 0]).detach(), y[0, 0])
    close(module(x[0]).detach(), y[0])
    single = module(x.float()).detach()
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), y, rtol=1e-4, atol=1e-5 * float(y.abs().max()))


def test_whole_numbers_are_a_signal_of_the_default_dtype(case: ModuleCase) -> None:
    module, x = case.make(), (100 * case.signal(2)).long()
    assert torch.equal(module(x), module(x.float()))
    stream = module.stream()
    assert stream(x).dtype == torch.float32 == stream(x).dtype


def test_what_is_no_signal_is_refused(case: ModuleCase) -> None:
    for call in (case.make(), case.make().stream(), case.make(stateful=True)):
        with pytest.raises(TypeError, match=f"^{case.name}: x: expected a torch.Tensor, got list$"):
            call([1.0, 2.0])  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=rf"^{case.name}: x: expected a signal of shape \[\.\.\., T\], got \[\]$"):
            call(torch.tensor(1.0))


def test_channels_have_sets_of_their_own(case: ModuleCase) -> None:
    module, x = case.make(channels=2), case.signal(3, 2)
    for name in case.typical:
        setattr(module, name, case.varied(name, 2))
    y = module(x)
    for c in range(2):
        one = case.make()
        for name in case.typical:
            setattr(one, name, getattr(module, name)[c].detach())
        close(y[:, c], one(x[:, c]))
    for name in case.typical:
        close(module(x, **{name: case.varied(name, 3, 2)})[1], module(x[1], **{name: case.varied(name, 3, 2)[1]}))
    with pytest.raises(ValueError, match=rf"^{case.name}: x: expected a signal of shape \[\.\.\., 2, T\]"):
        module(x[:, :1])


def test_given_values_stand_in_for_the_modules_own(case: ModuleCase) -> None:
    module, x = case.make(), case.signal(3)
    for name in case.typical:
        items = case.varied(name, 3)
        together = module(x, **{name: items})
        for item, signal, y in zip(items, x, together):
            one = case.make()
            setattr(one, name, item)
            close(y, one(signal))
            close(module(signal, **{name: item}), y)
        own = items.shape[1:]
        close(module(x[:, None].expand(3, 2, -1), **{name: items})[:, 1], together)  # channels share them
        over_time = items[:, None].expand(3, case.samples, *own)
        close(module(x, **{name: over_time}), together, 1e-8)
        close(module(x, hop=10, **{name: items[:, None].expand(3, 8, *own)}), together, 1e-8)


def test_frames_of_one_sample_are_values_for_each_sample(case: ModuleCase) -> None:
    module, x = case.make(), case.signal(2)
    for name in case.typical:
        over_time = case.varied(name, 2, case.samples)
        close(module(x, hop=1, **{name: over_time}), module(x, **{name: over_time}))


def test_wrong_names_and_shapes_of_given_values_are_refused(case: ModuleCase) -> None:
    module, x = case.make(), case.signal(2)
    with pytest.raises(TypeError, match=f"^{case.name}: expected parameters out of .*, got loudness$"):
        module(x, loudness=1.0)
    for name in case.typical:
        with pytest.raises(ValueError, match=f"^{case.name}: {name}: expected a number, shape .*, got "):
            module(x, **{name: case.varied(name, 5)})
        with pytest.raises(ValueError, match=f"^{case.name}: {name}: expected a number, shape .*, got "):
            module(x, **{name: case.varied(name, 2, case.samples - 1)})
        with pytest.raises(ValueError, match=f"^{case.name}: hop: expected .* frames of 4 samples for .*, got 3"):
            module(x, hop=4, **{name: case.varied(name, 2, 3)})


def test_given_values_are_held_to_the_rule_of_assignment(case: ModuleCase) -> None:
    module, x = case.make(), case.signal(2)
    calls: list[Callable[..., object]] = [module, lambda x, **given: module.values(**given)]
    for name in case.typical:
        fits, range_ = case.varied(name, 2), next(iter(module._stages(name)), None)
        wrong = [(fits.new_full((), math.nan), "finite numbers"), (fits.new_full((), math.inf), "finite numbers")]
        if range_ is not None and (case.label, name) != ("IIRFilter-poles", "gain"):  # may be given any sign
            wrong.append((-1e9 * fits.abs().flatten()[0], range_.expected))
        for one, expected in wrong:
            sentence = f"^{re.escape(f'{case.name}: {name}: expected {expected}, got ')}"
            with pytest.raises(ValueError, match=sentence):
                setattr(module, name, one)
            for values in (one, torch.cat([fits[:1], one.expand_as(fits[:1])])):
                for call in calls:
                    with pytest.raises(ValueError, match=sentence):
                        call(x, **{name: values})
        if hasattr(range_, "low"):
            for border in (range_.low, range_.high):
                for dtype in (torch.float32, torch.float64):
                    module(x, **{name: torch.tensor(border, dtype=dtype).expand(2, *fits.shape[1:])})
        with pytest.raises(ValueError, match=f"^{case.name}: {name}: expected real numbers, got torch.complex128$"):
            module(x, **{name: fits.to(torch.complex128)})


def test_gradients_are_right(case: ModuleCase) -> None:
    module, x = case.make(), case.signal(2)[..., :12].clone().requires_grad_()
    originals = dict(module.named_parameters())

    def filtered(x: Tensor, *values: Tensor) -> Tensor:
        return functional_call(module, dict(zip(originals, values)), (x,))

    assert torch.autograd.gradcheck(filtered, (x, *originals.values()), fast_mode=True, rtol=1e-3)


# ---- transforms


def test_compiled_and_exported_without_a_break(case: ModuleCase) -> None:
    module, x = case.make(), case.signal(2)
    y = module(x)
    torch.compiler.reset()
    close(torch.compile(module, fullgraph=True, backend="aot_eager")(x), y)
    close(torch.export.export(module, (x,)).module()(x), y)
    if case.typical:
        name = next(iter(case.typical))
        given: dict[str, Any] = {name: case.varied(name, 2, 9), "hop": 8}
        close(torch.compile(module, fullgraph=True, backend="aot_eager")(x, **given), module(x, **given))


def test_ensembles_by_vmap(case: ModuleCase) -> None:
    modules, x = [case.make(), case.make()], case.signal(2)
    for name in case.typical:
        setattr(modules[1], name, case.varied(name))
    values, buffers = stack_module_state(modules)
    base = copy.deepcopy(modules[0]).to("meta")
    together = torch.func.vmap(lambda v, b: functional_call(base, (v, b), (x,)))(values, buffers)
    close(together, torch.stack([module(x) for module in modules]))


# ---- streams


def chunks(T: int, seed: int) -> list[int]:
    generator, cuts = random.Random(seed), [1, 0]
    while sum(cuts) < T:
        cuts.append(min(generator.randint(1, T // 3), T - sum(cuts)))
    return cuts


def test_streams_equal_the_whole(case: ModuleCase) -> None:
    for seed, options in enumerate(({}, {"channels": 2})):
        if options and "channels" in case.opt_out:
            continue
        module, x = case.make(**options), case.signal(3, 2).requires_grad_()
        whole = module(x)
        stream = module.stream(attached=True)
        y = torch.cat([stream(part) for part in x.split(chunks(case.samples, seed), -1)], -1)
        close(y, whole, 1e-9)
        wanted = [x, *module.parameters()]
        weights = case.signal(seed=7)[..., : y.shape[-1]]
        for got, expected in zip(
            *(torch.autograd.grad((v * weights).sum(), wanted, allow_unused=True) for v in (y, whole))
        ):
            if got is not None and expected is not None:
                close(got, expected, 1e-7)
            else:
                assert got is expected is None


def test_streams_take_frames(case: ModuleCase) -> None:
    module, x, hop = case.make(), case.signal(2), 8
    for name in case.typical:
        frames = case.varied(name, 2, case.samples // hop + 1)
        stream, position, parts = module.stream(), 0, []
        for part in x.split(chunks(case.samples, 3), -1):
            parts.append(stream(part, hop=hop, **{name: frames[:, position // hop :]}))
            position += part.shape[-1]
        close(torch.cat(parts, -1), module(x, hop=hop, **{name: frames}), 1e-9)


def test_streams_notice_changed_parameters_other_signals_and_rates(case: ModuleCase) -> None:
    module, x = case.make(), case.signal(2)
    stream = module.stream(fs=module.fs)
    first = stream(x)
    assert not first.is_leaf or not first.requires_grad
    for name in case.typical:
        setattr(module, name, case.varied(name))
    position, memory = stream.state
    after = stream(x)
    close(after, module.step(x, (position, memory))[0])  # from the next sample on, with the state that was there
    if case.typical:
        assert not torch.allclose(after, case.make().step(x, (position, memory))[0])
    state = stream.state
    with pytest.raises(ValueError, match=rf"^{case.name}: x: expected chunks of .* with leading shape \[2\]"):
        stream(case.signal(3))
    assert stream.state is state
    stream.reset()
    close(stream(x), module(x))
    with pytest.raises(ValueError, match=f"^{case.name}: fs: expected the .* Hz that the module was made for, got "):
        module.stream(fs=module.fs + 1)


def test_stateful_modules_go_on_and_save_their_state_when_asked(case: ModuleCase) -> None:
    whole, x = case.make(), case.signal(2)
    y = whole(x)
    cuts = x[..., :20], x[..., 20:]
    module = case.make(stateful=True)
    close(torch.cat([module(part) for part in cuts], -1), y, 1e-9)
    assert not any("state" in name for name in module.state_dict())
    module.reset()
    close(module(x), y)
    saved = case.make(save_state=True)
    saved(cuts[0])
    loaded = case.make(save_state=True)
    loaded.load_state_dict(saved.state_dict())
    close(loaded(cuts[1]), y[..., -cuts[1].shape[-1] :], 1e-9)
    close(copy.deepcopy(saved)(cuts[1]), loaded.step(cuts[1], saved._stream.state)[0])
    torch.compiler.reset()
    compiled = torch.compile(case.make(stateful=True), fullgraph=True, backend="aot_eager")
    close(torch.cat([compiled(part) for part in cuts], -1), y, 1e-9)


def identity(batch: list[Any]) -> Any:
    return batch[0]


class Filtered(torch.utils.data.Dataset[Tensor]):
    def __init__(self, module: FilterModule) -> None:
        self.module = module

    def __getitem__(self, k: int) -> Tensor:
        return self.module(torch.full((16,), float(k)))

    def __len__(self) -> int:
        return 2


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_modules_are_taken_along_into_workers_of_a_data_loader(start: str) -> None:
    module = polezero.nn.ParametricEQ(fs=8000, trainable=False)
    loader = DataLoader(Filtered(module), num_workers=1, collate_fn=identity, multiprocessing_context=start)
    for k, y in enumerate(loader):
        close(y, module(torch.full((16,), float(k))))
