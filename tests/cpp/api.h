// What the tests of polezero.h share: a device, tensors on it, and what they are compared with.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "polezero/polezero.h"

namespace api {

using at::Tensor;

inline at::TensorOptions options = at::kDouble;  // of all tensors of a test

inline Tensor vector(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble).to(options);
}
inline Tensor zeros(at::IntArrayRef sizes) { return at::zeros(sizes, options); }
inline Tensor random(at::IntArrayRef sizes) { return at::randn(sizes, options); }

class PublicHeader : public ::testing::TestWithParam<at::DeviceType> {
 protected:
  void SetUp() override {
    if (GetParam() == at::kCUDA) {
      // what a program gets that links all of LibTorch; null where it was built without CUDA
      dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
      if (!at::hasCUDA()) GTEST_SKIP() << "no GPU was found";
    }
    options = at::TensorOptions(GetParam()).dtype(at::kDouble);
    // Empty memory is then full of NaN, so that nothing unwritten passes for a result.
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  }
};

// One row, sample by sample; samples before the first are zero.
inline std::vector<double> filtered(const std::vector<double>& b, const std::vector<double>& a,
                                    const std::vector<double>& x) {
  std::vector<double> y(x.size());
  for (size_t n = 0; n < x.size(); ++n) {
    for (size_t k = 0; k < b.size() && k <= n; ++k) y[n] += b[k] * x[n - k];
    for (size_t i = 1; i < a.size() && i <= n; ++i) y[n] -= a[i] * y[n - i];
    y[n] /= a[0];
  }
  return y;
}

inline void expect_close(const Tensor& got, const Tensor& want, double tolerance = 1e-12) {
  ASSERT_EQ(got.sizes(), want.sizes());
  ASSERT_EQ(got.dtype(), want.dtype());
  EXPECT_TRUE(at::allclose(got, want, tolerance, tolerance)) << got << want;
}

inline const std::vector<double> kB = {0.5, -0.3, 0.2, 0.1}, kA = {2, -1.2, 0.7};

// The sentence of the exception that `call` throws, of this type and no other.
template <class Error, class Call>
std::string sentence(Call&& call) {
  try {
    call();
  } catch (const c10::Error& error) {
    EXPECT_EQ(typeid(error), typeid(Error));
    return error.what_without_backtrace();
  }
  return "nothing was thrown";
}

}  // namespace api
