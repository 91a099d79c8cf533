# heed_folder(NAME [TORCH] [DEPENDS folder...] [LIBRARIES target...])
#
# One folder of heed/ is one target: every *.cpp beside the CMakeLists.txt becomes the static
# library heed_NAME, every *_test.cpp goes into the program heed_NAME_test, and ctest runs each
# GoogleTest suite found in it as one test. TORCH says that the folder uses torch and shares the
# precompiled torch headers; a folder without it builds and tests without torch.
function(heed_folder name)
  cmake_parse_arguments(arg "TORCH" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "*.cpp")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|main)\\.cpp$")

  if(NOT sources)
    return()
  endif()
  list(TRANSFORM arg_DEPENDS PREPEND heed_)
  add_library(heed_${name} STATIC ${sources})
  target_include_directories(heed_${name} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
                                                 "$<INSTALL_INTERFACE:include>")
  target_link_libraries(heed_${name} PUBLIC ${arg_DEPENDS} ${arg_LIBRARIES}
                                     PRIVATE $<BUILD_INTERFACE:heed_compiler>)
  if(arg_TORCH)
    target_link_libraries(heed_${name} PUBLIC heed_torch)
    target_precompile_headers(heed_${name} REUSE_FROM heed_torch_headers)
  endif()
  set_property(GLOBAL APPEND PROPERTY HEED_FOLDERS heed_${name})

  if(HEED_TESTS AND tests)
    heed_test_program(heed_${name}_test ${tests})
    if(arg_TORCH)
      target_precompile_headers(heed_${name}_test REUSE_FROM heed_torch_headers)
      # Registered torch operators have no caller, so the linker would drop them.
      target_link_libraries(heed_${name}_test
                            PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,heed_${name}>")
    else()
      target_link_libraries(heed_${name}_test PRIVATE heed_${name})
    endif()
  endif()
endfunction()

# heed_test_program(NAME source...): a GoogleTest program; one ctest entry for each suite in it.
# A test that needs a long time limit says so in a comment: `// ctest-timeout: SECONDS`.
function(heed_test_program name)
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE GTest::gmock GTest::gtest GTest::gtest_main heed_compiler)
  foreach(source ${ARGN})
    file(STRINGS ${source} lines REGEX "^(TEST|TEST_F|TEST_P|TYPED_TEST)\\(")
    file(STRINGS ${source} timeout REGEX "ctest-timeout: [0-9]+")
    set(suites "")
    foreach(line ${lines})
      string(REGEX REPLACE "^[A-Z_]+\\( *([A-Za-z0-9_]+) *,.*" "\\1" suite "${line}")
      list(APPEND suites ${suite})
    endforeach()
    list(REMOVE_DUPLICATES suites)
    foreach(suite ${suites})
      add_test(NAME ${name}.${suite}
               COMMAND ${name} --gtest_filter=${suite}.*:*/${suite}.*:${suite}/*
               WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
      set(seconds 300)
      if(timeout)
        string(REGEX REPLACE ".*ctest-timeout: ([0-9]+).*" "\\1" seconds "${timeout}")
      endif()
      set_tests_properties(${name}.${suite} PROPERTIES TIMEOUT ${seconds})
    endforeach()
  endforeach()
endfunction()
