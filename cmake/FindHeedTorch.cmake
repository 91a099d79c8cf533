# Finds the torch wheel and describes it as the target heed_torch, without importing torch and
# without torch's own CMake package, which fails on a CUDA wheel unless a whole CUDA toolkit is
# installed.
#
#   HEED_TORCH  a torch that is already there: its folder (the one that holds lib/ and include/),
#               or a site-packages, virtual environment or unpacked libtorch that holds it. A CMake
#               or an environment variable. Default: HeedTorch_DEFAULT, which the installed package
#               sets to the torch it was built with, else the virtual environment .venv of this
#               project.
#   HEED_CUDA   AUTO (link the CUDA parts where every library they need is there) or OFF.
#
# Result: heed_torch (IMPORTED INTERFACE), HeedTorch_FOLDER, HeedTorch_VERSION (2.13.0),
# HeedTorch_BUILD (2.13.0+cpu), HeedTorch_CUDA (TRUE where the CUDA parts are linked).

set(HEED_TORCH "" CACHE PATH "A torch that is already there; empty: the one in .venv")
set(HEED_CUDA AUTO CACHE STRING "Link torch's CUDA parts: AUTO (where they can be used) or OFF")

# Where the path may have torch below it, from the torch folder itself to a virtual environment.
function(heed_torch_below path result)
  set(${result} "" PARENT_SCOPE)
  file(GLOB folders "${path}" "${path}/torch" "${path}/lib/python3*/site-packages/torch")
  foreach(folder ${folders})
    if(EXISTS "${folder}/include/ATen/ATen.h" AND EXISTS "${folder}/lib/libtorch_cpu.so")
      set(${result} "${folder}" PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

if(HEED_TORCH)
  set(HeedTorch_asked "${HEED_TORCH}")
elseif(DEFINED ENV{HEED_TORCH} AND NOT "$ENV{HEED_TORCH}" STREQUAL "")
  set(HeedTorch_asked "$ENV{HEED_TORCH}")
elseif(HeedTorch_DEFAULT)
  set(HeedTorch_asked "${HeedTorch_DEFAULT}")
else()
  set(HeedTorch_asked "${PROJECT_SOURCE_DIR}/.venv")
endif()
heed_torch_below("${HeedTorch_asked}" HeedTorch_FOLDER)
if(NOT HeedTorch_FOLDER)
  message(FATAL_ERROR
    "No torch at ${HeedTorch_asked}: expected include/ATen/ATen.h and lib/libtorch_cpu.so in it or "
    "in its torch/. Run `make setup` in Heed's source folder, which installs torch in .venv, or "
    "set HEED_TORCH to the folder of a torch that is already there.")
endif()

set(HeedTorch_FOLDER "${HeedTorch_FOLDER}" CACHE INTERNAL "The torch in use")

set(HeedTorch_BUILD "unknown")
if(EXISTS "${HeedTorch_FOLDER}/version.py")
  file(STRINGS "${HeedTorch_FOLDER}/version.py" HeedTorch_line REGEX "^__version__")
  string(REGEX REPLACE ".*'([^']+)'.*" "\\1" HeedTorch_BUILD "${HeedTorch_line}")
elseif(EXISTS "${HeedTorch_FOLDER}/build-version")
  file(STRINGS "${HeedTorch_FOLDER}/build-version" HeedTorch_BUILD LIMIT_COUNT 1)
endif()
string(REGEX REPLACE "[^0-9.].*" "" HeedTorch_VERSION "${HeedTorch_BUILD}")

# A CUDA wheel keeps its run-time libraries beside itself, in nvidia/*/lib.
file(GLOB HeedTorch_LIBRARY_FOLDERS "${HeedTorch_FOLDER}/../nvidia/*/lib")
list(TRANSFORM HeedTorch_LIBRARY_FOLDERS REPLACE "/torch/\\.\\./" "/")
list(PREPEND HeedTorch_LIBRARY_FOLDERS "${HeedTorch_FOLDER}/lib")
list(JOIN HeedTorch_LIBRARY_FOLDERS ":" HeedTorch_library_path)

# The libraries that a library of torch needs and that are nowhere to be found.
function(heed_torch_missing library result)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env
                          "LD_LIBRARY_PATH=${HeedTorch_library_path}:$ENV{LD_LIBRARY_PATH}"
                          ldd "${HeedTorch_FOLDER}/lib/lib${library}.so"
                  OUTPUT_VARIABLE needs ERROR_VARIABLE needs)
  string(REGEX MATCHALL "[^ \t\n]+ => not found" missing "${needs}")
  list(TRANSFORM missing REPLACE " => not found" "")
  list(REMOVE_DUPLICATES missing)
  set(${result} "${missing}" PARENT_SCOPE)
endfunction()

heed_torch_missing(torch_cpu HeedTorch_missing)
if(HeedTorch_missing)
  list(JOIN HeedTorch_missing ", " HeedTorch_missing)
  message(FATAL_ERROR
    "torch ${HeedTorch_BUILD} in ${HeedTorch_FOLDER} cannot be linked: libtorch_cpu.so needs "
    "${HeedTorch_missing}, which are neither beside it nor known to the system. "
    "tools/torch_runtime.py names the wheels that hold them; `make setup` installs them in .venv.")
endif()

# libtorch.so holds no code. In a CPU wheel it names the CPU half, in a CUDA wheel both halves, so
# that there it can be loaded only with all of CUDA's libraries.
set(HeedTorch_CUDA FALSE)
set(HeedTorch_parts c10 torch_cpu)
if(NOT EXISTS "${HeedTorch_FOLDER}/lib/libtorch_cuda.so")
  list(APPEND HeedTorch_parts torch)
elseif(HEED_CUDA STREQUAL "AUTO")
  heed_torch_missing(torch_cuda HeedTorch_missing)
  if(NOT HeedTorch_missing)
    set(HeedTorch_CUDA TRUE)
    list(APPEND HeedTorch_parts c10_cuda torch_cuda torch)
  endif()
endif()
list(TRANSFORM HeedTorch_parts REPLACE "(.+)" "${HeedTorch_FOLDER}/lib/lib\\1.so")

if(NOT TARGET heed_torch)
  add_library(heed_torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(heed_torch SYSTEM INTERFACE
    "${HeedTorch_FOLDER}/include" "${HeedTorch_FOLDER}/include/torch/csrc/api/include")
  # --no-as-needed: the CUDA half is used only through the dispatcher, so no symbol asks for it.
  target_link_libraries(heed_torch INTERFACE
    -Wl,--push-state,--no-as-needed ${HeedTorch_parts} -Wl,--pop-state)
  foreach(HeedTorch_folder ${HeedTorch_LIBRARY_FOLDERS})
    target_link_options(heed_torch INTERFACE "-Wl,-rpath-link,${HeedTorch_folder}"
                                             "-Wl,-rpath,${HeedTorch_folder}")
  endforeach()
  # at::parallel_for is a template that runs on one thread in code compiled without OpenMP. gcc's
  # OpenMP library is the one that torch brings along; clang's is another, so clang goes without.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(heed_torch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
    target_link_options(heed_torch INTERFACE -fopenmp)
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(HeedTorch REQUIRED_VARS HeedTorch_FOLDER
                                  VERSION_VAR HeedTorch_VERSION)
if(NOT HeedTorch_FIND_QUIETLY)
  message(STATUS "torch ${HeedTorch_BUILD} in ${HeedTorch_FOLDER}, CUDA parts: ${HeedTorch_CUDA}")
endif()
