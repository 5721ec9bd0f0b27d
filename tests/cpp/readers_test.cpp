// The lists of what reads each sample, which only a GPU uses, made on the CPU.
#include "ops/readers.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace polezero::test
