# heed_rooms(NAME ROOMS room...): of a folder that is no heed_folder; for tools/check_layers.py alone.
function(heed_rooms)
endfunction()

# heed_folder(NAME [TORCH] [DEPENDS folder...] [SEEN_BY folder...] [ROOMS room...]
#             [LIBRARIES target...])
#
# One folder of heed/ is one target: every *.cpp below the CMakeLists.txt becomes the static
# library heed_NAME; every *_test.cpp, and all that stands in a folder named testing, goes into the
# program heed_NAME_test, and ctest runs each GoogleTest suite found in it as one test. TORCH says
# that the folder uses torch and shares the precompiled torch headers; a folder without it builds
# and tests without torch. DEPENDS is also what tools/check_layers.py reads: a folder may include
# only from itself and from the folders that its DEPENDS reach, but for those whose SEEN_BY names
# others alone. So are ROOMS: the sub-folders, or
# files where a sub-folder holds several, from the ground up. A room includes only from itself and
# from those before it; rooms joined as a|b do not see each other.
function(heed_folder name)
  cmake_parse_arguments(arg "TORCH" "" "DEPENDS;LIBRARIES;ROOMS;SEEN_BY" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "*.cpp")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "(_test\\.cpp$)|((^|/)testing/)")
  list(FILTER sources EXCLUDE REGEX "((_test|/main)\\.cpp$)|^main\\.cpp$|((^|/)testing/)")

  list(TRANSFORM arg_DEPENDS PREPEND heed_)
  if(NOT sources)  # headers only
    add_library(heed_${name} INTERFACE)
    target_include_directories(heed_${name} INTERFACE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(heed_${name} INTERFACE ${arg_DEPENDS} ${arg_LIBRARIES})
    return()
  endif()
  add_library(heed_${name} STATIC ${sources})
  target_include_directories(heed_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(heed_${name} PUBLIC ${arg_DEPENDS} ${arg_LIBRARIES}
                                     PRIVATE heed_compiler)
  if(arg_TORCH)
    target_link_libraries(heed_${name} PUBLIC heed_torch)
    target_precompile_headers(heed_${name} REUSE_FROM heed_torch_headers)
  endif()
  set_property(TARGET heed_${name} PROPERTY HEED_LIBRARIES "${arg_LIBRARIES}")

  if(HEED_TESTS AND tests)
    heed_test_program(heed_${name}_test ${tests})
    target_link_libraries(heed_${name}_test PRIVATE heed_${name})
    if(arg_TORCH)
      target_precompile_headers(heed_${name}_test REUSE_FROM heed_torch_headers)
      # Nobody calls the object file that registers a torch operator, so the linker would leave it
      # in the archive: link all object files of this folder.
      target_sources(heed_${name}_test PRIVATE $<TARGET_OBJECTS:heed_${name}>)
    endif()
  endif()
endfunction()

# heed_take_folders(TARGET folder...): gives a shared library the whole of these folders: all object
# files, not only those that somebody calls, because some register torch operators.
function(heed_take_folders target)
  foreach(folder ${ARGN})
    get_target_property(type heed_${folder} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:heed_${folder}>)
      get_target_property(libraries heed_${folder} HEED_LIBRARIES)
      if(libraries)
        target_link_libraries(${target} PRIVATE ${libraries})
      endif()
    endif()
  endforeach()
endfunction()

# heed_test_program(NAME source...): a GoogleTest program; one ctest entry for each suite in it.
# A test that needs a long time limit says so in a comment: `// ctest-timeout: SECONDS`.
function(heed_test_program name)
  add_executable(${name} ${ARGN})
  # -fPIC instead of -fPIE, which the precompiled torch headers were not made with.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  if(NOT name STREQUAL "heed_kernels_test")  # whose oracles are loops of their own
    target_compile_options(${name} PRIVATE ${HEED_QUICK_BUILD})
  endif()
  target_link_libraries(${name} PRIVATE GTest::gmock GTest::gtest GTest::gtest_main heed_compiler)
  set(sources "")
  foreach(source ${ARGN})
    get_filename_component(source "${source}" ABSOLUTE)
    string(APPEND sources "\n    \"${source}\"")
  endforeach()
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${name}_suites.cmake")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/HeedSuites.cmake.in" "${script}.in" @ONLY)
  file(GENERATE OUTPUT "${script}" INPUT "${script}.in")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${script}")
endfunction()
