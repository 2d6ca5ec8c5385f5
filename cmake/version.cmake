# Writes <build>/generated/version.h; every target finds it as "version.h" through gpumon_options.
configure_file(${CMAKE_SOURCE_DIR}/cmake/version.h.in ${CMAKE_BINARY_DIR}/generated/version.h @ONLY)
target_include_directories(gpumon_options INTERFACE ${CMAKE_BINARY_DIR}/generated)
