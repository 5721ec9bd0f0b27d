# polezero_torch_targets(<error>) makes the imported target polezero::torch from the include and lib
# folders of an installed torch. find_package(Torch) is of no use here: with PyPI's CUDA build of
# torch it fails where no CUDA toolkit is installed.
#
# torch is the folder POLEZERO_TORCH_DIR (a variable or in the environment; the torch folder of
# site-packages or an unpacked LibTorch), else the one that Python_EXECUTABLE, else the python3 on
# the PATH, would import. Sets POLEZERO_TORCH_DIR and POLEZERO_TORCH_VERSION in the caller's scope,
# and <error> to one sentence, or to nothing.

function(polezero_torch_targets error)
  set(dir "${POLEZERO_TORCH_DIR}")
  if(NOT dir)
    set(dir "$ENV{POLEZERO_TORCH_DIR}")
  endif()
  if(NOT dir)
    find_program(POLEZERO_PYTHON_EXECUTABLE NAMES python3 python)
    if(Python_EXECUTABLE)
      set(python "${Python_EXECUTABLE}")
    else()
      set(python "${POLEZERO_PYTHON_EXECUTABLE}")
    endif()
    # find_spec gives the folder without the seconds of an import.
    execute_process(
      COMMAND "${python}" -c
              "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
      OUTPUT_VARIABLE dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    set(looked " (looked with ${python})")
  endif()

  set(header "${dir}/include/torch/headeronly/version.h")
  if(NOT EXISTS "${header}" OR NOT EXISTS "${dir}/lib/libtorch_cpu.so")
    set(${error} "torch 2.11 or later was not found in '${dir}'${looked}: install it with pip, \
or pass -DPOLEZERO_TORCH_DIR=<its folder, which holds include and lib>" PARENT_SCOPE)
    return()
  endif()
  foreach(part MAJOR MINOR PATCH)
    file(STRINGS "${header}" line REGEX "define TORCH_VERSION_${part} ")
    string(REGEX MATCH "[0-9]+$" number "${line}")
    list(APPEND version ${number})
  endforeach()
  list(JOIN version "." version)

  if(NOT TARGET polezero::torch)
    # libtorch has no symbols of its own; AOTInductor packages are linked to it, so a program that
    # runs one links polezero::libtorch.
    foreach(name c10 torch_cpu libtorch)
      string(REGEX REPLACE "^lib" "" file "${name}")
      add_library(polezero::${name} SHARED IMPORTED)
      set_target_properties(polezero::${name} PROPERTIES IMPORTED_LOCATION
                                                         "${dir}/lib/lib${file}.so")
    endforeach()
    add_library(polezero::torch INTERFACE IMPORTED)
    # Imported targets' headers are system headers: their warnings are not ours.
    target_include_directories(polezero::torch INTERFACE
                               "${dir}/include" "${dir}/include/torch/csrc/api/include")
    target_compile_definitions(polezero::torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
    target_link_libraries(polezero::torch INTERFACE polezero::torch_cpu polezero::c10)
  endif()
  set(POLEZERO_TORCH_DIR "${dir}" PARENT_SCOPE)
  set(POLEZERO_TORCH_VERSION "${version}" PARENT_SCOPE)
  set(${error} "" PARENT_SCOPE)
endfunction()
