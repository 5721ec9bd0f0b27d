"""Fit the physics of a plate, and then each of its modes, to the plate's response to a blow, by gradients.

polezero.nn.PlateReverb is the plate of the first DAFx parameter-estimation challenge: sides, thickness, tension,
density and losses give the frequency, the decay and the gain of each mode, and a bank of modes filters. The response
tells of density, thickness, tension and Young's modulus only three numbers, mu = rho h, D / mu and T_0 / mu, so that
Young's modulus is taken as known; as in the challenge one side is, and where the plate is struck.

The recording is synthetic: the challenge's formulas for a hidden plate, each mode of it off by a little, as no plate is
as thin or as freely supported as they have it, and noise 60 dB below. Learning begins at what a tape measure may tell,
a tenth off and more, in two dozen guesses, which are channels of one module. At first a steep window sees the first
waves, which depend on the plate smoothly; as it opens, it sees the modes. Then a ModalReverb takes over the best
plate's modes and learns each by itself, with the plate as what is believed of modes too weak to be heard.

Errors are the challenge's, of modes: the mean of |estimate - truth| / |truth| for frequencies, decays and gains, each
error at most 1, and 1 for a mode that is missing.

    python examples/plate_reverb.py [--seed 1] [--help]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import functional_call, jacfwd

from polezero.nn import ModalReverb, PlateReverb

SAMPLE_RATE = 2500
SAMPLES = 5000
HIGHEST = 600.0  # frequency of a mode, in Hz
NOISE_DB = -60
GUESSES = 24
PLATES = {"fs": SAMPLE_RATE, "highest": HIGHEST, "density_range": (1e3, 4e4)}
# Of the hidden plate's modes from the formulas: parts of frequencies, and of decays and gains.
OFF = (3e-4, 0.05, 0.05)
# What is believed of that: it is not known.
BELIEVED = (1e-3, 0.1, 0.1)


class Stage(NamedTuple):
    """Of learning: the window falls by 1 / e in `seconds`; `learned` are parameters of the plate."""

    seconds: float
    samples: int
    steps: int
    learned: tuple[str, ...]


BODY = ("Ly", "thickness", "tension", "density", "output")
STAGES = (
    Stage(1 / 80, 200, 12, BODY),
    Stage(1 / 30, 400, 8, BODY),
    Stage(1 / 10, 2500, 5, (*BODY, "decay", "decay_ratio")),
    Stage(1 / 3, SAMPLES, 4, (*BODY, "decay", "decay_ratio")),
)


# ---- the plate


class Modes(NamedTuple):
    frequency: Tensor  # Hz
    sigma: Tensor  # 1/s
    gain: Tensor

    @staticmethod
    def of(plate: PlateReverb) -> Modes:
        """Of one plate, up to the highest."""
        hertz, decay, gain = (value.detach() for value in plate.plate_modes())
        heard = hertz <= plate.highest
        return Modes(hertz[heard], 3 * math.log(10) / decay[heard], gain[heard])

    @property
    def amplitude(self) -> Tensor:
        """Of the sines of the response, in micrometres."""
        return 1e6 / SAMPLE_RATE**2 * self.gain / torch.sin(2 * math.pi * self.frequency / SAMPLE_RATE)


class Recording(NamedTuple):
    plate: PlateReverb
    modes: Modes
    h: Tensor


def record(seed: int) -> Recording:
    random = torch.Generator().manual_seed(seed)

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=random, dtype=torch.float64)

    plate = PlateReverb(
        1.0,
        draw(1.1, 1.8),
        thickness=draw(1.5e-3, 4e-3),
        tension=draw(10.0, 1000.0),
        density=draw(2430.0, 21230.0),
        young=draw(6.7e10, 2.2e11),
        decay_ratio=1 / 3,
        output=draw(0.51, 0.95, 2),
        **PLATES,
    )
    exact = Modes.of(plate)
    off = [part * torch.randn(len(exact.gain), generator=random, dtype=torch.float64) for part in OFF]
    modes = Modes(exact.frequency * (1 + off[0]), exact.sigma * torch.exp(off[1]), exact.gain * torch.exp(off[2]))
    t = torch.arange(SAMPLES, dtype=torch.float64)[:, None] / SAMPLE_RATE
    h = (modes.amplitude * torch.exp(-modes.sigma * t) * torch.sin(2 * math.pi * modes.frequency * t)).sum(-1)
    noise = torch.randn(SAMPLES, generator=random, dtype=torch.float64)
    return Recording(plate, modes, h + noise * h.square().mean().sqrt() * 10 ** (NOISE_DB / 20))


def measured(plate: PlateReverb, seed: int) -> PlateReverb:
    """Guesses of a hidden plate."""
    random = torch.Generator().manual_seed(seed)
    u = 2 * torch.rand(6, GUESSES, generator=random, dtype=torch.float64) - 1
    true = {name: value.detach() for name, value in plate.values().items()}
    return PlateReverb(
        true["Lx"],
        true["Ly"] * torch.exp(0.1 * u[0]),
        thickness=true["thickness"] * torch.exp(0.15 * u[1]),
        tension=true["tension"] * torch.exp(0.7 * u[2]),
        density=true["density"] * torch.exp(0.2 * u[3]),
        young=true["young"],
        decay=5.0,
        decay_ratio=0.5,
        output=(true["output"] + 0.05 * u[4:].T).clamp(0.02, 0.98),
        orders=(plate.orders[0] + 2, plate.orders[1] + 4),
        channels=GUESSES,
        **PLATES,
    )


# ---- learning


Misses = Callable[[Tensor], Tensor]


def descend(misses: Misses, start: Tensor, steps: int, longest: float) -> list[tuple[Tensor, Tensor]]:
    """Levenberg and Marquardt's steps, of many starts side by side: parameters ``[starts, P]`` and errors of each.

    ``misses`` gives what is squared and summed up, ``[starts, ..]``.
    """
    parameters, missed = start, misses(start)
    damping = start.new_full((len(start), 1, 1), 1e-2)
    path = [(parameters, missed.square().sum(-1))]
    for _ in range(steps):
        here = parameters
        jacobian = jacfwd(lambda change, here=here: misses(here + change))(torch.zeros_like(here[0]))
        curvature, gradient = jacobian.mT @ jacobian, jacobian.mT @ missed.unsqueeze(-1)
        damped = curvature + damping * torch.diag_embed(curvature.diagonal(dim1=-2, dim2=-1) + 1e-6)
        tried = parameters - torch.linalg.solve(damped, gradient).squeeze(-1).clamp(-longest, longest)
        then = misses(tried)
        better = (then.square().sum(-1) < missed.square().sum(-1))[:, None]
        parameters, missed = torch.where(better, tried, parameters), torch.where(better, then, missed)
        damping = torch.where(better[:, None], damping / 4, damping * 4).clamp(1e-9, 1e9)
        path.append((parameters, missed.square().sum(-1)))
    return path


def learn_plate(plate: PlateReverb, h: Tensor, stage: Stage) -> list[tuple[dict[str, Tensor], Tensor]]:
    """Values of all parameters after each step, and the errors of each channel of the plate."""
    window = torch.exp(-torch.arange(stage.samples) / SAMPLE_RATE / stage.seconds)
    window = window / (h[: stage.samples] * window).norm()
    impulse = torch.zeros(plate.channels, stage.samples, dtype=torch.float64)
    impulse[:, 0] = 1
    originals = {n: p.detach() for n, p in plate.named_parameters() if n.split(".")[1] in stage.learned}
    sizes = [p[0].numel() for p in originals.values()]

    def unpack(parameters: Tensor) -> dict[str, Tensor]:
        parts = parameters.split(sizes, -1)
        return {n: part.reshape(p.shape) for part, (n, p) in zip(parts, originals.items(), strict=True)}

    def misses(parameters: Tensor) -> Tensor:
        return (functional_call(plate, unpack(parameters), (impulse,)) - h[: stage.samples]) * window

    values = []
    start = torch.cat([p.reshape(plate.channels, -1) for p in originals.values()], -1)
    for parameters, error in descend(misses, start, stage.steps, 0.5):
        plate.load_state_dict(unpack(parameters), strict=False)
        values.append(({name: value.detach() for name, value in plate.values().items()}, error))
    return values


def learn_modes(plate: PlateReverb, h: Tensor) -> ModalReverb:
    """Each mode by itself, beginning with the plate's."""
    first = Modes.of(plate)
    reverb = ModalReverb(first.frequency, 3 * math.log(10) / first.sigma, 0.0, first.amplitude, fs=SAMPLE_RATE)
    impulse = torch.eye(1, len(h), dtype=torch.float64)
    # The noise is white: what the spectrum has above the modes.
    window = torch.hann_window(len(h), dtype=torch.float64)
    above = torch.fft.rfft(h * window)[int(1.2 * HIGHEST / SAMPLE_RATE * len(h)) :]
    noise = above.abs().square().mean().sqrt() / window.norm()
    # Towards a node line, where the place matters most, a gain is off by a part of the others.
    others = 0.3 * first.amplitude / first.gain * first.gain.square().mean().sqrt()
    names = ("frequency", "decay", "quadrature")
    values = {name: getattr(reverb, name).detach() for name in names}
    sizes = (values["frequency"], values["decay"], torch.hypot(values["quadrature"], others))

    def moved(z: Tensor) -> dict[str, Tensor]:
        changes = [believed * size * part for believed, size, part in zip(BELIEVED, sizes, z.chunk(3, -1), strict=True)]
        return {name: values[name] + change for name, change in zip(names, changes, strict=True)}

    def misses(z: Tensor) -> Tensor:
        return torch.cat([(reverb(impulse, **moved(z)) - h) / noise, z], -1)

    z = descend(misses, torch.zeros(1, 3 * reverb.count, dtype=torch.float64), 6, 3.0)[-1][0]
    for name, value in moved(z).items():
        setattr(reverb, name, value[0])
    return reverb


# ---- what came of it


def assigned(true: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
    """Places of pairs, at most half an octave apart, whose distances in octaves sum up to the least.

    Numbers in order are paired in order; of the longer row some are left out.
    """
    if len(true) > len(found):
        return assigned(found, true)[::-1]
    order, others = true.argsort(), found.argsort()
    cost = (true[order].log2()[:, None] - found[others].log2()).abs().tolist()
    least = [[0.0] * (len(found) - len(true) + 1)]  # of the first so many, with so many left out
    for i, row in enumerate(cost):
        sums = [before + row[i + left_out] for left_out, before in enumerate(least[-1])]
        least.append([min(sums[: k + 1]) for k in range(len(sums))])
    pairs, left_out = [], len(least[0]) - 1
    for i in reversed(range(len(true))):
        while left_out and least[i + 1][left_out] == least[i + 1][left_out - 1]:
            left_out -= 1
        if cost[i][i + left_out] <= 0.5:
            pairs.append((order[i], others[i + left_out]))
    return tuple(torch.tensor(pairs).T)


def errors(true: Modes, found: Modes) -> list[float]:
    """The challenge's RE of frequencies, decays, gains, and RE: their mean, and what there are too many or too few."""
    i, j = assigned(true.frequency, found.frequency)
    of_each = []
    for reference, estimate in zip(true, found, strict=True):
        error = torch.ones_like(reference)
        error[i] = ((estimate[j] - reference[i]) / reference[i]).abs().clamp(max=1)
        of_each.append(error.mean().item())
    surplus = abs(len(true.frequency) - len(found.frequency)) / len(true.frequency)
    return [*of_each, sum(of_each) / 3 + min(1, surplus)]


def told(values: dict[str, Tensor], poisson: float = 0.25) -> dict[str, float]:
    """What the response tells of one plate."""
    mu = values["density"] * values["thickness"]
    stiffness = values["young"] * values["thickness"] ** 3 / (12 * (1 - poisson**2))
    x, y = values["output"].unbind(-1)
    of = {"mu": mu, "D/mu": stiffness / mu, "T0/mu": values["tension"] / mu, "Ly": values["Ly"], "xo": x, "yo": y}
    return {name: value.detach().item() for name, value in of.items()}


def decibels(y: Tensor, h: Tensor) -> float:
    return 20 * math.log10(((y - h).norm() / h.norm()).item())


class Run(NamedTuple):
    values: list[dict[str, Tensor]]  # of the guess that became the best, after each step
    ends: list[int]  # of the stages
    first: PlateReverb
    plate: PlateReverb  # and the last
    reverb: ModalReverb


def alone(plate: PlateReverb, values: dict[str, Tensor]) -> PlateReverb:
    """One of many."""
    return PlateReverb(**values, orders=plate.orders, channels=1, **PLATES)


def learn(recording: Recording, seed: int) -> Run:
    plate = measured(recording.plate, seed)
    values, ends, best = [], [], 0
    for k, stage in enumerate(STAGES):
        steps = learn_plate(plate, recording.h, stage)
        values += [now for now, _ in steps]
        ends.append(len(values) - 1)
        if k == 1:  # all guesses have had their chance
            now, errors = steps[-1]
            best = int(errors.argmin())
            print(f"{int((errors < 4 * errors[best]).sum())} of {GUESSES} guesses become the same plate")
            plate = alone(plate, {name: value[best] for name, value in now.items()})
    one = [{name: value[best if len(value) > 1 else 0] for name, value in now.items()} for now in values]
    return Run(one, ends, alone(plate, one[0]), plate, learn_modes(plate, recording.h))


def response(module: PlateReverb | ModalReverb) -> Tensor:
    return module(torch.eye(1, SAMPLES, dtype=torch.float64))[0].detach()


def learned_modes(reverb: ModalReverb) -> Modes:
    frequency, decay, amplitude = (getattr(reverb, n).detach() for n in ("frequency", "decay", "quadrature"))
    gain = amplitude * torch.sin(2 * math.pi * frequency / SAMPLE_RATE) * SAMPLE_RATE**2 / 1e6
    return Modes(frequency, 3 * math.log(10) / decay, gain)


def draw(recording: Recording, run: Run, found: list[Modes], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    blue, orange, black, green, yellow, sky = "#0072b2", "#d55e00", "#222222", "#009e73", "#e69f00", "#56b4e9"
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, axes = plt.subplot_mosaic(
        [["spectrum"] * 3, ["values", "errors", "decays"]], figsize=(13, 8), constrained_layout=True
    )
    names = ("plate as measured", "plate learned", "modes learned")
    colors = (orange, green, blue)
    ax = axes["spectrum"]
    window = torch.hann_window(2 * SAMPLES, dtype=torch.float64)[SAMPLES:]
    hertz = torch.fft.rfftfreq(4 * SAMPLES, 1 / SAMPLE_RATE)

    def spectrum(h: Tensor) -> Tensor:
        return 20 * torch.fft.rfft(h * window, 4 * SAMPLES).abs().log10()

    ax.plot(hertz, spectrum(recording.h), color=black, lw=3.5, alpha=0.35, label="recording")
    for module, name, color in zip((run.first, run.plate, run.reverb), names, colors, strict=True):
        ax.plot(hertz, spectrum(response(module)), color=color, lw=1, label=name)
    ax.set(title="Spectrum", xlabel="frequency (Hz)", ylabel="dB", xlim=(0, 200), ylim=(-25, 72))
    ax.legend(frameon=False, loc="upper right", ncols=4)
    truth = told(recording.plate.values())
    labels = {"mu": r"$\mu$", "D/mu": r"$D/\mu$", "T0/mu": r"$T_0/\mu$", "Ly": "$L_y$", "xo": "$x_o$", "yo": "$y_o$"}
    for (name, label), color in zip(labels.items(), (blue, orange, black, green, yellow, sky), strict=True):
        axes["values"].plot([told(v)[name] / truth[name] for v in run.values], color=color, label=label)
    for end in run.ends[:-1]:
        axes["values"].axvline(end + 0.5, color=black, lw=0.8, ls=":")
    axes["values"].set(title="The plate, learned over hidden", xlabel="step", ylabel="ratio", yscale="log")
    axes["values"].legend(facecolor="white", edgecolor="none", framealpha=1, ncols=2, loc="upper right")
    axes["values"].set_yticks([0.5, 0.7, 1, 1.5, 2, 3], ["0.5", "0.7", "1", "1.5", "2", "3"])
    axes["values"].yaxis.set_minor_formatter(NullFormatter())
    for modes, name, color in zip(found, names, colors, strict=True):
        i, j = assigned(recording.modes.frequency, modes.frequency)
        true = recording.modes.frequency[i]
        off = (modes.frequency[j] / true - 1).abs()
        axes["errors"].scatter(true, off, s=9, color=color, label=name)
    axes["errors"].set(title="Frequencies of modes", xlabel="frequency (Hz)", ylabel="relative error", yscale="log")
    fall = 3 * math.log(10)
    true, plate, learned = ((m.frequency, fall / m.sigma) for m in (recording.modes, *found[1:]))
    axes["decays"].scatter(*true, s=40, color=black, alpha=0.35, lw=0, label="hidden")
    axes["decays"].plot(*(v[plate[0].argsort()] for v in plate), color=green, label=names[1])
    axes["decays"].scatter(*learned, s=9, color=blue, label=names[2], zorder=3)
    axes["decays"].set(
        title="Decays of modes", xlabel="frequency (Hz)", ylabel="time to fall by 60 dB (s)", ylim=(0, 7.5)
    )
    axes["decays"].legend(frameon=False, loc="lower left")
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the hidden plate")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    recording = record(options.seed)
    print(f"a plate of {len(recording.modes.frequency)} modes up to {HIGHEST:g} Hz")
    run = learn(recording, options.seed)
    rows = {
        "hidden": told(recording.plate.values()),
        "measured": told(run.values[0]),
        "learned": told(run.values[-1]),
    }
    for name, row in rows.items():
        print(f"{name:9}", ", ".join(f"{key} {value:.5g}" for key, value in row.items()))
    off = max(abs(rows["learned"][name] / value - 1) for name, value in rows["hidden"].items())
    print(f"off by at most {off:.2%}")
    modules = {"plate as measured": run.first, "plate learned": run.plate, "modes learned": run.reverb}
    found = [Modes.of(run.first), Modes.of(run.plate), learned_modes(run.reverb)]
    scores = [errors(recording.modes, modes) for modes in found]
    for (name, module), modes, (frequency, decay, gain, together) in zip(modules.items(), found, scores, strict=True):
        print(
            f"{name:17}: RE_freq {frequency:.6f}, RE_decay {decay:.4f}, RE_gain {gain:.4f}, RE {together:.4f}, "
            f"{len(modes.frequency)} modes; response {decibels(response(module), recording.h):.1f} dB off"
        )
    assert scores[0][-1] > 3 * scores[1][-1], "the plate has not been learned"
    assert all(after < before for after, before in zip(scores[2], scores[1], strict=True)), "modes have become worse"
    assert decibels(response(run.reverb), recording.h) < NOISE_DB + 1, "learning has not come down to the noise"
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "plate_reverb.png"
    draw(recording, run, found, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
