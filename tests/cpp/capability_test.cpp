// Suites named DeathTest run first, and each of their checks in a process of its own: the
// instruction set is chosen once in a process.
#include "kernels/cpu/capability.h"

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <thread>

#include "kernels/cpu/flush_denormals.h"
#include "kernels/cpu/modal.h"
#include "support.h"

namespace polezero::test {
namespace {

// The child writes to stderr what it uses, or says, under this POLEZERO_CPU_CAPABILITY.
[[noreturn]] void report_capability(const char* forced) {
  if (forced == nullptr) {
    unsetenv("POLEZERO_CPU_CAPABILITY");
  } else {
    setenv("POLEZERO_CPU_CAPABILITY", forced, 1);
  }
  try {
    const InstructionSet chosen = cpu_capability();
    if (&cpu::lfilter_kernels<float>() == &cpu::lfilter_kernels<float>(chosen) &&
        &cpu::modal_kernels<double>() == &cpu::modal_kernels<double>(chosen)) {
      std::fprintf(stderr, "uses %s.", name_of(chosen));
      std::exit(0);
    }
    std::fprintf(stderr, "a table that does not fit its name");
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "%s", error.what());
  }
  std::exit(1);
}

const ::testing::ExitedWithCode kFound(0), kRefused(1);

TEST(CapabilityDeathTest, TheBestIsChosenUnlessOneIsForced) {
  const std::string best =
      std::string("uses ") + name_of(available_instruction_sets().back()) + "\\.";
  EXPECT_EXIT(report_capability(nullptr), kFound, best);
  EXPECT_EXIT(report_capability(""), kFound, best);
}

TEST(CapabilityDeathTest, EachThatTheProcessorHasCanBeForced) {
  for (const InstructionSet isa : available_instruction_sets()) {
    EXPECT_EXIT(report_capability(name_of(isa)), kFound,
                std::string("uses ") + name_of(isa) + "\\.");
  }
}

TEST(CapabilityDeathTest, AnUnknownNameIsRefusedWithThoseExpected) {
  std::string expected = "POLEZERO_CPU_CAPABILITY: expected one of .*baseline on this processor";
  EXPECT_EXIT(report_capability("sse9"), kRefused, expected + ", got 'sse9'");
  EXPECT_EXIT(report_capability("AVX2"), kRefused, expected + ", got 'AVX2'");
}

// The smallest normal number halved, kept from the compiler.
template <class T>
T half_of_smallest() {
  volatile T smallest = std::numeric_limits<T>::min();
  volatile T half = smallest / 2;
  return half;
}

TEST(FlushDenormals, ReadsAndWritesThemAsZero) {
  volatile float denormal = std::numeric_limits<float>::denorm_min();
  cpu::FlushDenormals flush;
  EXPECT_EQ(half_of_smallest<float>(), 0.0f);
  EXPECT_EQ(half_of_smallest<double>(), 0.0);
  volatile float read = denormal * 1e30f;
  EXPECT_EQ(read, 0.0f);
}

TEST(FlushDenormals, RestoresTheModeAtTheEndOfTheScope) {
  ASSERT_GT(half_of_smallest<float>(), 0.0f);
  {
    cpu::FlushDenormals flush;
    {
      cpu::FlushDenormals again;
    }
    EXPECT_EQ(half_of_smallest<float>(), 0.0f) << "an inner scope ended the outer one";
  }
  EXPECT_GT(half_of_smallest<float>(), 0.0f);
  try {
    cpu::FlushDenormals flush;
    throw std::runtime_error("leaves the scope");
  } catch (const std::runtime_error&) {
  }
  EXPECT_GT(half_of_smallest<double>(), 0.0);
}

TEST(FlushDenormals, IsAMatterOfOneThread) {
  cpu::FlushDenormals flush;
  std::thread([] {
    // a new thread takes the mode over from the one that made it
    {
      cpu::FlushDenormals again;
    }
    EXPECT_EQ(half_of_smallest<float>(), 0.0f);
  }).join();
  EXPECT_EQ(half_of_smallest<float>(), 0.0f);
}

}  // namespace
}  // namespace polezero::test
