// polezero: differentiable recursive filters for LibTorch programs.
//
//   find_package(polezero REQUIRED)
//   target_link_libraries(program PRIVATE polezero::polezero)
//
// polezero/functions.h says what each function does. Those of a signal are there with an initial
// state, and return y and the final one:
//
//   auto [head, state] = polezero::lfilter(b, a, x1, -1, zi);
//   auto [tail, last] = polezero::lfilter(b, a, x2, -1, state);
//
// Here are the same ones without a state. They begin at rest, and return y alone; what they have in
// common with the others has the same order and the same defaults:
//
//   at::Tensor y = polezero::lfilter(b, a, x);
//
// Where a coefficient or a delay may be a scalar, it may be a number too:
//
//   at::Tensor echo = polezero::feedforward_comb(0.5, 4410, x);
#pragma once

#include <ATen/ops/scalar_tensor.h>

#include <concepts>
#include <utility>

#include "polezero/functions.h"

namespace polezero {

// A coefficient or a delay: a tensor, or a number, which becomes one on the device of the signal.
class TensorOrNumber {
 public:
  TensorOrNumber(const at::Tensor& tensor) : tensor_(tensor) {}
  template <class Number>
    requires std::convertible_to<Number, at::Scalar>
  TensorOrNumber(Number number) : number_(number) {}

  // In float64 or complex128, so that nothing is rounded.
  at::Tensor as_coefficient(const at::Tensor& signal) const {
    return tensor(signal, number_.isComplex() ? at::kComplexDouble : at::kDouble);
  }
  // Whole numbers in int64, which are delays without interpolation.
  at::Tensor as_delay(const at::Tensor& signal) const {
    return tensor(signal, number_.isIntegral(/*includeBool=*/false) ? at::kLong : at::kDouble);
  }

 private:
  at::Tensor tensor(const at::Tensor& signal, at::ScalarType type) const {
    if (tensor_.has_value()) return *tensor_;
    const at::Device device = signal.defined() ? signal.device() : at::kCPU;
    return at::scalar_tensor(number_, at::TensorOptions(device).dtype(type));
  }

  std::optional<at::Tensor> tensor_;
  at::Scalar number_;
};

inline at::Tensor lfilter(const at::Tensor& b, const at::Tensor& a, const at::Tensor& x,
                          int64_t axis = -1, std::string_view backward = "one_pass") {
  return std::get<0>(lfilter(b, a, x, axis, std::nullopt, backward));
}

inline at::Tensor allpole(const at::Tensor& a, const at::Tensor& x,
                          std::string_view backward = "one_pass") {
  return std::get<0>(allpole(a, x, std::nullopt, backward));
}

inline at::Tensor tdf2_ssm(const at::Tensor& b, const at::Tensor& a, const at::Tensor& x,
                           std::string_view backward = "one_pass") {
  return std::get<0>(tdf2_ssm(b, a, x, std::nullopt, backward));
}

inline at::Tensor sosfilt(const at::Tensor& sos, const at::Tensor& x, int64_t axis = -1) {
  return std::get<0>(sosfilt(sos, x, axis, std::nullopt));
}

inline at::Tensor state_space(const at::Tensor& A, const at::Tensor& B,
                              const std::optional<at::Tensor>& C,
                              const std::optional<at::Tensor>& D, const at::Tensor& x) {
  return std::get<0>(state_space(A, B, C, D, x, std::nullopt));
}

inline at::Tensor sparse_allpole(const at::Tensor& a, const at::Tensor& delays,
                                 const at::Tensor& x) {
  return std::get<0>(sparse_allpole(a, delays, x, std::nullopt));
}

inline at::Tensor modal_bank(const at::Tensor& poles, const at::Tensor& gains,
                             const at::Tensor& x) {
  return std::get<0>(modal_bank(poles, gains, x, std::nullopt));
}

// Of numbers, with a state and without one.
inline std::tuple<at::Tensor, at::Tensor> linear_recurrence(const TensorOrNumber& a,
                                                            const at::Tensor& x,
                                                            const std::optional<at::Tensor>& zi) {
  return linear_recurrence(a.as_coefficient(x), x, zi);
}
inline at::Tensor linear_recurrence(const TensorOrNumber& a, const at::Tensor& x) {
  return std::get<0>(linear_recurrence(a, x, std::nullopt));
}

inline std::tuple<at::Tensor, at::Tensor> comb_filter(
    const TensorOrNumber& a, const TensorOrNumber& delay, const at::Tensor& x,
    const std::optional<at::Tensor>& zi, std::optional<std::string_view> interpolation = {},
    std::string_view backward = "one_pass") {
  return comb_filter(a.as_coefficient(x), delay.as_delay(x), x, zi, interpolation, backward);
}
inline at::Tensor comb_filter(const TensorOrNumber& a, const TensorOrNumber& delay,
                              const at::Tensor& x) {
  return std::get<0>(comb_filter(a, delay, x, std::nullopt));
}
inline at::Tensor comb_filter(const TensorOrNumber& a, const TensorOrNumber& delay,
                              const at::Tensor& x, std::string_view interpolation) {
  return std::get<0>(comb_filter(a, delay, x, std::nullopt, interpolation));
}

inline std::tuple<at::Tensor, at::Tensor> feedforward_comb(
    const TensorOrNumber& b, const TensorOrNumber& delay, const at::Tensor& x,
    const std::optional<at::Tensor>& zi, std::optional<std::string_view> interpolation = {}) {
  return feedforward_comb(b.as_coefficient(x), delay.as_delay(x), x, zi, interpolation);
}
inline at::Tensor feedforward_comb(const TensorOrNumber& b, const TensorOrNumber& delay,
                                   const at::Tensor& x) {
  return std::get<0>(feedforward_comb(b, delay, x, std::nullopt));
}
inline at::Tensor feedforward_comb(const TensorOrNumber& b, const TensorOrNumber& delay,
                                   const at::Tensor& x, std::string_view interpolation) {
  return std::get<0>(feedforward_comb(b, delay, x, std::nullopt, interpolation));
}

inline std::tuple<at::Tensor, at::Tensor> allpass_comb(
    const TensorOrNumber& a, const TensorOrNumber& delay, const at::Tensor& x,
    const std::optional<at::Tensor>& zi, std::optional<std::string_view> interpolation = {}) {
  return allpass_comb(a.as_coefficient(x), delay.as_delay(x), x, zi, interpolation);
}
inline at::Tensor allpass_comb(const TensorOrNumber& a, const TensorOrNumber& delay,
                               const at::Tensor& x) {
  return std::get<0>(allpass_comb(a, delay, x, std::nullopt));
}
inline at::Tensor allpass_comb(const TensorOrNumber& a, const TensorOrNumber& delay,
                               const at::Tensor& x, std::string_view interpolation) {
  return std::get<0>(allpass_comb(a, delay, x, std::nullopt, interpolation));
}

namespace freq {

inline at::Tensor comb(const TensorOrNumber& a, const TensorOrNumber& delay, c10::SymInt n,
                       bool onesided = true) {
  const at::Tensor delays = delay.as_coefficient(a.as_coefficient({}));
  return comb(a.as_coefficient(delays), delays, std::move(n), onesided);
}

}  // namespace freq

namespace lpv {

inline at::Tensor allpole(const at::Tensor& a, const at::Tensor& x) {
  return std::get<0>(allpole(a, x, std::nullopt));
}

inline at::Tensor fir(const at::Tensor& b, const at::Tensor& x) {
  return std::get<0>(fir(b, x, std::nullopt));
}

inline at::Tensor lfilter(const at::Tensor& b, const at::Tensor& a, const at::Tensor& x,
                          std::string_view form = "tdf2") {
  return std::get<0>(lfilter(b, a, x, std::nullopt, form));
}

inline at::Tensor tdf2_ssm(const at::Tensor& b, const at::Tensor& a, const at::Tensor& x) {
  return std::get<0>(tdf2_ssm(b, a, x, std::nullopt));
}

inline at::Tensor sosfilt(const at::Tensor& sos, const at::Tensor& x) {
  return std::get<0>(sosfilt(sos, x, std::nullopt));
}

inline at::Tensor lattice(const at::Tensor& k, const at::Tensor& x) {
  return std::get<0>(lattice(k, x, std::nullopt));
}
// With taps alone: lattice(k, x, std::nullopt, taps).
inline at::Tensor lattice(const at::Tensor& k, const at::Tensor& x, std::nullopt_t,
                          const at::Tensor& taps) {
  return std::get<0>(lattice(k, x, std::optional<at::Tensor>(), taps));
}

inline at::Tensor parallel(const at::Tensor& sos, const at::Tensor& x) {
  return std::get<0>(parallel(sos, x, std::nullopt));
}

inline at::Tensor state_space(const at::Tensor& A, const at::Tensor& B,
                              const std::optional<at::Tensor>& C,
                              const std::optional<at::Tensor>& D, const at::Tensor& x) {
  return std::get<0>(state_space(A, B, C, D, x, std::nullopt));
}

}  // namespace lpv

}  // namespace polezero
