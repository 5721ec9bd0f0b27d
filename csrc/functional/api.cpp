// The functions of polezero.h, and autocast of all that have a signal.
#include "autograd/differentiable.h"
#include "functional/functions.h"
#include "polezero/polezero.h"

namespace polezero::functional {

// Autocast is before promotion: under it these compute in, and return, float32.
namespace {

template <auto function, c10::DeviceType device>
void register_autocast(torch::Library& m) {
  using Op = autograd::Signature<function>;
  using autograd::Boxed;
  m.impl(Op::name.stem().c_str(),
         TORCH_FN((Boxed<Op, &autograd::autocast_kernel<Op, device>>::run)));
}

template <c10::DeviceType device>
void register_all(torch::Library& m) {
#define POLEZERO_AUTOCAST(function) register_autocast<function, device>(m)
  POLEZERO_SIGNAL_FUNCTIONS(POLEZERO_AUTOCAST);
#undef POLEZERO_AUTOCAST
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
                                   const std::optional<Tensor>& zi, int64_t axis,
                                   const std::string& backward) {
  return without_placeholder(functional::lfilter(b, a, x, zi, axis, backward), zi.has_value());
}

std::tuple<Tensor, Tensor> allpole(const Tensor& a, const Tensor& x,
                                   const std::optional<Tensor>& zi, const std::string& backward) {
  return without_placeholder(functional::allpole(a, x, zi, backward), zi.has_value());
}

std::tuple<Tensor, Tensor> sensitivity(const Tensor& b, const Tensor& a, const Tensor& x,
                                       int64_t axis) {
  return functional::sensitivity(b, a, x, axis);
}

std::tuple<Tensor, Tensor> tdf2_ssm(const Tensor& b, const Tensor& a, const Tensor& x,
                                    const std::optional<Tensor>& zi, const std::string& backward) {
  return without_placeholder(functional::tdf2_ssm(b, a, x, zi, backward), zi.has_value());
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
                                       const std::optional<std::string>& interpolation,
                                       const std::string& backward) {
  return without_placeholder(
      functional::comb_filter(a, delay, x, zi, view(interpolation), backward), zi.has_value());
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
Tensor cspline2d(const Tensor& x, double lamb) { return functional::cspline2d(x, lamb); }
Tensor qspline2d(const Tensor& x) { return functional::qspline2d(x); }
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

std::tuple<Tensor, Tensor, Tensor> parallel_form(const Tensor& b, const Tensor& a) {
  return functional::parallel_form(b, a);
}

std::tuple<Tensor, Tensor> diagonalise(const Tensor& A, const Tensor& B, const Tensor& C) {
  return functional::diagonalise(A, B, C);
}

namespace freq {

Tensor lfilter(const Tensor& b, const Tensor& a, const Tensor& x, const std::string& correction,
               int64_t axis) {
  return functional::freq_lfilter(b, a, x, correction, axis);
}

Tensor apply(const Tensor& b, const Tensor& a, const Tensor& X, std::optional<int64_t> n,
             int64_t axis, bool onesided) {
  return functional::freq_apply(b, a, X, n, axis, onesided);
}

Tensor response(const Tensor& b, const Tensor& a, int64_t n, bool onesided) {
  return functional::freq_response(b, a, n, onesided);
}

Tensor comb(const Tensor& a, const Tensor& delay, int64_t n, bool onesided) {
  return functional::freq_comb(a, delay, n, onesided);
}

}  // namespace freq

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
