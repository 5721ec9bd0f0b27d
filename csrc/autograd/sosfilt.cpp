// Derivatives of a cascade. Of the first order and reverse mode there is a fused backward; all
// others are those of the sections one after another.
#include "ops/sosfilt.h"

#include "autograd/calls.h"
#include "autograd/differentiable.h"
#include "ops/lfilter.h"

namespace polezero::autograd {

namespace {

// What each section is called with.
struct SectionsOf {
  const Tensor &sos, zi;

  int64_t count() const { return count_of(sos, -2); }
  Tensor b(int64_t k) const { return sos.select(-2, k).slice(-1, 0, 3); }
  Tensor a(int64_t k) const { return sos.select(-2, k).slice(-1, 3, 6); }
  Tensor state(int64_t k) const { return zi.defined() ? zi.select(-2, k) : zi; }
};

// All signals, from x to y, and the final states.
std::pair<std::vector<Tensor>, std::vector<Tensor>> filter(const SectionsOf& sections,
                                                           const Tensor& x) {
  std::vector<Tensor> signals{x}, states;
  for (int64_t k = 0; k < sections.count(); ++k) {
    auto [y, zf] = lfilter_forward(sections.b(k), sections.a(k), signals.back(), sections.state(k));
    signals.push_back(y);
    states.push_back(zf);
  }
  return {signals, states};
}

Tensor stack(const std::vector<Tensor>& parts) { return at::stack(parts, -2); }

struct SosfiltForward : Op<&polezero::sosfilt_forward, 2, 1, 2> {
  static Saves saves(const Need& need) { return {{true, need[0], need[0]}, {}}; }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes&, const Need& need) {
    const auto& [sos, x, zi] = in;
    Tensors<3> r = call<&polezero::sosfilt_backward>({grads[0], grads[1], sos, x, zi},
                                                     {need[0], need[1], need[2]});
    for (size_t i = 0; i < 3; ++i) {
      if (!need[i]) r[i] = Tensor();
    }
    return r;
  }

  static Out unfused(const In& in, const Attributes&) {
    const auto& [sos, x, zi] = in;
    const auto [signals, states] = filter({sos, zi}, x);
    return {signals.back(), zi.defined() ? stack(states) : at::empty({0}, x.options())};
  }
};

struct SosfiltBackward : Op<&polezero::sosfilt_backward, 1, 2, 2, 1, 2> {
  static Out unfused(const In& in, const Attributes& attributes) {
    const auto& [grad_y, grad_zf, sos, x, zi] = in;
    const auto [need_sos, need_x, need_zi] = attributes;
    const SectionsOf sections{sos, zi};
    const Tensor none = at::empty({0}, grad_y.options());
    std::vector<Tensor> signals, states;
    if (need_sos) std::tie(signals, states) = filter(sections, x);
    Tensor g = grad_y;
    const int64_t K = sections.count();
    std::vector<Tensor> of_sos(K), of_zi(K);
    for (int64_t k = K - 1; k >= 0; --k) {
      const Tensor tail = grad_zf.defined() ? grad_zf.select(-2, k) : Tensor();
      Tensors<8> args{g, tail, sections.b(k), sections.a(k)};
      if (need_sos) {
        args[4] = signals[k];
        args[5] = signals[k + 1];
        args[6] = sections.state(k);
        if (zi.defined()) args[7] = states[k];
      }
      const auto b =
          call<&polezero::lfilter_backward>(args, {need_sos, need_sos, k > 0 || need_x, need_zi});
      if (need_sos) of_sos[k] = join(b[0], b[1]);
      if (need_zi) of_zi[k] = b[3];
      g = b[2];
    }
    return {need_sos ? stack(of_sos) : none, need_x ? g : none, need_zi ? stack(of_zi) : none};
  }
};

const Registered<SosfiltForward, SosfiltBackward> registered;

}  // namespace

}  // namespace polezero::autograd
