// polezero.h as a C++ program uses it, on the CPU and on a GPU: lfilter, and what it shares with
// all functions. Needs Torch, and no Python.
#include "api.h"

namespace api {

INSTANTIATE_TEST_SUITE_P(, PublicHeader, ::testing::Values(at::kCPU, at::kCUDA),
                         [](const auto& device) { return c10::DeviceTypeName(device.param); });

namespace {

using polezero::allpole;
using polezero::lfilter;
using polezero::sensitivity;

TEST_P(PublicHeader, LfilterEqualsALoop) {
  std::vector<double> x = {1, -2, 3, 0.5, 0, 0, 1, 4, -1};
  const Tensor y = lfilter(vector(kB), vector(kA), vector(x));
  expect_close(y, vector(filtered(kB, kA, x)));
  x.resize(2);  // below the order
  expect_close(lfilter(vector(kB), vector(kA), vector(x)), vector(filtered(kB, kA, x)));
}

TEST_P(PublicHeader, WithoutAStateYIsAloneAndEqual) {
  const Tensor b = vector(kB), a = vector(kA), x = random({2, 10});
  const auto [y, placeholder] = lfilter(b, a, x, -1, std::nullopt);
  expect_close(lfilter(b, a, x), y);
  EXPECT_EQ(placeholder.sizes(), at::IntArrayRef({0}));
  expect_close(lfilter(b, a, x.t(), 0, "two_pass"), y.t());
  expect_close(allpole(a, x, "two_pass"), std::get<0>(allpole(a, x, zeros({3}))));
}

TEST_P(PublicHeader, ChunksWithTheirStateEqualTheWhole) {
  const Tensor b = vector(kB), a = vector(kA), x = random({2, 20});
  const Tensor head = x.slice(1, 0, 7), tail = x.slice(1, 7);
  const auto [y1, z1] = lfilter(b, a, head, -1, zeros({2, 3}));
  const auto [y2, z2] = lfilter(b, a, tail, -1, z1);
  expect_close(at::cat({y1, y2}, 1), lfilter(b, a, x));
  // the state is what is still to come: the output of silence
  expect_close(z2.select(1, 0), lfilter(b, a, at::constant_pad_nd(x, {0, 1})).select(1, 20));

  const auto [u1, v1] = allpole(a.slice(0, 1), head, zeros({2, 2}));
  const auto [u2, v2] = allpole(a.slice(0, 1), tail, v1);
  const Tensor whole = allpole(a.slice(0, 1), x);
  expect_close(at::cat({u1, u2}, 1), whole);
  expect_close(v2, whole.slice(1, 18).flip(1));  // newest first
}

TEST_P(PublicHeader, StatesAreThoseOfAStepAndOfThePast) {
  const Tensor b = vector(kB).requires_grad_(), a = vector(kA), x = random({2, 20});
  const Tensor steady = polezero::lfilter_zi(b, a);
  const auto [step, same] = lfilter(b, a, at::ones({9}, options), -1, steady);
  expect_close(step, (b.sum() / a.sum()).expand({9}));
  expect_close(same, steady);
  steady.sum().backward();
  EXPECT_TRUE((b.grad() != 0).all().item<bool>());

  const auto [head, state] = lfilter(b, a, x.slice(1, 0, 12), -1, zeros({3}));
  const Tensor outputs = head.flip(1), inputs = x.slice(1, 0, 12).flip(1);
  expect_close(polezero::lfiltic(b, a, outputs, inputs), state);
  const auto [silent, left] = lfilter(vector({1}), a, zeros({2, 4}), -1,
                                      polezero::lfiltic(vector({1}), a, outputs.slice(1, 0, 2)));
  const auto [want, last] = allpole(a.slice(0, 1) / 2, zeros({2, 4}), outputs.slice(1, 0, 2));
  expect_close(silent, want);
  EXPECT_EQ(polezero::lfilter_zi(b.to(at::kFloat), a.to(at::kFloat)).dtype(), at::kDouble);
}

TEST_P(PublicHeader, AllpoleEqualsALoop) {
  const std::vector<double> x = {1, -2, 3, 0.5, 0, 0, 1};
  const Tensor y = allpole(vector({-0.6, 0.35}), vector(x));
  expect_close(y, vector(filtered({1}, {1, -0.6, 0.35}, x)));
}

TEST_P(PublicHeader, AxisIsAnyOfX) {
  const Tensor b = vector(kB), a = vector(kA), x = random({3, 12, 2});
  const Tensor want = lfilter(b, a, x.movedim(1, -1)).movedim(-1, 1);
  for (const int64_t axis : {1, -2}) {
    const auto [y, zf] = lfilter(b, a, x, axis, zeros({3, 3, 2}));
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
  const Tensor y = lfilter(b, a, x);
  ASSERT_EQ(y.sizes(), at::IntArrayRef({4, 2, 9}));
  expect_close(y[3], lfilter(b[3][0], a, x));
}

TEST_P(PublicHeader, BackwardIsChosen) {
  const Tensor x = random({2, 15});
  std::vector<Tensor> gradients;
  for (const char* backward : {"one_pass", "two_pass"}) {
    Tensor a = vector(kA).requires_grad_();
    lfilter(vector(kB), a, x, -1, backward).square().sum().backward();
    gradients.push_back(a.grad());
  }
  expect_close(gradients[1], gradients[0], 1e-10);
  EXPECT_THROW(lfilter(vector(kB), vector(kA), x, -1, "three_pass"), c10::ValueError);
}

TEST_P(PublicHeader, NumbersAreCoefficientsAndDelays) {
  const Tensor x = random({2, 20}), a = vector({0.6}), zi = random({2, 3});
  const Tensor D = at::tensor({3}, options.dtype(at::kLong)), between = vector({2.5});
  expect_close(polezero::comb_filter(0.6, 3, x), polezero::comb_filter(a, D, x));
  expect_close(polezero::comb_filter(a, 3, x), polezero::comb_filter(0.6, D, x));
  expect_close(polezero::comb_filter(0.6, 2.5, x, "linear"),
               polezero::comb_filter(a, between, x, "linear"));
  const auto [y, zf] = polezero::comb_filter(0.6, 3, x, zi);
  const auto [want, last] = polezero::comb_filter(a, D, x, zi);
  expect_close(y, want);
  expect_close(zf, last);
  expect_close(polezero::feedforward_comb(0.6, 3, x), polezero::feedforward_comb(a, D, x));
  expect_close(std::get<1>(polezero::feedforward_comb(0.6, 3, x, zi)), x.slice(1, 17).flip(1));
  expect_close(polezero::allpass_comb(0.6, 3, x), polezero::allpass_comb(a, D, x));
  expect_close(std::get<0>(polezero::allpass_comb(0.6, 3, x, zi)),
               std::get<0>(polezero::allpass_comb(a, D, x, zi)));
  expect_close(polezero::linear_recurrence(0.6, x), polezero::linear_recurrence(a, x));
  expect_close(std::get<0>(polezero::linear_recurrence(0, x, zi.slice(1, 0, 1))), x);
  expect_close(polezero::freq::comb(0.6, 3, 16),
               polezero::freq::comb(0.6, vector({3}), 16)[0].cpu());
  // As wide as they are: a float32 signal rounds only the result.
  const Tensor narrow = x.to(at::kFloat);
  expect_close(polezero::linear_recurrence(0.1, narrow),
               polezero::linear_recurrence(vector({0.1}), narrow), 0);
  EXPECT_TRUE(polezero::linear_recurrence(c10::complex<double>(0, 0.5), x).is_complex());
}

TEST_P(PublicHeader, AnUndefinedTensorGetsASentence) {
  const Tensor a = vector(kA), x = random({2, 15}), none;
  const auto sentence_of = [](auto&& call) { return sentence<c10::ValueError>(call); };
  const std::string rest = ": expected a tensor, got an undefined one";
  EXPECT_EQ(sentence_of([&] { lfilter(none, a, x); }), "lfilter: b" + rest);
  EXPECT_EQ(sentence_of([&] { lfilter(a, none, x); }), "lfilter: a" + rest);
  EXPECT_EQ(sentence_of([&] { lfilter(a, a, none); }), "lfilter: x" + rest);
  EXPECT_EQ(sentence_of([&] { polezero::lfiltic(a, a, none); }), "lfiltic: y" + rest);
  EXPECT_EQ(sentence_of([&] { polezero::comb_filter(0.5, none, x); }), "comb_filter: delay" + rest);
  EXPECT_EQ(sentence_of([&] { polezero::comb_filter(0.5, 3, none); }), "comb_filter: x" + rest);
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
  auto y = [&](const Tensor& b_, const Tensor& a_) { return lfilter(b_, a_, x); };
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
  const Tensor y = lfilter(b, a, x);
  y.square().sum().backward();
  // The gradients by the chain rule over all outputs, which sensitivity has one by one.
  const auto [db, da] = sensitivity(b.detach(), a.detach(), x.detach());
  const Tensor grad_y = 2 * y.detach().unsqueeze(-1);
  expect_close(b.grad(), (grad_y * db).sum(at::IntArrayRef({0, 1})));
  expect_close(a.grad(), (grad_y * da).sum(at::IntArrayRef({0, 1})));
  // In x the filter is linear, and its adjoint is the filter of reversed time.
  const Tensor reversed = lfilter(b, a, grad_y.squeeze(-1).flip(1));
  expect_close(x.grad(), reversed.detach().flip(1));
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "Py_IsInitialized"), nullptr) << "a Python library is loaded";
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
  EXPECT_EQ(sentence<c10::ValueError>([&] { lfilter(b, a, x, -1, random({2, 2})); }),
            "lfilter: zi: expected 3 values (max(len(a), len(b)) - 1) along axis -1, got shape "
            "[2, 2]");
  EXPECT_EQ(sentence<c10::IndexError>([&] { lfilter(b, a, x, 2); }),
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

}  // namespace api
