# Compiler settings shared by every target of this project: ccache, warnings, sanitizers.

find_program(HEED_CCACHE ccache)
if(HEED_CCACHE)
  # Precompiled headers keep ccache from hitting unless it is told what it may overlook; the base
  # folder makes paths relative, so that another checkout of the same sources hits as well. What a file
  # includes ccache learns from the compiler: asking the preprocessor first cost a second a file.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
      CCACHE_PCH_EXTSUM=1
      ${HEED_CCACHE})
endif()

add_library(heed_compiler INTERFACE)
target_compile_options(heed_compiler INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
                                               -Wno-unknown-pragmas
                                               # Options are aggregates whose other members keep
                                               # their defaults; that is what they are for.
                                               -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -Wrestrict: GCC 12 warns of the string concatenation of its own library (bug 105651).
  # --param: a file of this project takes less than 1 GB; collecting its garbage earlier costs an eighth
  # of the time.
  target_compile_options(heed_compiler INTERFACE -fpch-preprocess -Wno-restrict
                                                 "SHELL:--param ggc-min-heapsize=1000000")
  # GCC 14 warns of what std::vector<bool>::reserve copies, inlined from torch's Function::apply; and
  # GCC 13 and later take a text that a view gives out (JsonValue::string) for part of the view.
  if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    target_compile_options(heed_compiler INTERFACE -Wno-array-bounds -Wno-stringop-overflow
                                                   -Wno-dangling-reference)
  endif()
else()
  # Templates that a precompiled header calls are instantiated there, once, and not in every file.
  target_compile_options(heed_compiler INTERFACE -Xclang -fno-pch-timestamp
                                                 -fpch-instantiate-templates)
endif()
# For code whose speed does not matter: tests, the program around the library. With -O1 GCC 14 refuses
# the precompiled headers, which are made with -O3, warns, and takes 7 seconds more a file.
set(HEED_QUICK_BUILD $<$<CONFIG:Release>:-O1>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
  set(HEED_QUICK_BUILD $<$<CONFIG:Release>:-O2>)
endif()
if(HEED_WERROR)
  target_compile_options(heed_compiler INTERFACE -Werror)
endif()

# What ctest sets for every test. Several run at once, and torch's threads would by default wait for
# each other by spinning: a suite took 300 CPU seconds that takes 22. torch itself is not
# instrumented: the .supp files beside cmake/sanitizers/README.md name what is therefore not
# reported, and why.
set(HEED_TEST_ENVIRONMENT "OMP_WAIT_POLICY=passive")
set(supp "${CMAKE_CURRENT_LIST_DIR}/sanitizers")
if(HEED_SANITIZE)
  # vptr checks need the type information of torch classes that libtorch does not export.
  set(flags -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined
            -fno-omit-frame-pointer -O1 -g1 -D_GLIBCXX_ASSERTIONS)
elseif(HEED_FUZZ)
  set(flags -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=vptr
            -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1 -g1 -D_GLIBCXX_ASSERTIONS)
elseif(HEED_SANITIZE_THREADS)
  set(flags -fsanitize=thread -fno-omit-frame-pointer -O1 -g1)
  list(APPEND HEED_TEST_ENVIRONMENT
       "TSAN_OPTIONS=halt_on_error=1:suppressions=${supp}/tsan.supp")
endif()
if(HEED_SANITIZE OR HEED_FUZZ)
  list(APPEND HEED_TEST_ENVIRONMENT
      "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1"
      "LSAN_OPTIONS=suppressions=${supp}/lsan.supp:print_suppressions=0"
      "UBSAN_OPTIONS=print_stacktrace=1")
endif()
if(flags)
  target_compile_options(heed_compiler INTERFACE ${flags})
  target_link_options(heed_compiler INTERFACE ${flags})
endif()
