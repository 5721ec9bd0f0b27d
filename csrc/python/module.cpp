// polezero._C: only facts of the build and of the ops. The ops reach Python through the dispatcher,
// so that one library serves every Python version.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "autograd/core_dims.h"
#include "build_info.h"

PYBIND11_MODULE(_C, m) {
  m.def("build_info", [] {
    const polezero::BuildInfo info = polezero::build_info();
    pybind11::dict d;
    d["version"] = info.version;
    d["torch_version"] = info.torch_version;
    d["cuda_archs"] = info.cuda_archs;
    d["cpu_capability"] = info.cpu_capability;
    return d;
  });
  m.def(
      "core_dims", [] { return polezero::core_dims(); },
      "For each op of the closed set how many dimensions of each of its tensors, the last ones, "
      "are its own.");
}
