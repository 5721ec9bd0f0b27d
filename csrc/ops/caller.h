// For whom a core op works: errors name the function that the user called, and what the op objects
// to as that function has it.
#pragma once

namespace polezero {

// Where a_0 is in the coefficients of a user's function, for the error where it is 0.
inline constexpr const char* kA0 = "a: expected a[..., 0]";
inline constexpr const char* kA0OfSections = "sos: expected sos[..., 3] (a_0)";

// For as long as it lives, on its thread.
class Caller {
 public:
  Caller(const char* function, const char* argument)
      : function_(function), argument_(argument), outer_(innermost_) {
    innermost_ = this;
  }
  ~Caller() { innermost_ = outer_; }
  Caller(const Caller&) = delete;

  // What an op that nobody has a name for calls itself, and its argument.
  static const char* function(const char* op) {
    return innermost_ != nullptr ? innermost_->function_ : op;
  }
  static const char* argument(const char* own) {
    return innermost_ != nullptr ? innermost_->argument_ : own;
  }

 private:
  const char *function_, *argument_;
  const Caller* outer_;
  inline static thread_local const Caller* innermost_ = nullptr;
};

}  // namespace polezero
