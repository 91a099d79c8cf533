# heed_leaves(RESULT header... [EXTRA_SCORES header])
#
# Leaf code is compiled once for each instruction set, in a namespace of its own (HEED_ISA; see
# heed/kernels/vector/simd_leaf.h). For each `folder/x_leaf.h`, given from heed/kernels on, this
# writes x_ISA.cpp files of one line into the build folder, with the flags of their instruction set,
# and puts their paths into RESULT. EXTRA_SCORES: a header that adds scores to the built-in list.

set(HEED_FLAGS_portable "")
set(HEED_FLAGS_avx2 -mavx2 -mfma -mf16c -mprfchw)
set(HEED_FLAGS_avx512 ${HEED_FLAGS_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd
                      -mprefer-vector-width=512)
set(HEED_FLAGS_avx512bf16 ${HEED_FLAGS_avx512} -mavx512bf16)
set(HEED_LANES_portable 4)
set(HEED_LANES_avx2 8)
set(HEED_LANES_avx512 16)
set(HEED_LANES_avx512bf16 16)

set(HEED_INSTRUCTION_SETS portable)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND HEED_INSTRUCTION_SETS avx2 avx512 avx512bf16)
endif()

function(heed_leaves result)
  cmake_parse_arguments(arg "" "EXTRA_SCORES" "" ${ARGN})
  set(flags -fno-exceptions -fno-math-errno -fno-trapping-math -ffp-contract=fast -Wno-psabi)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Vectors are made by hand here: GCC's own passes only spill the tiles. Its intrinsics headers
    # make -Wmaybe-uninitialized speak up.
    list(APPEND flags -fno-tree-vectorize -Wno-maybe-uninitialized)
  endif()
  set(sources "")
  foreach(header ${arg_UNPARSED_ARGUMENTS})
    get_filename_component(name "${header}" NAME_WE)
    string(REGEX REPLACE "_leaf$" "" name "${name}")
    foreach(isa ${HEED_INSTRUCTION_SETS})
      set(source "${CMAKE_CURRENT_BINARY_DIR}/leaves/${name}_${isa}.cpp")
      file(CONFIGURE OUTPUT "${source}" CONTENT "#include \"heed/kernels/${header}\"\n")
      set(definitions HEED_ISA=${isa} HEED_LANES=${HEED_LANES_${isa}})
      if(arg_EXTRA_SCORES)
        list(APPEND definitions "HEED_EXTRA_SCORES=\"${arg_EXTRA_SCORES}\"")
      endif()
      set_source_files_properties("${source}" PROPERTIES
        COMPILE_OPTIONS "${flags};${HEED_FLAGS_${isa}}" COMPILE_DEFINITIONS "${definitions}")
      list(APPEND sources "${source}")
    endforeach()
  endforeach()
  set(${result} ${sources} PARENT_SCOPE)
endfunction()
