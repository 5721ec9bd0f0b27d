// polezero.h as a C++ program uses it, on the CPU and on a GPU. Needs Torch, and no Python.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "polezero/polezero.h"

namespace {

using at::Tensor;
using polezero::allpole;
using polezero::lfilter;
using polezero::sensitivity;

at::TensorOptions options = at::kDouble;  // of all tensors of a test

Tensor vector(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble).to(options);
}
Tensor zeros(at::IntArrayRef sizes) { return at::zeros(sizes, options); }
Tensor random(at::IntArrayRef sizes) { return at::randn(sizes, options); }

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
INSTANTIATE_TEST_SUITE_P(, PublicHeader, ::testing::Values(at::kCPU, at::kCUDA),
                         [](const auto& device) { return c10::DeviceTypeName(device.param); });

// One row, sample by sample; samples before the first are zero.
std::vector<double> filtered(const std::vector<double>& b, const std::vector<double>& a,
                             const std::vector<double>& x) {
  std::vector<double> y(x.size());
  for (size_t n = 0; n < x.size(); ++n) {
    for (size_t k = 0; k < b.size() && k <= n; ++k) y[n] += b[k] * x[n - k];
    for (size_t i = 1; i < a.size() && i <= n; ++i) y[n] -= a[i] * y[n - i];
    y[n] /= a[0];
  }
  return y;
}

void expect_close(const Tensor& got, const Tensor& want, double tolerance = 1e-12) {
  ASSERT_EQ(got.sizes(), want.sizes());
  ASSERT_EQ(got.dtype(), want.dtype());
  EXPECT_TRUE(at::allclose(got, want, tolerance, tolerance)) << got << want;
}

const std::vector<double> kB = {0.5, -0.3, 0.2, 0.1}, kA = {2, -1.2, 0.7};

TEST_P(PublicHeader, LfilterEqualsALoop) {
  std::vector<double> x = {1, -2, 3, 0.5, 0, 0, 1, 4, -1};
  const auto [y, zf] = lfilter(vector(kB), vector(kA), vector(x));
  expect_close(y, vector(filtered(kB, kA, x)));
  x.resize(2);  // below the order
  expect_close(std::get<0>(lfilter(vector(kB), vector(kA), vector(x))),
               vector(filtered(kB, kA, x)));
}

TEST_P(PublicHeader, FinalStateIsUndefinedWithoutAnInitialOne) {
  const Tensor x = random({2, 10});
  EXPECT_FALSE(std::get<1>(lfilter(vector(kB), vector(kA), x)).defined());
  EXPECT_FALSE(std::get<1>(allpole(vector({-0.5}), x)).defined());
}

TEST_P(PublicHeader, ChunksWithTheirStateEqualTheWhole) {
  const Tensor b = vector(kB), a = vector(kA), x = random({2, 20});
  const Tensor head = x.slice(1, 0, 7), tail = x.slice(1, 7);
  const auto [y1, z1] = lfilter(b, a, head, zeros({2, 3}));
  const auto [y2, z2] = lfilter(b, a, tail, z1);
  expect_close(at::cat({y1, y2}, 1), std::get<0>(lfilter(b, a, x)));
  // the state is what is still to come: the output of silence
  expect_close(z2.select(1, 0),
               std::get<0>(lfilter(b, a, at::constant_pad_nd(x, {0, 1}))).select(1, 20));

  const auto [u1, v1] = allpole(a.slice(0, 1), head, zeros({2, 2}));
  const auto [u2, v2] = allpole(a.slice(0, 1), tail, v1);
  const Tensor whole = std::get<0>(allpole(a.slice(0, 1), x));
  expect_close(at::cat({u1, u2}, 1), whole);
  expect_close(v2, whole.slice(1, 18).flip(1));  // newest first
}

TEST_P(PublicHeader, AllpoleEqualsALoop) {
  const std::vector<double> x = {1, -2, 3, 0.5, 0, 0, 1};
  const auto [y, zf] = allpole(vector({-0.6, 0.35}), vector(x));
  expect_close(y, vector(filtered({1}, {1, -0.6, 0.35}, x)));
}

TEST_P(PublicHeader, AxisIsAnyOfX) {
  const Tensor b = vector(kB), a = vector(kA), x = random({3, 12, 2});
  const Tensor want = std::get<0>(lfilter(b, a, x.movedim(1, -1))).movedim(-1, 1);
  for (const int64_t axis : {1, -2}) {
    const auto [y, zf] = lfilter(b, a, x, zeros({3, 3, 2}), axis);
    expect_close(y, want);
    EXPECT_EQ(zf.sizes(), at::IntArrayRef({3, 3, 2}));
    const auto [db, da] = sensitivity(b, a, x, axis);  // time last but one
    const auto [db_last, da_last] = sensitivity(b, a, x.movedim(1, -1));
    expect_close(db, db_last);
    expect_close(da, da_last);
  }
}

TEST_P(PublicHeader, CoefficientsOfABankBroadcast) {
  const Tensor b = random({4, 1, 3}), a = vector({1, -0.5}), x = random({2, 9});
  const Tensor y = std::get<0>(lfilter(b, a, x));
  ASSERT_EQ(y.sizes(), at::IntArrayRef({4, 2, 9}));
  expect_close(y[3], std::get<0>(lfilter(b[3][0], a, x)));
}

TEST_P(PublicHeader, BackwardIsChosen) {
  const Tensor x = random({2, 15});
  std::vector<Tensor> gradients;
  for (const char* backward : {"one_pass", "two_pass"}) {
    Tensor a = vector(kA).requires_grad_();
    std::get<0>(lfilter(vector(kB), a, x, {}, -1, backward)).square().sum().backward();
    gradients.push_back(a.grad());
  }
  expect_close(gradients[1], gradients[0], 1e-10);
  EXPECT_THROW(lfilter(vector(kB), vector(kA), x, {}, -1, "three_pass"), c10::ValueError);
}

TEST_P(PublicHeader, AnUndefinedTensorGetsASentence) {
  const Tensor x = random({2, 15}), none;
  const auto sentence_of = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const c10::ValueError& error) {
      return error.what_without_backtrace();
    }
    return "nothing was thrown";
  };
  const std::string rest = ": expected a tensor, got an undefined one";
  EXPECT_EQ(sentence_of([&] { lfilter(none, vector(kA), x); }), "lfilter: b" + rest);
  EXPECT_EQ(sentence_of([&] { lfilter(vector(kB), none, x); }), "lfilter: a" + rest);
  EXPECT_EQ(sentence_of([&] { lfilter(vector(kB), vector(kA), none); }), "lfilter: x" + rest);
  EXPECT_EQ(sentence_of([&] { polezero::comb_filter(vector({0.5}), none, x); }),
            "comb_filter: delay" + rest);
  EXPECT_EQ(sentence_of([&] { polezero::state_space(none, none, {}, {}, x); }),
            "state_space: A" + rest);
  EXPECT_EQ(sentence_of([&] { polezero::lpv::lattice(none, x); }), "lpv.lattice: k" + rest);
}

TEST_P(PublicHeader, SensitivityIsTheDerivative) {
  const Tensor b = vector(kB), a = vector(kA), x = random({2, 15});
  const auto [db, da] = sensitivity(b, a, x);
  ASSERT_EQ(db.sizes(), at::IntArrayRef({2, 15, 4}));
  ASSERT_EQ(da.sizes(), at::IntArrayRef({2, 15, 3}));
  const double h = 1e-6;  // the error of the difference is about h^2
  auto y = [&](const Tensor& b_, const Tensor& a_) { return std::get<0>(lfilter(b_, a_, x)); };
  for (int64_t i = 0; i < 4; ++i) {
    const Tensor step = h * at::one_hot(at::scalar_tensor(i, at::kLong), 4).to(options);
    expect_close(db.select(2, i), (y(b + step, a) - y(b - step, a)) / (2 * h), 1e-8);
    if (i == 3) continue;
    const Tensor step_a = step.slice(0, 0, 3);
    expect_close(da.select(2, i), (y(b, a + step_a) - y(b, a - step_a)) / (2 * h), 1e-8);
  }
}

TEST_P(PublicHeader, GradientsNeedNoPython) {
  const Tensor b = vector(kB).requires_grad_(), a = vector(kA).requires_grad_();
  const Tensor x = random({2, 30}).requires_grad_();
  const Tensor y = std::get<0>(lfilter(b, a, x));
  y.square().sum().backward();
  // The gradients by the chain rule over all outputs, which sensitivity has one by one.
  const auto [db, da] = sensitivity(b.detach(), a.detach(), x.detach());
  const Tensor grad_y = 2 * y.detach().unsqueeze(-1);
  expect_close(b.grad(), (grad_y * db).sum(at::IntArrayRef({0, 1})));
  expect_close(a.grad(), (grad_y * da).sum(at::IntArrayRef({0, 1})));
  // In x the filter is linear, and its adjoint is the filter of reversed time.
  const Tensor reversed = std::get<0>(lfilter(b, a, grad_y.squeeze(-1).flip(1)));
  expect_close(x.grad(), reversed.detach().flip(1));
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "Py_IsInitialized"), nullptr) << "a Python library is loaded";
}

// Coefficients [T, taps] that are the same at all times.
Tensor at_all_times(const std::vector<double>& c, int64_t time) {
  return vector(c).unsqueeze(0).expand({time, static_cast<int64_t>(c.size())});
}

TEST_P(PublicHeader, TimeVaryingFormsEqualTheConstantFilter) {
  const Tensor x = random({2, 20}), b = at_all_times(kB, 20), a = at_all_times(kA, 20);
  const Tensor want = std::get<0>(lfilter(vector(kB), vector(kA), x));
  for (const char* form : {"df1", "df2", "tdf1", "tdf2"}) {
    const auto [y, zf] = polezero::lpv::lfilter(b, a, x, {}, form);
    expect_close(y, want);
    EXPECT_FALSE(zf.defined());
  }
  expect_close(std::get<0>(polezero::tdf2_ssm(vector(kB), vector(kA), x)), want);
  const auto [y1, z1] =
      polezero::lpv::tdf2_ssm(b.slice(0, 0, 7), a.slice(0, 0, 7), x.slice(1, 0, 7), zeros({3}));
  const auto [y2, z2] = polezero::lpv::tdf2_ssm(b.slice(0, 7), a.slice(0, 7), x.slice(1, 7), z1);
  expect_close(at::cat({y1, y2}, 1), want);
}

TEST_P(PublicHeader, TimeVaryingPrimitivesEqualLoops) {
  const Tensor x = vector({1, 2, 3}), c = vector({0.5, -0.5, 2.0}).unsqueeze(-1);
  const Tensor past = vector({4});
  const auto [y, zf] = polezero::lpv::allpole(c, x, past);
  expect_close(y, vector({-1, 1.5, 0}));
  expect_close(zf, vector({0}));
  const auto [h, last] = polezero::linear_recurrence(-c.squeeze(-1), x, past);
  expect_close(h, y);
  expect_close(last, zf);
  const auto [u, inputs] = polezero::lpv::fir(at::cat({at::zeros_like(c), c}, -1), x, past);
  expect_close(u, vector({2, -0.5, 4}));
  expect_close(inputs, vector({3}));
}

TEST_P(PublicHeader, CombFiltersAreAllpoleFiltersWithOneTap) {
  const Tensor x = random({2, 20}), a = vector({0.6}),
               D = at::tensor({3}, at::kLong).to(x.device());
  const Tensor past = random({2, 3}), taps = vector({0, 0, 0.6});
  const auto [y, zf] = polezero::comb_filter(a, D, x, past);
  const auto [want, last] = allpole(taps, x, past);
  expect_close(y, want);
  expect_close(zf, last);
  expect_close(std::get<0>(polezero::sparse_allpole(a, D, x, past)), want);
  const Tensor delayed = at::constant_pad_nd(x.slice(1, 0, 17), {3, 0});
  expect_close(std::get<0>(polezero::feedforward_comb(a, D, x)), x + 0.6 * delayed);
  expect_close(std::get<0>(polezero::allpass_comb(a, D, x)),
               std::get<0>(lfilter(vector({0.6, 0, 0, 1}), vector({1, 0, 0, 0.6}), x)));
  const Tensor between = vector({2.5}).requires_grad_();
  std::get<0>(polezero::comb_filter(a, between, x, {}, "linear")).square().sum().backward();
  EXPECT_TRUE(between.grad().isfinite().all().item<bool>());
}

TEST_P(PublicHeader, SplinesGoThroughTheirSamples) {
  const Tensor x = random({2, 30});
  for (const char* boundary : {"reflect", "scipy"}) {
    expect_close(polezero::cubic_spline(x, 3, boundary).slice(-1, 0, 88, 3), x);
  }
  expect_close(polezero::cubic_spline(x.t(), 3, "reflect", 0), polezero::cubic_spline(x, 3).t());
  const Tensor knots = at::arange(30, x.options());
  expect_close(polezero::cspline1d_eval(polezero::cspline1d(x), knots), x);
  expect_close(polezero::qspline1d_eval(polezero::qspline1d(x), knots), x);
  const Tensor ones = at::ones({5}, x.options());
  expect_close(polezero::cspline1d(ones, 0.5), ones);
  expect_close(polezero::cspline2d(x), polezero::cspline1d(polezero::cspline1d(x, 0, 0)));
  expect_close(polezero::qspline2d(x), polezero::qspline1d(polezero::qspline1d(x, 0)));
  expect_close(polezero::symiirorder1(ones, 0.25, 0.5), ones);
  expect_close(polezero::symiirorder2(ones, 0.5, 1.0), ones);
  const Tensor points = (knots.slice(0, 0, 20) + 0.25).requires_grad_();
  polezero::cspline1d_eval(x, points).square().sum().backward();
  EXPECT_TRUE((points.grad() != 0).all().item<bool>());
}

TEST_P(PublicHeader, AModeWithAComplexPoleIsAFilterOfSecondOrder) {
  const Tensor x = random({2, 200});
  const Tensor poles = at::complex(vector({0.6}), vector({0.5})).requires_grad_();
  const auto [y, none] = polezero::modal_bank(poles, vector({2}), x);
  expect_close(y, std::get<0>(lfilter(vector({2, -1.2}), vector({1, -1.2, 0.61}), x)));
  EXPECT_FALSE(none.defined());
  const Tensor zi = at::zeros_like(poles);
  const auto [head, state] = polezero::modal_bank(poles, vector({2}), x.slice(1, 0, 70), zi);
  const auto [tail, zf] = polezero::modal_bank(poles, vector({2}), x.slice(1, 70), state);
  expect_close(at::cat({head, tail}, 1), y);
  EXPECT_EQ(zf.sizes(), at::IntArrayRef({2, 1}));
  y.square().sum().backward();
  EXPECT_TRUE(at::isfinite(at::view_as_real(poles.grad())).all().item<bool>());
}

TEST_P(PublicHeader, AFilterIsItsModesAndItsDirectPart) {
  const Tensor x = random({2, 200}), b = vector(kB).requires_grad_(), a = vector(kA);
  const auto [residues, poles, direct] = polezero::parallel_form(b, a);
  ASSERT_EQ(direct.sizes(), at::IntArrayRef({2}));
  const Tensor modes = std::get<0>(polezero::modal_bank(poles, residues, x));
  const Tensor y = modes + std::get<0>(lfilter(direct, vector({1}), x));
  expect_close(y, std::get<0>(lfilter(b, a, x)));
  y.square().sum().backward();
  EXPECT_TRUE((b.grad() != 0).all().item<bool>());
}

TEST_P(PublicHeader, AStateSpaceIsItsModes) {
  const Tensor A = vector({0.5, 0.3, -0.4, 0.2}).view({2, 2}), B = random({2, 3}),
               C = random({1, 2}), x = random({3, 100});
  const auto [poles, gains] = polezero::diagonalise(A, B, C);
  ASSERT_EQ(gains.sizes(), at::IntArrayRef({1, 3, 2}));
  const Tensor delayed = at::constant_pad_nd(x, {1, 0}).slice(1, 0, 100);
  expect_close(std::get<0>(polezero::modal_bank(poles, gains, delayed)).sum(1),
               std::get<0>(polezero::state_space(A, B, C, {}, x)));
}

TEST_P(PublicHeader, FrequencySamplingFiltersSignalsAndSpectra) {
  using namespace polezero;
  const Tensor b = vector(kB).requires_grad_(), a = vector(kA), x = random({2, 50});
  const Tensor want = std::get<0>(lfilter(b, a, x));
  expect_close(freq::lfilter(b, a, x, "truncate"), want);
  expect_close(freq::lfilter(b, a, x.t(), "truncate", 0), want.t());
  expect_close(freq::lfilter(b, a, at::constant_pad_nd(x, {0, 100}), "zeropad").slice(1, 0, 50),
               want);  // rung out: poles of radius 0.6
  const Tensor X = at::fft_rfft(x), Y = freq::apply(b, a, X);
  expect_close(Y, freq::response(b, a, 50) * X);
  expect_close(at::fft_irfft(Y, 50), freq::lfilter(b, a, x));
  expect_close(freq::apply(b, a, X, 51), freq::response(b, a, 51) * X);
  expect_close(freq::apply(b, a, at::fft_fft(x), {}, -1, false),
               freq::response(b, a, 50, false) * at::fft_fft(x));
  freq::lfilter(b, a, x, "truncate").square().sum().backward();
  EXPECT_TRUE((b.grad() != 0).all().item<bool>());
}

TEST_P(PublicHeader, ACombOnAGridIsAFilter) {
  const Tensor a = vector({0.6}), delay = vector({3}).requires_grad_();
  for (const bool onesided : {true, false}) {
    expect_close(polezero::freq::comb(a, delay, 16, onesided)[0],
                 polezero::freq::response(vector({1}), vector({1, 0, 0, 0.6}), 16, onesided));
  }
  polezero::freq::comb(a, delay, 16).abs().square().sum().backward();
  EXPECT_TRUE(delay.grad().isfinite().all().item<bool>());
}

TEST_P(PublicHeader, SosfiltIsItsSectionsInTurn) {
  const Tensor x = random({5, 30}), zi = random({2, 5, 2});
  const Tensor sos =
      vector({0.5, 0.1, 0.2, 2.0, -1.0, 0.5, 1.0, 0.0, -1.0, 1.0, 0.3, 0.2}).view({2, 6});
  auto section = [&](int64_t k, const Tensor& u) {
    return lfilter(sos[k].slice(0, 0, 3), sos[k].slice(0, 3), u, zi[k]);
  };
  const auto [u, z0] = section(0, x);
  const auto [want, z1] = section(1, u);
  const auto [y, zf] = polezero::sosfilt(sos, x, zi);
  expect_close(y, want);
  expect_close(zf, at::stack({z0, z1}));
  const auto [across, none] = polezero::sosfilt(sos, x.t(), {}, 0);
  expect_close(across, std::get<0>(polezero::sosfilt(sos, x)).t());
  EXPECT_FALSE(none.defined());
  const auto [varying, states] = polezero::lpv::sosfilt(sos.expand({30, 2, 6}), x, zi);
  expect_close(varying, y);
  expect_close(states, zf);
}

TEST_P(PublicHeader, StateSpaceEqualsItsLoop) {
  const Tensor A = random({3, 3}) * 0.3, B = random({3, 2}), C = random({1, 3}), D = random({1, 2});
  const Tensor x = random({5, 2, 20}), zi = random({5, 3});
  Tensor v = zi;
  std::vector<Tensor> outputs;
  for (int64_t n = 0; n < 20; ++n) {
    const Tensor u = x.select(-1, n);
    outputs.push_back(v.matmul(C.t()) + u.matmul(D.t()));
    v = v.matmul(A.t()) + u.matmul(B.t());
  }
  const auto [y, zf] = polezero::state_space(A, B, C, D, x, zi);
  expect_close(y, at::stack(outputs, -1));
  expect_close(zf, v);
  const auto [states, none] = polezero::state_space(A, B, {}, {}, x);
  EXPECT_EQ(states.sizes(), at::IntArrayRef({5, 3, 20}));
  EXPECT_FALSE(none.defined());
  auto over_time = [](const Tensor& m) { return m.expand({20, m.size(0), m.size(1)}); };
  const auto [varying, last] =
      polezero::lpv::state_space(over_time(A), over_time(B), over_time(C), D.unsqueeze(0), x, zi);
  expect_close(varying, y);
  expect_close(last, zf);
}

TEST_P(PublicHeader, LatticesWithConstantCoefficientsAreTheirFilters) {
  const Tensor x = random({4, 30}), k = vector({0.4, -0.6}).unsqueeze(0);
  const Tensor a = vector({0.4 * (1 - 0.6), -0.6});
  const auto [y, none] = polezero::lpv::lattice(k, x);
  expect_close(y, std::get<0>(allpole(a, x)));
  EXPECT_FALSE(none.defined());
  // z^-2 A(1/z) / A(z) passes all frequencies
  const Tensor last = vector({0.0, 0.0, 1.0}).unsqueeze(0);
  const auto [z, zf] = polezero::lpv::lattice(k, x, zeros({4, 2}), last);
  expect_close(z, std::get<0>(lfilter(vector({-0.6, 0.16, 1}), vector({1, 0.16, -0.6}), x)));
  EXPECT_EQ(zf.sizes(), at::IntArrayRef({4, 2}));
  const Tensor sos = vector({0.5, 0.1, 0.2, 2.0, -1.0, 0.5}).view({1, 1, 6}).expand({30, 2, 6});
  const auto [sum, states] = polezero::lpv::parallel(sos, x, zeros({2, 4, 2}));
  expect_close(sum, 2 * std::get<0>(lfilter(sos[0][0].slice(0, 0, 3), sos[0][0].slice(0, 3), x)));
  EXPECT_EQ(states.sizes(), at::IntArrayRef({2, 4, 2}));
}

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

TEST_P(PublicHeader, ErrorsAreOneSentenceOfTheirType) {
  const Tensor b = vector(kB), a = vector(kA), x = random({2, 10});
  if (GetParam() == at::kCPU) {  // nothing is read from a GPU
    EXPECT_EQ(sentence<c10::ValueError>([&] { lfilter(b, vector({0, 1}), x); }),
              "lfilter: a: expected a[..., 0] != 0, got 0");
    EXPECT_EQ(sentence<c10::ValueError>([&] {
                polezero::diagonalise(at::eye(2, options), zeros({2, 1}), zeros({1, 2}));
              }),
              "diagonalise: A: expected poles at least 1e-05 apart, got a distance of 0");
  }
  EXPECT_EQ(sentence<c10::ValueError>([&] { lfilter(b, a, x, random({2, 2})); }),
            "lfilter: zi: expected 3 values (max(len(a), len(b)) - 1) along axis -1, got shape "
            "[2, 2]");
  EXPECT_EQ(sentence<c10::IndexError>([&] { lfilter(b, a, x, {}, 2); }),
            "lfilter: axis: expected a number from -2 to 1, got 2");
  EXPECT_EQ(sentence<c10::ValueError>([&] { polezero::freq::lfilter(b, a, x, "pad"); }),
            "freq.lfilter: correction: expected 'none', 'zeropad' or 'truncate', got 'pad'");
  EXPECT_EQ(sentence<c10::ValueError>([&] { polezero::freq::lfilter(b[0], a, x); }),
            "freq.lfilter: b: expected at least 1 coefficient along the last axis, got shape []");
  EXPECT_EQ(sentence<c10::ValueError>([&] { polezero::freq::apply(b, a, x, 7); }),
            "freq.apply: n: expected 18 or 19 for F = 10 frequencies, onesided=True, got 7");
  EXPECT_EQ(sentence<c10::IndexError>([&] { sensitivity(b, a, x, -3); }),
            "sensitivity: axis: expected a number from -2 to 1, got -3");
  EXPECT_EQ(sentence<c10::ValueError>([&] { allpole(a, x, random({2, 2})); }),
            "allpole: zi: expected 3 values along axis -1, got shape [2, 2]");
  const Tensor quarter = x.to(at::kFloat8_e5m2);
  EXPECT_EQ(sentence<c10::TypeError>([&] { allpole(quarter, quarter); }),
            "allpole: x: expected a dtype among float16, bfloat16, float32, float64, complex64, "
            "complex128 and the integers, got Float8_e5m2");
}

}  // namespace
