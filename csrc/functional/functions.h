// The public functions: any axis, dtypes promoted as torch does, then one core op.
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
// dy/db[..., T, M+1] and dy/da[..., T, N+1].
std::tuple<Tensor, Tensor> sensitivity(const Tensor& b, const Tensor& a, const Tensor& x,
                                       int64_t axis);

// The schemas, for the autocast key: under autocast these compute in, and return, float32.
struct Lfilter {
  static constexpr const char* name = "polezero::lfilter";
  using Schema = decltype(lfilter);
  static constexpr size_t inputs = 4, outputs = 2;
};
struct Allpole {
  static constexpr const char* name = "polezero::allpole";
  using Schema = decltype(allpole);
  static constexpr size_t inputs = 3, outputs = 2;
};
struct Sensitivity {
  static constexpr const char* name = "polezero::sensitivity";
  using Schema = decltype(sensitivity);
  static constexpr size_t inputs = 3, outputs = 2;
};

}  // namespace polezero::functional
