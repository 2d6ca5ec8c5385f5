# The standard library's headers, and for tests GoogleTest's, parsed once for all: most of a source
# file's time goes there. Every file still includes what it uses; the clang preset builds without.
option(GPUMON_PRECOMPILE "Precompile the standard library's headers" ON)
# No header of the project: the compiler does not list what a precompiled header holds, so ccache
# would not see it change.
set(standard_headers
  <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <cstddef> <cstdint> <cstdlib> <deque>
  <functional> <limits> <map> <memory> <optional> <set> <span> <string> <string_view> <tuple>
  <unordered_map> <utility> <variant> <vector> <tl/expected.hpp>)
set(test_headers ${standard_headers} <gtest/gtest.h> <gmock/gmock.h>)

# What is tested is compiled as it is delivered; how fast the tests themselves are matters less than
# how long they take to compile.
set(gpumon_test_options $<$<CONFIG:Release>:-O0> $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>)
if(GPUMON_SANITIZE)
  list(APPEND gpumon_test_options -O0)
endif()

# gpumon_precompiled(TARGET HEADER...): TARGET's files, and those that reuse it, are compiled with
# the headers at hand. ccache knows a precompiled header by the .sum file, not by its bytes, which
# differ from build to build.
function(gpumon_precompiled target)
  target_link_libraries(${target} PRIVATE gpumon_options)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    set(suffix pch)
  else()
    set(suffix gch)
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.${suffix}.sum
       CONTENT "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${ARGN}\n")
endfunction()

# A precompiled header serves files with the same options: one for libraries, one for tests.
if(GPUMON_PRECOMPILE)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/precompiled.cc CONTENT "")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/precompiled_main.cc CONTENT "int main() {}\n")
  add_library(gpumon_precompiled STATIC ${CMAKE_BINARY_DIR}/generated/precompiled.cc)
  gpumon_precompiled(gpumon_precompiled ${standard_headers})
  if(GPUMON_TESTS)
    add_executable(gpumon_precompiled_test ${CMAKE_BINARY_DIR}/generated/precompiled_main.cc)
    target_link_libraries(gpumon_precompiled_test PRIVATE GTest::gtest GTest::gmock)
    target_compile_options(gpumon_precompiled_test PRIVATE ${gpumon_test_options})
    set_target_properties(gpumon_precompiled_test PROPERTIES gpumon_of_tests TRUE)
    gpumon_precompiled(gpumon_precompiled_test ${test_headers})
  endif()
endif()

# gpumon_precompile(TARGET DONOR): TARGET takes the headers of `gpumon_precompiled` or
# `gpumon_precompiled_test`.
function(gpumon_precompile target donor)
  if(GPUMON_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${donor})
  endif()
endfunction()
