# Installs the build in BUILD below itself, builds the projects of EXAMPLES, consumer and tokenizer,
# against the installed package, and runs them and the installed program. Called by ctest with
# cmake -P.
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

function(build_example name)
  run("${CMAKE_COMMAND}" -G Ninja -S "${EXAMPLES}/${name}" -B "${BUILD}/package/${name}"
      "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_CXX_COMPILER=${CXX}" -DCMAKE_BUILD_TYPE=Release
      ${ARGN})
  run("${CMAKE_COMMAND}" --build "${BUILD}/package/${name}")
endfunction()

function(libraries_of program)
  run("${CMAKE_COMMAND}" -E env LC_ALL=C ldd "${program}")
  set(output "${output}" PARENT_SCOPE)
endfunction()

run("${CMAKE_COMMAND}" --build "${BUILD}" --target heed_share)
run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}")
build_example(consumer)
# The component text does without torch: no other place is looked at, and none is there.
build_example(tokenizer "-DHEED_TORCH=/nowhere")

# None may need LD_LIBRARY_PATH, nor anything of the build folder.
set(ENV{LD_LIBRARY_PATH} "")
run("${BUILD}/package/consumer/consumer")
message("${output}")
libraries_of("${BUILD}/package/tokenizer/tokenizer")
if(NOT output MATCHES "libheed_text" OR output MATCHES "torch|libc10|libheed\\.so|not found")
  message(FATAL_ERROR "a program of heed::text loads what it should not, or not what it should:\n"
                      "${output}")
endif()
file(GLOB_RECURSE private RELATIVE "${prefix}/include/heed" "${prefix}/include/heed/*")
list(FILTER private INCLUDE REGEX "_leaf\\.h$|^cli/|(^|/)testing/|^torch_headers\\.h$")
if(private)
  message(FATAL_ERROR "private headers were installed: ${private}")
endif()
if(EXISTS "${prefix}/bin/heed")
  run("${prefix}/bin/heed" --version)
  if(NOT output MATCHES "${VERSION}")
    message(FATAL_ERROR "the installed `heed --version` printed: ${output}\n"
                        "expected: ${VERSION} in it")
  endif()
  # A model of the program, read by the program without torch.
  set(data "${EXAMPLES}/sentiment/valid.tsv")
  run("${prefix}/bin/heed" train classify --train "${data}" --valid "${data}" --epochs 1
      --d-model 8 --d-ff 8 --num-heads 1 --out "${BUILD}/package/model")
  file(WRITE "${BUILD}/package/line.txt" "a good film\n")
  execute_process(COMMAND "${BUILD}/package/tokenizer/tokenizer" "${BUILD}/package/model"
                  INPUT_FILE "${BUILD}/package/line.txt" RESULT_VARIABLE result
                  OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0 OR NOT output MATCHES ":good\\[2,6\\).*\n  a good film\n" OR
     NOT output MATCHES "embedding.weight F32 [0-9]+ 8")
    message(FATAL_ERROR "examples/tokenizer ended with ${result} and printed:\n${output}")
  endif()
  libraries_of("${prefix}/bin/heed")
  if(output MATCHES "not found" OR output MATCHES "${BUILD}/[^p]")
    message(FATAL_ERROR "the installed program finds its libraries in the wrong place:\n${output}")
  endif()
endif()
