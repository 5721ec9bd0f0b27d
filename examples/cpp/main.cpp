// A LibTorch program without Python: filters a sound, takes a gradient, runs a compiled model.
//
//   filter_wav in.wav out.wav [model.pt2]
//
// model.pt2 is an AOTInductor package that contains polezero's op; export_model.py makes one.
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/torch.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <utility>

#include "polezero/polezero.h"
#include "wav.h"

namespace {

// b and a of a resonance at `frequency`: poles of radius r, a gain of about 1 at the peak.
std::pair<torch::Tensor, torch::Tensor> resonator(double frequency, double rate, double r) {
  const double angle = 2 * M_PI * frequency / rate;
  return {torch::tensor({(1 - r) * 2 * std::sin(angle)}, torch::kFloat),
          torch::tensor({1.0, -2 * r * std::cos(angle), r * r}, torch::kFloat)};
}

bool python_is_loaded() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("libpython") != line.npos || line.find("libtorch_python") != line.npos)
      return true;
  }
  return false;
}

void run(const std::string& in, const std::string& out, const char* package) {
  Wav wav = read_wav(in);
  const int64_t frames = static_cast<int64_t>(wav.samples.size()) / wav.channels;
  const torch::Tensor x =
      torch::from_blob(wav.samples.data(), {frames, wav.channels}).t().contiguous();
  std::cout << "read " << in << ": " << x.size(0) << " channel(s), " << x.size(1) << " samples at "
            << wav.rate << " Hz\n";

  const auto [b, a] = resonator(800, wav.rate, 0.98);
  a.requires_grad_();

  // Filter in two chunks, the state carried over: the same as at once.
  const torch::Tensor zi = torch::zeros({x.size(0), 2});
  const int64_t half = x.size(1) / 2;
  const auto [head, state] = polezero::lfilter(b, a, x.narrow(1, 0, half), -1, zi);
  const auto [tail, end] = polezero::lfilter(b, a, x.narrow(1, half, x.size(1) - half), -1, state);
  const torch::Tensor y = torch::cat({head, tail}, 1);
  const torch::Tensor whole = polezero::lfilter(b, a, x);
  std::cout << "filtered; two chunks differ from the whole by at most "
            << (y - whole).abs().max().item<float>() << "\n";

  whole.square().mean().backward();
  std::cout << "d mean(y^2) / d a = " << a.grad()[0].item<float>() << " "
            << a.grad()[1].item<float>() << " " << a.grad()[2].item<float>() << "\n";

  const torch::Tensor interleaved = whole.detach().t().contiguous();
  wav.samples.assign(interleaved.data_ptr<float>(),
                     interleaved.data_ptr<float>() + interleaved.numel());
  write_wav(out, wav);
  std::cout << "wrote " << out << "\n";

  if (package != nullptr) {
    torch::inductor::AOTIModelPackageLoader model(package);
    const torch::NoGradGuard no_grad;
    const torch::Tensor expected = polezero::lfilter(b, a, x).tanh();
    const torch::Tensor got = model.run({b, a.detach(), x})[0];
    const float error = (got - expected).abs().max().item<float>();
    std::cout << "ran " << package << "; it differs from the eager result by at most " << error
              << "\n";
    if (!(error < 1e-6F)) throw std::runtime_error("the package gives another result");
  }
  if (python_is_loaded()) throw std::runtime_error("expected no Python in this process");
  std::cout << "no Python interpreter was loaded\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: filter_wav in.wav out.wav [model.pt2]\n";
    return EXIT_FAILURE;
  }
  try {
    run(argv[1], argv[2], argc > 3 ? argv[3] : nullptr);
  } catch (const c10::Error& error) {  // polezero's errors are one sentence, and a backtrace
    std::cerr << "filter_wav: " << error.what_without_backtrace() << "\n";
    return EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::cerr << "filter_wav: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
