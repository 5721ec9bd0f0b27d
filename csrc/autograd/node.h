// The graph node of an op: its saved tensors and its vjp, eager and under compiled autograd.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/dynamo/compiled_autograd.h>
#include <torch/headeronly/version.h>

#include "autograd/op.h"

namespace polezero::autograd {

using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

// Nodes became intrusive in torch 2.13.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 13)
template <class T>
using NodePtr = c10::intrusive_ptr<T>;
template <class T>
NodePtr<T> make_node() {
  return c10::make_intrusive<T>();
}
#else
template <class T>
using NodePtr = std::shared_ptr<T>;
template <class T>
NodePtr<T> make_node() {
  return NodePtr<T>(new T(), torch::autograd::deleteNode);
}
#endif

// The engine sums a gradient to the shape of its input. torch gives the sum of many numbers to a
// single one to several threads, and its bits depend on how many; two sums at once it does not.
inline Tensor sum_of_one(const Tensor& grad, const Tensor& input) {
  if (!grad.defined() || !input.defined() || grad.sym_size(-1) != 1 || input.sym_numel() != 1) {
    return grad;
  }
  const Tensor two = at::constant_pad_nd_symint(grad, {0, 1}).reshape_symint({-1, 2}).sum(0);
  return two.slice_symint(0, 0, 1).reshape_symint(input.sym_sizes());
}

// LfilterBackward of lfilter_forward, LfilterDoubleBackward of lfilter_backward, FirBackward of
// fir.
std::string node_name(std::string op);

template <class Op>
struct BackwardNode : public torch::autograd::Node {
  typename Op::Attributes attributes;
  typename Op::Saves saves;
  std::array<SavedVariable, Op::inputs> inputs;
  std::array<SavedVariable, Op::outputs> outputs;

  std::string name() const override { return node_name(Op::name.stem()); }

  void release_variables() override {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& s : inputs) s.reset_data();
    for (auto& s : outputs) s.reset_data();
  }

  variable_list apply(variable_list&& grads) override {
    std::lock_guard<std::mutex> lock(mutex_);
    define_first(grads);
    return run(grads, unpack_inputs(), unpack_outputs(), attributes, need());
  }

  // A vjp takes the shape of the signal from grads[0].
  void define_first(variable_list& grads) const {
    bool others = false;
    for (size_t i = 1; i < grads.size(); ++i) others |= grads[i].defined();
    if (others && !grads[0].defined()) grads[0] = input_metadata(0).zeros_like();
  }

  // A function of its arguments alone, shared by apply and compiled autograd.
  static variable_list run(const variable_list& grads, const typename Op::In& in,
                           const typename Op::Out& out, const typename Op::Attributes& attributes,
                           const typename Op::Need& need) {
    typename Op::Out g;
    bool defined = false;
    for (size_t i = 0; i < Op::outputs; ++i) {
      g[i] = grads[i];
      // that of an output that was not asked for, if any, has its shape, [0]
      if (i > 0 && g[i].defined() && is_placeholder(g[i])) g[i] = Tensor();
      defined |= g[i].defined();
    }
    if (!defined || !any(need)) return variable_list(Op::inputs);
    auto r = Op::vjp(g, in, out, attributes, need);
    for (size_t i = 0; i < Op::inputs; ++i) r[i] = sum_of_one(r[i], in[i]);
    return variable_list(r.begin(), r.end());
  }

  typename Op::Need need() const {
    typename Op::Need n{};
    for (size_t i = 0; i < Op::inputs; ++i) n[i] = task_should_compute_output(i);
    return n;
  }

  typename Op::In unpack_inputs() const {
    typename Op::In in;
    for (size_t i = 0; i < Op::inputs; ++i) {
      if (saves.inputs[i]) in[i] = inputs[i].unpack();
    }
    return in;
  }
  typename Op::Out unpack_outputs() {
    typename Op::Out out;
    for (size_t i = 0; i < Op::outputs; ++i) {
      if (saves.outputs[i]) out[i] = outputs[i].unpack(getptr());
    }
    return out;
  }

  // ---- compiled autograd: the same run(), with its arguments as a list of values
  void compiled_args(torch::autograd::CompiledNodeArgs& args) const override {
    for (const auto& s : inputs) args.collect(s, false);
    for (const auto& s : outputs) args.collect(s, true);
    std::apply([&](const auto&... a) { (args.collect(a), ...); }, attributes);
    for (const bool b : need()) args.collect(b);
  }

  static variable_list run_values(const variable_list& grads,
                                  const std::vector<c10::IValue>& values) {
    size_t k = 0;
    typename Op::In in;
    for (auto& t : in) t = values[k++].toTensor();
    typename Op::Out out;
    for (auto& t : out) t = values[k++].toTensor();
    typename Op::Attributes attributes;
    std::apply([&](auto&... a) { ((a = values[k++].to<std::decay_t<decltype(a)>>()), ...); },
               attributes);
    typename Op::Need need{};
    for (auto& n : need) n = values[k++].toBool();
    return run(grads, in, out, attributes, need);
  }

  variable_list apply_with_saved(const variable_list& inputs_,
                                 torch::autograd::SwapSavedVariables& saved) override {
    variable_list grads = inputs_;
    define_first(grads);
    for (auto& s : inputs) saved.before(s);
    for (auto& s : outputs) saved.before(s);
    std::apply([&](auto&... a) { (saved.before(a), ...); }, attributes);
    std::vector<c10::IValue> values;
    for (const auto& t : unpack_inputs()) values.emplace_back(t);
    for (const auto& t : unpack_outputs()) values.emplace_back(t);
    std::apply([&](const auto&... a) { (values.emplace_back(a), ...); }, attributes);
    for (const bool b : need()) values.emplace_back(b);
    std::vector<at::TypePtr> types;
    for (const auto& v : values) {
      types.push_back(v.isTensor() ? at::TypePtr(at::TensorType::get()) : v.type());
    }
    using Metadata = std::vector<std::optional<torch::autograd::InputMetadata>>;
    const auto metadata = torch::dynamo::autograd::IValuePacker<Metadata>::pack(
        torch::dynamo::autograd::get_input_metadata(next_edges()));
    const auto& compiler = torch::dynamo::autograd::getPyCompilerInterface();
    // a custom function is bound under a name of its own at every capture; others may be bound once
    const auto function =
        compiler->bind_function(saved.get_py_compiler(), name(), run_values, types,
                                /*is_custom_function=*/true, /*is_traceable=*/true);
    auto result = compiler->call_function(saved.get_py_compiler(), "apply_functional", function,
                                          grads, values, metadata);
    for (auto& s : inputs) saved.after(s);
    for (auto& s : outputs) saved.after(s);
    std::apply([&](auto&... a) { (saved.after(a), ...); }, attributes);
    return result;
  }
};

}  // namespace polezero::autograd
