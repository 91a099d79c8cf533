# Finds the torch wheel and describes it as the target heed_torch, without importing torch and
# without torch's own CMake package, which fails on a CUDA wheel unless a whole CUDA toolkit is
# installed.
#
#   HEED_TORCH  a torch that is already there: the folder that holds lib/ and include/ (the
#               `torch` folder of a site-packages, or an unpacked libtorch). A CMake or an
#               environment variable. Default: the virtual environment .venv of this project.
#
# Result: heed_torch (IMPORTED INTERFACE), HeedTorch_VERSION, HeedTorch_CUDA (TRUE where the wheel
# is a CUDA build and every library it needs is there).

if(NOT HEED_TORCH)
  set(HEED_TORCH "$ENV{HEED_TORCH}")
endif()
if(NOT HEED_TORCH)
  file(GLOB candidates "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
  foreach(candidate ${candidates})
    if(EXISTS "${candidate}/lib/libtorch_cpu.so")
      set(HEED_TORCH "${candidate}")
    endif()
  endforeach()
endif()

if(NOT EXISTS "${HEED_TORCH}/include/ATen/ATen.h" OR NOT EXISTS "${HEED_TORCH}/lib/libtorch_cpu.so")
  message(FATAL_ERROR
    "No torch found${HEED_TORCH}: expected include/ATen/ATen.h and lib/libtorch_cpu.so below it. "
    "Run `make setup`, which installs torch in .venv, or set HEED_TORCH to the folder of a torch "
    "that is already there.")
endif()
set(HEED_TORCH "${HEED_TORCH}" CACHE PATH "The torch folder that holds lib/ and include/" FORCE)

set(HeedTorch_VERSION "unknown")
if(EXISTS "${HEED_TORCH}/version.py")
  file(STRINGS "${HEED_TORCH}/version.py" line REGEX "^__version__")
  string(REGEX REPLACE ".*'([^']+)'.*" "\\1" HeedTorch_VERSION "${line}")
elseif(EXISTS "${HEED_TORCH}/build-version")
  file(STRINGS "${HEED_TORCH}/build-version" HeedTorch_VERSION LIMIT_COUNT 1)
endif()

# A CUDA wheel keeps its run-time libraries beside itself, in nvidia/*/lib.
file(GLOB HeedTorch_CUDA_FOLDERS "${HEED_TORCH}/../nvidia/*/lib")

# The CUDA half can be used only if everything it needs is found; set-up fetches it only where
# there is a GPU. Without it the CPU half of the same wheel is complete.
set(HeedTorch_CUDA FALSE)
if(EXISTS "${HEED_TORCH}/lib/libtorch_cuda.so")
  list(JOIN HeedTorch_CUDA_FOLDERS ":" path)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env "LD_LIBRARY_PATH=${path}"
                          ldd "${HEED_TORCH}/lib/libtorch_cuda.so"
                  OUTPUT_VARIABLE needs ERROR_QUIET)
  if(needs AND NOT needs MATCHES "not found")
    set(HeedTorch_CUDA TRUE)
  endif()
endif()

set(libraries c10 torch_cpu)
if(HeedTorch_CUDA)
  list(APPEND libraries c10_cuda torch_cuda torch)
elseif(NOT EXISTS "${HEED_TORCH}/lib/libtorch_cuda.so")
  # In a CUDA wheel libtorch.so pulls the CUDA half in; in a CPU wheel it is a mere umbrella.
  list(APPEND libraries torch)
endif()

add_library(heed_torch INTERFACE IMPORTED GLOBAL)
target_include_directories(heed_torch SYSTEM INTERFACE
  "${HEED_TORCH}/include" "${HEED_TORCH}/include/torch/csrc/api/include")
foreach(library ${libraries})
  list(APPEND paths "${HEED_TORCH}/lib/lib${library}.so")
endforeach()
# --no-as-needed: libtorch_cuda.so is used only through the dispatcher, so no symbol asks for it.
target_link_libraries(heed_torch INTERFACE -Wl,--no-as-needed ${paths} -Wl,--as-needed)
foreach(folder "${HEED_TORCH}/lib" ${HeedTorch_CUDA_FOLDERS})
  target_link_options(heed_torch INTERFACE "-Wl,-rpath-link,${folder}" "-Wl,-rpath,${folder}")
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(HeedTorch REQUIRED_VARS HEED_TORCH
                                  VERSION_VAR HeedTorch_VERSION)
