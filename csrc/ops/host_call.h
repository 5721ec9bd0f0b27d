// A call of kernels on the CPU. Its verbs are those of a CudaCall.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "ops/caller.h"
#include "ops/device_call.h"

namespace polezero {

template <class scalar_t>
class HostCall : public DeviceCall<scalar_t, scalar_t> {
 public:
  using typename DeviceCall<scalar_t, scalar_t>::acc;
  static constexpr bool on_cuda = false;

  HostCall(const char* op, const Tensor& /*signal*/, at::IntArrayRef leading)
      : DeviceCall<scalar_t, scalar_t>(op, leading) {}

  // Coefficients [B, taps] in float64 or complex128. Torch would take a microsecond to widen them.
  template <class A = acc>
  RowPointer<const A> constant(const Tensor& c) {
    if constexpr (std::is_same_v<A, acc> && !std::is_same_v<A, scalar_t>) {
      if (c.scalar_type() == (host::is_complex<scalar_t> ? at::kComplexFloat : at::kFloat)) {
        const Rows sets = coefficient_sets(c, this->leading());
        const auto* data = static_cast<const scalar_t*>(sets.memory.const_data_ptr());
        widened_.emplace_back(data, data + sets.memory.numel());
        return {widened_.back().data(), sets.stride};
      }
    }
    return DeviceCall<scalar_t, scalar_t>::template constant<A>(c);
  }
  // States [B, last] that kernels carry on, in float64 or complex128; zero where undefined.
  std::vector<acc> carried(const Tensor& t, int64_t last) const;
  // Such states, as they are now, into an output, which may be a placeholder.
  void put(const std::vector<acc>& states, const Tensor& out) const;
  // Sums that kernels add to.
  acc* sums(const Tensor& out) const {
    acc* sums = mutable_data<acc>(out);
    std::fill_n(sums, out.numel(), acc(0));
    return sums;
  }

  // Coefficients divided by a_0; once a call. `a0` is for the error where it is 0.
  NormalisedFilters<scalar_t> normalise(const Tensor& b, const Tensor& a, bool monic,
                                        bool conjugate) {
    return normalise(this->given(b, a, monic, conjugate), kA0);
  }
  NormalisedFilters<scalar_t> normalise_sections(const Tensor& sos, bool conjugate) {
    return normalise(this->given_sections(sos, conjugate), kA0OfSections);
  }

 private:
  NormalisedFilters<scalar_t> normalise(const GivenFilters& given, const char* a0);

  std::vector<acc> filters_;
  std::vector<std::vector<acc>> widened_;
};

}  // namespace polezero
