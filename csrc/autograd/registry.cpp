#include <cctype>
#include <utility>

#include "autograd/core_dims.h"
#include "autograd/node.h"

namespace polezero {

std::map<std::string, std::vector<int64_t>>& core_dims() {
  static std::map<std::string, std::vector<int64_t>> dims;
  return dims;
}

namespace autograd {

std::string node_name(std::string op) {
  std::string suffix = "Backward";
  for (const auto& [ending, itself] :
       {std::pair("_forward", ""), std::pair("_backward", "Double")}) {
    if (op.ends_with(ending)) {
      op.erase(op.rfind('_'));
      suffix = itself + suffix;
      break;
    }
  }
  std::string name;
  bool capital = true;
  for (const char c : op) {
    if (c != '_') name += capital ? static_cast<char>(std::toupper(c)) : c;
    capital = c == '_';
  }
  return name + suffix;
}

}  // namespace autograd

}  // namespace polezero
