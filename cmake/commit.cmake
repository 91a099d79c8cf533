# Writes OUTPUT, a header that names the commit in SOURCE, where that has changed. Run by each build.
find_program(GIT git)
set(commit "unknown")
if(GIT AND EXISTS "${SOURCE}/.git")
  execute_process(COMMAND "${GIT}" -C "${SOURCE}" rev-parse --short=12 HEAD
                  OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE failed ERROR_QUIET)
  if(NOT failed)
    execute_process(COMMAND "${GIT}" -C "${SOURCE}" diff --quiet HEAD
                    RESULT_VARIABLE changed OUTPUT_QUIET ERROR_QUIET)
    set(commit "${head}")
    if(changed)
      string(APPEND commit ", with changes")
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "#define HEED_COMMIT \"${commit}\"\n")
