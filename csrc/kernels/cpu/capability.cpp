#include "kernels/cpu/capability.h"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace polezero {
namespace {

// Best first.
std::vector<CpuCapability> available() {
  std::vector<CpuCapability> list;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("fma")) {
    list.push_back({"avx512", &avx512::kernels});
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    list.push_back({"avx2", &avx2::kernels});
  }
#endif
  list.push_back({"baseline", &baseline::kernels});
  return list;
}

CpuCapability choose() {
  const std::vector<CpuCapability> list = available();
  const char* forced = std::getenv("POLEZERO_CPU_CAPABILITY");
  if (forced == nullptr || *forced == '\0') return list.front();
  std::string names;
  for (const CpuCapability& c : list) {
    if (c.name == std::string(forced)) return c;
    names += names.empty() ? c.name : std::string(", ") + c.name;
  }
  throw std::runtime_error("POLEZERO_CPU_CAPABILITY: expected one of " + names +
                           " on this processor, got '" + forced + "'");
}

}  // namespace

const CpuCapability& cpu_capability() {
  static const CpuCapability chosen = choose();
  return chosen;
}

}  // namespace polezero
