// The schema of an op, seen as arrays of tensors and a tuple of attributes, and the call through
// the dispatcher.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <array>
#include <optional>
#include <tuple>

namespace polezero::autograd {

using at::Tensor;
using OptionalTensor = std::optional<Tensor>;

template <size_t n>
using Tensors = std::array<Tensor, n>;
template <size_t n>
using Flags = std::array<bool, n>;

// Splits the argument list of a schema into tensors and attributes.
template <class Op, class Schema = typename Op::Schema>
struct Signature;
template <class Op, class Return, class... Args>
struct Signature<Op, Return(Args...)> {
  using All = std::tuple<std::decay_t<Args>...>;
  template <size_t... i>
  static std::tuple<std::tuple_element_t<Op::inputs + i, All>...> tail(std::index_sequence<i...>);
  using Attributes = decltype(tail(std::make_index_sequence<sizeof...(Args) - Op::inputs>{}));

  // Calls the op through the dispatcher.
  static Tensors<Op::outputs> call(const Tensors<Op::inputs>& in, const Attributes& attributes) {
    static const auto handle = c10::Dispatcher::singleton()
                                   .findSchemaOrThrow(Op::name, "")
                                   .template typed<Return(Args...)>();
    return call(handle, in, attributes, std::make_index_sequence<sizeof...(Args)>{});
  }

 private:
  template <size_t i>
  static std::tuple_element_t<i, All> argument([[maybe_unused]] const Tensors<Op::inputs>& in,
                                               [[maybe_unused]] const Attributes& attributes) {
    if constexpr (i >= Op::inputs) {
      return std::get<i - Op::inputs>(attributes);
    } else if constexpr (std::is_same_v<std::tuple_element_t<i, All>, OptionalTensor>) {
      return in[i].defined() ? OptionalTensor(in[i]) : std::nullopt;
    } else {
      return in[i];
    }
  }
  template <class Handle, size_t... i>
  static Tensors<Op::outputs> call(const Handle& handle, const Tensors<Op::inputs>& in,
                                   const Attributes& attributes, std::index_sequence<i...>) {
    return to_array(handle.call(argument<i>(in, attributes)...));
  }
  static Tensors<1> to_array(Tensor t) { return {std::move(t)}; }
  template <class... Ts>
  static Tensors<sizeof...(Ts)> to_array(std::tuple<Ts...> ts) {
    return std::apply([](auto&&... t) { return Tensors<sizeof...(Ts)>{std::move(t)...}; },
                      std::move(ts));
  }
};
template <class Op>
using Attributes = typename Signature<Op>::Attributes;

template <class Op>
Tensors<Op::outputs> call(const Tensors<Op::inputs>& in, const Attributes<Op>& attributes) {
  return Signature<Op>::call(in, attributes);
}

template <class Op>
struct Saved {
  Flags<Op::inputs> inputs{};
  Flags<Op::outputs> outputs{};
};

// What an op returns in place of an output that nobody needs: shape [0].
inline bool is_placeholder(const Tensor& t) { return t.dim() == 1 && t.sym_size(0) == 0; }

template <size_t n>
bool any(const Flags<n>& flags) {
  for (const bool f : flags) {
    if (f) return true;
  }
  return false;
}

}  // namespace polezero::autograd
