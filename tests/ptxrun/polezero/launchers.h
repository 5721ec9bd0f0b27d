// The launchers of csrc/kernels/cuda/launch.h behind the signatures of the CPU's kernels, so that
// the project's own cases (tests/cpp) can be run through them.
#pragma once

#include "device.h"
#include "params/lpv_sosfilt.h"
#include "support.h"

namespace polezero::test {

template <class T>
struct OnGpu {
  using A = acc_t<T>;
  using D = cuda::on_device_t<T>;

  static int64_t spread(int64_t rows, int64_t size, int64_t stride) { return stride == 0 ? size : Gpu::extent(rows, size, stride); }

  static void lpv_allpole(const LpvAllpoleParams<T>& p, const Range& range) {
    const int64_t rows = range.row_end, time = range.time_end, N = p.order;
    Gpu gpu;
    cuda::lpv_allpole<D>(gpu.context(),
                         {.lags = p.lags,
                          .order = N,
                          .a = gpu.in(p.a, spread(rows, time * N, p.a_stride)),
                          .a_stride = p.a_stride,
                          .x = gpu.in(p.x, Gpu::extent(rows, time, p.x_stride)),
                          .x_stride = p.x_stride,
                          .y = gpu.out(p.y, Gpu::extent(rows, time, p.y_stride)),
                          .y_stride = p.y_stride,
                          .state = gpu.out(p.state, rows * N, true),
                          .rows = rows},
                         time);
    gpu.finish();
  }
  static void lag_product(const LagProductParams<T>& p, const Range& range) {
    const int64_t rows = range.row_end, time = range.time_end;
    Gpu gpu;
    cuda::lag_product<D>(gpu.context(),
                         {.lags = p.lags,
                          .taps = p.taps,
                          .g = gpu.in(p.g, Gpu::extent(rows, time, p.g_stride)),
                          .g_stride = p.g_stride,
                          .x = gpu.in(p.x, Gpu::extent(rows, time, p.x_stride)),
                          .x_stride = p.x_stride,
                          .c = gpu.out(p.c, rows * time * p.taps),
                          .first = p.first,
                          .sign = p.sign,
                          .conjugate_x = p.conjugate_x,
                          .time = time},
                         rows, time);
    gpu.finish();
  }
  static void lpv_allpole_backward(const LpvAllpoleBackwardParams<T>& p, const Range& range) {
    lpv_allpole(p.adjoint, range);
    lag_product(p.product, range);
  }
  static void lpv_fir(const LpvFirParams<T>& p, const Range& range) {
    const int64_t rows = range.row_end, time = range.time_end;
    Gpu gpu;
    cuda::lpv_fir<D>(gpu.context(),
                     {p.lags, p.taps, gpu.in(p.b, spread(rows, time * p.taps, p.b_stride)), p.b_stride, gpu.in(p.x, Gpu::extent(rows, time, p.x_stride)), p.x_stride,
                      gpu.out(p.y, Gpu::extent(rows, time, p.y_stride)), p.y_stride},
                     rows, time);
    gpu.finish();
  }
  static void state_space(const StateSpaceParams<T>& p, const Range& range) {
    const int64_t rows = range.row_end, time = range.time_end, S = p.states;
    const int64_t at_b = p.adjoint ? p.outputs : p.inputs, at_c = p.adjoint ? p.inputs : p.outputs;
    Gpu gpu;
    const auto matrices = [&](const Matrices<T>& m, int64_t size) -> Matrices<D> {
      return {gpu.in(m.data, (rows - 1) * m.row_stride + (time - 1) * m.time_stride + size), m.row_stride, m.time_stride};
    };
    cuda::state_space<D>(gpu.context(),
                         {p.adjoint, S, p.inputs, p.outputs, matrices(p.a, S * S), matrices(p.b, S * at_b), matrices(p.c, at_c * S), matrices(p.d, at_c * at_b),
                          gpu.in(p.x, Gpu::extent(rows * p.inputs, time, p.x_stride)), p.x_stride, gpu.out(p.y, Gpu::extent(rows * p.outputs, time, p.y_stride)),
                          p.y_stride, gpu.out(p.state, rows * S, true)},
                         rows, time);
    gpu.finish();
  }
  static LatticeStages<D> stages(Gpu& gpu, const LatticeStages<T>& s, int64_t rows, int64_t time) {
    return {s.order, gpu.in(s.k, spread(rows, time * s.order, s.k_stride)), gpu.in(s.constant_k, spread(rows, s.order, s.k_stride)), s.k_stride};
  }
  static LatticePorts<const D> ports(Gpu& gpu, const LatticePorts<const T>& p, int64_t rows, int64_t time) {
    return {gpu.in(p.data, Gpu::extent(rows * p.count, time, p.stride)), p.stride, p.count};
  }
  static LatticePorts<D> ports(Gpu& gpu, const LatticePorts<T>& p, int64_t rows, int64_t time) {
    return {gpu.out(p.data, Gpu::extent(rows * p.count, time, p.stride)), p.stride, p.count};
  }
  static void lattice_forward(const LatticeForwardParams<T>& p, const Range& range) {
    const int64_t rows = range.row_end, time = range.time_end;
    Gpu gpu;
    cuda::lattice_forward<D>(gpu.context(),
                             {stages(gpu, p.stages, rows, time), p.adjoint, ports(gpu, p.u, rows, time), ports(gpu, p.z, rows, time),
                              gpu.out(p.state, rows * p.stages.order, true)},
                             rows, time);
    gpu.finish();
  }
  static void lattice_backward(const LatticeBackwardParams<T>& p, const Range& range) {
    const int64_t rows = range.row_end, time = range.time_end, N = p.stages.order;
    Gpu gpu;
    cuda::lattice_backward<D>(gpu.context(),
                              {stages(gpu, p.stages, rows, time), ports(gpu, p.u, rows, time), ports(gpu, p.grad_z, rows, time), ports(gpu, p.grad_u, rows, time),
                               gpu.in(p.zi, rows * N), gpu.out(p.state, rows * N, true), gpu.out(p.grad_k, rows * time * N), gpu.out(p.sum_k, rows * N)},
                              rows, time);
    gpu.finish();
  }

  static VaryingSections<D> sections(Gpu& gpu, const VaryingSections<T>& s, int64_t rows) {
    const int64_t numbers = rows / s.rows_per_set * s.set_stride();
    return {.count = s.count, .frames = s.frames, .rows_per_set = s.rows_per_set, .stride = s.stride,
            .given = of_sections<const D>(s.given, s.stride, [&](const T* p) { return gpu.in(p, numbers); }),
            .wide = of_sections<const acc_t<D>>(s.wide, s.stride, [&](const A* p) { return gpu.in(p, numbers); })};
  }
  // Of one tensor, or of two.
  template <class C, class Host, class Copy>
  static SectionNumbers<C> of_sections(const SectionNumbers<Host>& host, int64_t stride, Copy&& copy) {
    if (!host) return {};
    C* b = copy(host.b);
    return {b, stride == 6 ? b + 3 : copy(host.a)};
  }
  static void lpv_sosfilt_forward(const LpvSosfiltForwardParams<T>& p, int64_t time) {
    Gpu gpu;
    cuda::lpv_sosfilt_forward<D>(gpu.context(),
                                 {.sections = sections(gpu, p.sections, p.rows),
                                  .rows = p.rows,
                                  .x = gpu.in(p.x, Gpu::extent(p.rows, time, p.x_stride)),
                                  .x_stride = p.x_stride,
                                  .y = gpu.out(p.y, Gpu::extent(p.rows, time, p.y_stride)),
                                  .y_stride = p.y_stride,
                                  .state = gpu.out(p.state, p.rows * p.sections.count * 2, true)},
                                 time);
    gpu.finish();
  }
  static void lpv_sosfilt_backward(const LpvSosfiltBackwardParams<T>& p, const A* zi, int64_t time) {
    const int64_t states = p.rows * p.sections.count * 2, numbers = p.rows / p.sections.rows_per_set * p.sections.set_stride();
    Gpu gpu;
    cuda::lpv_sosfilt_backward<D>(gpu.context(),
                                  {.sections = sections(gpu, p.sections, p.rows),
                                   .rows = p.rows,
                                   .grad_y = gpu.in(p.grad_y, Gpu::extent(p.rows, time, p.grad_y_stride)),
                                   .grad_y_stride = p.grad_y_stride,
                                   .grad_x = gpu.out(p.grad_x, Gpu::extent(p.rows, time, p.grad_x_stride)),
                                   .grad_x_stride = p.grad_x_stride,
                                   .state = gpu.out(p.state, states, true),
                                   .x = gpu.in(p.x, Gpu::extent(p.rows, time, p.x_stride)),
                                   .x_stride = p.x_stride,
                                   .y = gpu.in(p.y, Gpu::extent(p.rows, time, p.y_stride)),
                                   .y_stride = p.y_stride,
                                   .grad = of_sections<D>(p.grad, p.sections.stride, [&](T* to) { return gpu.out(to, numbers); }),
                                   .wide_grad = of_sections<acc_t<D>>(p.wide_grad, p.sections.stride, [&](A* to) { return gpu.out(to, numbers); })},
                                  gpu.in(zi, states), time);
    gpu.finish();
  }

  static const KernelsOf<T>& kernels() {
    static const KernelsOf<T> table = [] {
      KernelsOf<T> t{};
      t.lpv_allpole = lpv_allpole;
      t.lpv_allpole_backward = lpv_allpole_backward;
      t.lag_product = lag_product;
      t.lpv_fir = lpv_fir;
      t.state_space = state_space;
      t.lattice_forward = lattice_forward;
      t.lattice_backward = lattice_backward;
      return t;
    }();
    return table;
  }
};

}  // namespace polezero::test
