// The public functions: any axis, dtypes promoted as torch does, then core ops. Those of
// polezero.lpv, whose coefficients change with time, are called lpv_*.
#pragma once

#include <c10/util/string_view.h>

#include <tuple>

#include "ops/common.h"

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
Tensor symiirorder1(const Tensor& x, double c0, double z1, int64_t axis);
Tensor symiirorder2(const Tensor& x, double r, double omega, int64_t axis);
// poles, gains and zi [..., modes], complex or not.
std::tuple<Tensor, Tensor> modal_bank(const Tensor& poles, const Tensor& gains, const Tensor& x,
                                      const OptionalTensor& zi);
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
