// What sharding and batching rules are made of.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace polezero {

// The number of dimensions, the last ones, of each tensor of each op of the closed set that are the
// op's own; those in front of them broadcast, and each row of them is a problem by itself.
__attribute__((visibility("default"))) std::map<std::string, std::vector<int64_t>>& core_dims();

}  // namespace polezero
