// Where the sections of a tile of samples come from: those of every sample, which rows share or
// have for themselves, or frames.
#pragma once

#include <atomic>
#include <vector>

#include "kernels/cpu/tile/varying_sections.h"

POLEZERO_ISA_BEGIN

// Tile after tile of one batch, or of several whose rows share their sections.
template <class T>
class TileSections {
 public:
  using L = Lanes<T>;
  using V = typename L::V;
  using A = acc_t<T>;
  using SharedTable = SharedSections<V, A>;

  TileSections(const VaryingSections<T>& given, const Batches& batches, bool reverse = false)
      : given_(given),
        batches_(batches),
        taps_(given.count * kSectionTaps),
        ahead_((reverse ? -kSectionTile : kSectionTile) * given.count * given.stride),
        first_(taps_),
        difference_(taps_),
        table_(shared() ? 0 : kSectionTile * taps_),
        shared_table_(shared() ? kSectionTile * given.count * SharedTable::kStride / L::count : 0) {
  }
  TileSections(const TileSections&) = delete;
  ~TileSections() {
    if (singular_ && given_.singular != nullptr) {
      std::atomic_ref<bool>(*given_.singular).store(true, std::memory_order_relaxed);
    }
  }

  // Of every sample, and the same for all rows of a set.
  bool shared() const { return given_.frames.of_every_sample() && !batches_.sets_differ(); }
  const double* part() const { return part_; }
  // The sections of a tile in `numbers`: those of every sample as they are given.
  SectionLanes<V> lanes(std::vector<Lane<V>>& numbers) const {
    if (given_.stride == kSectionTaps || !given_.frames.of_every_sample()) {
      return {numbers.data(), numbers.data() + 3};
    }
    return {numbers.data(), numbers.data() + kSectionTile * given_.count * given_.stride,
            given_.stride};
  }

  // f(source), for `count` samples from n on.
  template <class F>
  void of_tile(int64_t batch, int64_t n, int64_t count, F&& f) {
    if (shared()) {
      if (batch / batches_.per_set() != set_ || n != begin_) fill_shared(batch, n, count);
      return f(SharedTable{shared_numbers(), given_.count});
    }
    const Frames& frames = given_.frames;
    for (int64_t i = 0; i < count; ++i) part_[i] = frames.part(n + i);
    const SectionLanes<V> table = lanes(table_);
    if (frames.of_every_sample()) {
      read(batch, n, count, table);
      for (int64_t i = 0; i < count * given_.count; ++i) invert(table, i);
    } else {
      to_frame(batch, n);
      if (frames.long_ones(kSectionTile) && monic_) {
        if (frames.linear)
          return f(SectionFrame<V, true>{first_.data(), difference_.data(), part_});
        return f(SectionFrame<V, false>{first_.data(), nullptr, nullptr});
      }
      for (int64_t i = 0; i < count; ++i) {
        to_frame(batch, n + i);
        interpolate(i);
      }
    }
    f(SectionTable<V>{table, given_.count});
  }

 private:
  A* shared_numbers() { return reinterpret_cast<A*>(shared_table_.data()); }
  // f(numbers), of the type that the sections have.
  template <class F>
  void with_numbers(F&& f) const {
    given_.given ? f(given_.given) : f(given_.wide);
  }
  // The sections of `count` samples, or frames, in the sets of the rows.
  void read(int64_t batch, int64_t from, int64_t count, const SectionLanes<V>& to) const {
    with_numbers([&](const auto& numbers) {
      using C = std::remove_cvref_t<decltype(*numbers.b)>;
      const int64_t stride = given_.set_stride(), of_sample = given_.count * given_.stride;
      const int64_t row = batches_.begin(batch), at = from * of_sample;
      if (batches_.sets_differ() && to.stride == given_.stride) {
        const auto load = [&](const C* c, Lane<V>* lanes) {
          Lanes<C>::load(c + row * stride + at, stride, batches_.size(batch), count * of_sample,
                         kAheadInRow<C>, &lanes->v);
        };
        load(numbers.b, to.b);
        if (given_.stride != kSectionTaps) load(numbers.a, to.a);
        return;
      }
      for (int64_t i = 0; i < count * given_.count; ++i) {
        for (int64_t lane = 0; lane < L::count; ++lane) {
          const int64_t of_lane = row + std::min(lane, batches_.size(batch) - 1);
          const auto c =
              numbers + (of_lane / batches_.rows_per_set * stride + at + i * given_.stride);
          for (int j = 0; j < kSectionTaps; ++j) L::set(to(i, j), lane, A(c[j]));
        }
      }
    });
  }
  void fill_shared(int64_t batch, int64_t n, int64_t count) {
    begin_ = n;
    set_ = batch / batches_.per_set();
    with_numbers([&](const auto& numbers) {
      const int64_t sections = count * given_.count;
      auto c = numbers + (set_ * given_.set_stride() + n * given_.count * given_.stride);
      for (int64_t i = 0; i < sections; ++i, c = c + given_.stride) {
        A* to = shared_numbers() + i * SharedTable::kStride;
        __builtin_prefetch(c.b + ahead_);
        if (given_.stride != kSectionTaps) __builtin_prefetch(c.a + ahead_);
        // a vector reads two numbers of the next section, which the last one of all has not
        if (given_.stride == kSectionTaps && i + 1 < sections) {
          copy_section(c.b, to);
        } else {
          for (int j = 0; j < kSectionTaps; ++j) to[j] = A(c[j]);
        }
        if (to[kInverse] != A(1)) divide_numbers(to);
      }
    });
  }
  template <class C>
  POLEZERO_INLINE static void copy_section(const C* c, A* to) {
    if constexpr (is_complex<A>) {
      for (int j = 0; j < kSectionTaps; ++j) to[j] = A(c[j]);
    } else {
      for (int j = 0; j < kSectionTaps; j += kBatch) store<double>(to + j, to_double(c + j));
    }
  }
  void divide_numbers(A* c) {
    singular_ |= c[kInverse] == A(0);
    const A inverse = A(1) / c[kInverse];
    for (int j = 0; j < kSectionTaps; ++j) c[j] = multiply(c[j], inverse);
    c[kInverse] = inverse;
  }
  void to_frame(int64_t batch, int64_t n) {
    const int64_t before = given_.frames.before(n), after = given_.frames.after(n);
    if (batch == batch_ && before == frame_) return;
    batch_ = batch;
    frame_ = before;
    read(batch, before, 1, {first_.data(), &first_[3]});
    read(batch, after, 1, {difference_.data(), &difference_[3]});
    monic_ = true;
    for (int64_t i = 0; i < taps_; ++i) {
      if (i % kSectionTaps == kInverse) {
        for (int64_t lane = 0; lane < L::count; ++lane) {
          const A a0 = L::get(first_[i].v, lane), next = L::get(difference_[i].v, lane);
          singular_ |= a0 == A(0) || next == A(0);
          monic_ &= a0 == A(1) && next == A(1);
        }
      }
      difference_[i].v -= first_[i].v;
    }
  }
  void interpolate(int64_t i) {
    Lane<V>* to = &table_[i * taps_];
    for (int64_t j = 0; j < taps_; ++j) to[j].v = first_[j].v + part_[i] * difference_[j].v;
    for (int64_t k = 0; k < given_.count; ++k) divide({to, to + 3}, k);
  }
  // Most sections are divided already.
  void invert(const SectionLanes<V>& table, int64_t i) {
    const V a0 = table(i, kInverse);
    if (are_equal(a0, in_all_lanes<V>(A(1)))) return;
    for (int64_t lane = 0; lane < L::count; ++lane) singular_ |= L::get(a0, lane) == A(0);
    divide(table, i);
  }
  static void divide(const SectionLanes<V>& table, int64_t i) {
    const V inverse = in_all_lanes<V>(A(1)) / table(i, kInverse);
    for (int j = 0; j < kSectionTaps; ++j) table(i, j) = multiply(table(i, j), inverse);
    table(i, kInverse) = inverse;
  }

  const VaryingSections<T>& given_;
  const Batches batches_;
  int64_t taps_;   // of a sample
  int64_t ahead_;  // from a tile to the next one
  int64_t set_ = -1, begin_ = -1, batch_ = -1, frame_ = -1;
  bool monic_ = false, singular_ = false;
  std::vector<Lane<V>> first_, difference_, table_;
  std::vector<Lane<V>> shared_table_;  // of numbers, aligned to vectors
  double part_[kSectionTile];
};

// The gradient of frames, of one batch: what is added up until the frame changes.
template <class T>
class FrameGradient {
 public:
  using L = Lanes<T>;
  using V = typename L::V;
  using A = acc_t<T>;

  FrameGradient(const VaryingSections<T>& given, const Batches& batches, int64_t batch, A* sums)
      : frames_(given.frames),
        batches_(batches),
        batch_(batch),
        taps_(given.count * kSectionTaps),
        sums_(sums),
        whole_(taps_),
        later_(taps_) {}

  // The sink of a tile with one frame.
  template <bool linear>
  GradientOfFrames<V, linear> of_frame(int64_t n, const double* part) {
    to_frame(n);
    return {whole_.data(), later_.data(), part};
  }
  // The gradients of each sample of a tile.
  void add(int64_t n, int64_t count, const double* part, const Lane<V>* gradients) {
    for (int64_t i = count - 1; i >= 0; --i) {
      to_frame(n + i);
      for (int64_t j = 0; j < taps_; ++j) {
        const V g = gradients[i * taps_ + j].v;
        whole_[j].v += g;
        later_[j].v += part[i] * g;
      }
    }
  }
  void end() {
    if (frame_ < 0) return;
    const int64_t rows = batches_.size(batch_), row = batches_.begin(batch_);
    for (int64_t j = 0; j < taps_; ++j) {
      const V whole = after_ == frame_ ? whole_[j].v : whole_[j].v - later_[j].v;
      for (int64_t lane = 0; lane < rows; ++lane) {
        const int64_t to = batches_.sets_differ() ? row + lane : batch_;
        sums_[(to * frames_.count + frame_) * taps_ + j] += L::get(whole, lane);
        if (after_ != frame_) {
          sums_[(to * frames_.count + after_) * taps_ + j] += L::get(later_[j].v, lane);
        }
      }
    }
    std::fill(whole_.begin(), whole_.end(), Lane<V>());
    std::fill(later_.begin(), later_.end(), Lane<V>());
    frame_ = -1;
  }

 private:
  void to_frame(int64_t n) {
    if (frames_.before(n) == frame_) return;
    end();
    frame_ = frames_.before(n);
    after_ = frames_.after(n);
  }

  const Frames frames_;
  const Batches batches_;
  int64_t batch_, taps_, frame_ = -1, after_ = -1;
  A* sums_;
  std::vector<Lane<V>> whole_, later_;
};

POLEZERO_ISA_END
