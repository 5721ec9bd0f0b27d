// The lists of what reads each sample, which only a GPU uses, made on the CPU.
#include "ops/gather_lists.h"

#include <gtest/gtest.h>

#include "params/spline_points.h"

namespace polezero::test {
namespace {

// Every read is in the list of its sample, in the order of reads.
void expect_lists(const at::Tensor& reads, int64_t samples) {
  const Readers readers(reads, samples);
  const int64_t count = reads.size(1);
  ASSERT_EQ(readers.begin.sizes(), at::IntArrayRef({reads.size(0), samples + 1}));
  const at::Tensor dense = reads.contiguous();
  for (int64_t list = 0; list < reads.size(0); ++list) {
    const auto* sample = dense.const_data_ptr<int64_t>() + list * count;
    const auto* read = readers.read.const_data_ptr<int64_t>() + list * count;
    const auto* begin = readers.begin.const_data_ptr<int64_t>() + list * (samples + 1);
    for (int64_t m = 0; m < samples; ++m) {
      std::vector<int64_t> want;
      for (int64_t i = 0; i < count; ++i) {
        if (sample[i] == m) want.push_back(i);
      }
      EXPECT_EQ(std::vector<int64_t>(read + begin[m], read + begin[m + 1]), want) << "sample " << m;
    }
  }
}

TEST(Readers, HaveEveryReadOfASample) {
  at::manual_seed(0);
  expect_lists(at::randint(0, 50, {2, 150}, at::kLong), 50);
  expect_lists(at::randint(0, 3, {1, 100}, at::kLong), 57);   // many of one sample
  expect_lists(at::randint(-5, 25, {1, 40}, at::kLong), 20);  // before and after all samples
  expect_lists(at::randint(0, 9, {40, 2}, at::kLong).t(), 12);
}

void expect_samples(const at::Tensor& delays, int64_t past, int64_t T, at::IntArrayRef leading,
                    int64_t lists) {
  const at::Tensor got = read_samples(delays, past, T, leading);
  const int64_t reads = delays.size(-1);
  ASSERT_EQ(got.sizes(), at::IntArrayRef({lists, T * reads}));
  at::DimVector sizes(leading.begin(), leading.end());
  sizes.insert(sizes.end(), {T, reads});
  const at::Tensor all = delays.expand(sizes).reshape({-1, T * reads});
  for (int64_t row = 0; row < all.size(0); ++row) {
    for (int64_t i = 0; i < T * reads; ++i) {
      const int64_t d = std::max<int64_t>(all[row][i].item<int64_t>(), 1), n = past + i / reads;
      EXPECT_EQ(got[lists == 1 ? 0 : row][i].item<int64_t>(), std::max<int64_t>(n - d, -1));
    }
  }
}

TEST(Readers, TapsReadTheSamplesOfTheirDelays) {
  const auto delays = [](at::IntArrayRef sizes) { return at::randint(-2, 9, sizes, at::kLong); };
  expect_samples(delays({6, 2}), 0, 6, {3}, 1);
  expect_samples(delays({1, 6, 2}), 4, 6, {3}, 1);
  expect_samples(delays({1, 1, 6, 2}), 4, 6, {2, 3}, 1);
  expect_samples(delays({1, 2}), 4, 6, {3}, 1);  // constant
  expect_samples(delays({3, 6, 2}), 4, 6, {3}, 3);
  expect_samples(delays({2, 1, 6, 2}), 4, 6, {2, 3}, 6);
  expect_samples(delays({6, 2}).expand({3, 6, 2}), 0, 6, {3}, 3);
}

TEST(Readers, PointsReadTheCoefficientsOfTheirSplines) {
  at::manual_seed(1);
  const double huge = 1e300, infinite = HUGE_VAL;
  for (const int64_t knots : {1, 2, 3, 5, 40}) {
    const at::Tensor t = at::cat({at::rand({1, 200}, at::kDouble) * (knots + 30.) - 15.,
                                  at::arange(-9, 31, at::kDouble).unsqueeze(0) * 0.5,
                                  at::tensor({huge, -huge, infinite, -infinite, NAN}).unsqueeze(0)},
                                 -1);
    for (const int points : {3, 4}) {
      for (const bool whole_sample : {false, true}) {
        const Interpolator basis{points, 1, {}};
        const double shift = points == 3 ? 0.5 : 0;
        const at::Tensor got = read_coefficients(t, knots, basis, shift, whole_sample);
        SplineParams<double> p{};
        p.basis = basis;
        p.shift = shift;
        p.knots = knots;
        p.t = t.const_data_ptr<double>();
        for (int64_t i = 0; i < t.size(1); ++i) {
          const host::SplinePoint at = host::spline_point(p, 0, i);
          for (int64_t j = 0; j < points; ++j) {
            EXPECT_EQ(got[0][i * points + j].item<int64_t>(),
                      host::mirrored(at.first + j, knots, whole_sample))
                << "point " << p.t[i] << ", " << knots << " knots";
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace polezero::test
