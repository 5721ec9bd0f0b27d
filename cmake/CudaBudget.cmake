# Holds the registers of polezero_cuda's kernels against csrc/kernels/cuda/registers.txt before
# polezero is linked, and makes the target cuda_budget, which writes that file. Only where the budget
# means something: another nvcc, or another architecture, needs other registers.
set(unlike "")
if(NOT POLEZERO_WERROR)
  set(unlike "POLEZERO_WERROR is OFF")
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  set(unlike "it is one of Release, not of ${CMAKE_BUILD_TYPE}")
elseif(NOT CMAKE_CUDA_COMPILER_ID STREQUAL "NVIDIA"
       OR NOT CMAKE_CUDA_COMPILER_VERSION MATCHES "^13\\.0\\.")
  set(unlike "it is one of nvcc 13.0, not of ${CMAKE_CUDA_COMPILER_ID} ${CMAKE_CUDA_COMPILER_VERSION}")
elseif(NOT POLEZERO_CUDA_ARCHS MATCHES "(^|;)90(-real)?(;|$)")
  set(unlike "it is one of sm_90, not of sm_${POLEZERO_CUDA_ARCHS}")
else()
  # PyPI's torch brings triton, which brings a cuobjdump; a toolkit may lack it.
  find_program(POLEZERO_CUOBJDUMP cuobjdump HINTS "${CUDAToolkit_BIN_DIR}"
               PATHS "${POLEZERO_TORCH_DIR}/../triton/backends/nvidia/bin")
  find_program(POLEZERO_CXXFILT c++filt)
  if(NOT POLEZERO_PYTHON)
    find_package(Python 3.10 QUIET COMPONENTS Interpreter)
  endif()
  foreach(program POLEZERO_CUOBJDUMP POLEZERO_CXXFILT Python_EXECUTABLE)
    if(NOT ${program})
      set(unlike "${program} was not found")
    endif()
  endforeach()
endif()
if(unlike)
  message(STATUS "The register budget of the CUDA kernels is not checked: ${unlike}")
  return()
endif()

set(script "${PROJECT_SOURCE_DIR}/cmake/cuda_budget.py")
set(recorded "${PROJECT_SOURCE_DIR}/csrc/kernels/cuda/registers.txt")
set(checked "${PROJECT_BINARY_DIR}/cuda_budget.checked")
set(budget "${Python_EXECUTABLE}" "${script}" --cuobjdump "${POLEZERO_CUOBJDUMP}" "${recorded}"
           $<TARGET_OBJECTS:polezero_cuda>)
add_custom_command(
  OUTPUT "${checked}"
  COMMAND ${budget}
  COMMAND "${CMAKE_COMMAND}" -E touch "${checked}"
  DEPENDS $<TARGET_OBJECTS:polezero_cuda> "${script}" "${recorded}"
  COMMENT "Checking the registers of the CUDA kernels"
  VERBATIM COMMAND_EXPAND_LISTS)
add_custom_target(cuda_budget_check DEPENDS "${checked}")
add_custom_target(cuda_budget COMMAND ${budget} --write
                  COMMENT "Recording the registers of the CUDA kernels" VERBATIM
                  COMMAND_EXPAND_LISTS)
add_dependencies(cuda_budget_check polezero_cuda)
add_dependencies(cuda_budget polezero_cuda)
# With a dependency on the target Ninja would compile polezero only after the kernels. Makefiles do
# that anyhow, and know no rule for a file of another target.
if(CMAKE_GENERATOR MATCHES "Ninja")
  set_property(TARGET polezero APPEND PROPERTY LINK_DEPENDS "${checked}")
else()
  add_dependencies(polezero cuda_budget_check)
endif()
