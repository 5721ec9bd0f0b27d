// Runs the tests; every finding of ptxrun fails the test in which it was made.
#include <gtest/gtest.h>

#include <cstdio>

#include "ptxrun.h"

namespace {

class Findings : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override {
    ptxrun_clear();
    instructions_ = ptxrun_instructions();
    seconds_ = ptxrun_seconds();
  }
  void OnTestEnd(const ::testing::TestInfo& info) override {
    const double millions = static_cast<double>(ptxrun_instructions() - instructions_) / 1e6, seconds = ptxrun_seconds() - seconds_;
    int findings = 0;
    for (; ptxrun_finding(findings) != nullptr; ++findings) {
      if (findings < 5) std::printf("    %s\n", ptxrun_finding(findings));
    }
    std::printf("  %s.%s: %.1f million lane instructions, %.1f s of kernels, %d findings\n", info.test_suite_name(), info.name(), millions, seconds, findings);
    if (findings > 0) ADD_FAILURE() << "ptxrun has " << findings << " findings";
  }
  uint64_t instructions_ = 0;
  double seconds_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  // (those of tests/cpp that come with their cases run CPU kernels, which are not linked)
  if (::testing::GTEST_FLAG(filter) == "*") ::testing::GTEST_FLAG(filter) = "Gpu*";
  ::testing::UnitTest::GetInstance()->listeners().Append(new Findings);
  return RUN_ALL_TESTS();
}
