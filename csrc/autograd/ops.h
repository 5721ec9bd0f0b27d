// The ops as autograd sees them: how each is called, and what it is the derivative of. The
// functions at the end are the differentiable calls that derivatives are written with.
#pragma once

#include "autograd/node.h"
#include "ops/monic.h"
#include "ops/sparse.h"
#include "ops/spline.h"
#include "params/lpv.h"

namespace polezero::autograd {

struct LfilterForward {
  static constexpr const char* name = "polezero::lfilter_forward";
  static constexpr const char* node = "LfilterBackward";
  using Schema = std::tuple<Tensor, Tensor>(const Tensor& b, const Tensor& a, const Tensor& x,
                                            const OptionalTensor& zi, bool two_pass);
  static constexpr size_t inputs = 4, outputs = 2;
  static Saved<LfilterForward> saves(const Flags<4>& need);
  static Tensors<4> vjp(const Tensors<2>& grads, const Tensors<4>& in, const Tensors<2>& out,
                        const Attributes<LfilterForward>& attributes, const Flags<4>& need);
  static Tensors<2> jvp(const Tensors<4>& p, const Tensors<4>& t, const Tensors<2>& out,
                        const Attributes<LfilterForward>& attributes);
};

struct LfilterBackward {
  static constexpr const char* name = "polezero::lfilter_backward";
  using Schema = std::tuple<Tensor, Tensor, Tensor, Tensor>(
      const Tensor& grad_y, const OptionalTensor& grad_zf, const Tensor& b, const Tensor& a,
      const OptionalTensor& x, const OptionalTensor& y, const OptionalTensor& zi,
      const OptionalTensor& zf, bool need_b, bool need_a, bool need_x, bool need_zi);
  static constexpr const char* node = "LfilterDoubleBackward";
  static constexpr size_t inputs = 8, outputs = 4;
  static Saved<LfilterBackward> saves(const Flags<8>& need);
  static Tensors<8> vjp(const Tensors<4>& grads, const Tensors<8>& in, const Tensors<4>& out,
                        const Attributes<LfilterBackward>& attributes, const Flags<8>& need);
  static Tensors<4> unfused(const Tensors<8>& in, const Attributes<LfilterBackward>& attributes);
};

struct AllpoleForward {
  static constexpr const char* name = "polezero::allpole_forward";
  static constexpr const char* node = "AllpoleBackward";
  using Schema = Tensor(const Tensor& a, const Tensor& x, const OptionalTensor& zi, int64_t shift,
                        bool reverse, bool two_pass);
  static constexpr size_t inputs = 3, outputs = 1;
  static constexpr std::array<int64_t, inputs> core_dims{2, 1, 1};
  static Saved<AllpoleForward> saves(const Flags<3>& need);
  static Tensors<3> vjp(const Tensors<1>& grads, const Tensors<3>& in, const Tensors<1>& out,
                        const Attributes<AllpoleForward>& attributes, const Flags<3>& need);
  static Tensors<1> jvp(const Tensors<3>& p, const Tensors<3>& t, const Tensors<1>& out,
                        const Attributes<AllpoleForward>& attributes);
};

struct AllpoleBackward {
  static constexpr const char* name = "polezero::allpole_backward";
  using Schema = std::tuple<Tensor, Tensor, Tensor>(const Tensor& grad_y, const Tensor& a,
                                                    const OptionalTensor& y,
                                                    const OptionalTensor& zi, bool need_a,
                                                    bool need_x, bool need_zi, int64_t shift,
                                                    bool reverse);
  static constexpr const char* node = "AllpoleDoubleBackward";
  static constexpr size_t inputs = 4, outputs = 3;
  static constexpr std::array<int64_t, inputs> core_dims{1, 2, 1, 1};
  static Saved<AllpoleBackward> saves(const Flags<4>& need);
  static Tensors<4> vjp(const Tensors<3>& grads, const Tensors<4>& in, const Tensors<3>& out,
                        const Attributes<AllpoleBackward>& attributes, const Flags<4>& need);
  static Tensors<3> unfused(const Tensors<4>& in, const Attributes<AllpoleBackward>& attributes);
};

struct SosfiltForward {
  static constexpr const char* name = "polezero::sosfilt_forward";
  static constexpr const char* node = "SosfiltBackward";
  using Schema = std::tuple<Tensor, Tensor>(const Tensor& sos, const Tensor& x,
                                            const OptionalTensor& zi);
  static constexpr size_t inputs = 3, outputs = 2;
  static constexpr std::array<int64_t, inputs> core_dims{2, 1, 2};
  static Saved<SosfiltForward> saves(const Flags<3>& need);
  static Tensors<3> vjp(const Tensors<2>& grads, const Tensors<3>& in, const Tensors<2>& out,
                        const Attributes<SosfiltForward>& attributes, const Flags<3>& need);
  static Tensors<2> unfused(const Tensors<3>& in, const Attributes<SosfiltForward>& attributes);
};

struct SosfiltBackward {
  static constexpr const char* name = "polezero::sosfilt_backward";
  using Schema = std::tuple<Tensor, Tensor, Tensor>(const Tensor& grad_y,
                                                    const OptionalTensor& grad_zf,
                                                    const Tensor& sos, const OptionalTensor& x,
                                                    const OptionalTensor& zi, bool need_sos,
                                                    bool need_x, bool need_zi);
  static constexpr size_t inputs = 5, outputs = 3;
  static constexpr std::array<int64_t, inputs> core_dims{1, 2, 2, 1, 2};
  static Tensors<3> unfused(const Tensors<5>& in, const Attributes<SosfiltBackward>& attributes);
};

struct StateSpaceForward {
  static constexpr const char* name = "polezero::state_space_forward";
  static constexpr const char* node = "StateSpaceBackward";
  using Schema = std::tuple<Tensor, Tensor>(const Tensor& A, const OptionalTensor& B,
                                            const OptionalTensor& C, const OptionalTensor& D,
                                            const Tensor& x, const OptionalTensor& zi,
                                            bool adjoint);
  static constexpr size_t inputs = 6, outputs = 2;
  static constexpr std::array<int64_t, inputs> core_dims{3, 3, 3, 3, 2, 1};
  static Saved<StateSpaceForward> saves(const Flags<6>& need);
  static Tensors<6> vjp(const Tensors<2>& grads, const Tensors<6>& in, const Tensors<2>& out,
                        const Attributes<StateSpaceForward>& attributes, const Flags<6>& need);
  static Tensors<2> jvp(const Tensors<6>& p, const Tensors<6>& t, const Tensors<2>& out,
                        const Attributes<StateSpaceForward>& attributes);
};

struct LatticeForward {
  static constexpr const char* name = "polezero::lattice_forward";
  static constexpr const char* node = "LatticeBackward";
  using Schema = std::tuple<Tensor, Tensor>(const Tensor& k, const Tensor& u,
                                            const OptionalTensor& zi, bool all, bool adjoint);
  static constexpr size_t inputs = 3, outputs = 2;
  static constexpr std::array<int64_t, inputs> core_dims{2, 2, 1};
  static Saved<LatticeForward> saves(const Flags<3>& need);
  static Tensors<3> vjp(const Tensors<2>& grads, const Tensors<3>& in, const Tensors<2>& out,
                        const Attributes<LatticeForward>& attributes, const Flags<3>& need);
  static Tensors<2> jvp(const Tensors<3>& p, const Tensors<3>& t, const Tensors<2>& out,
                        const Attributes<LatticeForward>& attributes);
};

struct LatticeBackward {
  static constexpr const char* name = "polezero::lattice_backward";
  using Schema = std::tuple<Tensor, Tensor, Tensor>(const Tensor& grad_z,
                                                    const OptionalTensor& grad_zf, const Tensor& k,
                                                    const Tensor& u, const OptionalTensor& zi);
  static constexpr size_t inputs = 5, outputs = 3;
  static constexpr std::array<int64_t, inputs> core_dims{2, 1, 2, 2, 1};
  static Tensors<3> unfused(const Tensors<5>& in, const Attributes<LatticeBackward>& attributes);
};

struct Fir {
  static constexpr const char* name = "polezero::fir";
  static constexpr const char* node = "FirBackward";
  using Schema = Tensor(const Tensor& b, const Tensor& x, int64_t shift, bool reverse);
  static constexpr size_t inputs = 2, outputs = 1;
  static constexpr std::array<int64_t, inputs> core_dims{2, 1};
  static Saved<Fir> saves(const Flags<2>& need);
  static Tensors<2> vjp(const Tensors<1>& grads, const Tensors<2>& in, const Tensors<1>& out,
                        const Attributes<Fir>& attributes, const Flags<2>& need);
  static Tensors<1> jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<1>& out,
                        const Attributes<Fir>& attributes);
};

struct SparseAllpole {
  static constexpr const char* name = "polezero::sparse_allpole_forward";
  static constexpr const char* node = "SparseAllpoleBackward";
  using Schema = Tensor(const Tensor& a, const Tensor& delays, const Tensor& x, c10::SymInt past,
                        bool transposed, bool two_pass, int64_t interpolation, int64_t caller);
  static constexpr size_t inputs = 3, outputs = 1;
  static constexpr std::array<int64_t, inputs> core_dims{2, 2, 1};
  static Saved<SparseAllpole> saves(const Flags<3>& need);
  static Tensors<3> vjp(const Tensors<1>& grads, const Tensors<3>& in, const Tensors<1>& out,
                        const Attributes<SparseAllpole>& attributes, const Flags<3>& need);
  static Tensors<1> jvp(const Tensors<3>& p, const Tensors<3>& t, const Tensors<1>& out,
                        const Attributes<SparseAllpole>& attributes);
};

struct SparseFir {
  static constexpr const char* name = "polezero::sparse_fir";
  static constexpr const char* node = "SparseFirBackward";
  using Schema = Tensor(const Tensor& b, const Tensor& delays, const Tensor& x, c10::SymInt past,
                        bool transposed, int64_t interpolation, int64_t derivative, int64_t caller);
  static constexpr size_t inputs = 3, outputs = 1;
  static constexpr std::array<int64_t, inputs> core_dims{2, 2, 1};
  static Saved<SparseFir> saves(const Flags<3>& need);
  static Tensors<3> vjp(const Tensors<1>& grads, const Tensors<3>& in, const Tensors<1>& out,
                        const Attributes<SparseFir>& attributes, const Flags<3>& need);
  static Tensors<1> jvp(const Tensors<3>& p, const Tensors<3>& t, const Tensors<1>& out,
                        const Attributes<SparseFir>& attributes);
};

struct SparseProduct {
  static constexpr const char* name = "polezero::sparse_product";
  static constexpr const char* node = "SparseProductBackward";
  using Schema = Tensor(const Tensor& g, const Tensor& x, const Tensor& delays, c10::SymInt past,
                        bool sum, int64_t interpolation, int64_t derivative);
  static constexpr size_t inputs = 3, outputs = 1;
  static constexpr std::array<int64_t, inputs> core_dims{1, 1, 2};
  static Saved<SparseProduct> saves(const Flags<3>& need);
  static Tensors<3> vjp(const Tensors<1>& grads, const Tensors<3>& in, const Tensors<1>& out,
                        const Attributes<SparseProduct>& attributes, const Flags<3>& need);
  static Tensors<1> jvp(const Tensors<3>& p, const Tensors<3>& t, const Tensors<1>& out,
                        const Attributes<SparseProduct>& attributes);
};

struct SymmetricFilter {
  static constexpr const char* name = "polezero::symmetric_filter";
  static constexpr const char* node = "SymmetricFilterBackward";
  using Schema = Tensor(const Tensor& x, double a1, double a2, double gain, bool whole);
  static constexpr size_t inputs = 1, outputs = 1;
  static Saved<SymmetricFilter> saves(const Flags<1>& need);
  static Tensors<1> vjp(const Tensors<1>& grads, const Tensors<1>& in, const Tensors<1>& out,
                        const Attributes<SymmetricFilter>& attributes, const Flags<1>& need);
  static Tensors<1> jvp(const Tensors<1>& p, const Tensors<1>& t, const Tensors<1>& out,
                        const Attributes<SymmetricFilter>& attributes);
};

struct SplineEval {
  static constexpr const char* name = "polezero::spline_eval";
  static constexpr const char* node = "SplineEvalBackward";
  using Schema = Tensor(const Tensor& x, const Tensor& t, c10::SymInt knots, int64_t degree,
                        bool whole, int64_t derivative);
  static constexpr size_t inputs = 2, outputs = 1;
  static Saved<SplineEval> saves(const Flags<2>& need);
  static Tensors<2> vjp(const Tensors<1>& grads, const Tensors<2>& in, const Tensors<1>& out,
                        const Attributes<SplineEval>& attributes, const Flags<2>& need);
  static Tensors<1> jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<1>& out,
                        const Attributes<SplineEval>& attributes);
};

struct SplineUpsample {
  static constexpr const char* name = "polezero::spline_upsample";
  static constexpr const char* node = "SplineUpsampleBackward";
  using Schema = Tensor(const Tensor& x, c10::SymInt factor, bool whole, bool transposed);
  static constexpr size_t inputs = 1, outputs = 1;
  static Saved<SplineUpsample> saves(const Flags<1>& need);
  static Tensors<1> vjp(const Tensors<1>& grads, const Tensors<1>& in, const Tensors<1>& out,
                        const Attributes<SplineUpsample>& attributes, const Flags<1>& need);
  static Tensors<1> jvp(const Tensors<1>& p, const Tensors<1>& t, const Tensors<1>& out,
                        const Attributes<SplineUpsample>& attributes);
};

struct ModalBankForward {
  static constexpr const char* name = "polezero::modal_bank_forward";
  static constexpr const char* node = "ModalBankBackward";
  using Schema = std::tuple<Tensor, Tensor>(const Tensor& poles, const Tensor& gains,
                                            const Tensor& x, const OptionalTensor& zi,
                                            bool reverse);
  static constexpr size_t inputs = 4, outputs = 2;
  static constexpr std::array<int64_t, inputs> core_dims{1, 2, 1, 1};
  static Saved<ModalBankForward> saves(const Flags<4>& need);
  static Tensors<4> vjp(const Tensors<2>& grads, const Tensors<4>& in, const Tensors<2>& out,
                        const Attributes<ModalBankForward>& attributes, const Flags<4>& need);
  static Tensors<2> jvp(const Tensors<4>& p, const Tensors<4>& t, const Tensors<2>& out,
                        const Attributes<ModalBankForward>& attributes);
};

struct ModalCorrelation {
  static constexpr const char* name = "polezero::modal_correlation";
  static constexpr const char* node = "ModalCorrelationBackward";
  using Schema = Tensor(const Tensor& poles, const Tensor& g, const Tensor& x,
                        const OptionalTensor& zi, c10::SymInt orders);
  static constexpr size_t inputs = 4, outputs = 1;
  static Saved<ModalCorrelation> saves(const Flags<4>& need);
  static Tensors<4> vjp(const Tensors<1>& grads, const Tensors<4>& in, const Tensors<1>& out,
                        const Attributes<ModalCorrelation>& attributes, const Flags<4>& need);
  static Tensors<1> jvp(const Tensors<4>& p, const Tensors<4>& t, const Tensors<1>& out,
                        const Attributes<ModalCorrelation>& attributes);
};

// A step function: it has no derivative.
struct ThiranDelay {
  static constexpr const char* name = "polezero::thiran_delay";
  using Schema = Tensor(const Tensor& delay);
  static constexpr size_t inputs = 1, outputs = 1;
};

struct Monic {
  static constexpr const char* name = "polezero::monic";
  static constexpr const char* node = "MonicBackward";
  using Schema = std::tuple<Tensor, Tensor>(const Tensor& b, const Tensor& a, int64_t caller);
  static constexpr size_t inputs = 2, outputs = 2;
  static constexpr std::array<int64_t, inputs> core_dims{2, 2};
  static Saved<Monic> saves(const Flags<2>& need);
  static Tensors<2> vjp(const Tensors<2>& grads, const Tensors<2>& in, const Tensors<2>& out,
                        const Attributes<Monic>& attributes, const Flags<2>& need);
  static Tensors<2> jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<2>& out,
                        const Attributes<Monic>& attributes);
};

struct LagProduct {
  static constexpr const char* name = "polezero::lag_product";
  static constexpr const char* node = "LagProductBackward";
  using Schema = Tensor(const Tensor& g, const Tensor& x, c10::SymInt taps, int64_t shift,
                        bool reverse);
  static constexpr size_t inputs = 2, outputs = 1;
  static Saved<LagProduct> saves(const Flags<2>& need);
  static Tensors<2> vjp(const Tensors<1>& grads, const Tensors<2>& in, const Tensors<1>& out,
                        const Attributes<LagProduct>& attributes, const Flags<2>& need);
  static Tensors<1> jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<1>& out,
                        const Attributes<LagProduct>& attributes);
};

struct LagCorrelation {
  static constexpr const char* name = "polezero::lag_correlation";
  static constexpr const char* node = "LagCorrelationBackward";
  using Schema = Tensor(const Tensor& g, const Tensor& x, c10::SymInt taps);
  static constexpr size_t inputs = 2, outputs = 1;
  static Saved<LagCorrelation> saves(const Flags<2>& need);
  static Tensors<2> vjp(const Tensors<1>& grads, const Tensors<2>& in, const Tensors<1>& out,
                        const Attributes<LagCorrelation>& attributes, const Flags<2>& need);
  static Tensors<1> jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<1>& out,
                        const Attributes<LagCorrelation>& attributes);
};

inline Tensors<2> lfilter_forward(const Tensor& b, const Tensor& a, const Tensor& x,
                                  const Tensor& zi = {}) {
  return call<LfilterForward>({b, a, x, zi}, {false});
}

// Coefficients [..., T, taps], or [..., 1, taps]: the same at all times.
inline Tensor allpole_over_time(const Tensor& a, const Tensor& x, const Tensor& zi,
                                const Lags& lags) {
  return call<AllpoleForward>({a, x, zi}, {lags.shift, lags.reverse, false})[0];
}
inline Tensor fir_over_time(const Tensor& b, const Tensor& x, const Lags& lags) {
  return call<Fir>({b, x}, {lags.shift, lags.reverse})[0];
}
inline Tensor lag_product(const Tensor& g, const Tensor& x, const c10::SymInt& taps,
                          const Lags& lags) {
  return call<LagProduct>({g, x}, {taps, lags.shift, lags.reverse})[0];
}
inline bool is_constant(const Tensor& coefficients) { return coefficients.sym_size(-2) == 1; }

inline std::pair<Tensor, Tensor> monic(const Tensor& b, const Tensor& a, MonicCaller caller) {
  const auto [q, p] = call<Monic>({b, a}, {static_cast<int64_t>(caller)});
  return {q, p};
}

// Coefficients [..., taps].
inline Tensor constant(const Tensor& coefficients) { return coefficients.unsqueeze(-2); }
inline Tensor allpole_forward(const Tensor& a, const Tensor& x, const Tensor& zi = {},
                              bool reverse = false) {
  return allpole_over_time(constant(a), x, zi, {0, reverse});
}
inline Tensor fir(const Tensor& b, const Tensor& x, bool reverse = false) {
  return fir_over_time(constant(b), x, {0, reverse});
}
inline Tensor lag_correlation(const Tensor& g, const Tensor& x, const c10::SymInt& taps) {
  return call<LagCorrelation>({g, x}, {taps})[0];
}

// ---- Small things that derivatives need ----

// A sum in which undefined is zero.
inline Tensor plus(const Tensor& u, const Tensor& v) {
  return !u.defined() ? v : !v.defined() ? u : u + v;
}
// The last axis with zeros before and after.
inline Tensor pad_last(const Tensor& t, const c10::SymInt& before, const c10::SymInt& after) {
  return at::constant_pad_nd_symint(t, {before, after});
}
inline Tensor slice_last(const Tensor& t, const c10::SymInt& begin, const c10::SymInt& end) {
  return t.slice_symint(-1, begin, end);
}
// Zeros before and after along the axis of time of coefficients that have one.
inline Tensor pad_time(const Tensor& coefficients, const c10::SymInt& before,
                       const c10::SymInt& after) {
  if (is_constant(coefficients)) return coefficients;
  return at::constant_pad_nd_symint(coefficients, {0, 0, before, after});
}
// u and v one after the other along the last axis, leading dimensions broadcast.
Tensor join(const Tensor& u, const Tensor& v);
// Coefficients in float64 (complex128), where quotients of them are made.
inline Tensor wide(const Tensor& t) {
  return t.to(t.is_complex() ? at::kComplexDouble : at::kDouble);
}

}  // namespace polezero::autograd
