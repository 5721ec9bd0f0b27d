// An op, seen through its function, which the dispatcher calls: that of polezero/functions.h, or
// the front of a core op, the checked function of ops/<op>.h that serves every device. Its name,
// the call through the dispatcher, which is what makes a core op differentiable, and the arguments
// of a front as an array of tensors and a tuple of attributes.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace polezero::autograd {

using at::Tensor;
using OptionalTensor = std::optional<Tensor>;

template <size_t n>
using Tensors = std::array<Tensor, n>;
template <size_t n>
using Flags = std::array<bool, n>;

// The name of an op is that of its function, which the compiler knows: polezero::fir, and
// polezero::lpv_fir for polezero::lpv::fir.
struct OpName {
  char text[64] = "polezero::";
  size_t length = 10;

  constexpr explicit OpName(std::string_view function) {
    constexpr std::string_view kLibrary = "polezero::";
    for (size_t i = function.rfind(kLibrary) + kLibrary.size(); i < function.size(); ++i) {
      const char c = function[i];
      if (c == ':') {
        text[length++] = '_';
        ++i;
      } else if (c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) {
        text[length++] = c;
      } else {
        break;
      }
    }
  }
  // What stands behind "polezero::".
  std::string stem() const { return {text + 10, length - 10}; }
};
template <auto function>
constexpr OpName op_name() {
  return OpName(__PRETTY_FUNCTION__);
}

template <class T>
inline constexpr bool is_tensor =
    std::is_same_v<std::decay_t<T>, Tensor> || std::is_same_v<std::decay_t<T>, OptionalTensor>;

template <class Return>
inline constexpr size_t outputs_in = 1;
template <class... Ts>
inline constexpr size_t outputs_in<std::tuple<Ts...>> = sizeof...(Ts);

// A function that is an op: of its name, with its arguments.
template <auto function>
struct Function;
template <class Return, class... Args, Return (*function)(Args...)>
struct Function<function> {
  using Schema = Return(Args...);
  static constexpr OpName name = op_name<function>();

  // Calls the op through the dispatcher.
  static Return invoke(Args... args) {
    static const auto handle = c10::Dispatcher::singleton()
                                   .findSchemaOrThrow(name.text, "")
                                   .template typed<Return(Args...)>();
    return handle.call(std::forward<Args>(args)...);
  }
};

// A front. Tensors come first in the schema of a core op, its attributes (bool, int, SymInt, ..)
// after them.
template <auto function>
struct Signature;
template <class Return, class... Args, Return (*function)(Args...)>
struct Signature<function> : Function<function> {
  static constexpr auto front = function;
  static constexpr size_t inputs = (size_t{is_tensor<Args>} + ...), outputs = outputs_in<Return>;

 private:
  using All = std::tuple<std::decay_t<Args>...>;
  template <size_t... i>
  static std::tuple<std::tuple_element_t<inputs + i, All>...> tail(std::index_sequence<i...>);

 public:
  using In = Tensors<inputs>;
  using Out = Tensors<outputs>;
  using Need = Flags<inputs>;
  using Attributes = decltype(tail(std::make_index_sequence<sizeof...(Args) - inputs>{}));
  // Which inputs and outputs a derivative reads.
  struct Saves {
    Need inputs{};
    Flags<outputs_in<Return>> outputs{};
  };

  // Calls the op through the dispatcher.
  static Out dispatch(const In& in, const Attributes& attributes) {
    return dispatch(in, attributes, std::make_index_sequence<sizeof...(Args)>{});
  }

 private:
  template <size_t i>
  static std::tuple_element_t<i, All> argument([[maybe_unused]] const In& in,
                                               [[maybe_unused]] const Attributes& attributes) {
    if constexpr (i >= inputs) {
      return std::get<i - inputs>(attributes);
    } else if constexpr (std::is_same_v<std::tuple_element_t<i, All>, OptionalTensor>) {
      return in[i].defined() ? OptionalTensor(in[i]) : std::nullopt;
    } else {
      return in[i];
    }
  }
  template <size_t... i>
  static Out dispatch(const In& in, const Attributes& attributes, std::index_sequence<i...>) {
    return to_array(Function<function>::invoke(argument<i>(in, attributes)...));
  }
  static Tensors<1> to_array(Tensor t) { return {std::move(t)}; }
  template <class... Ts>
  static Tensors<sizeof...(Ts)> to_array(std::tuple<Ts...> ts) {
    return std::apply([](auto&&... t) { return Tensors<sizeof...(Ts)>{std::move(t)...}; },
                      std::move(ts));
  }
};

// The differentiable call of a front: call<&polezero::fir>({b, x}, {shift, reverse}).
template <auto front>
typename Signature<front>::Out call(const typename Signature<front>::In& in,
                                    const typename Signature<front>::Attributes& attributes) {
  return Signature<front>::dispatch(in, attributes);
}

// What the struct of a differentiable op begins with: its front, and for each of its tensors how
// many dimensions, the last ones, are the op's own. All leading dimensions broadcast.
template <auto front, int64_t... dims>
struct Op : Signature<front> {
  static constexpr std::array<int64_t, sizeof...(dims)> core_dims{dims...};
  static_assert(sizeof...(dims) == Signature<front>::inputs);
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
