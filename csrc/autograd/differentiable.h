// Turns a struct of derivatives into the dispatcher kernels of a differentiable op: the front
// itself for CPU, CUDA and meta tensors, Autograd (reverse and forward mode, any order and mix),
// compiled autograd, torch.vmap, legacy vmap (is_grads_batched) and autocast. This is what torch
// generates for its own ops; torch::autograd::Function has no forward mode and does not work under
// torch.func.
//
//   struct Fir : Op<&polezero::fir, 2, 1> {  // front, dimensions that are each tensor's own (op.h)
//     // Which inputs and outputs vjp reads, given which gradients are needed.
//     static Saves saves(const Need& need);
//     // Gradients of the inputs, undefined where not needed. The engine reduces them to the shapes
//     // and dtypes of the inputs. grads[0] is defined; undefined others are zero.
//     static In vjp(const Out& grads, const In& in, const Out& out, const Attributes& attributes,
//                   const Need& need);
//     // Tangents of the outputs; undefined entries of `t` are zero.
//     static Out jvp(const In& p, const In& t, const Out& out, const Attributes& attributes);
//     // Or, for an op that fuses a composition of differentiable ops, that composition: instead of
//     // jvp, or of all three.
//     static Out unfused(const In& in, const Attributes& attributes);
//   };
//   const Registered<Fir> registered;
//
// vjp and jvp call differentiable ops, never kernels: that is what gives every order. An op exists
// only by its Registered, so none can reach a user without its derivatives. All leading
// dimensions broadcast to those of every output, whatever it is made of; so a batch dimension is
// just one more leading dimension, and nothing that is shared by the batch is copied.
#pragma once

#include <ATen/ATen.h>
#include <ATen/functorch/DynamicLayer.h>
#include <ATen/functorch/PlumbingHelper.h>
// after the functorch headers, or isBatchedTensor is ambiguous
#include <ATen/LegacyVmapTransforms.h>
#include <torch/library.h>

#include "autograd/core_dims.h"
#include "autograd/node.h"
#include "autograd/registration.h"

namespace polezero::autograd {

inline bool has_tangent(const Tensor& t) { return torch::autograd::isFwGradDefined(t); }

// Forward mode. Runs above the guard of autograd_kernel: a tangent's own ops are differentiable.
template <class Op>
void set_tangents(const typename Op::In& in, const typename Op::Attributes& attributes,
                  const typename Op::Out& out) {
  typename Op::In p, t;
  for (size_t i = 0; i < Op::inputs; ++i) {
    if (!in[i].defined()) continue;
    p[i] = in[i]._fw_primal(/*level=*/0);
    t[i] = in[i]._fw_grad(/*level=*/0);
  }
  const typename Op::Out tangents = Op::jvp(p, t, out, attributes);
  for (size_t i = 0; i < Op::outputs; ++i) {
    if (!tangents[i].defined()) continue;
    const Tensor tangent = tangents[i].to(out[i].scalar_type());  // that of a state may be wider
    out[i]._set_fw_grad(tangent, 0, /*is_inplace_op=*/false);
  }
}

// The op, with its node in the graph and its tangents.
template <class Op>
typename Op::Out with_node(const typename Op::In& in, const typename Op::Attributes& attributes,
                           bool requires_grad, [[maybe_unused]] bool tangents) {
  using namespace torch::autograd;
  NodePtr<BackwardNode<Op>> node;
  if (requires_grad) {
    node = make_node<BackwardNode<Op>>();
    node->set_next_edges(std::apply([](const auto&... t) { return collect_next_edges(t...); }, in));
    node->attributes = attributes;
    typename Op::Need need;
    for (size_t i = 0; i < Op::inputs; ++i) need[i] = node->should_compute_output(i);
    node->saves = Op::saves(need);
    for (size_t i = 0; i < Op::inputs; ++i) {
      if (node->saves.inputs[i]) node->inputs[i] = SavedVariable(in[i], /*is_output=*/false);
    }
  }
  typename Op::Out out;
  {
    at::AutoDispatchBelowADInplaceOrView below;
    out = Op::dispatch(in, attributes);
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
typename Op::Out autograd_kernel(const typename Op::In& in,
                                 const typename Op::Attributes& attributes) {
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
    return Op::dispatch(in, attributes);
  } else {
    return with_node<Op>(in, attributes, requires_grad, tangents);
  }
}

// The leading dimensions of a tensor as the user sees it, without its batch dimensions.
template <class Op>
int64_t leading_dims(const Tensor& t, size_t i) {
  // below 0 is an error that the op itself reports
  return std::max<int64_t>(t.dim() - Op::core_dims[i], 0);
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
typename Op::Out vmap_kernel(typename Op::In in, const typename Op::Attributes& attributes) {
  using namespace at::functorch;
  c10::impl::ExcludeDispatchKeyGuard guard(c10::DispatchKey::FuncTorchBatched);
  const auto layer = maybeCurrentDynamicLayer();
  TORCH_CHECK(layer.has_value(), Op::name.text, ": a batched tensor escaped its vmap");
  const int64_t level = layer->layerId();
  typename Op::Need batched{};
  std::array<int64_t, Op::inputs> leading{};
  for (size_t i = 0; i < Op::inputs; ++i) {
    if (!in[i].defined()) continue;
    leading[i] = leading_dims<Op>(in[i], i);
    auto [value, dim] = unwrapTensorAtLevel(in[i], level);
    batched[i] = dim.has_value();
    in[i] = batched[i] ? value.movedim(*dim, 0) : value;
  }
  if (!any(batched)) return Op::dispatch(in, attributes);
  align_ranks(in, leading, 1, batched);
  typename Op::Out out = Op::dispatch(in, attributes);
  for (Tensor& t : out) {
    if (!is_placeholder(t)) t = makeBatched(t, 0, level);
  }
  return out;
}

// Still behind is_grads_batched= and gradcheck(check_batched_grad=).
template <class Op>
typename Op::Out legacy_vmap_kernel(typename Op::In in, const typename Op::Attributes& attributes) {
  c10::impl::ExcludeDispatchKeyGuard guard(c10::DispatchKey::Batched);
  std::vector<Tensor> defined;
  std::array<int64_t, Op::inputs> leading{};
  for (size_t i = 0; i < Op::inputs; ++i) {
    if (!in[i].defined()) continue;
    leading[i] = leading_dims<Op>(in[i], i);
    defined.push_back(in[i]);
  }
  const auto views = at::MultiBatchVmapTransform::logicalToPhysical(defined);
  typename Op::Need batched{};
  int64_t batch_dims = 0;
  for (size_t i = 0, k = 0; i < Op::inputs; ++i) {
    if (!in[i].defined()) continue;
    const int64_t logical_rank = in[i].dim();
    in[i] = views[k++].tensor();
    batched[i] = true;
    batch_dims = in[i].dim() - logical_rank;
  }
  align_ranks(in, leading, batch_dims, batched);
  typename Op::Out out = Op::dispatch(in, attributes);
  for (Tensor& t : out) {
    if (!is_placeholder(t)) t = views[0].getPhysicalToLogicalMap().apply(t);
  }
  return out;
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
    typename Op::Out out = kernel({value(std::get<i>(args))...},
                                  typename Op::Attributes{std::get<Op::inputs + j>(args)...});
    if constexpr (Op::outputs == 1) {
      return std::move(out[0]);
    } else {
      return std::apply([](auto&&... t) { return Return{std::move(t)...}; }, std::move(out));
    }
  }
};

template <class... Ops>
class Registered {
 public:
  Registered() { (add<Ops>(), ...); }

 private:
  template <class Op>
  void add() {
    using c10::DispatchKey;
    using Front = std::remove_pointer_t<std::remove_const_t<decltype(Op::front)>>;
    core_dims()[Op::name.stem()] = {Op::core_dims.begin(), Op::core_dims.end()};
    for (const auto key : {DispatchKey::CPU, DispatchKey::CUDA, DispatchKey::Meta}) {
      kernels_.add<Op::front>(key, c10::CompileTimeFunctionPointer<Front, Op::front>());
    }
    boxed<Op, &autograd_kernel<Op>>(DispatchKey::Autograd);
    boxed<Op, &vmap_kernel<Op>>(DispatchKey::FuncTorchBatched);
    boxed<Op, &legacy_vmap_kernel<Op>>(DispatchKey::Batched);
    kernels_.add_autocast<Op::front>();
  }
  template <class Op, auto kernel>
  void boxed(c10::DispatchKey key) {
    kernels_.add<Op::front>(key, TORCH_FN((Boxed<Op, kernel>::run)));
  }

  Kernels kernels_;
};

}  // namespace polezero::autograd
