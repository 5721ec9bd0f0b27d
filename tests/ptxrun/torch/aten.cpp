// PyTorch on ptxrun. torch's kernels are machine code, which ptxrun cannot run: once this library is loaded, the CPU
// does aten's operators on CUDA tensors, on the same memory, which it can address. What a GPU would refuse, or wait for,
// is refused and waited for here too: tensors of two devices, and values that the host asks for.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>
#include <torch/library.h>

#include <set>
#include <string>
#include <vector>

#include "ptxrun.h"

namespace {

using at::Tensor;
using c10::IValue;

bool on_device(const Tensor& t) { return t.defined() && t.is_cuda(); }

// f(address, bytes) for every stretch of a tensor's memory.
template <class F>
void each_stretch(const char* begin, at::IntArrayRef sizes, at::IntArrayRef strides, int64_t item, const F& f) {
  if (sizes.empty()) return f(begin, item);
  for (int64_t i = 0; i < sizes[0]; ++i) each_stretch(begin + i * strides[0] * item, sizes.slice(1), strides.slice(1), item, f);
}
template <class F>
void each_stretch(const Tensor& t, const F& f) {
  if (t.numel() == 0 || t._is_zerotensor()) return;
  const auto* begin = static_cast<const char*>(t.const_data_ptr());
  if (t.is_non_overlapping_and_dense()) return f(begin, static_cast<int64_t>(t.nbytes()));
  each_stretch(begin, t.sizes(), t.strides(), static_cast<int64_t>(t.itemsize()), f);
}
void wrote(const Tensor& t) {
  each_stretch(t, [](const char* begin, int64_t bytes) { ptxrun_wrote(begin, static_cast<size_t>(bytes)); });
}

// One call of an operator.
class Call {
 public:
  explicit Call(const c10::OperatorHandle& op) : op_(op) {}

  void run(torch::jit::Stack& stack) {
    const auto& schema = op_.schema();
    const size_t count = schema.arguments().size(), begin = stack.size() - count;
    if (is_copy() && copied(stack[begin].toTensor(), stack[begin + 1].toTensor())) return stack.resize(begin + 1);
    for (size_t i = 0; i < count; ++i) {
      const auto* alias = schema.arguments()[i].alias_info();
      stack[begin + i] = on_host(stack[begin + i], alias != nullptr && alias->isWrite());
    }
    check_devices();
    warn_of_waiting(stack, begin);
    for (const Pair& p : pairs_) {
      if (!p.written) check_written(p.device);
    }
    op_.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), &stack);
    for (const Pair& p : pairs_) {
      if (!p.written) continue;
      if (p.fresh) p.device.resize_(p.host.sizes());
      if (p.fresh && p.host.numel() > 0) alias(p.device).copy_(p.host);
      wrote(p.device);
    }
    for (size_t i = stack.size() - schema.returns().size(); i < stack.size(); ++i) stack[i] = back(stack[i]);
  }

 private:
  struct Pair {
    Tensor host, device;
    bool written;
    bool fresh;  // an output without elements, which the operator may resize: the host's has memory of its own
  };

  // A CPU tensor of the same memory.
  Tensor alias(const Tensor& t) {
    if (t._is_zerotensor()) return at::_efficientzerotensor(t.sizes(), t.options().device(at::kCPU));  // without memory
    const c10::Storage& whole = t.storage();
    const c10::Storage* shared = nullptr;
    for (const auto& [impl, storage] : storages_) {
      if (impl == whole.unsafeGetStorageImpl()) shared = &storage;
    }
    if (shared == nullptr) {
      void* data = const_cast<void*>(whole.data());
      c10::DataPtr pointer(data, data, [](void*) {}, at::kCPU);
      storages_.emplace_back(whole.unsafeGetStorageImpl(),
                             c10::Storage(c10::Storage::use_byte_size_t(), whole.nbytes(), std::move(pointer)));
      shared = &storages_.back().second;
    }
    auto host = at::detail::make_tensor<c10::TensorImpl>(c10::Storage(*shared), c10::DispatchKeySet(c10::DispatchKey::CPU),
                                                         t.dtype());
    host.unsafeGetTensorImpl()->set_sizes_and_strides(t.sizes(), t.strides(), t.storage_offset());
    host._set_conj(t.is_conj());
    host._set_neg(t.is_neg());
    return host;
  }

  Tensor on_host(const Tensor& t, bool written) {
    if (!t.defined()) return t;
    if (!on_device(t)) {
      elsewhere_ = elsewhere_ || (t.is_cpu() && t.dim() > 0);
      to_host_ = to_host_ || written;
      return t;
    }
    device_ = t.device();
    for (Pair& p : pairs_) {
      if (p.device.is_same(t)) return p.written = p.written || written, p.host;
    }
    const bool fresh = written && t.numel() == 0;
    pairs_.push_back({fresh ? at::empty_like(t, t.options().device(at::kCPU)) : alias(t), t, written, fresh});
    return pairs_.back().host;
  }
  IValue on_host(const IValue& value, bool written) {
    if (value.isTensor()) return on_host(value.toTensor(), written);
    if (value.isDevice() && value.toDevice().is_cuda()) return device_ = value.toDevice(), IValue(at::Device(at::kCPU));
    if (value.isGenerator() && value.toGenerator().device().is_cuda()) return IValue();
    if (value.isList() && !value.isIntList() && !value.isDoubleList() && !value.isBoolList()) {
      const auto list = value.toList();
      auto copy = list.copy();
      for (size_t i = 0; i < list.size(); ++i) copy.set(i, on_host(list.get(i), written));
      return IValue(copy);
    }
    return value;
  }

  Tensor back(const Tensor& t) {
    if (!t.defined() || !t.is_cpu()) return t;
    for (const Pair& p : pairs_) {
      if (p.host.is_same(t)) return p.device;
    }
    if (to_host_ || !device_.has_value()) return t;
    const auto options = t.options().device(*device_);
    if (t.is_sparse()) return at::_sparse_coo_tensor_unsafe(back(t._indices()), back(t._values()), t.sizes(), options);
    const Tensor plain = t.resolve_conj().resolve_neg();
    const Tensor result = plain.is_non_overlapping_and_dense() ? at::empty_strided(plain.sizes(), plain.strides(), options)
                                                               : at::empty(plain.sizes(), options);
    if (result.numel() > 0) alias(result).copy_(plain);
    wrote(result);
    return result;
  }
  IValue back(const IValue& value) {
    if (value.isTensor()) return back(value.toTensor());
    if (value.isTensorList()) {
      auto list = value.toTensorList().copy();
      for (size_t i = 0; i < list.size(); ++i) list.set(i, back(list.get(i)));
      return list;
    }
    return value;
  }

  // A copy of what was never written is one of it: as a kernel's reads, it is not yet a use.
  static bool copied(const Tensor& to, const Tensor& from) {
    const bool plain = on_device(to) && on_device(from) && to.dtype() == from.dtype() && to.sizes() == from.sizes() &&
                       to.strides() == from.strides() && to.is_non_overlapping_and_dense() &&
                       to.is_conj() == from.is_conj() && to.is_neg() == from.is_neg() && !from._is_zerotensor();
    if (plain && to.numel() > 0) {
      cudaMemcpy(to.mutable_data_ptr(), from.const_data_ptr(), to.nbytes(), cudaMemcpyDeviceToDevice);
    }
    return plain;
  }
  std::string name() const { return op_.schema().name(); }
  bool is_copy() const { return name() == "aten::copy_"; }

  // What a GPU's kernels refuse.
  void check_devices() const {
    static const std::set<std::string> mixed = {"aten::copy_", "aten::_foreach_copy_", "aten::index", "aten::_index_put_impl_"};
    TORCH_CHECK(!elsewhere_ || pairs_.empty() || mixed.count(name()) != 0, name(),
                ": Expected all tensors to be on the same device, got CPU tensors beside those of ptxrun's GPU");
  }
  // For what the host would wait: torch.cuda.set_sync_debug_mode tells.
  void warn_of_waiting(const torch::jit::Stack& stack, size_t begin) const {
    static const std::set<std::string> asks = {"aten::_local_scalar_dense", "aten::nonzero", "aten::equal",
                                               "aten::masked_select", "aten::_unique2", "aten::is_nonzero"};
    const bool waits = asks.count(name()) != 0 || (is_copy() && (elsewhere_ || to_host_) && !stack[begin + 2].toBool());
    if (waits && c10::cuda::warning_state().get_sync_debug_mode() != c10::cuda::SyncDebugMode::L_DISABLED) {
      c10::cuda::warn_or_error_on_sync();
    }
  }
  void check_written(const Tensor& t) const {
    each_stretch(t, [this](const char* begin, int64_t bytes) {
      ptxrun_reads(begin, static_cast<size_t>(bytes), op_.schema().name().c_str());
    });
  }

  const c10::OperatorHandle& op_;
  std::vector<Pair> pairs_;
  std::vector<std::pair<c10::StorageImpl*, c10::Storage>> storages_;
  std::optional<at::Device> device_;
  bool elsewhere_ = false;  // a CPU tensor that is no number
  bool to_host_ = false;    // the result is a CPU tensor
};

void on_host(const c10::OperatorHandle& op, torch::jit::Stack* stack) { Call(op).run(*stack); }

// What makes tensors, or other tensors of their memory, is torch's own.
bool is_own(const c10::OperatorName& name) {
  static const std::set<std::string> own = {"aten::empty", "aten::empty_strided", "aten::resize_", "aten::set_",
                                            "aten::is_set_to", "aten::record_stream", "aten::_efficientzerotensor"};
  const auto op = c10::Dispatcher::singleton().findSchema(name);
  if (!op.has_value() || own.count(name.name) != 0) return true;
  for (const auto& result : op->schema().returns()) {
    if (result.alias_info() != nullptr && !result.alias_info()->isWrite()) return true;  // a view
  }
  return false;
}

const bool registered = [] {
  class Silence : public c10::WarningHandler {
    void process(const c10::Warning&) override {}
  } silence;
  const c10::WarningUtils::WarningHandlerGuard guard(&silence);  // of kernels that are replaced
  auto* library = new torch::Library(torch::Library::IMPL, "aten", c10::DispatchKey::CUDA, __FILE__, __LINE__);
  auto names = c10::Dispatcher::singleton().getRegistrationsForDispatchKey(c10::DispatchKey::CUDA);
  // of every device, and with kernels for each
  for (const char* name : {"aten::copy_", "aten::convolution", "aten::convolution_backward"}) names.emplace_back(name, "");
  for (const auto& name : names) {
    if (name.getNamespace() != "aten" || is_own(name)) continue;
    library->impl(toString(name).c_str(), torch::CppFunction::makeFromBoxedFunction<&on_host>());
  }
  return true;
}();

}  // namespace
