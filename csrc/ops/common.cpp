#include "ops/common.h"

#include <ATen/ops/empty.h>

#include <sstream>

namespace polezero {

namespace {

std::string shapes(std::initializer_list<Argument> arguments) {
  std::ostringstream out;
  for (const Argument& a : arguments) {
    if (!a.tensor.defined()) continue;
    if (out.tellp() > 0) out << ", ";
    // constant coefficients were given without an axis of time
    const bool constant = a.over_time && a.tensor.sym_size(-2) == 1;
    out << a.name << " " << (constant ? a.tensor.squeeze(-2) : a.tensor).sym_sizes();
  }
  return out.str();
}

bool is_signal_type(at::ScalarType type) {
  return type == at::kFloat || type == at::kDouble || type == at::kComplexFloat ||
         type == at::kComplexDouble;
}

template <class acc>
acc conjugate_if(acc value, bool yes) {
  return yes ? conjugate(value) : value;
}

}  // namespace

c10::SymDimVector broadcast_leading(const char* op, std::initializer_list<Argument> arguments) {
  c10::SymDimVector leading;
  for (const Argument& argument : arguments) {
    if (!argument.tensor.defined()) continue;
    const auto sizes = argument.tensor.sym_sizes();
    const size_t dims = sizes.size() - argument.core_dims;
    if (dims > leading.size()) leading.insert(leading.begin(), dims - leading.size(), 1);
    for (size_t i = 0; i < dims; ++i) {
      c10::SymInt& size = leading[leading.size() - dims + i];
      if (size == sizes[i] || sizes[i] == 1) continue;
      TORCH_CHECK_VALUE(size == 1, op, ": ", argument.name,
                        ": expected leading dimensions that broadcast, got ", shapes(arguments));
      size = sizes[i];
    }
  }
  return leading;
}

c10::SymDimVector with_last(const c10::SymDimVector& leading, c10::SymInt last) {
  c10::SymDimVector sizes = leading;
  sizes.push_back(std::move(last));
  return sizes;
}

at::DimVector with_last(at::IntArrayRef leading, int64_t last) {
  at::DimVector sizes(leading.begin(), leading.end());
  sizes.push_back(last);
  return sizes;
}

at::DimVector concrete(const c10::SymDimVector& sizes) {
  return at::DimVector(C10_AS_INTARRAYREF_SLOW(c10::SymIntArrayRef(sizes)));
}

Tensor empty_if(bool needed, const c10::SymDimVector& leading, const c10::SymInt& last,
                const at::TensorOptions& options) {
  return needed ? at::empty_symint(with_last(leading, last), options) : at::empty({0}, options);
}

void check_signal(const char* op, const Argument& signal) {
  TORCH_CHECK_TYPE(is_signal_type(signal.tensor.scalar_type()), op, ": ", signal.name,
                   ": expected float32, float64, complex64 or complex128, got ",
                   signal.tensor.scalar_type());
  TORCH_CHECK_VALUE(signal.tensor.dim() >= 1, op, ": ", signal.name,
                    ": expected at least one dimension, got a scalar");
}

void check_like(const char* op, const Argument& argument, const Argument& signal) {
  if (!argument.tensor.defined()) return;
  TORCH_CHECK_TYPE(argument.tensor.scalar_type() == signal.tensor.scalar_type(), op, ": ",
                   argument.name, ": expected ", signal.tensor.scalar_type(), " as ", signal.name,
                   ", got ", argument.tensor.scalar_type());
  TORCH_CHECK_VALUE(argument.tensor.device() == signal.tensor.device(), op, ": ", argument.name,
                    ": expected a tensor on ", signal.tensor.device(), " as ", signal.name,
                    ", got one on ", argument.tensor.device());
  TORCH_CHECK_VALUE(argument.tensor.dim() >= 1, op, ": ", argument.name,
                    ": expected at least one dimension, got a scalar");
}

void check_coefficients(const char* op, const Argument& c, const Argument& signal,
                        int64_t taps_at_least) {
  const at::ScalarType type = c.tensor.scalar_type();
  TORCH_CHECK_TYPE(type == signal.tensor.scalar_type() || type == acc_type(signal.tensor), op, ": ",
                   c.name, ": expected ", signal.tensor.scalar_type(), " as ", signal.name, " or ",
                   acc_type(signal.tensor), ", got ", type);
  TORCH_CHECK_VALUE(c.tensor.device() == signal.tensor.device(), op, ": ", c.name,
                    ": expected a tensor on ", signal.tensor.device(), " as ", signal.name,
                    ", got one on ", c.tensor.device());
  TORCH_CHECK_VALUE(c.tensor.dim() >= 1 && c.tensor.sym_size(-1) >= taps_at_least, op, ": ", c.name,
                    ": expected at least ", taps_at_least,
                    taps_at_least == 1 ? " coefficient" : " coefficients",
                    " along the last axis, got shape ", c.tensor.sym_sizes());
}

void check_time_axis(const char* op, const Argument& c, const c10::SymInt& T) {
  TORCH_CHECK_VALUE(
      c.tensor.dim() >= 2 && (c.tensor.sym_size(-2) == 1 || c.tensor.sym_size(-2) == T), op, ": ",
      c.name, ": expected T = ", T, " or 1 along the last axis but one, got shape ",
      c.tensor.sym_sizes());
}

void check_lags(const char* op, int64_t shift, bool reverse) {
  const int64_t other = reverse ? 1 : -1;
  TORCH_CHECK_VALUE(shift == 0 || shift == other, op, ": shift: expected 0 or ", other, ", got ",
                    shift);
}

void check_taps(const char* op, const c10::SymInt& taps) {
  TORCH_CHECK_VALUE(taps >= 0, op, ": taps: expected a number >= 0, got ", taps);
}

void check_last(const char* op, const Argument& argument, const c10::SymInt& length,
                const char* what) {
  if (!argument.tensor.defined()) return;
  TORCH_CHECK_VALUE(argument.tensor.sym_size(-1) == length, op, ": ", argument.name, ": expected ",
                    what, " = ", length, " values along the last axis, got shape ",
                    argument.tensor.sym_sizes());
}

void check_has_kernels(const char* op, const Tensor& signal) {
  const bool cuda = signal.is_cuda();
  TORCH_CHECK_NOT_IMPLEMENTED(signal.is_cpu() || (kWithCuda && cuda), op,
                              ": expected CPU tensors, got tensors on ", signal.device(),
                              cuda ? ": this build of polezero has no CUDA kernels"
                                   : ": polezero has no kernels for this device");
}

at::ScalarType acc_type(const Tensor& signal) {
  return signal.is_complex() ? at::kComplexDouble : at::kDouble;
}

int64_t product(at::IntArrayRef sizes) {
  int64_t p = 1;
  for (const int64_t s : sizes) p *= s;
  return p;
}

template <class scalar_t>
Rows<scalar_t> rows_of(const Tensor& t, at::IntArrayRef leading) {
  const int64_t last = t.size(-1);
  Tensor rows = t.resolve_conj().resolve_neg();
  const auto own = rows.sizes().slice(0, rows.dim() - 1);
  if (!(rows.is_contiguous() && own == leading)) {
    rows = rows.expand(with_last(leading, last)).reshape({product(leading), last});
    if (last > 1 && rows.stride(1) != 1) rows = rows.contiguous();
    return {rows, static_cast<const scalar_t*>(rows.const_data_ptr()), rows.stride(0)};
  }
  return {rows, static_cast<const scalar_t*>(rows.const_data_ptr()), last};
}

template <class scalar_t>
Rows<scalar_t> time_rows_of(const Tensor& coefficients, at::IntArrayRef leading) {
  const int64_t T = coefficients.size(-2), taps = coefficients.size(-1);
  const auto full = with_last(with_last(leading, T), taps);
  Tensor own = coefficients.resolve_conj().resolve_neg();
  const bool dense = (taps <= 1 || own.stride(-1) == 1) && (T <= 1 || own.stride(-2) == taps);
  if (!dense) own = own.contiguous();  // while rows still share it
  const Tensor rows = own.expand(full).reshape({product(leading), T, taps});
  return {rows, static_cast<const scalar_t*>(rows.const_data_ptr()), rows.stride(0)};
}

template <class scalar_t>
std::vector<acc_t<scalar_t>> widened_rows(const Tensor& t, at::IntArrayRef leading, int64_t last) {
  const int64_t B = product(leading);
  std::vector<acc_t<scalar_t>> out(B * last);
  if (t.defined() && last > 0) {
    const auto rows = rows_of<scalar_t>(t, leading);
    for (int64_t r = 0; r < B; ++r) {
      for (int64_t j = 0; j < last; ++j) {
        out[r * last + j] = static_cast<acc_t<scalar_t>>(rows.data[r * rows.stride + j]);
      }
    }
  }
  return out;
}

template <class scalar_t>
void put_rows(const std::vector<acc_t<scalar_t>>& rows, const Tensor& out) {
  scalar_t* to = mutable_data<scalar_t>(out);
  for (int64_t i = 0; i < out.numel(); ++i) to[i] = static_cast<scalar_t>(rows[i]);
}

Tensor dense_rows(const Tensor& t, at::IntArrayRef leading) {
  return t.resolve_conj().resolve_neg().expand(with_last(leading, t.size(-1))).contiguous();
}

Tensor coefficient_sets(const Tensor& t, at::IntArrayRef leading) {
  const int64_t taps = t.size(-1);
  bool shared = true;  // every leading dimension repeats the same coefficients
  for (int64_t i = 0; i + 1 < t.dim(); ++i) shared &= t.size(i) == 1 || t.stride(i) == 0;
  Tensor sets = t.resolve_conj().resolve_neg();
  if (shared) {
    while (sets.dim() > 1 && sets.size(0) > 0) sets = sets.select(0, 0);
    if (sets.dim() > 1) sets = at::empty({taps}, sets.options()).zero_();  // no rows at all
  } else {
    sets = sets.expand(with_last(leading, taps)).reshape({product(leading), taps});
  }
  return sets.contiguous();
}

template <class acc>
CoefficientRows<acc> coefficient_rows(const Tensor& t, at::IntArrayRef leading) {
  const int64_t taps = t.size(-1);
  const Tensor rows = coefficient_sets(t, leading);
  const bool shared = rows.dim() == 1;
  CoefficientRows<acc> out{taps, shared ? 0 : taps, std::vector<acc>(rows.numel())};
  auto widen_from = [&](const auto* from) {
    for (int64_t i = 0; i < rows.numel(); ++i) out.values[i] = static_cast<acc>(from[i]);
  };
  if constexpr (std::is_same_v<acc, double>) {
    if (rows.scalar_type() == at::kFloat) {
      widen_from(rows.const_data_ptr<float>());
    } else {
      widen_from(rows.const_data_ptr<double>());
    }
  } else {
    if (rows.scalar_type() == at::kComplexFloat) {
      widen_from(static_cast<const std::complex<float>*>(rows.const_data_ptr()));
    } else {
      widen_from(static_cast<const std::complex<double>*>(rows.const_data_ptr()));
    }
  }
  return out;
}

namespace {

template <class scalar_t>
NormalisedFilters<scalar_t> allocate(int64_t order_b, int64_t order_a, bool shared, int64_t rows) {
  using A = acc_t<scalar_t>;
  const int64_t P = std::max(order_b, order_a), filters = shared ? 1 : rows;
  NormalisedFilters<scalar_t> f{std::vector<A>(filters * (P + 1), A(0)),
                                std::vector<A>(filters * P, A(0)),
                                std::vector<A>(filters, A(1)),
                                {}};
  f.view = {order_b, order_a, P, shared ? 0 : 1, f.b.data(), f.a.data()};
  return f;
}

}  // namespace

template <class scalar_t>
NormalisedFilters<scalar_t> normalise(const char* op, const Tensor& b, const Tensor& a,
                                      at::IntArrayRef leading, bool conjugate) {
  using A = acc_t<scalar_t>;
  const CoefficientRows<A> bs = coefficient_rows<A>(b, leading),
                           as = coefficient_rows<A>(a, leading);
  const bool shared = bs.row_stride == 0 && as.row_stride == 0;
  auto f = allocate<scalar_t>(bs.taps - 1, as.taps - 1, shared, product(leading));
  const int64_t P = f.view.order;
  for (int64_t r = 0; r < static_cast<int64_t>(f.a0.size()); ++r) {
    const A a0 = conjugate_if(as.row(r)[0], conjugate);
    TORCH_CHECK_VALUE(a0 != A(0), op, ": a: expected a[..., 0] != 0, got 0");
    f.a0[r] = a0;
    for (int64_t k = 0; k < bs.taps; ++k) {
      f.b[r * (P + 1) + k] = conjugate_if(bs.row(r)[k], conjugate) / a0;
    }
    for (int64_t i = 1; i < as.taps; ++i) {
      f.a[r * P + i - 1] = conjugate_if(as.row(r)[i], conjugate) / a0;
    }
  }
  return f;
}

template <class scalar_t>
NormalisedFilters<scalar_t> normalise_monic(const Tensor& a, at::IntArrayRef leading,
                                            bool conjugate) {
  using A = acc_t<scalar_t>;
  const CoefficientRows<A> as = coefficient_rows<A>(a, leading);
  auto f = allocate<scalar_t>(0, as.taps, as.row_stride == 0, product(leading));
  for (int64_t r = 0; r < static_cast<int64_t>(f.a0.size()); ++r) {
    f.b[r * (as.taps + 1)] = A(1);
    for (int64_t i = 0; i < as.taps; ++i) {
      f.a[r * as.taps + i] = conjugate_if(as.row(r)[i], conjugate);
    }
  }
  return f;
}

template <class scalar_t>
NormalisedFilters<scalar_t> normalise_fir(const Tensor& b, at::IntArrayRef leading,
                                          bool conjugate) {
  using A = acc_t<scalar_t>;
  const CoefficientRows<A> bs = coefficient_rows<A>(b, leading);
  auto f = allocate<scalar_t>(bs.taps - 1, 0, bs.row_stride == 0, product(leading));
  for (int64_t i = 0; i < static_cast<int64_t>(f.b.size()); ++i) {
    f.b[i] = conjugate_if(bs.values[i], conjugate);
  }
  return f;
}

template Rows<int64_t> time_rows_of<int64_t>(const Tensor&, at::IntArrayRef);

#define POLEZERO_INSTANTIATE(scalar_t)                                                            \
  template Rows<scalar_t> rows_of<scalar_t>(const Tensor&, at::IntArrayRef);                      \
  template Rows<scalar_t> time_rows_of<scalar_t>(const Tensor&, at::IntArrayRef);                 \
  template std::vector<acc_t<scalar_t>> widened_rows<scalar_t>(const Tensor&, at::IntArrayRef,    \
                                                               int64_t);                          \
  template void put_rows<scalar_t>(const std::vector<acc_t<scalar_t>>&, const Tensor&);           \
  template NormalisedFilters<scalar_t> normalise<scalar_t>(const char*, const Tensor&,            \
                                                           const Tensor&, at::IntArrayRef, bool); \
  template NormalisedFilters<scalar_t> normalise_monic<scalar_t>(const Tensor&, at::IntArrayRef,  \
                                                                 bool);                           \
  template NormalisedFilters<scalar_t> normalise_fir<scalar_t>(const Tensor&, at::IntArrayRef,    \
                                                               bool);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, std::complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero
