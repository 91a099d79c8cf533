# Installs the build in BUILD below itself, builds CONSUMER against the installed package, and runs
# it and the installed program. Called by ctest with cmake -P.
set(prefix "${BUILD}/package/installed")
file(REMOVE_RECURSE "${BUILD}/package")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}\nended with: ${result}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run("${CMAKE_COMMAND}" --build "${BUILD}" --target heed_share)
run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}")
run("${CMAKE_COMMAND}" -G Ninja -S "${CONSUMER}" -B "${BUILD}/package/consumer"
    "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_CXX_COMPILER=${CXX}" -DCMAKE_BUILD_TYPE=Release)
run("${CMAKE_COMMAND}" --build "${BUILD}/package/consumer")

# Neither may need LD_LIBRARY_PATH, nor anything of the build folder.
set(ENV{LD_LIBRARY_PATH} "")
run("${BUILD}/package/consumer/consumer")
message("${output}")
if(EXISTS "${prefix}/bin/heed")
  run("${prefix}/bin/heed" --version)
  if(NOT output MATCHES "${VERSION}")
    message(FATAL_ERROR "the installed `heed --version` printed: ${output}\n"
                        "expected: ${VERSION} in it")
  endif()
  run("${CMAKE_COMMAND}" -E env LC_ALL=C ldd "${prefix}/bin/heed")
  if(output MATCHES "not found" OR output MATCHES "${BUILD}/[^p]")
    message(FATAL_ERROR "the installed program finds its libraries in the wrong place:\n${output}")
  endif()
endif()
