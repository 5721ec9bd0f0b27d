// Just enough of RIFF WAVE for an example: 16-bit PCM.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

struct Wav {
  uint32_t rate = 0;
  uint16_t channels = 0;
  std::vector<float> samples;  // interleaved, in [-1, 1)
};

// Zero beyond the end of the file, which no check below accepts.
template <class T>
T read_at(const std::vector<char>& bytes, size_t at) {
  T value{};
  if (at + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

inline Wav read_wav(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  auto expect = [&](bool fits, const std::string& got) {
    if (!fits) throw std::runtime_error(path + ": expected a WAV file of 16-bit PCM, got " + got);
  };
  auto has_name = [&](size_t at, const char* name) {
    return at + 4 <= bytes.size() && std::memcmp(bytes.data() + at, name, 4) == 0;
  };
  expect(has_name(0, "RIFF") && has_name(8, "WAVE"), "no RIFF WAVE header");
  Wav wav;
  for (size_t at = 12; at + 8 <= bytes.size();) {  // chunks: a name, a size, the contents
    const size_t size = read_at<uint32_t>(bytes, at + 4), contents = at + 8;
    if (has_name(at, "fmt ")) {
      const uint16_t format = read_at<uint16_t>(bytes, contents);
      const uint16_t bits = read_at<uint16_t>(bytes, contents + 14);
      expect(format == 1 && bits == 16,
             std::to_string(bits) + " bits of format " + std::to_string(format));
      wav.channels = read_at<uint16_t>(bytes, contents + 2);
      wav.rate = read_at<uint32_t>(bytes, contents + 4);
    } else if (has_name(at, "data")) {
      expect(wav.channels > 0 && wav.rate > 0, "samples before their format");
      const size_t end = std::min(contents + size, bytes.size());
      for (size_t i = contents; i + 2 <= end; i += 2) {
        wav.samples.push_back(static_cast<float>(read_at<int16_t>(bytes, i)) / 32768);
      }
      break;
    }
    at = contents + size + size % 2;
  }
  expect(wav.samples.size() >= wav.channels && wav.channels > 0, "no samples");
  return wav;
}

inline void write_wav(const std::string& path, const Wav& wav) {
  std::ofstream file(path, std::ios::binary);
  auto put = [&](auto value) { file.write(reinterpret_cast<const char*>(&value), sizeof value); };
  const uint32_t size = static_cast<uint32_t>(2 * wav.samples.size());
  const uint16_t frame = static_cast<uint16_t>(2 * wav.channels);
  file.write("RIFF", 4), put(36 + size), file.write("WAVEfmt ", 8), put(uint32_t{16});
  put(uint16_t{1}), put(wav.channels), put(wav.rate), put(wav.rate * frame), put(frame);
  put(uint16_t{16}), file.write("data", 4), put(size);
  for (const float sample : wav.samples) {
    put(static_cast<int16_t>(std::lround(std::clamp(sample, -1.0F, 32767.0F / 32768) * 32768)));
  }
  if (!file) throw std::runtime_error("cannot write " + path);
}
