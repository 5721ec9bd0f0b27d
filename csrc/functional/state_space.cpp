#include "ops/state_space.h"

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/frames.h"
#include "functional/registered.h"

namespace polezero {

using namespace functional;
using autograd::call;

namespace {

// [..., rows, columns], with an axis of time before them in polezero.lpv.
struct Shapes {
  const char* op;
  bool over_time;
  c10::SymInt T;

  int64_t core_dims() const { return over_time ? 3 : 2; }

  void check(const char* name, const Tensor& m, const c10::SymInt& rows,
             const c10::SymInt& columns) const {
    if (!m.defined()) return;
    TORCH_CHECK_VALUE(fits(m) && m.sym_size(-2) == rows && m.sym_size(-1) == columns, op, ": ",
                      name, ": expected [..., ", time(), rows, ", ", columns, "], got shape ",
                      m.sym_sizes());
  }
  void check_square(const char* name, const Tensor& m) const {
    TORCH_CHECK_VALUE(fits(m) && m.sym_size(-2) == m.sym_size(-1) && m.sym_size(-1) >= 1, op, ": ",
                      name, ": expected [..., ", time(), "S, S] with at least one state S, ",
                      "got shape ", m.sym_sizes());
  }
  void check_columns(const char* name, const Tensor& m, const c10::SymInt& columns) const {
    if (!m.defined()) return;
    TORCH_CHECK_VALUE(fits(m) && m.sym_size(-2) >= 1 && m.sym_size(-1) == columns, op, ": ", name,
                      ": expected [..., ", time(), "O, ", columns, "] with at least one output O, ",
                      "got shape ", m.sym_sizes());
  }

 private:
  bool fits(const Tensor& m) const {
    return m.dim() >= core_dims() && (!over_time || m.sym_size(-3) == T || m.sym_size(-3) == 1);
  }
  std::string time() const { return over_time ? c10::str(T, " or 1, ") : ""; }
};

std::tuple<Tensor, Tensor> filter(const char* op, bool over_time, const Tensor& A, const Tensor& B,
                                  const OptionalTensor& C_, const OptionalTensor& D_,
                                  const Tensor& x, const OptionalTensor& zi_) {
  const Tensor C = value_or_undefined(C_), D = value_or_undefined(D_);
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(
      op, {"x", x}, {{"A", A}, {"B", B}, {"C", C, 1, false, true}, {"D", D, 1, false, true}}, zi,
      {.states = true});
  TORCH_CHECK_VALUE(x.dim() >= 2 && x.sym_size(-2) >= 1, op,
                    ": x: expected [..., I, T] with at least one signal I, got shape ",
                    x.sym_sizes());
  const c10::SymInt I = x.sym_size(-2);
  const Shapes shapes{op, over_time, x.sym_size(-1)};
  shapes.check_square("A", A);
  const c10::SymInt S = A.sym_size(-1);
  shapes.check("B", B, S, I);
  shapes.check_columns("C", C, S);
  TORCH_CHECK_VALUE(C.defined() || !D.defined(), op,
                    ": D: expected None without C (the states are returned), got shape ",
                    D.sym_sizes());
  if (D.defined()) shapes.check("D", D, C.sym_size(-2), I);
  const int64_t core = shapes.core_dims();
  const std::initializer_list<Argument> others = {
      {"A", A, core}, {"B", B, core}, {"C", C, core}, {"D", D, core}, {"x", x, 2}};
  broadcast_leading(op, others);
  zi = past_of(op, zi, S, others, type);
  auto matrix = [&](const Tensor& m) {
    if (!m.defined()) return m;
    return over_time ? m.to(type.compute) : m.to(type.compute).unsqueeze(-3);
  };
  const auto [y, zf] = call<&polezero::state_space_forward>(
      {matrix(A), matrix(B), matrix(C), matrix(D), x.to(type.compute), zi}, {false});
  return results(y, zi.defined() ? zf : Tensor(), type);
}

}  // namespace

std::tuple<Tensor, Tensor> state_space(const Tensor& A, const Tensor& B, const OptionalTensor& C,
                                       const OptionalTensor& D, const Tensor& x,
                                       const OptionalTensor& zi) {
  return filter("state_space", /*over_time=*/false, A, B, C, D, x, zi);
}

std::tuple<Tensor, Tensor> lpv::state_space(const Tensor& A, const Tensor& B,
                                            const OptionalTensor& C, const OptionalTensor& D,
                                            const Tensor& x, const OptionalTensor& zi,
                                            std::optional<c10::SymInt> hop,
                                            std::string_view interpolation, c10::SymInt offset) {
  const char* op = "lpv.state_space";
  const Frames frames(op, hop, interpolation, offset);
  const auto over_time = [&](const char* name, const Tensor& m) {
    return frames.of_samples({name, m}, x, /*own=*/3);
  };
  return filter(op, /*over_time=*/true, over_time("A", A), over_time("B", B),
                over_time("C", value_or_undefined(C)), over_time("D", value_or_undefined(D)), x,
                zi);
}

const Registered<OfSignals<&state_space, &lpv::state_space>> registered;

}  // namespace polezero
