// What sharding and batching rules are made of.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace polezero {

// For each op of the closed set how many dimensions of each of its tensors, the last ones, are the
// op's own; those in front of them broadcast, and each row of them is a problem by itself.
__attribute__((visibility("default"))) std::map<std::string, std::vector<int64_t>>& core_dims();

}  // namespace polezero
