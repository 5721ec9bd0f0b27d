# Sets POLEZERO_CUDA_ARCHS, the architectures to build the CUDA kernels for, or to nothing. They are
# those that POLEZERO_CUDA_ARCH (a variable or in the environment, such as "80;90") names, else those
# of the GPUs here, else 90.
set(POLEZERO_CUDA_ARCHS "")
if(POLEZERO_CUDA STREQUAL "AUTO" OR POLEZERO_CUDA)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    if(NOT POLEZERO_CUDA_ARCH)
      set(POLEZERO_CUDA_ARCH "$ENV{POLEZERO_CUDA_ARCH}")
    endif()
    if(NOT POLEZERO_CUDA_ARCH)
      execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
                      OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
                      RESULT_VARIABLE failed)
      if(NOT failed AND found MATCHES "^[0-9]+\\.[0-9]+")
        string(REGEX REPLACE "\\." "" found "${found}")
        string(REGEX REPLACE "[^0-9]+" ";" POLEZERO_CUDA_ARCH "${found}")
        list(REMOVE_DUPLICATES POLEZERO_CUDA_ARCH)
      else()
        set(POLEZERO_CUDA_ARCH 90)
      endif()
    endif()
    set(CMAKE_CUDA_ARCHITECTURES "${POLEZERO_CUDA_ARCH}")
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    # An old CMake is an error under AUTO too: who has a CUDA toolkit would miss the kernels only when
    # a tensor on a GPU is refused, and a newer CMake is one command away.
    if(CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12 AND NOT "cuda_std_20" IN_LIST CMAKE_CUDA_COMPILE_FEATURES)
      message(FATAL_ERROR "The CUDA kernels are C++20, which CMake ${CMAKE_VERSION} does not know of nvcc: "
                          "install CMake 3.25.2 or newer (pip install cmake), or build without them "
                          "(-DPOLEZERO_CUDA=OFF)")
    elseif(CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12)
      set(POLEZERO_CUDA_ARCHS "${POLEZERO_CUDA_ARCH}")
      message(STATUS "CUDA kernels for sm_${POLEZERO_CUDA_ARCHS}, by ${CUDAToolkit_VERSION}")
    elseif(POLEZERO_CUDA STREQUAL "AUTO")
      message(STATUS "No CUDA kernels: they need CUDA 12 or newer, got ${CUDAToolkit_VERSION}")
    else()
      message(FATAL_ERROR "POLEZERO_CUDA is ON: expected CUDA 12 or newer, got "
                          "${CUDAToolkit_VERSION}")
    endif()
  elseif(NOT POLEZERO_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "POLEZERO_CUDA is ON, but no CUDA compiler was found: put nvcc on the PATH")
  else()
    message(STATUS "No CUDA kernels: nvcc was not found")
  endif()
endif()
