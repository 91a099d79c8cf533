# cmake --install: the library with its headers and CMake package, the program, its manual pages
# and completions.
include(CMakePackageConfigHelpers)

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/heed")
# libheed.so finds libheed_text.so beside itself, and both what a wheel or an archive puts there.
set_target_properties(heed heed_text_alone PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS heed_text_alone EXPORT heedTextTargets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(TARGETS heed EXPORT heedTargets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
if(TARGET heed_program)
  set_target_properties(heed_program PROPERTIES
                        INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS heed_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
install(EXPORT heedTextTargets NAMESPACE heed:: DESTINATION "${package}")
install(EXPORT heedTargets NAMESPACE heed:: DESTINATION "${package}")

# The public headers: heed/*.h and what they include.
install(CODE "set(HEED_SOURCE \"${PROJECT_SOURCE_DIR}\")
set(HEED_INCLUDE \"${CMAKE_INSTALL_INCLUDEDIR}\")")
install(SCRIPT "${PROJECT_SOURCE_DIR}/cmake/install_headers.cmake")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/heedConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/heedConfig.cmake"
                              INSTALL_DESTINATION "${package}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/heedConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/heedConfig.cmake"
              "${PROJECT_BINARY_DIR}/heedConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindHeedTorch.cmake"
        DESTINATION "${package}")

# share/man/man1/*.1, share/bash-completion/completions/heed, share/zsh/site-functions/_heed
install(DIRECTORY "${PROJECT_BINARY_DIR}/share/" DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/LICENSE"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}" OPTIONAL)
