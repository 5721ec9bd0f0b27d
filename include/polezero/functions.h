// The functions of polezero.h as they are registered with the dispatcher, torch.ops.polezero.*, and
// defined: those of a signal take an initial state zi. polezero.h, which programs include, adds the
// same ones without a state, which return y alone, and numbers for coefficients and delays.
//
// Every function is differentiable in reverse and forward mode, to any order, and takes tensors
// of dtype float32, float64, complex64 or complex128 (float16 and bfloat16 are computed in
// float32; integers become the default float type). The result has
// the signal's dtype, and coefficients that are wider are used as they are; leading
// dimensions broadcast. Bad input throws c10::ValueError, c10::TypeError or c10::IndexError with
// one sentence: the argument, what was expected, what came.
//
// The order of arguments is SciPy's: coefficients, the signal, `axis`, zi, options. Filters return
// y and the final state zf; where zi is std::nullopt, zf is a placeholder of shape [0].
//
// Shapes: T samples, b[..., M+1], a[..., N+1], P = max(M, N).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

#if defined(__GNUC__)
#define POLEZERO_API __attribute__((visibility("default")))
#else
#define POLEZERO_API
#endif

namespace polezero {

// A recursive filter along `axis` of x:
//
//   a_0 y[n] = sum_{k=0..M} b_k x[n-k] - sum_{i=1..N} a_i y[n-i]
//
// H(z) = (b_0 + b_1 z^-1 + ... + b_M z^-M) / (a_0 + a_1 z^-1 + ... + a_N z^-N).
// zi is the initial state, P values along `axis`, in the convention of scipy.signal.lfilter
// (transposed direct form II). `backward`, "one_pass" or "two_pass", says how reverse mode computes
// the gradients of b and a; they are equal. Returns y, in the shape of x broadcast with the leading
// dimensions of b and a, and zf. Throws c10::ValueError where a[..., 0] = 0 or a shape does not
// fit.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> lfilter(const at::Tensor& b, const at::Tensor& a,
                                                        const at::Tensor& x, int64_t axis,
                                                        const std::optional<at::Tensor>& zi,
                                                        std::string_view backward = "one_pass");

// The state zi[..., P] in which lfilter answers a step of height 1 with its steady state at once:
// scipy.signal.lfilter_zi. It is float64 or complex128. Throws c10::ValueError where a[..., 0] = 0
// or, to rounding, sum_i a_i = 0.
POLEZERO_API at::Tensor lfilter_zi(const at::Tensor& b, const at::Tensor& a);

// The state zi[..., P] of lfilter that past outputs and inputs leave behind, newest first: y[...,
// 0] is y[-1]; missing ones are zero. It is float64 or complex128. scipy.signal.lfiltic.
POLEZERO_API at::Tensor lfiltic(const at::Tensor& b, const at::Tensor& a, const at::Tensor& y,
                                const std::optional<at::Tensor>& x = {});

// How the output of lfilter, from rest, moves with each coefficient:
// (dy/db [..., T, M+1], dy/da [..., T, N+1]), a_0 included, in one filter pass each, after one for
// y. The time axis of x comes last but one.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> sensitivity(const at::Tensor& b,
                                                            const at::Tensor& a,
                                                            const at::Tensor& x, int64_t axis = -1);

// An all-pole filter along the last axis of x, a[..., N] holding a_1..a_N (a_0 = 1):
//
//   y[n] = x[n] - sum_{i=1..N} a_i y[n-i]
//
// zi[..., N] are the past outputs, newest first: zi[k-1] = y[-k]. zf are the last N outputs, newest
// first.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> allpole(const at::Tensor& a, const at::Tensor& x,
                                                        const std::optional<at::Tensor>& zi,
                                                        std::string_view backward = "one_pass");

// lfilter along the last axis as a state-space filter in transposed direct form II, zi[..., P] as
// there: what lpv::tdf2_ssm is with constant coefficients.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> tdf2_ssm(const at::Tensor& b, const at::Tensor& a,
                                                         const at::Tensor& x,
                                                         const std::optional<at::Tensor>& zi,
                                                         std::string_view backward = "one_pass");

// h[n] = a[n] h[n-1] + x[n] along the last axis of x; a[..., T], a[..., 1], or a scalar. zi[..., 1]
// is h[-1], zf[..., 1] the last value of h.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> linear_recurrence(
    const at::Tensor& a, const at::Tensor& x, const std::optional<at::Tensor>& zi);

// A cascade of second-order sections sos[..., K, 6] (b_0 b_1 b_2 a_0 a_1 a_2, a_0 divided out)
// along `axis` of x. zi and zf are scipy.signal.sosfilt's: [K, ...] with 2 values along `axis`.
// Throws c10::ValueError where sos[..., 3] = 0 or a shape does not fit.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> sosfilt(const at::Tensor& sos, const at::Tensor& x,
                                                        int64_t axis,
                                                        const std::optional<at::Tensor>& zi);

// The states zi[K, ..., 2] in which sosfilt answers a step of height 1 with its steady state at
// once: scipy.signal.sosfilt_zi. They are float64 or complex128. Throws c10::ValueError where
// sos[..., 3] = 0 or a section has a pole at z = 1.
POLEZERO_API at::Tensor sosfilt_zi(const at::Tensor& sos);

// Zero phase: lfilter, or sosfilt, along `axis` of x and then backwards, with conjugate
// coefficients, so that the gain is |H|^2; float64 between the two.
//
// Method "pad" extends the signal at both ends by `padlen` samples (by default 3 times the number
// of taps): `padtype` "odd" about the end sample as a centre, "even" about it as a mirror,
// "constant" by it, std::nullopt not at all; both directions begin in the steady state of their
// first sample. Method "gust" chooses the states in which they begin so that the result does not
// depend on which direction comes first; `irlen` is the length of the filter's impulse response,
// std::nullopt that of the signal. Throws c10::ValueError where x has no more than `padlen` samples
// or, in method "pad", the filter a pole at z = 1.
POLEZERO_API at::Tensor filtfilt(const at::Tensor& b, const at::Tensor& a, const at::Tensor& x,
                                 int64_t axis = -1, std::optional<std::string_view> padtype = "odd",
                                 std::optional<c10::SymInt> padlen = {},
                                 std::string_view method = "pad",
                                 std::optional<c10::SymInt> irlen = {});
POLEZERO_API at::Tensor sosfiltfilt(const at::Tensor& sos, const at::Tensor& x, int64_t axis = -1,
                                    std::optional<std::string_view> padtype = "odd",
                                    std::optional<c10::SymInt> padlen = {},
                                    std::string_view method = "pad",
                                    std::optional<c10::SymInt> irlen = {});

// A state-space filter with I inputs, O outputs and S states:
//
//   v[n+1] = A v[n] + B x[n]      A[..., S, S], B[..., S, I]
//   y[n]   = C v[n] + D x[n]      C[..., O, S], D[..., O, I], x[..., I, T], y[..., O, T]
//
// Without C the states v[0..T-1] are returned; without D it is zero. zi[..., S] is v[0], zf is
// v[T].
POLEZERO_API std::tuple<at::Tensor, at::Tensor> state_space(
    const at::Tensor& A, const at::Tensor& B, const std::optional<at::Tensor>& C,
    const std::optional<at::Tensor>& D, const at::Tensor& x, const std::optional<at::Tensor>& zi);

// A comb filter along the last axis of x:
//
//   y[n] = x[n] - a y[n-D]
//
// a and the delay D >= 1, in samples: a value for each row of x, [...], or, with as many dimensions
// as x has, for each sample, [..., T]. D is of an integer dtype, or with `interpolation` "linear"
// (D >= 1), "lagrange3" (D >= 2) or "thiran" (D >= 1.5; a and D constant, no zi) of a floating one,
// and then it has a gradient. zi are the last outputs, newest first, as many as the delay goes back
// or more; zf as many.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> comb_filter(
    const at::Tensor& a, const at::Tensor& delay, const at::Tensor& x,
    const std::optional<at::Tensor>& zi, std::optional<std::string_view> interpolation = {},
    std::string_view backward = "one_pass");

// y[n] = x[n] + b x[n-D]; zi are the last inputs.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> feedforward_comb(
    const at::Tensor& b, const at::Tensor& delay, const at::Tensor& x,
    const std::optional<at::Tensor>& zi, std::optional<std::string_view> interpolation = {});

// Schroeder's all-pass section, w[n] = x[n] - a w[n-D], y[n] = a w[n] + w[n-D]; zi are the last w.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> allpass_comb(
    const at::Tensor& a, const at::Tensor& delay, const at::Tensor& x,
    const std::optional<at::Tensor>& zi, std::optional<std::string_view> interpolation = {});

// y[n] = x[n] - sum_l a_l[n] y[n - d_l[n]]; a and the integers delays are [..., L], or, with one
// dimension more than x, [..., T, L]. zi are the last outputs, newest first.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> sparse_allpole(const at::Tensor& a,
                                                               const at::Tensor& delays,
                                                               const at::Tensor& x,
                                                               const std::optional<at::Tensor>& zi);

// A cubic spline through x along `axis`, at 0, 1/m, 2/m .. T - 1: (T - 1) m + 1 samples, every m-th
// of them one of x. Beyond its ends x is mirrored: with `boundary` "reflect" about the end samples,
// as torch pads, with "scipy" half a sample beyond them.
POLEZERO_API at::Tensor cubic_spline(const at::Tensor& x, c10::SymInt m,
                                     std::string_view boundary = "reflect", int64_t axis = -1);

// scipy.signal's: B-spline coefficients of x (with `lamb`, above 1/144, of a smoothing spline), the
// splines at newx, in samples, and symmetric filters, x mirrored half a sample beyond its ends.
// newx[P], or of as many dimensions as cj has, P along `axis`; differentiable in it too.
POLEZERO_API at::Tensor cspline1d(const at::Tensor& x, double lamb = 0, int64_t axis = -1);
POLEZERO_API at::Tensor qspline1d(const at::Tensor& x, int64_t axis = -1);
POLEZERO_API at::Tensor cspline1d_eval(const at::Tensor& cj, const at::Tensor& newx,
                                       int64_t axis = -1);
POLEZERO_API at::Tensor qspline1d_eval(const at::Tensor& cj, const at::Tensor& newx,
                                       int64_t axis = -1);
// The coefficients of images x[..., H, W], along both of the last axes.
POLEZERO_API at::Tensor cspline2d(const at::Tensor& x, double lamb = 0);
POLEZERO_API at::Tensor qspline2d(const at::Tensor& x);
// c0 / ((1 - z1 / z) (1 - z1 z))
POLEZERO_API at::Tensor symiirorder1(const at::Tensor& x, double c0, double z1, int64_t axis = -1);
// Poles at r exp(+-i omega) and their inverses, gain 1 at frequency 0.
POLEZERO_API at::Tensor symiirorder2(const at::Tensor& x, double r, double omega,
                                     int64_t axis = -1);

// A bank of modes, first-order filters with complex poles[..., modes], summed with gains[...,
// modes]:
//
//   s_k[n] = p_k s_k[n-1] + x[n],   y[n] = Re sum_k g_k s_k[n]
//
// x[..., T] is real. A conjugate pair of poles is one mode of twice the gain. zi[..., modes] is
// s[-1], zf is s[T-1], complex.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> modal_bank(const at::Tensor& poles,
                                                           const at::Tensor& gains,
                                                           const at::Tensor& x,
                                                           const std::optional<at::Tensor>& zi);

// The partial fractions of a filter: modes for modal_bank, and an FIR filter beside them.
//
//   B(z) / A(z) = sum_i direct_i z^-i + sum_k residues_k / (1 - poles_k z^-1)
//
// Returns residues[..., N], poles[..., N], both complex, and direct[..., max(M - N, 0) + 1]. Throws
// c10::ValueError where a[..., 0] = 0, where two poles are closer than 1e-5, or several so close
// that their residues are 10000 times the impulse response, and where M >= N and a[..., N] = 0; on
// a GPU no value is looked at, and the result is inf, NaN or meaningless then.
POLEZERO_API std::tuple<at::Tensor, at::Tensor, at::Tensor> parallel_form(const at::Tensor& b,
                                                                          const at::Tensor& a);

// A state-space filter A[..., S, S], B[..., S, I], C[..., O, S] as modes:
//
//   C (z I - A)^-1 B = z^-1 sum_k gains_k / (1 - poles_k z^-1)
//
// Returns poles[..., S] and gains[..., O, I, S], complex: output o is the sum over the inputs i of
// modal_bank with gains[..., o, i, :], one sample late. Throws c10::ValueError where two poles are
// closer than 1e-5, or eigenvectors nearly parallel; values are looked at as parallel_form does.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> diagonalise(const at::Tensor& A,
                                                            const at::Tensor& B,
                                                            const at::Tensor& C);

// Frequency sampling: filters evaluated on a grid of n frequencies around the circle, by FFT. For
// losses on spectra, which need no filtered signal; polezero::lfilter filters faster and more
// precisely (docs/frequency_sampling.md).
namespace freq {

// Filters x along `axis` by way of its spectrum, T points of it: the filter's output for x repeated
// every T samples. With `correction` "zeropad" there are at least 2 T points, so that T samples
// pass before the ringing comes back, and with "truncate" it never does: the result is
// polezero::lfilter's, but for rounding.
POLEZERO_API at::Tensor lfilter(const at::Tensor& b, const at::Tensor& a, const at::Tensor& x,
                                std::string_view correction = "none", int64_t axis = -1);

// H(e^(j w)) X for spectra with their frequencies along `axis`: at::fft_rfft(x, n), or, not
// `onesided`, at::fft_fft(x). One-sided ones of F frequencies belong to n = 2 F - 2, or to 2 F - 1,
// which has to be named.
POLEZERO_API at::Tensor apply(const at::Tensor& b, const at::Tensor& a, const at::Tensor& X,
                              std::optional<c10::SymInt> n = {}, int64_t axis = -1,
                              bool onesided = true);

// H(e^(j w)), complex, at w = 2 pi k / n, k = 0 .. n / 2 (`onesided`, of real coefficients), or
// k = 0 .. n - 1.
POLEZERO_API at::Tensor response(const at::Tensor& b, const at::Tensor& a, c10::SymInt n,
                                 bool onesided = true);

// The response 1 / (1 + a e^(-j w D)) of a feedback comb, whose delay D may lie between samples and
// has a gradient; a and delay[...].
POLEZERO_API at::Tensor comb(const at::Tensor& a, const at::Tensor& delay, c10::SymInt n,
                             bool onesided = true);

}  // namespace freq

// Coefficients that change with time: [..., T, coefficients], or [..., 1, coefficients] where they
// do not; x[..., T].
// Coefficients [..., T, taps] of each sample, or [..., 1, taps] that stay; or, with `hop`, [..., F,
// taps] of frames that are so many samples apart, "linear" between two of them or with "hold" the
// one before, the last one held; `offset` is the place of x[..., 0] in its frame.
namespace lpv {

// y[n] = x[n] - sum_{i=1..N} a_i[n] y[n-i], a[..., T, N] holding a_1..a_N. zi and zf are the last N
// outputs, newest first.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> allpole(const at::Tensor& a, const at::Tensor& x,
                                                        const std::optional<at::Tensor>& zi,
                                                        std::optional<c10::SymInt> hop = {},
                                                        std::string_view interpolation = "linear",
                                                        c10::SymInt offset = 0);

// y[n] = sum_{k=0..M} b_k[n] x[n-k], b[..., T, M+1]. zi and zf are the last M inputs, newest first.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> fir(const at::Tensor& b, const at::Tensor& x,
                                                    const std::optional<at::Tensor>& zi,
                                                    std::optional<c10::SymInt> hop = {},
                                                    std::string_view interpolation = "linear",
                                                    c10::SymInt offset = 0);

// A filter b[..., T, M+1], a[..., T, N+1] (a_0 included and divided out) in one of the direct
// forms, which differ once coefficients move:
//
//   "df1"   y[n] = sum_k b_k[n] x[n-k] - sum_i a_i[n] y[n-i]      zi: x[-1..-M], y[-1..-N]
//   "df2"   w[n] = x[n] - sum_i a_i[n] w[n-i], y[n] = sum_k b_k[n] w[n-k]      zi: w[-1..-P]
//   "tdf1"  v[n] = x[n] - sum_i a_i[n-i] v[n-i], y[n] = sum_k b_k[n-k] v[n-k]
//           zi: what is added to v[0..N-1], to y[0..M-1]
//   "tdf2"  y[n] = sum_k b_k[n-k] x[n-k] - sum_i a_i[n-i] y[n-i]  zi: what is added to y[0..P-1]
POLEZERO_API std::tuple<at::Tensor, at::Tensor> lfilter(const at::Tensor& b, const at::Tensor& a,
                                                        const at::Tensor& x,
                                                        const std::optional<at::Tensor>& zi,
                                                        std::string_view form = "tdf2",
                                                        std::optional<c10::SymInt> hop = {},
                                                        std::string_view interpolation = "linear",
                                                        c10::SymInt offset = 0);

// lfilter in the form "tdf2".
POLEZERO_API std::tuple<at::Tensor, at::Tensor> tdf2_ssm(const at::Tensor& b, const at::Tensor& a,
                                                         const at::Tensor& x,
                                                         const std::optional<at::Tensor>& zi,
                                                         std::optional<c10::SymInt> hop = {},
                                                         std::string_view interpolation = "linear",
                                                         c10::SymInt offset = 0);

// A cascade of second-order sections sos[..., T, K, 6], each in transposed direct form II. zi and
// zf as polezero::sosfilt has them.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> sosfilt(const at::Tensor& sos, const at::Tensor& x,
                                                        const std::optional<at::Tensor>& zi,
                                                        std::optional<c10::SymInt> hop = {},
                                                        std::string_view interpolation = "linear",
                                                        c10::SymInt offset = 0);

// An all-pole lattice of N stages with reflection coefficients k[..., T, N], |k| < 1: with constant
// k it is 1 / A(z), A_i(z) = A_{i-1}(z) + k_i z^-i A_{i-1}(1/z) (conjugated coefficients). The
// stages are rotations (a normalised lattice), so it is stable however k moves. With taps[..., T,
// N+1] the output is a ladder's, sum_i taps_i z^-i A_i(1/z) / A_N(z), which gives zeros. zi and
// zf[..., N] are what the stages' delays hold.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> lattice(const at::Tensor& k, const at::Tensor& x,
                                                        const std::optional<at::Tensor>& zi,
                                                        const std::optional<at::Tensor>& taps = {},
                                                        std::optional<c10::SymInt> hop = {},
                                                        std::string_view interpolation = "linear",
                                                        c10::SymInt offset = 0);

// The sum of sections sos[..., T, K, 6] that filter x side by side, each a lattice with a ladder:
// it is stable however the sections move, as long as each one is at all times. zi and zf [K, ...,
// 2] are those of the lattices.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> parallel(const at::Tensor& sos, const at::Tensor& x,
                                                         const std::optional<at::Tensor>& zi,
                                                         std::optional<c10::SymInt> hop = {},
                                                         std::string_view interpolation = "linear",
                                                         c10::SymInt offset = 0);

// polezero::state_space with matrices A[..., T, S, S] and so on, each with 1 in place of T where it
// does not change.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> state_space(
    const at::Tensor& A, const at::Tensor& B, const std::optional<at::Tensor>& C,
    const std::optional<at::Tensor>& D, const at::Tensor& x, const std::optional<at::Tensor>& zi,
    std::optional<c10::SymInt> hop = {}, std::string_view interpolation = "linear",
    c10::SymInt offset = 0);

}  // namespace lpv

}  // namespace polezero
