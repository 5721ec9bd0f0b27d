// Turns `struct Op { saves, vjp, jvp }` into the dispatcher kernels of a differentiable op:
// Autograd (reverse and forward mode, any order and mix), compiled autograd, torch.vmap, legacy
// vmap (is_grads_batched) and autocast. This is what torch generates for its own ops;
// torch::autograd::Function has no forward mode and does not work under torch.func.
//
// An op's tensors come first in its schema, its attributes (bool, int, SymInt) after them. The last
// dimensions of each tensor, one or `core_dims`, are the op's own, and all leading dimensions
// broadcast; so a batch dimension is just one more leading dimension, and nothing that is shared by
// the batch is copied.
//
//   struct Op {
//     static constexpr const char* name;               // "polezero::fir"
//     static constexpr const char* node;               // of the graph node: "FirBackward"
//     using Schema = Tensor(const Tensor&, const Tensor&, bool);
//     static constexpr size_t inputs, outputs;
//     static constexpr std::array<int64_t, inputs> core_dims;  // only where not all 1
//     // Which inputs and outputs vjp reads, given which gradients are needed.
//     static Saved<Op> saves(const Flags<inputs>& need);
//     // Gradients of the inputs, undefined where not needed. The engine reduces them to the shapes
//     // and dtypes of the inputs. grads[0] is defined; undefined others are zero.
//     static Tensors<inputs> vjp(const Tensors<outputs>& grads, const Tensors<inputs>& in,
//                                const Tensors<outputs>& out, const Attributes<Op>&,
//                                const Flags<inputs>& need);
//     // Tangents of the outputs; undefined entries of `t` are zero.
//     static Tensors<outputs> jvp(const Tensors<inputs>& p, const Tensors<inputs>& t,
//                                 const Tensors<outputs>& out, const Attributes<Op>&);
//     // Or, for an op that fuses a composition of differentiable ops, that composition: instead of
//     // jvp, or of all three.
//     static Tensors<outputs> unfused(const Tensors<inputs>& in, const Attributes<Op>&);
//   };
//
// vjp and jvp call differentiable ops, never kernels: that is what gives every order.
#pragma once

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/functorch/DynamicLayer.h>
#include <ATen/functorch/PlumbingHelper.h>
// after the functorch headers, or isBatchedTensor is ambiguous
#include <ATen/LegacyVmapTransforms.h>
#include <torch/library.h>

#include "autograd/node.h"

namespace polezero::autograd {

inline bool has_tangent(const Tensor& t) { return torch::autograd::isFwGradDefined(t); }

// Forward mode. Runs above the guard of autograd_kernel: a tangent's own ops are differentiable.
template <class Op>
void set_tangents(const Tensors<Op::inputs>& in, const Attributes<Op>& attributes,
                  const Tensors<Op::outputs>& out) {
  Tensors<Op::inputs> p, t;
  for (size_t i = 0; i < Op::inputs; ++i) {
    if (!in[i].defined()) continue;
    p[i] = in[i]._fw_primal(/*level=*/0);
    t[i] = in[i]._fw_grad(/*level=*/0);
  }
  const Tensors<Op::outputs> tangents = Op::jvp(p, t, out, attributes);
  for (size_t i = 0; i < Op::outputs; ++i) {
    if (tangents[i].defined()) out[i]._set_fw_grad(tangents[i], 0, /*is_inplace_op=*/false);
  }
}

// The op, with its node in the graph and its tangents.
template <class Op>
Tensors<Op::outputs> with_node(const Tensors<Op::inputs>& in, const Attributes<Op>& attributes,
                               bool requires_grad, [[maybe_unused]] bool tangents) {
  using namespace torch::autograd;
  NodePtr<BackwardNode<Op>> node;
  if (requires_grad) {
    node = make_node<BackwardNode<Op>>();
    node->set_next_edges(std::apply([](const auto&... t) { return collect_next_edges(t...); }, in));
    node->attributes = attributes;
    Flags<Op::inputs> need;
    for (size_t i = 0; i < Op::inputs; ++i) need[i] = node->should_compute_output(i);
    node->saves = Op::saves(need);
    for (size_t i = 0; i < Op::inputs; ++i) {
      if (node->saves.inputs[i]) node->inputs[i] = SavedVariable(in[i], /*is_output=*/false);
    }
  }
  Tensors<Op::outputs> out;
  {
    at::AutoDispatchBelowADInplaceOrView below;
    out = call<Op>(in, attributes);
  }
  if (node) {
    for (Tensor& t : out) set_history(t, node);
  }
  if constexpr (requires { &Op::jvp; }) {
    if (tangents) set_tangents<Op>(in, attributes, out);
  }
  if (node) {  // last, so that a saved output carries its tangent (forward over reverse)
    for (size_t i = 0; i < Op::outputs; ++i) {
      if (node->saves.outputs[i]) node->outputs[i] = SavedVariable(out[i], /*is_output=*/true);
    }
  }
  return out;
}

template <class Op>
Tensors<Op::outputs> autograd_kernel(const Tensors<Op::inputs>& in,
                                     const Attributes<Op>& attributes) {
  using namespace torch::autograd;
  bool requires_grad = false, tangents = false;
  for (const Tensor& t : in) {
    requires_grad |= compute_requires_grad(t);
    tangents |= has_tangent(t);
  }
  if constexpr (requires { &Op::unfused; }) {
    if (tangents || (requires_grad && !requires { &Op::vjp; })) return Op::unfused(in, attributes);
  }
  if constexpr (!requires { &Op::vjp; }) {
    at::AutoDispatchBelowADInplaceOrView below;
    return call<Op>(in, attributes);
  } else {
    return with_node<Op>(in, attributes, requires_grad, tangents);
  }
}

// The leading dimensions of a tensor as the user sees it, without its batch dimensions.
template <class Op>
int64_t leading_dims(const Tensor& t, [[maybe_unused]] size_t i) {
  int64_t core = 1;
  if constexpr (requires { Op::core_dims; }) core = Op::core_dims[i];
  return std::max<int64_t>(t.dim() - core, 0);  // below 0 is an error that the op itself reports
}

// Batch dimensions lie in front of `batched`'s; the numbers of leading dimensions are made equal
// behind them, so that they line up with each other and with nothing else.
template <size_t n>
void align_ranks(Tensors<n>& in, const std::array<int64_t, n>& leading, int64_t batch_dims,
                 const Flags<n>& batched) {
  int64_t rank = 0;
  for (size_t i = 0; i < n; ++i) rank = std::max(rank, in[i].defined() ? leading[i] : 0);
  for (size_t i = 0; i < n; ++i) {
    for (int64_t d = leading[i]; in[i].defined() && batched[i] && d < rank; ++d) {
      in[i] = in[i].unsqueeze(batch_dims);
    }
  }
}

template <class Op>
Tensors<Op::outputs> vmap_kernel(Tensors<Op::inputs> in, const Attributes<Op>& attributes) {
  using namespace at::functorch;
  c10::impl::ExcludeDispatchKeyGuard guard(c10::DispatchKey::FuncTorchBatched);
  const auto layer = maybeCurrentDynamicLayer();
  TORCH_CHECK(layer.has_value(), Op::name, ": a batched tensor escaped its vmap");
  const int64_t level = layer->layerId();
  Flags<Op::inputs> batched{};
  std::array<int64_t, Op::inputs> leading{};
  for (size_t i = 0; i < Op::inputs; ++i) {
    if (!in[i].defined()) continue;
    leading[i] = leading_dims<Op>(in[i], i);
    auto [value, dim] = unwrapTensorAtLevel(in[i], level);
    batched[i] = dim.has_value();
    in[i] = batched[i] ? value.movedim(*dim, 0) : value;
  }
  if (!any(batched)) return call<Op>(in, attributes);
  align_ranks(in, leading, 1, batched);
  Tensors<Op::outputs> out = call<Op>(in, attributes);
  for (Tensor& t : out) {
    if (!is_placeholder(t)) t = makeBatched(t, 0, level);
  }
  return out;
}

// Still behind is_grads_batched= and gradcheck(check_batched_grad=).
template <class Op>
Tensors<Op::outputs> legacy_vmap_kernel(Tensors<Op::inputs> in, const Attributes<Op>& attributes) {
  c10::impl::ExcludeDispatchKeyGuard guard(c10::DispatchKey::Batched);
  std::vector<Tensor> defined;
  std::array<int64_t, Op::inputs> leading{};
  for (size_t i = 0; i < Op::inputs; ++i) {
    if (!in[i].defined()) continue;
    leading[i] = leading_dims<Op>(in[i], i);
    defined.push_back(in[i]);
  }
  const auto views = at::MultiBatchVmapTransform::logicalToPhysical(defined);
  Flags<Op::inputs> batched{};
  int64_t batch_dims = 0;
  for (size_t i = 0, k = 0; i < Op::inputs; ++i) {
    if (!in[i].defined()) continue;
    const int64_t logical_rank = in[i].dim();
    in[i] = views[k++].tensor();
    batched[i] = true;
    batch_dims = in[i].dim() - logical_rank;
  }
  align_ranks(in, leading, batch_dims, batched);
  Tensors<Op::outputs> out = call<Op>(in, attributes);
  for (Tensor& t : out) {
    if (!is_placeholder(t)) t = views[0].getPhysicalToLogicalMap().apply(t);
  }
  return out;
}

// A recursive filter in half precision is useless: autocast computes in float32.
template <class Op, c10::DeviceType device>
Tensors<Op::outputs> autocast_kernel(Tensors<Op::inputs> in, const Attributes<Op>& attributes) {
  c10::impl::ExcludeDispatchKeyGuard guard(
      at::autocast::get_autocast_dispatch_key_from_device_type(device));
  for (Tensor& t : in) {
    if (t.defined()) t = at::autocast::cached_cast(at::kFloat, t, device);
  }
  return call<Op>(in, attributes);
}

// Makes a kernel on arrays a kernel with the schema's arguments.
template <class Op, auto kernel, class Schema = typename Op::Schema>
struct Boxed;
template <class Op, auto kernel, class Return, class... Args>
struct Boxed<Op, kernel, Return(Args...)> {
  static Return run(Args... args) {
    return split(std::tie(args...), std::make_index_sequence<Op::inputs>{},
                 std::make_index_sequence<sizeof...(Args) - Op::inputs>{});
  }

 private:
  static Tensor value(const Tensor& t) { return t; }
  static Tensor value(const OptionalTensor& t) { return t.has_value() ? *t : Tensor(); }
  template <class Tuple, size_t... i, size_t... j>
  static Return split(const Tuple& args, std::index_sequence<i...>, std::index_sequence<j...>) {
    Tensors<Op::outputs> out =
        kernel({value(std::get<i>(args))...}, Attributes<Op>{std::get<Op::inputs + j>(args)...});
    if constexpr (Op::outputs == 1) {
      return std::move(out[0]);
    } else {
      return std::apply([](auto&&... t) { return Return{std::move(t)...}; }, std::move(out));
    }
  }
};

// The name behind "polezero::".
template <class Op>
const char* short_name() {
  return Op::name + std::char_traits<char>::length("polezero::");
}

template <class Op>
void register_autograd(torch::Library& m) {
  m.impl(short_name<Op>(), TORCH_FN((Boxed<Op, &autograd_kernel<Op>>::run)));
}
template <class Op>
void register_vmap(torch::Library& m) {
  m.impl(short_name<Op>(), TORCH_FN((Boxed<Op, &vmap_kernel<Op>>::run)));
}
template <class Op>
void register_legacy_vmap(torch::Library& m) {
  m.impl(short_name<Op>(), TORCH_FN((Boxed<Op, &legacy_vmap_kernel<Op>>::run)));
}
template <class Op, c10::DeviceType device>
void register_autocast(torch::Library& m) {
  m.impl(short_name<Op>(), TORCH_FN((Boxed<Op, &autocast_kernel<Op, device>>::run)));
}

}  // namespace polezero::autograd
