# Tests of the checkout and of the installed package, beside those of the code.

find_program(HEED_PYTHON NAMES python3 PATHS /usr/bin REQUIRED)
foreach(check layers:check_layers.py files:check_tree.py)
  string(REPLACE ":" ";" check ${check})
  list(GET check 0 name)
  list(GET check 1 script)
  add_test(NAME tree.${name} COMMAND "${HEED_PYTHON}" "${PROJECT_SOURCE_DIR}/tools/${script}")
endforeach()

# The small projects of examples/consumer and examples/tokenizer, against a package installed into the
# build folder. A sanitizer would have to be linked into them as well, so those builds go without.
if(NOT HEED_SANITIZE AND NOT HEED_SANITIZE_THREADS)
  add_test(NAME package.consumer
           COMMAND "${CMAKE_COMMAND}" "-DBUILD=${PROJECT_BINARY_DIR}"
                   "-DEXAMPLES=${PROJECT_SOURCE_DIR}/examples"
                   "-DVERSION=${PROJECT_VERSION}" "-DCXX=${CMAKE_CXX_COMPILER}"
                   -P "${PROJECT_SOURCE_DIR}/cmake/test_package.cmake")
  set_tests_properties(package.consumer PROPERTIES TIMEOUT 900 RESOURCE_LOCK heed_share)
endif()
