// polezero._C: only the build's facts. The ops reach Python through the dispatcher, so that one
// library serves every Python version.
#include <pybind11/pybind11.h>

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
}
