// polezero.h as api_test.cpp has it: the other families of functions.
#include "api.h"

namespace api {

namespace {

using polezero::allpole;
using polezero::lfilter;

// Coefficients [T, taps] that are the same at all times.
Tensor at_all_times(const std::vector<double>& c, int64_t time) {
  return vector(c).unsqueeze(0).expand({time, static_cast<int64_t>(c.size())});
}

TEST_P(PublicHeader, TimeVaryingFormsEqualTheConstantFilter) {
  const Tensor x = random({2, 20}), b = at_all_times(kB, 20), a = at_all_times(kA, 20);
  const Tensor want = lfilter(vector(kB), vector(kA), x);
  for (const char* form : {"df1", "df2", "tdf1", "tdf2"}) {
    expect_close(polezero::lpv::lfilter(b, a, x, form), want);
  }
  expect_close(polezero::tdf2_ssm(vector(kB), vector(kA), x), want);
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
  expect_close(polezero::feedforward_comb(a, D, x), x + 0.6 * delayed);
  expect_close(polezero::allpass_comb(a, D, x),
               lfilter(vector({0.6, 0, 0, 1}), vector({1, 0, 0, 0.6}), x));
  const Tensor between = vector({2.5}).requires_grad_();
  polezero::comb_filter(a, between, x, "linear").square().sum().backward();
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
  const Tensor y = polezero::modal_bank(poles, vector({2}), x);
  expect_close(y, lfilter(vector({2, -1.2}), vector({1, -1.2, 0.61}), x));
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
  const Tensor modes = polezero::modal_bank(poles, residues, x);
  const Tensor y = modes + lfilter(direct, vector({1}), x);
  expect_close(y, lfilter(b, a, x));
  y.square().sum().backward();
  EXPECT_TRUE((b.grad() != 0).all().item<bool>());
}

TEST_P(PublicHeader, AStateSpaceIsItsModes) {
  const Tensor A = vector({0.5, 0.3, -0.4, 0.2}).view({2, 2}), B = random({2, 3}),
               C = random({1, 2}), x = random({3, 100});
  const auto [poles, gains] = polezero::diagonalise(A, B, C);
  ASSERT_EQ(gains.sizes(), at::IntArrayRef({1, 3, 2}));
  const Tensor delayed = at::constant_pad_nd(x, {1, 0}).slice(1, 0, 100);
  expect_close(polezero::modal_bank(poles, gains, delayed).sum(1),
               polezero::state_space(A, B, C, {}, x));
}

TEST_P(PublicHeader, FrequencySamplingFiltersSignalsAndSpectra) {
  using namespace polezero;
  const Tensor b = vector(kB).requires_grad_(), a = vector(kA), x = random({2, 50});
  const Tensor want = lfilter(b, a, x);
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
    return lfilter(sos[k].slice(0, 0, 3), sos[k].slice(0, 3), u, -1, zi[k]);
  };
  const auto [u, z0] = section(0, x);
  const auto [want, z1] = section(1, u);
  const auto [y, zf] = polezero::sosfilt(sos, x, -1, zi);
  expect_close(y, want);
  expect_close(zf, at::stack({z0, z1}));
  expect_close(polezero::sosfilt(sos, x.t(), 0), polezero::sosfilt(sos, x).t());
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
  const Tensor states = polezero::state_space(A, B, {}, {}, x);
  EXPECT_EQ(states.sizes(), at::IntArrayRef({5, 3, 20}));
  auto over_time = [](const Tensor& m) { return m.expand({20, m.size(0), m.size(1)}); };
  const auto [varying, last] =
      polezero::lpv::state_space(over_time(A), over_time(B), over_time(C), D.unsqueeze(0), x, zi);
  expect_close(varying, y);
  expect_close(last, zf);
}

TEST_P(PublicHeader, LatticesWithConstantCoefficientsAreTheirFilters) {
  const Tensor x = random({4, 30}), k = vector({0.4, -0.6}).unsqueeze(0);
  const Tensor a = vector({0.4 * (1 - 0.6), -0.6});
  expect_close(polezero::lpv::lattice(k, x), allpole(a, x));
  // z^-2 A(1/z) / A(z) passes all frequencies
  const Tensor last = vector({0.0, 0.0, 1.0}).unsqueeze(0);
  const auto [z, zf] = polezero::lpv::lattice(k, x, zeros({4, 2}), last);
  expect_close(z, lfilter(vector({-0.6, 0.16, 1}), vector({1, 0.16, -0.6}), x));
  EXPECT_EQ(zf.sizes(), at::IntArrayRef({4, 2}));
  expect_close(polezero::lpv::lattice(k, x, std::nullopt, last), z);
  const Tensor sos = vector({0.5, 0.1, 0.2, 2.0, -1.0, 0.5}).view({1, 1, 6}).expand({30, 2, 6});
  const auto [sum, states] = polezero::lpv::parallel(sos, x, zeros({2, 4, 2}));
  expect_close(sum, 2 * lfilter(sos[0][0].slice(0, 0, 3), sos[0][0].slice(0, 3), x));
  EXPECT_EQ(states.sizes(), at::IntArrayRef({2, 4, 2}));
}

}  // namespace

}  // namespace api
