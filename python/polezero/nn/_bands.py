"""The bands of a filter bank: what is said of them, and their design, those of one structure together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

import torch
from torch import Tensor

from polezero._design import checks
from polezero._design.audio import biquad
from polezero._design.cookbook import TYPES, WITHOUT_GAIN
from polezero._design.crossovers import crossover
from polezero._design.peaks import gammatone
from polezero.nn._checks import Refused, choice, whole
from polezero.nn._designs import DECIBELS, OPTIONS, designed
from polezero.nn._roots import chosen, side_by_side

CROSSOVER: Literal["linkwitz-riley"] = "linkwitz-riley"
# What the cut-offs of a band are called as a parameter, and how many dimensions one has.
PARAMETERS = {"cutoff": 0, "edges": 1, "splits": 0, "gain": 0, "Q": 0}


class Structure(NamedTuple):
    """What bands have in common that are designed together."""

    ftype: str
    order: int
    btype: str
    options: tuple[tuple[str, Any], ...]
    cutoffs: str  # cutoff, edges or splits
    has_gain: bool
    has_Q: bool


class Group(NamedTuple):
    """Bands of one structure, and where they are among all bands, cut-offs, gains and Q."""

    structure: Structure
    bands: tuple[int, ...]
    columns: Mapping[str, tuple[int, ...]]


# ---- specifications


def bands_of(bands: Sequence[Mapping[str, Any]], fs: float, refused: Refused) -> tuple[list[Group], dict[str, Tensor]]:
    """The groups of the bands, and their parameters in the order of the bands."""
    groups: dict[Structure, tuple[list[int], dict[str, list[int]]]] = {}
    values: dict[str, list[Any]] = {}
    count = 0
    for k, band in enumerate(bands):

        def wrong(key: str, expected: str, got: object, k: int = k) -> ValueError:
            return refused(f"bands[{k}]: {key}" if key else f"bands[{k}]", expected, got)

        structure, given = _read(band, fs, wrong)
        several = len(given["splits"]) + 1 if "splits" in given else 1
        places, columns = groups.setdefault(structure, ([], {name: [] for name in given}))
        places.extend(range(count, count + several))
        count += several
        for name, value in given.items():
            all_of_it = values.setdefault(name, [])
            if name == "splits" and all_of_it:
                raise wrong("ftype", "one crossover in a bank", "a second")
            more = value if name == "splits" else [value]
            columns[name].extend(range(len(all_of_it), len(all_of_it) + len(more)))
            all_of_it.extend(more)
    found = [
        Group(structure, tuple(places), {name: tuple(of_it) for name, of_it in columns.items()})
        for structure, (places, columns) in groups.items()
    ]
    return found, {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}


def _read(band: Mapping[str, Any], fs: float, wrong: Refused) -> tuple[Structure, dict[str, Any]]:
    """The structure of a band, and its parameters."""
    ftype, families = band.get("ftype"), (*DECIBELS, "gammatone", *TYPES, CROSSOVER)
    choice(wrong, "ftype", ftype, families)
    keys = _keys(cast(str, ftype))
    for key in band:
        if key not in keys:
            raise wrong("", f"keys out of {', '.join(keys)} for {ftype}", repr(key))
    btype = _btype(band.get("btype", "low"), wrong) if "btype" in keys else ""
    order = _order(band.get("order"), wrong) if "order" in keys else 0
    name = "splits" if ftype == CROSSOVER else "edges" if btype in ("bandpass", "bandstop") else "cutoff"
    given: dict[str, Any] = {name: _cutoffs(name, band.get("cutoff"), fs, wrong)}
    if "Q" in keys:
        given["Q"] = _number("Q", band.get("Q", 0.5**0.5), wrong)
    if band.get("gain") is not None:
        given["gain"] = _number("gain", band["gain"], wrong)
    elif ftype in TYPES and ftype not in WITHOUT_GAIN:
        raise wrong("gain", f"dB of a {ftype}", None)
    options = tuple(
        (key, _norm(band[key], wrong) if key == "norm" else _number(key, band[key], wrong))
        for key in OPTIONS.get(cast(str, ftype), ())
        if key in band
    )
    return Structure(cast(str, ftype), order, btype, options, name, "gain" in given, "Q" in given), given


def _keys(ftype: str) -> tuple[str, ...]:
    if ftype in DECIBELS:
        return "ftype", "order", "cutoff", "btype", "gain", *OPTIONS[ftype]
    if ftype == CROSSOVER:
        return "ftype", "order", "cutoff"
    return "ftype", "cutoff", "gain", *(("Q",) if ftype in TYPES else ())


def _norm(value: Any, wrong: Refused) -> Any:
    choice(wrong, "norm", value, ("phase", "delay", "mag"))
    return value


def _btype(value: Any, wrong: Refused) -> str:
    try:
        return checks.band_type("FilterBank", value)
    except ValueError:
        raise wrong("btype", "lowpass, highpass, bandpass or bandstop", repr(value)) from None


def _order(value: Any, wrong: Refused) -> int:
    return whole(wrong, "order", value, "a whole number above 0")


def _number(key: str, value: Any, wrong: Refused) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise wrong(key, "a number", repr(value)) from None
    if not math.isfinite(number):
        raise wrong(key, "a finite number", number)
    return number


def _cutoffs(name: str, value: Any, fs: float, wrong: Refused) -> float | list[float]:
    many = hasattr(value, "__len__") and not (isinstance(value, Tensor) and value.dim() == 0)
    frequencies = [_number("cutoff", v, wrong) for v in (value if many else [value])]
    wanted = {"cutoff": 1, "edges": 2}.get(name)
    if len(frequencies) != wanted if wanted else not frequencies:
        counts = {"cutoff": "one frequency", "edges": "two frequencies", "splits": "frequencies"}
        raise wrong("cutoff", counts[name], value)
    for f in frequencies:
        if not 0 < f < fs / 2:
            raise wrong("cutoff", f"frequencies between 0 and fs / 2 = {fs / 2:g}", f"{f:g}")
    if any(low >= high for low, high in itertools.pairwise(frequencies)):
        raise wrong("cutoff", "rising frequencies", frequencies)
    return frequencies if wanted != 1 else frequencies[0]


# ---- design


def sections_of(groups: Sequence[Group], values: Mapping[str, Tensor], fs: float) -> Tensor:
    """Sections ``[..., bands, K, 6]`` of the parameters, shorter cascades filled up with what passes everything."""
    cascades = [_sections(group, values, fs) for group in groups]
    K = max(sos.shape[-2] for sos in cascades)
    passing = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 0.0], dtype=torch.float64, device=cascades[0].device)
    filled = [
        side_by_side(-2, [sos, passing.expand(K - sos.shape[-2], 6)]) if sos.shape[-2] < K else sos for sos in cascades
    ]
    order = [k for group in groups for k in group.bands]
    sos = side_by_side(-3, filled) if len(filled) > 1 else filled[0]
    return chosen(sos, tuple(order.index(k) for k in range(len(order))), -3)


def _sections(group: Group, values: Mapping[str, Tensor], fs: float) -> Tensor:
    s = group.structure
    own = {name: chosen(values[name].double(), places, -1 - PARAMETERS[name]) for name, places in group.columns.items()}
    f = own[s.cutoffs]
    if s.ftype in TYPES:
        gain = None if s.ftype in WITHOUT_GAIN else own.pop("gain")
        sos = biquad(cast(Any, s.ftype), f, Q=own["Q"], gain=gain, fs=fs)
    elif s.ftype == "gammatone":
        sos = cast(Tensor, gammatone(f, "iir", fs=fs, output="sos"))
    elif s.ftype == CROSSOVER:
        sos = crossover(s.order, f, CROSSOVER, fs=fs)
    elif f.dim() == 1 + PARAMETERS[s.cutoffs] and f.shape[0] == 1:  # one filter, which is designed in plain numbers
        sos = designed(s.ftype, s.order, f[0], s.btype, fs, **dict(s.options)).unsqueeze(0)
    else:  # in a batch, of which one of one frequency is to be told from a frequency
        sos = designed(s.ftype, s.order, f.unsqueeze(0), s.btype, fs, **dict(s.options)).squeeze(0)
    return _amplified(sos, own["gain"]) if "gain" in own else sos


def _amplified(sos: Tensor, gain: Tensor) -> Tensor:
    """By decibels ``[..., bands]``."""
    factor = torch.exp(gain * (math.log(10) / 20))[..., None, None]
    first = side_by_side(-1, [sos[..., :1, :3] * factor, sos[..., :1, 3:]])
    return side_by_side(-2, [first, sos[..., 1:, :]])
