// Every op of polezero: read this first. Letters: T samples, N order of the denominator a, M of
// the numerator b, P = max(M, N). Those for users are declared in polezero/functions.h; functional/
// defines and registers them. Kernels and checks of the closed set are in ops/, derivatives in
// autograd/, where each of its ops is registered.
#include <torch/library.h>

TORCH_LIBRARY(polezero, m) {
  const auto op = [&m](const char* schema) { m.def(schema, {at::Tag::pt2_compliant_tag}); };
  m.set_python_module("polezero");

  // ---- For users: any axis, the dtype of the signal; the order of arguments is that of the Python
  // functions, which is SciPy's. zf has shape [0] where zi is None.
  op("lfilter(Tensor b, Tensor a, Tensor x, int axis=-1, Tensor? zi=None, "
     "str backward='one_pass') -> (Tensor y, Tensor zf)");
  op("lfilter_zi(Tensor b, Tensor a) -> Tensor");
  op("lfiltic(Tensor b, Tensor a, Tensor y, Tensor? x=None) -> Tensor");
  op("allpole(Tensor a, Tensor x, Tensor? zi=None, str backward='one_pass') "
     "-> (Tensor y, Tensor zf)");
  op("sensitivity(Tensor b, Tensor a, Tensor x, int axis=-1) -> (Tensor dy_db, Tensor dy_da)");
  op("tdf2_ssm(Tensor b, Tensor a, Tensor x, Tensor? zi=None, str backward='one_pass') "
     "-> (Tensor y, Tensor zf)");
  op("linear_recurrence(Tensor a, Tensor x, Tensor? zi=None) -> (Tensor y, Tensor zf)");
  op("sosfilt(Tensor sos, Tensor x, int axis=-1, Tensor? zi=None) -> (Tensor y, Tensor zf)");
  op("sosfilt_zi(Tensor sos) -> Tensor");
  op("filtfilt(Tensor b, Tensor a, Tensor x, int axis=-1, str? padtype='odd', SymInt? padlen=None, "
     "str method='pad', SymInt? irlen=None) -> Tensor");
  op("sosfiltfilt(Tensor sos, Tensor x, int axis=-1, str? padtype='odd', SymInt? padlen=None, "
     "str method='pad', SymInt? irlen=None) -> Tensor");
  // x[..., I, T] -> y[..., O, T]
  op("state_space(Tensor A, Tensor B, Tensor? C, Tensor? D, Tensor x, Tensor? zi=None) "
     "-> (Tensor y, Tensor zf)");
  // Delays, and coefficients that may change with time; `interpolation` is for delays between
  // samples.
  op("comb_filter(Tensor a, Tensor delay, Tensor x, Tensor? zi=None, str? interpolation=None, "
     "str backward='one_pass') -> (Tensor y, Tensor zf)");
  op("feedforward_comb(Tensor b, Tensor delay, Tensor x, Tensor? zi=None, "
     "str? interpolation=None) -> (Tensor y, Tensor zf)");
  op("allpass_comb(Tensor a, Tensor delay, Tensor x, Tensor? zi=None, str? interpolation=None) "
     "-> (Tensor y, Tensor zf)");
  op("sparse_allpole(Tensor a, Tensor delays, Tensor x, Tensor? zi=None) "
     "-> (Tensor y, Tensor zf)");
  // Splines, along an axis.
  op("cubic_spline(Tensor x, SymInt m, str boundary='reflect', int axis=-1) -> Tensor");
  op("cspline1d(Tensor x, float lamb=0., int axis=-1) -> Tensor");
  op("qspline1d(Tensor x, int axis=-1) -> Tensor");
  op("cspline1d_eval(Tensor cj, Tensor newx, int axis=-1) -> Tensor");
  op("qspline1d_eval(Tensor cj, Tensor newx, int axis=-1) -> Tensor");
  op("cspline2d(Tensor x, float lamb=0.) -> Tensor");
  op("qspline2d(Tensor x) -> Tensor");
  op("symiirorder1(Tensor x, float c0, float z1, int axis=-1) -> Tensor");
  op("symiirorder2(Tensor x, float r, float omega, int axis=-1) -> Tensor");
  // poles[..., modes] and gains[..., modes] are complex
  op("modal_bank(Tensor poles, Tensor gains, Tensor x, Tensor? zi=None) -> (Tensor y, Tensor zf)");
  op("parallel_form(Tensor b, Tensor a) -> (Tensor residues, Tensor poles, Tensor direct)");
  op("diagonalise(Tensor A, Tensor B, Tensor C) -> (Tensor poles, Tensor gains)");
  // Frequency sampling: n points of a grid.
  op("freq_lfilter(Tensor b, Tensor a, Tensor x, str correction='none', int axis=-1) -> Tensor");
  op("freq_apply(Tensor b, Tensor a, Tensor X, SymInt? n=None, int axis=-1, "
     "bool onesided=True) -> Tensor");
  op("freq_response(Tensor b, Tensor a, SymInt n, bool onesided=True) -> Tensor");
  op("freq_comb(Tensor a, Tensor delay, SymInt n, bool onesided=True) -> Tensor");
  // Coefficients that change with time, [..., T or 1, taps], or with `hop` of frames; time on the
  // last axis of x.
  op("lpv_allpole(Tensor a, Tensor x, Tensor? zi=None, SymInt? hop=None, "
     "str interpolation='linear', SymInt offset=0) -> (Tensor y, Tensor zf)");
  op("lpv_fir(Tensor b, Tensor x, Tensor? zi=None, SymInt? hop=None, "
     "str interpolation='linear', SymInt offset=0) -> (Tensor y, Tensor zf)");
  op("lpv_lfilter(Tensor b, Tensor a, Tensor x, Tensor? zi=None, str form='tdf2', "
     "SymInt? hop=None, str interpolation='linear', SymInt offset=0) -> (Tensor y, Tensor zf)");
  op("lpv_lattice(Tensor k, Tensor x, Tensor? zi=None, Tensor? taps=None, "
     "SymInt? hop=None, str interpolation='linear', SymInt offset=0) -> (Tensor y, Tensor zf)");
  op("lpv_parallel(Tensor sos, Tensor x, Tensor? zi=None, SymInt? hop=None, "
     "str interpolation='linear', SymInt offset=0) -> (Tensor y, Tensor zf)");
  op("lpv_sosfilt(Tensor sos, Tensor x, Tensor? zi=None, SymInt? hop=None, "
     "str interpolation='linear', SymInt offset=0) -> (Tensor y, Tensor zf)");
  op("lpv_state_space(Tensor A, Tensor B, Tensor? C, Tensor? D, Tensor x, Tensor? zi=None, "
     "SymInt? hop=None, str interpolation='linear', SymInt offset=0) -> (Tensor y, Tensor zf)");
  op("lpv_tdf2_ssm(Tensor b, Tensor a, Tensor x, Tensor? zi=None, SymInt? hop=None, "
     "str interpolation='linear', SymInt offset=0) -> (Tensor y, Tensor zf)");

  // ---- The closed set: tensors first, then attributes; time on the last axis, leading dimensions
  // broadcast, one dtype (constant coefficients, and the states of lfilter, sosfilt, state_space
  // and lattices, may be float64 or complex128 beside a float32 or complex64 signal). Coefficients
  // with a time axis, [..., T, taps] or, constant, [..., 1, taps], take a `shift` s: lag k at time
  // n reads the coefficient of time n + s k.
  op("lfilter_forward(Tensor b, Tensor a, Tensor x, Tensor? zi, bool two_pass=False) "
     "-> (Tensor y, Tensor zf)");
  op("lfilter_backward(Tensor grad_y, Tensor? grad_zf, Tensor b, Tensor a, Tensor? x, Tensor? y, "
     "Tensor? zi, Tensor? zf, bool need_b, bool need_a, bool need_x, bool need_zi) "
     "-> (Tensor grad_b, Tensor grad_a, Tensor grad_x, Tensor grad_zi)");
  op("allpole_forward(Tensor a, Tensor x, Tensor? zi=None, int shift=0, bool reverse=False, "
     "bool two_pass=False) -> Tensor");
  op("allpole_backward(Tensor grad_y, Tensor a, Tensor? y, Tensor? zi, bool need_a, bool need_x, "
     "bool need_zi, int shift=0, bool reverse=False) "
     "-> (Tensor grad_a, Tensor grad_x, Tensor grad_zi)");
  op("sosfilt_forward(Tensor sos, Tensor x, Tensor? zi=None) -> (Tensor y, Tensor zf)");
  op("sosfilt_backward(Tensor grad_y, Tensor? grad_zf, Tensor sos, Tensor? x, Tensor? zi, "
     "bool need_sos, bool need_x, bool need_zi) "
     "-> (Tensor grad_sos, Tensor grad_x, Tensor grad_zi)");
  // sos[..., F, K, 6] of frames; grad_sos is summed over the last `shared` leading dimensions
  op("lpv_sosfilt_forward(Tensor sos, Tensor x, Tensor? zi=None, SymInt hop=1, SymInt offset=0, "
     "bool linear=False) -> (Tensor y, Tensor zf)");
  op("lpv_sosfilt_backward(Tensor grad_y, Tensor? grad_zf, Tensor sos, Tensor? x, Tensor? y, "
     "Tensor? zi, bool need_sos, bool need_x, bool need_zi, int shared=0, SymInt hop=1, "
     "SymInt offset=0, "
     "bool linear=False) -> (Tensor grad_sos, Tensor grad_x, Tensor grad_zi)");
  op("lpv_lfilter_forward(Tensor b, Tensor a, Tensor x, Tensor? zi=None, SymInt hop=1, "
     "SymInt offset=0, bool linear=False) -> (Tensor y, Tensor zf)");
  op("lpv_lfilter_backward(Tensor grad_y, Tensor? grad_zf, Tensor b, Tensor a, Tensor? x, "
     "Tensor? y, bool need_filter, bool need_x, bool need_zi, int shared=0, SymInt hop=1, "
     "SymInt offset=0, bool linear=False) "
     "-> (Tensor grad_b, Tensor grad_a, Tensor grad_x, Tensor grad_zi)");
  // before and behind x, `length` samples made of the end one and of those mirrored about it
  op("zero_phase_forward(Tensor b, Tensor a, Tensor zi, Tensor adjoint_zi, Tensor x, "
     "SymInt length, float of_end, float of_mirrored) -> Tensor");
  op("zero_phase_backward(Tensor grad_y, Tensor b, Tensor a, Tensor zi, Tensor adjoint_zi, "
     "Tensor? x, SymInt length, float of_end, float of_mirrored, bool need_filter, bool need_x) "
     "-> (Tensor grad_b, Tensor grad_a, Tensor grad_zi, Tensor grad_adjoint_zi, Tensor grad_x)");
  op("state_space_forward(Tensor A, Tensor? B, Tensor? C, Tensor? D, Tensor x, Tensor? zi=None, "
     "bool adjoint=False) -> (Tensor y, Tensor zf)");
  op("lattice_forward(Tensor k, Tensor u, Tensor? zi, bool all, bool adjoint=False) "
     "-> (Tensor z, Tensor zf)");
  op("lattice_backward(Tensor grad_z, Tensor? grad_zf, Tensor k, Tensor u, Tensor? zi) "
     "-> (Tensor grad_k, Tensor grad_u, Tensor grad_zi)");
  // x[..., past + T] begins with samples that are given; delays[..., T or 1, L] are int64, or
  // floating where samples are interpolated: by the Lagrange polynomial of order 1 or 3
  op("sparse_allpole_forward(Tensor a, Tensor delays, Tensor x, SymInt past=0, "
     "bool transposed=False, bool two_pass=False, int interpolation_order=0) -> Tensor");
  op("sparse_fir(Tensor b, Tensor delays, Tensor x, SymInt past=0, bool transposed=False, "
     "int interpolation_order=0, int derivative=0) -> Tensor");
  op("sparse_product(Tensor g, Tensor x, Tensor delays, SymInt past=0, bool sum=False, "
     "int interpolation_order=0, int derivative=0) -> Tensor");
  op("symmetric_filter(Tensor x, float a1, float a2, float gain, "
     "bool whole_sample=False) -> Tensor");
  // splines of coefficients x that are mirrored with whole-sample or half-sample symmetry; the
  // transposed evaluation reads how many knots there are
  op("spline_eval(Tensor x, Tensor t, int degree=3, bool whole_sample=False, int derivative=0, "
     "bool transposed=False, SymInt knots=0) -> Tensor");
  op("spline_upsample(Tensor x, SymInt factor, bool whole_sample=False, bool transposed=False) "
     "-> Tensor");
  op("thiran_delay(Tensor delay) -> Tensor");
  // of poles[..., K], gains[..., K, J], zi[..., K], complex64 or complex128, and real signals
  op("modal_bank_forward(Tensor poles, Tensor gains, Tensor x, Tensor? zi=None, "
     "bool reverse=False) -> (Tensor y, Tensor zf)");
  op("modal_correlation(Tensor poles, Tensor g, Tensor x, Tensor? zi=None, SymInt orders=1) "
     "-> Tensor");
  op("fir(Tensor b, Tensor x, int shift=0, bool reverse=False) -> Tensor");
  op("monic(Tensor b, Tensor a) -> (Tensor b, Tensor a)");
  op("lag_product(Tensor g, Tensor x, SymInt taps, int shift=0, bool reverse=False) -> Tensor");
  op("lag_correlation(Tensor g, Tensor x, SymInt taps) -> Tensor");
}
