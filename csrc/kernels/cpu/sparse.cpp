// Sparse filters on the CPU. What lies `longest` samples back is kept in float64 (math/scalar.h has
// the reason) in a line that is moved on a tile at a time. Samples that are closer together than
// the shortest delay do not meet: where delays and coefficients allow, they make a vector.
#include "kernels/cpu/sparse.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/sparse_reads.h"
#include "kernels/cpu/tile/delay_line.h"

POLEZERO_ISA_BEGIN

// A row of a problem, whose taps read `points` samples each.
template <class T, int step, int points>
class SparseRow {
 public:
  using A = acc_t<T>;

  SparseRow(const SparseParams<T>& p, int64_t row, int64_t time)
      : p_(p),
        taps_(p.taps, row),
        time_(time),
        L_(p.taps.count),
        x_(p.x + row * p.x_stride),
        y_(p.y + row * p.y_stride),
        four_(p.taps.interpolator) {}

  void run() {
    const bool scatters = p_.transposed && !p_.taps.constant_delays();
    DelayLine<A, step> line(scatters ? 0 : p_.longest, scatters ? p_.longest : 0, time_);
    for (int64_t begin = 0; begin < time_; begin += line.tile()) {
      if (begin > 0) line.advance();
      const int64_t end = std::min(begin + line.tile(), time_);
      // positions at which taps are, and the others
      const int64_t first = std::clamp(step > 0 ? p_.past : int64_t{0}, begin, end);
      const int64_t last = std::clamp(step > 0 ? time_ : time_ - p_.past, begin, end);
      for (int64_t p = begin; p < first; ++p) before_taps(line.at(p - begin), p);
      scatters ? scatter(line, first, last, begin) : gather(line, first, last, begin);
      for (int64_t p = last; p < end; ++p) {
        A* now = line.at(p - begin);
        after_taps(now, p, scatters ? *now : multiply(sign(), gathered(now, p)));
      }
    }
  }

 private:
  using Line = DelayLine<A, step>;
  static constexpr bool kFour = points == 4 && !is_complex<T>;

  int64_t sample(int64_t position) const { return step > 0 ? position : time_ - 1 - position; }
  A signed_input(int64_t n) const { return p_.feedback ? widen(x_[n]) : A(0); }
  // What taps add.
  A sign() const { return A(p_.feedback ? -1 : 1); }

  // A given sample, forwards in time.
  void before_taps(A* now, int64_t p) {
    *now = widen(x_[sample(p)]);
    y_[sample(p)] = static_cast<T>(p_.feedback ? *now : A(0));
  }
  // A given sample of the transposed filter, on which no tap depends; `sum`: what they add to it.
  void after_taps(A* now, int64_t p, A sum) {
    const int64_t n = sample(p);
    y_[n] = static_cast<T>(signed_input(n) + sum);
    *now = A(0);
  }

  // What tap l reads of the `p` positions behind `now`, n counting from the first made by taps.
  A read(const A* now, int64_t p, int64_t n, int64_t l) const {
    if constexpr (points == 1) {
      const int64_t d = taps_.delay(n, l);
      return d <= p ? now[-step * d] : A(0);
    } else {
      A sum(0);
      taps_.template each<points>(n, l, [&](int64_t d, double w) {
        if (d <= p) sum += w * now[-step * d];
      });
      return sum;
    }
  }

  // What the taps of one sample gather from what lies behind; those of sample n are of time n or,
  // transposed (their delays are constant), of n + d.
  A gathered(const A* now, int64_t p) const {
    const int64_t n = sample(p) - p_.past;
    A sum(0);
    for (int64_t l = 0; l < L_; ++l) {
      const int64_t at = p_.transposed ? n + taps_.delay(0, l) : n;
      if (p_.transposed && (at < 0 || at >= time_ - p_.past)) continue;
      sum += multiply(taps_.coefficient(at, l), read(now, p, n, l));
    }
    return sum;
  }
  void gather(Line& line, int64_t first, int64_t last, int64_t begin) {
    int64_t p = first;
    const auto serially_to = [&](int64_t to) {
      for (; p < to; ++p) gather_one(line.at(p - begin), p);
    };
    if constexpr (!is_complex<T> && points == 1) {
      const bool varying = taps_.varying != nullptr;
      if (p_.taps.constant_delays() && p_.shortest >= kLanes<double> && (!varying || L_ == 1)) {
        serially_to(std::min(std::max(first, *std::max_element(taps_.d, taps_.d + L_)), last));
        if (varying) {
          p = gather_vectors<true>(line, p, last, begin, std::integral_constant<int, 1>{});
        } else if (!with_constant<4>(L_, [&](auto count) {
                     p = gather_vectors<false>(line, p, last, begin, count);
                   })) {
          p = gather_vectors<false>(line, p, last, begin, L_);
        }
      }
    }
    if constexpr (kFour && step > 0) {
      if (L_ == 1 && p_.shortest >= 4 && p_.longest < kLongestOfFour) {
        serially_to(std::min(std::max(first, p_.longest), last));
        p = gather_fours(line, p, last, begin);
      }
    }
    serially_to(last);
  }
  void gather_one(A* now, int64_t p) {
    const int64_t n = sample(p);
    const A out = signed_input(n) + multiply(sign(), gathered(now, p));
    *now = p_.feedback ? out : widen(x_[n]);
    y_[n] = static_cast<T>(out);
  }

  // Whole vectors of samples with constant delays, and constant coefficients or one tap. The
  // position of the first sample left. `count` is L, as a constant where it is small.
  template <bool one_varying_tap, class Count>
  int64_t gather_vectors(Line& line, int64_t p, int64_t last, int64_t begin, Count count) {
    constexpr int W = kLanes<double>;
    const bool feedback = p_.feedback, transposed = p_.transposed;
    const T* c =
        one_varying_tap ? taps_.varying + (transposed ? taps_.d[0] : 0) - p_.past : nullptr;
    for (; p + W <= last; p += W) {
      const int64_t n = step > 0 ? sample(p) : sample(p + W - 1);  // the first in memory
      double* h = step > 0 ? line.at(p - begin) : line.at(p + W - 1 - begin);
      const vec<double> x = to_double(x_ + n);
      vec<double> sum{};
      for (int64_t l = 0; l < count; ++l) {
        const vec<double> v = load<double>(h - step * taps_.d[l]);
        sum += (one_varying_tap ? to_double(c + n) : broadcast<double>(taps_.constant[l])) * v;
      }
      const vec<double> out = feedback ? x - sum : sum;
      store<double>(h, feedback ? out : x);
      store_narrow<W>(y_ + n, out);
    }
    return p;
  }

  // The same of one tap between four samples, forwards in time: four samples at a time.
  int64_t gather_fours(Line& line, int64_t p, int64_t last, int64_t begin) {
    for (; p + 4 <= last; p += 4) {
      const int64_t n = p - p_.past;
      double* now = line.at(p - begin);
      const FourReads<points> reads(p_.taps.interpolator, four_delays(taps_, n));
      const Four c = taps_.varying != nullptr ? load_four(taps_.varying + n)
                                              : broadcast<double, 4>(taps_.constant[0]);
      const Four sum = c * reads.of(now);
      const Four x = load_four(x_ + p), out = p_.feedback ? x - sum : sum;
      store<double, 4>(now, p_.feedback ? out : x);
      store_narrow<4>(y_ + p, out);
    }
    return p;
  }

  // Transposed, with delays that change with time: every sample is handed on to where it came from.
  void scatter(Line& line, int64_t first, int64_t last, int64_t begin) {
    for (int64_t p = first; p < last; ++p) {
      const int64_t n = sample(p);
      A* now = line.at(p - begin);
      const A out = signed_input(n) + *now;
      y_[n] = static_cast<T>(out);
      const A from = multiply(sign(), p_.feedback ? out : widen(x_[n]));
      for (int64_t l = 0; l < L_; ++l) {
        const A part = multiply(taps_.coefficient(n - p_.past, l), from);
        if constexpr (kFour && step < 0) {
          const ReadPoint at = taps_.point(n - p_.past, l);
          if (at.first + 3 <= n) {
            const Four w = four_.at(at.u) * broadcast<double, 4>(part);
            A* to = now - at.first - 3;
            // (vectors would wait for those of the sample before, which lie across them)
            for (int lane = 0; lane < 4; ++lane) to[lane] += w[lane];
            continue;
          }
        }
        taps_.template each<points>(n - p_.past, l, [&](int64_t d, double w) {
          if (d <= n) now[step * d] += w * part;
        });
      }
    }
  }

  const SparseParams<T>& p_;
  SparseTapsOfRow<T> taps_;
  int64_t time_, L_;
  const T* x_;
  T* y_;
  FourWeights four_;
};

template <class T>
void sparse(const SparseParams<T>& p, const Range& range) {
  with_points(p.taps, [&](auto points) {
    for (int64_t r = range.row_begin; r < range.row_end; ++r) {
      p.transposed ? SparseRow<T, -1, points>(p, r, range.time_end).run()
                   : SparseRow<T, 1, points>(p, r, range.time_end).run();
    }
  });
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr SparseKernels<T> kernels{.filter = sparse<T>};
}  // namespace

constinit const FullTable<SparseKernels> sparse_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
