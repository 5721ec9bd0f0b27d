// Which instruction set the kernels of this process use.
#pragma once

#include <vector>

namespace polezero {

// x86-64 only has the last two. Their order is that of a table's (table.h).
enum class InstructionSet { kBaseline, kAvx2, kAvx512 };
const char* name_of(InstructionSet set);

// The sets that this processor has, the best one last.
std::vector<InstructionSet> available_instruction_sets();

// The best set, or the one named by POLEZERO_CPU_CAPABILITY; chosen at the first call. Throws
// std::runtime_error for a name that is unknown or not available here.
InstructionSet cpu_capability();

}  // namespace polezero
