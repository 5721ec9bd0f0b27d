// The functions of polezero.h, and autocast of all public ones.
#include "autograd/differentiable.h"
#include "functional/functions.h"
#include "polezero/polezero.h"

namespace polezero::functional {

// Autocast is before promotion: under it these compute in, and return, float32.
namespace {

template <auto function, size_t tensors, size_t results = 2>
struct Function {
  using Schema = std::remove_pointer_t<decltype(function)>;
  static constexpr size_t inputs = tensors, outputs = results;
};
struct Lfilter : Function<lfilter, 4> {
  static constexpr const char* name = "polezero::lfilter";
};
struct Allpole : Function<allpole, 3> {
  static constexpr const char* name = "polezero::allpole";
};
struct Tdf2Ssm : Function<tdf2_ssm, 4> {
  static constexpr const char* name = "polezero::tdf2_ssm";
};
struct LinearRecurrence : Function<linear_recurrence, 3> {
  static constexpr const char* name = "polezero::linear_recurrence";
};
struct Sosfilt : Function<sosfilt, 3> {
  static constexpr const char* name = "polezero::sosfilt";
};
struct StateSpace : Function<state_space, 6> {
  static constexpr const char* name = "polezero::state_space";
};
struct CombFilter : Function<comb_filter, 4> {
  static constexpr const char* name = "polezero::comb_filter";
};
struct FeedforwardComb : Function<feedforward_comb, 4> {
  static constexpr const char* name = "polezero::feedforward_comb";
};
struct AllpassComb : Function<allpass_comb, 4> {
  static constexpr const char* name = "polezero::allpass_comb";
};
struct SparseAllpole : Function<sparse_allpole, 4> {
  static constexpr const char* name = "polezero::sparse_allpole";
};
struct CubicSpline : Function<cubic_spline, 1, 1> {
  static constexpr const char* name = "polezero::cubic_spline";
};
struct Cspline1d : Function<cspline1d, 1, 1> {
  static constexpr const char* name = "polezero::cspline1d";
};
struct Qspline1d : Function<qspline1d, 1, 1> {
  static constexpr const char* name = "polezero::qspline1d";
};
struct Cspline1dEval : Function<cspline1d_eval, 2, 1> {
  static constexpr const char* name = "polezero::cspline1d_eval";
};
struct Qspline1dEval : Function<qspline1d_eval, 2, 1> {
  static constexpr const char* name = "polezero::qspline1d_eval";
};
struct Symiirorder1 : Function<symiirorder1, 1, 1> {
  static constexpr const char* name = "polezero::symiirorder1";
};
struct Symiirorder2 : Function<symiirorder2, 1, 1> {
  static constexpr const char* name = "polezero::symiirorder2";
};
struct ModalBank : Function<modal_bank, 4> {
  static constexpr const char* name = "polezero::modal_bank";
};
struct LpvAllpole : Function<lpv_allpole, 3> {
  static constexpr const char* name = "polezero::lpv_allpole";
};
struct LpvFir : Function<lpv_fir, 3> {
  static constexpr const char* name = "polezero::lpv_fir";
};
struct LpvLfilter : Function<lpv_lfilter, 4> {
  static constexpr const char* name = "polezero::lpv_lfilter";
};
struct LpvTdf2Ssm : Function<lpv_tdf2_ssm, 4> {
  static constexpr const char* name = "polezero::lpv_tdf2_ssm";
};
struct LpvLattice : Function<lpv_lattice, 4> {
  static constexpr const char* name = "polezero::lpv_lattice";
};
struct LpvParallel : Function<lpv_parallel, 3> {
  static constexpr const char* name = "polezero::lpv_parallel";
};
struct LpvSosfilt : Function<lpv_sosfilt, 3> {
  static constexpr const char* name = "polezero::lpv_sosfilt";
};
struct LpvStateSpace : Function<lpv_state_space, 6> {
  static constexpr const char* name = "polezero::lpv_state_space";
};
struct Sensitivity : Function<sensitivity, 3> {
  static constexpr const char* name = "polezero::sensitivity";
};

template <c10::DeviceType device, class... Functions>
void register_functions(torch::Library& m) {
  (autograd::register_autocast<Functions, device>(m), ...);
}
template <c10::DeviceType device>
void register_all(torch::Library& m) {
  register_functions<device, Lfilter, Allpole, Tdf2Ssm, LinearRecurrence, Sosfilt, StateSpace,
                     CombFilter, FeedforwardComb, AllpassComb, SparseAllpole, CubicSpline,
                     Cspline1d, Qspline1d, Cspline1dEval, Qspline1dEval, Symiirorder1, Symiirorder2,
                     ModalBank, LpvAllpole, LpvFir, LpvLfilter, LpvTdf2Ssm, LpvLattice, LpvParallel,
                     LpvSosfilt, LpvStateSpace, Sensitivity>(m);
}

}  // namespace

TORCH_LIBRARY_IMPL(polezero, AutocastCPU, m) { register_all<at::kCPU>(m); }
TORCH_LIBRARY_IMPL(polezero, AutocastCUDA, m) { register_all<at::kCUDA>(m); }

}  // namespace polezero::functional

namespace polezero {

namespace {
std::tuple<Tensor, Tensor> without_placeholder(std::tuple<Tensor, Tensor> r, bool has_zi) {
  if (!has_zi) std::get<1>(r) = Tensor();
  return r;
}
}  // namespace

std::tuple<Tensor, Tensor> lfilter(const Tensor& b, const Tensor& a, const Tensor& x,
                                   const std::optional<Tensor>& zi, int64_t axis) {
  return without_placeholder(functional::lfilter(b, a, x, zi, axis, "one_pass"), zi.has_value());
}

std::tuple<Tensor, Tensor> allpole(const Tensor& a, const Tensor& x,
                                   const std::optional<Tensor>& zi) {
  return without_placeholder(functional::allpole(a, x, zi, "one_pass"), zi.has_value());
}

std::tuple<Tensor, Tensor> sensitivity(const Tensor& b, const Tensor& a, const Tensor& x,
                                       int64_t axis) {
  return functional::sensitivity(b, a, x, axis);
}

std::tuple<Tensor, Tensor> tdf2_ssm(const Tensor& b, const Tensor& a, const Tensor& x,
                                    const std::optional<Tensor>& zi) {
  return without_placeholder(functional::tdf2_ssm(b, a, x, zi, "one_pass"), zi.has_value());
}

std::tuple<Tensor, Tensor> linear_recurrence(const Tensor& a, const Tensor& x,
                                             const std::optional<Tensor>& zi) {
  return without_placeholder(functional::linear_recurrence(a, x, zi), zi.has_value());
}

std::tuple<Tensor, Tensor> sosfilt(const Tensor& sos, const Tensor& x,
                                   const std::optional<Tensor>& zi, int64_t axis) {
  return without_placeholder(functional::sosfilt(sos, x, zi, axis), zi.has_value());
}

std::tuple<Tensor, Tensor> state_space(const Tensor& A, const Tensor& B,
                                       const std::optional<Tensor>& C,
                                       const std::optional<Tensor>& D, const Tensor& x,
                                       const std::optional<Tensor>& zi) {
  return without_placeholder(functional::state_space(A, B, C, D, x, zi), zi.has_value());
}

namespace {
std::optional<c10::string_view> view(const std::optional<std::string>& s) {
  return s.has_value() ? std::optional<c10::string_view>(*s) : std::nullopt;
}
}  // namespace

std::tuple<Tensor, Tensor> comb_filter(const Tensor& a, const Tensor& delay, const Tensor& x,
                                       const std::optional<Tensor>& zi,
                                       const std::optional<std::string>& interpolation) {
  return without_placeholder(
      functional::comb_filter(a, delay, x, zi, view(interpolation), "one_pass"), zi.has_value());
}

std::tuple<Tensor, Tensor> feedforward_comb(const Tensor& b, const Tensor& delay, const Tensor& x,
                                            const std::optional<Tensor>& zi,
                                            const std::optional<std::string>& interpolation) {
  return without_placeholder(functional::feedforward_comb(b, delay, x, zi, view(interpolation)),
                             zi.has_value());
}

std::tuple<Tensor, Tensor> allpass_comb(const Tensor& a, const Tensor& delay, const Tensor& x,
                                        const std::optional<Tensor>& zi,
                                        const std::optional<std::string>& interpolation) {
  return without_placeholder(functional::allpass_comb(a, delay, x, zi, view(interpolation)),
                             zi.has_value());
}

std::tuple<Tensor, Tensor> sparse_allpole(const Tensor& a, const Tensor& delays, const Tensor& x,
                                          const std::optional<Tensor>& zi) {
  return without_placeholder(functional::sparse_allpole(a, delays, x, zi), zi.has_value());
}

Tensor cubic_spline(const Tensor& x, int64_t m, const std::string& boundary, int64_t axis) {
  return functional::cubic_spline(x, m, boundary, axis);
}
Tensor cspline1d(const Tensor& x, double lamb, int64_t axis) {
  return functional::cspline1d(x, lamb, axis);
}
Tensor qspline1d(const Tensor& x, int64_t axis) { return functional::qspline1d(x, axis); }
Tensor cspline1d_eval(const Tensor& cj, const Tensor& newx, int64_t axis) {
  return functional::cspline1d_eval(cj, newx, axis);
}
Tensor qspline1d_eval(const Tensor& cj, const Tensor& newx, int64_t axis) {
  return functional::qspline1d_eval(cj, newx, axis);
}
Tensor symiirorder1(const Tensor& x, double c0, double z1, int64_t axis) {
  return functional::symiirorder1(x, c0, z1, axis);
}
Tensor symiirorder2(const Tensor& x, double r, double omega, int64_t axis) {
  return functional::symiirorder2(x, r, omega, axis);
}

std::tuple<Tensor, Tensor> modal_bank(const Tensor& poles, const Tensor& gains, const Tensor& x,
                                      const std::optional<Tensor>& zi) {
  return without_placeholder(functional::modal_bank(poles, gains, x, zi), zi.has_value());
}

namespace lpv {

std::tuple<Tensor, Tensor> allpole(const Tensor& a, const Tensor& x,
                                   const std::optional<Tensor>& zi) {
  return without_placeholder(functional::lpv_allpole(a, x, zi), zi.has_value());
}

std::tuple<Tensor, Tensor> fir(const Tensor& b, const Tensor& x, const std::optional<Tensor>& zi) {
  return without_placeholder(functional::lpv_fir(b, x, zi), zi.has_value());
}

std::tuple<Tensor, Tensor> lfilter(const Tensor& b, const Tensor& a, const Tensor& x,
                                   const std::optional<Tensor>& zi, const std::string& form) {
  return without_placeholder(functional::lpv_lfilter(b, a, x, zi, form), zi.has_value());
}

std::tuple<Tensor, Tensor> tdf2_ssm(const Tensor& b, const Tensor& a, const Tensor& x,
                                    const std::optional<Tensor>& zi) {
  return without_placeholder(functional::lpv_tdf2_ssm(b, a, x, zi), zi.has_value());
}

std::tuple<Tensor, Tensor> lattice(const Tensor& k, const Tensor& x,
                                   const std::optional<Tensor>& zi,
                                   const std::optional<Tensor>& taps) {
  return without_placeholder(functional::lpv_lattice(k, taps, x, zi), zi.has_value());
}

std::tuple<Tensor, Tensor> parallel(const Tensor& sos, const Tensor& x,
                                    const std::optional<Tensor>& zi) {
  return without_placeholder(functional::lpv_parallel(sos, x, zi), zi.has_value());
}

std::tuple<Tensor, Tensor> sosfilt(const Tensor& sos, const Tensor& x,
                                   const std::optional<Tensor>& zi) {
  return without_placeholder(functional::lpv_sosfilt(sos, x, zi), zi.has_value());
}

std::tuple<Tensor, Tensor> state_space(const Tensor& A, const Tensor& B,
                                       const std::optional<Tensor>& C,
                                       const std::optional<Tensor>& D, const Tensor& x,
                                       const std::optional<Tensor>& zi) {
  return without_placeholder(functional::lpv_state_space(A, B, C, D, x, zi), zi.has_value());
}

}  // namespace lpv

}  // namespace polezero
