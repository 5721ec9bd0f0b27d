#include "ops/host_call.h"

namespace polezero {

namespace {

// f(T, U), T or U being the wide type where a flag says so: values, for their types.
template <class T, class F>
void with_types(const GivenFilters& given, F&& f) {
  using A = acc_t<T>;
  const auto with_a = [&](auto b) { given.wide_a ? f(b, A()) : f(b, T()); };
  given.wide_b ? with_a(A()) : with_a(T());
}

}  // namespace

template <class scalar_t>
NormalisedFilters<scalar_t> HostCall<scalar_t>::normalise(const GivenFilters& given,
                                                          const char* a0) {
  TORCH_INTERNAL_ASSERT(filters_.empty());
  const int64_t order = given.order(), count = given.count;
  filters_.resize(count * (2 * order + 2));
  acc* b = filters_.data();
  acc* a = b + count * (order + 1);
  acc* first = a + count * order;
  with_types<scalar_t>(given, [&](auto type_b, auto type_a) {
    for (int64_t f = 0; f < count; ++f) {
      for (int64_t k = 0; k <= order; ++k) {
        host::normalise_tap<scalar_t, decltype(type_b), decltype(type_a)>(given, f, k, b, a, first);
      }
      TORCH_CHECK_VALUE(first[f] != acc(0), this->op(), ": ", a0, " != 0, got 0");
    }
  });
  return {{given.order_b, given.order_a, order, count > 1 ? 1 : 0, b, a}, count, first};
}

template <class scalar_t>
auto HostCall<scalar_t>::carried(const Tensor& t, int64_t last) const -> std::vector<acc> {
  std::vector<acc> states(this->rows() * last);
  if (!t.defined() || states.empty()) return states;
  const auto read = [&](const auto* from, int64_t stride) {
    for (int64_t r = 0; r < this->rows(); ++r) {
      for (int64_t j = 0; j < last; ++j) {
        states[r * last + j] = static_cast<acc>(from[r * stride + j]);
      }
    }
  };
  const Rows rows = rows_of(t, this->leading());
  const void* data = rows.memory.const_data_ptr();
  if (rows.memory.scalar_type() == this->wide_type()) {
    read(static_cast<const acc*>(data), rows.stride);
  } else {
    read(static_cast<const scalar_t*>(data), rows.stride);
  }
  return states;
}

template <class scalar_t>
void HostCall<scalar_t>::put(const std::vector<acc>& states, const Tensor& out) const {
  const auto write = [&](auto* to) {
    using T = std::decay_t<decltype(*to)>;
    for (int64_t i = 0; i < out.numel(); ++i) to[i] = static_cast<T>(states[i]);
  };
  if (out.scalar_type() == this->wide_type()) {
    write(mutable_data<acc>(out));
  } else {
    write(mutable_data<scalar_t>(out));
  }
}

#define POLEZERO_INSTANTIATE(T) template class HostCall<T>;
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, std::complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero
