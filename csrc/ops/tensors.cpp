#include "ops/tensors.h"

namespace polezero {

Tensor join(const Tensor& u, const Tensor& v) {
  const auto leading = [](const Tensor& t) { return t.sym_sizes().slice(0, t.dim() - 1); };
  const auto sizes = at::infer_size_symdimvector(leading(u), leading(v));
  auto expand = [&](const Tensor& t) {
    c10::SymDimVector full(sizes.begin(), sizes.end());
    full.push_back(t.sym_size(-1));
    return t.expand_symint(full);
  };
  return at::cat({expand(u), expand(v)}, -1);
}

}  // namespace polezero
