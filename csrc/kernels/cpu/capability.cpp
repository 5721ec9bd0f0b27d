#include "kernels/cpu/capability.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace polezero {

const char* name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::kAvx2: return "avx2";
    case InstructionSet::kAvx512: return "avx512";
    default: return "baseline";
  }
}

std::vector<InstructionSet> available_instruction_sets() {
  std::vector<InstructionSet> sets = {InstructionSet::kBaseline};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    sets.push_back(InstructionSet::kAvx2);
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("fma")) {
    sets.push_back(InstructionSet::kAvx512);
  }
#endif
  return sets;
}

namespace {

InstructionSet choose() {
  const std::vector<InstructionSet> sets = available_instruction_sets();
  const char* forced = std::getenv("POLEZERO_CPU_CAPABILITY");
  if (forced == nullptr || *forced == '\0') return sets.back();
  std::string names;
  for (auto set = sets.rbegin(); set != sets.rend(); ++set) {
    if (name_of(*set) == std::string(forced)) return *set;
    names += (names.empty() ? "" : ", ") + std::string(name_of(*set));
  }
  throw std::runtime_error("POLEZERO_CPU_CAPABILITY: expected one of " + names +
                           " on this processor, got '" + forced + "'");
}

}  // namespace

InstructionSet cpu_capability() {
  static const InstructionSet chosen = choose();
  return chosen;
}

}  // namespace polezero
