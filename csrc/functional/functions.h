// The public functions: any axis, dtypes promoted as torch does, then core ops. Those of
// polezero.lpv, whose coefficients change with time, are called lpv_*, those of polezero.freq
// freq_*.
#pragma once

#include <c10/util/string_view.h>

#include <tuple>

#include "ops/checks.h"

namespace polezero::functional {

// y and zf; zf has shape [0] without zi. `backward` is "one_pass" or "two_pass".
std::tuple<Tensor, Tensor> lfilter(const Tensor& b, const Tensor& a, const Tensor& x,
                                   const OptionalTensor& zi, int64_t axis,
                                   c10::string_view backward);
std::tuple<Tensor, Tensor> allpole(const Tensor& a, const Tensor& x, const OptionalTensor& zi,
                                   c10::string_view backward);
std::tuple<Tensor, Tensor> tdf2_ssm(const Tensor& b, const Tensor& a, const Tensor& x,
                                    const OptionalTensor& zi, c10::string_view backward);
std::tuple<Tensor, Tensor> linear_recurrence(const Tensor& a, const Tensor& x,
                                             const OptionalTensor& zi);
std::tuple<Tensor, Tensor> sosfilt(const Tensor& sos, const Tensor& x, const OptionalTensor& zi,
                                   int64_t axis);
// x[..., I, T] -> y[..., O, T]; matrices without an axis of time, or (lpv) with one.
std::tuple<Tensor, Tensor> state_space(const Tensor& A, const Tensor& B, const OptionalTensor& C,
                                       const OptionalTensor& D, const Tensor& x,
                                       const OptionalTensor& zi);
std::tuple<Tensor, Tensor> lpv_state_space(const Tensor& A, const Tensor& B,
                                           const OptionalTensor& C, const OptionalTensor& D,
                                           const Tensor& x, const OptionalTensor& zi);
// a and delay of the rows of x, or [..., T] of every sample. `interpolation` is "linear",
// "lagrange3" or "thiran".
std::tuple<Tensor, Tensor> comb_filter(const Tensor& a, const Tensor& delay, const Tensor& x,
                                       const OptionalTensor& zi,
                                       std::optional<c10::string_view> interpolation,
                                       c10::string_view backward);
std::tuple<Tensor, Tensor> feedforward_comb(const Tensor& b, const Tensor& delay, const Tensor& x,
                                            const OptionalTensor& zi,
                                            std::optional<c10::string_view> interpolation);
std::tuple<Tensor, Tensor> allpass_comb(const Tensor& a, const Tensor& delay, const Tensor& x,
                                        const OptionalTensor& zi,
                                        std::optional<c10::string_view> interpolation);
// a and delays [..., L], or [..., T, L] of one dimension more than x.
std::tuple<Tensor, Tensor> sparse_allpole(const Tensor& a, const Tensor& delays, const Tensor& x,
                                          const OptionalTensor& zi);
// `boundary` is "reflect" or "scipy".
Tensor cubic_spline(const Tensor& x, c10::SymInt m, c10::string_view boundary, int64_t axis);
Tensor cspline1d(const Tensor& x, double lamb, int64_t axis);
Tensor qspline1d(const Tensor& x, int64_t axis);
Tensor cspline1d_eval(const Tensor& c, const Tensor& t, int64_t axis);
Tensor qspline1d_eval(const Tensor& c, const Tensor& t, int64_t axis);
// Along both of the last axes.
Tensor cspline2d(const Tensor& x, double lamb);
Tensor qspline2d(const Tensor& x);
Tensor symiirorder1(const Tensor& x, double c0, double z1, int64_t axis);
Tensor symiirorder2(const Tensor& x, double r, double omega, int64_t axis);
// poles, gains and zi [..., modes], complex or not.
std::tuple<Tensor, Tensor> modal_bank(const Tensor& poles, const Tensor& gains, const Tensor& x,
                                      const OptionalTensor& zi);
// residues[..., N], poles[..., N] and direct[..., max(M - N, 0) + 1]
std::tuple<Tensor, Tensor, Tensor> parallel_form(const Tensor& b, const Tensor& a);
// poles[..., S] and gains[..., O, I, S]
std::tuple<Tensor, Tensor> diagonalise(const Tensor& A, const Tensor& B, const Tensor& C);
// Frequency sampling, polezero.freq. `correction` is "none", "zeropad" or "truncate"; n points of a
// grid around the circle, of which `onesided` is the upper half.
Tensor freq_lfilter(const Tensor& b, const Tensor& a, const Tensor& x, c10::string_view correction,
                    int64_t axis);
Tensor freq_apply(const Tensor& b, const Tensor& a, const Tensor& X, std::optional<c10::SymInt> n,
                  int64_t axis, bool onesided);
Tensor freq_response(const Tensor& b, const Tensor& a, c10::SymInt n, bool onesided);
Tensor freq_comb(const Tensor& a, const Tensor& delay, c10::SymInt n, bool onesided);
std::tuple<Tensor, Tensor> lpv_allpole(const Tensor& a, const Tensor& x, const OptionalTensor& zi);
std::tuple<Tensor, Tensor> lpv_fir(const Tensor& b, const Tensor& x, const OptionalTensor& zi);
// `form` is "df1", "df2", "tdf1" or "tdf2".
std::tuple<Tensor, Tensor> lpv_lfilter(const Tensor& b, const Tensor& a, const Tensor& x,
                                       const OptionalTensor& zi, c10::string_view form);
std::tuple<Tensor, Tensor> lpv_tdf2_ssm(const Tensor& b, const Tensor& a, const Tensor& x,
                                        const OptionalTensor& zi);
std::tuple<Tensor, Tensor> lpv_lattice(const Tensor& k, const OptionalTensor& taps, const Tensor& x,
                                       const OptionalTensor& zi);
std::tuple<Tensor, Tensor> lpv_parallel(const Tensor& sos, const Tensor& x,
                                        const OptionalTensor& zi);
std::tuple<Tensor, Tensor> lpv_sosfilt(const Tensor& sos, const Tensor& x,
                                       const OptionalTensor& zi);
// dy/db[..., T, M+1] and dy/da[..., T, N+1].
std::tuple<Tensor, Tensor> sensitivity(const Tensor& b, const Tensor& a, const Tensor& x,
                                       int64_t axis);

}  // namespace polezero::functional

// The names of all, which are those of the ops: of functions of a signal, and of coefficients
// alone.
#define POLEZERO_SIGNAL_FUNCTIONS(_)                                                              \
  _(lfilter), _(allpole), _(sensitivity), _(tdf2_ssm), _(linear_recurrence), _(sosfilt),          \
      _(state_space), _(comb_filter), _(feedforward_comb), _(allpass_comb), _(sparse_allpole),    \
      _(cubic_spline), _(cspline1d), _(qspline1d), _(cspline1d_eval), _(qspline1d_eval),          \
      _(cspline2d), _(qspline2d), _(symiirorder1), _(symiirorder2), _(modal_bank),                \
      _(freq_lfilter), _(freq_apply), _(lpv_allpole), _(lpv_fir), _(lpv_lfilter), _(lpv_lattice), \
      _(lpv_parallel), _(lpv_sosfilt), _(lpv_state_space), _(lpv_tdf2_ssm)
#define POLEZERO_COEFFICIENT_FUNCTIONS(_) \
  _(parallel_form), _(diagonalise), _(freq_response), _(freq_comb)
