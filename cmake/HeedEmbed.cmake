# heed_embed(TARGET HEADER NAMESPACE file...): makes HEADER, which the sources of TARGET include, with
# the bytes of each file as an inline std::string_view named after it: page.html becomes page_html.
# As a script (cmake -P) it writes that header.
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  string(REPLACE "|" ";" files "${FILES}")
  set(text "#pragma once\n#include <string_view>\nnamespace ${NAMESPACE} {\n")
  foreach(file ${files})
    get_filename_component(name "${file}" NAME)
    string(MAKE_C_IDENTIFIER "${name}" name)
    file(READ "${file}" bytes HEX)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
    string(APPEND text "inline constexpr char ${name}_bytes[] = {${bytes}'\\0'};\n"
                       "inline constexpr std::string_view ${name}{${name}_bytes, "
                       "sizeof ${name}_bytes - 1};\n")
  endforeach()
  file(WRITE "${HEADER}" "${text}}  // namespace ${NAMESPACE}\n")
  return()
endif()

set(HEED_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")
function(heed_embed target header namespace)
  list(TRANSFORM ARGN PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  list(JOIN ARGN "|" files)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/embedded")
  add_custom_command(
    OUTPUT "${folder}/${header}"
    COMMAND "${CMAKE_COMMAND}" "-DHEADER=${folder}/${header}" "-DNAMESPACE=${namespace}"
            "-DFILES=${files}" -P "${HEED_EMBED_SCRIPT}"
    DEPENDS ${ARGN} "${HEED_EMBED_SCRIPT}"
    COMMENT "Embedding ${header}" VERBATIM)
  add_custom_target(${target}_embedded DEPENDS "${folder}/${header}")  # for who compiles nothing
  target_sources(${target} PRIVATE "${folder}/${header}")
  target_include_directories(${target} PRIVATE "${folder}")
endfunction()
