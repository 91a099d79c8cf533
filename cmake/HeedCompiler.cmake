# Compiler settings shared by every target of this project: ccache, warnings, sanitizers.

find_program(HEED_CCACHE ccache)
if(HEED_CCACHE)
  # Precompiled headers confuse ccache unless it is told what it may overlook.
  set(launcher ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${HEED_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

add_library(heed_compiler INTERFACE)
target_compile_options(heed_compiler INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
                                               -Wno-unknown-pragmas)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(heed_compiler INTERFACE -fpch-preprocess)
else()
  target_compile_options(heed_compiler INTERFACE -Xclang -fno-pch-timestamp)
endif()
if(HEED_WERROR)
  target_compile_options(heed_compiler INTERFACE -Werror)
endif()

if(HEED_SANITIZE)
  set(flags -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
            -O1 -g1)
elseif(HEED_SANITIZE_THREADS)
  set(flags -fsanitize=thread -fno-omit-frame-pointer -O1 -g1)
endif()
if(flags)
  target_compile_options(heed_compiler INTERFACE ${flags})
  target_link_options(heed_compiler INTERFACE ${flags})
endif()
