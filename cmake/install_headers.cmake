# Part of cmake --install: copies what a program may include, that is the headers heed/*.h of
# HEED_SOURCE and all that they include, below HEED_INCLUDE of the prefix. tools/check_tree.py sees
# that nothing private is among them.
cmake_policy(VERSION 3.25)
file(GLOB wanted RELATIVE "${HEED_SOURCE}" "${HEED_SOURCE}/heed/*.h")
list(REMOVE_ITEM wanted "heed/torch_headers.h")  # what is precompiled while Heed is built
set(taken "")
while(wanted)
  list(POP_FRONT wanted header)
  if(header IN_LIST taken)
    continue()
  endif()
  list(APPEND taken "${header}")
  file(STRINGS "${HEED_SOURCE}/${header}" includes REGEX "^#include \"heed/")
  list(TRANSFORM includes REPLACE "^#include \"([^\"]+)\".*" "\\1")
  list(APPEND wanted ${includes})
  cmake_path(GET header PARENT_PATH folder)
  file(INSTALL "${HEED_SOURCE}/${header}"
       DESTINATION "${CMAKE_INSTALL_PREFIX}/${HEED_INCLUDE}/${folder}" MESSAGE_NEVER)
endwhile()
