# The standard library's headers, and for tests GoogleTest's, parsed once for all: most of a source
# file's time goes there. Every file still includes what it uses; the clang preset builds without.
option(GPUMON_PRECOMPILE "Precompile the standard library's headers" ON)
set(standard_headers
  <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <cstddef> <cstdint> <cstdlib> <deque>
  <functional> <limits> <map> <memory> <optional> <set> <span> <string> <string_view> <tuple>
  <unordered_map> <utility> <variant> <vector> <tl/expected.hpp>)

# What is tested is compiled as it is delivered; how fast the tests themselves are matters less than
# how long they take to compile.
set(gpumon_test_options $<$<CONFIG:Release>:-O0> $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>)

# A precompiled header serves files with the same options: one for libraries, one for tests.
if(GPUMON_PRECOMPILE)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/precompiled.cc CONTENT "")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/precompiled_main.cc CONTENT "int main() {}\n")
  add_library(gpumon_precompiled STATIC ${CMAKE_BINARY_DIR}/generated/precompiled.cc)
  target_link_libraries(gpumon_precompiled PRIVATE gpumon_options)
  target_precompile_headers(gpumon_precompiled PRIVATE ${standard_headers})
  if(GPUMON_TESTS)
    add_executable(gpumon_precompiled_test ${CMAKE_BINARY_DIR}/generated/precompiled_main.cc)
    target_link_libraries(gpumon_precompiled_test PRIVATE gpumon_options GTest::gtest GTest::gmock)
    target_compile_options(gpumon_precompiled_test PRIVATE ${gpumon_test_options})
    target_precompile_headers(gpumon_precompiled_test PRIVATE
      ${standard_headers} <gtest/gtest.h> <gmock/gmock.h>)
  endif()
endif()

# ccache would know a precompiled header by its bytes, which differ from build to build. Which
# headers it is of the compiler's list says.
function(gpumon_name_precompiled target)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.gch.sum
       CONTENT "${target}\n")
endfunction()
if(GPUMON_PRECOMPILE)
  gpumon_name_precompiled(gpumon_precompiled)
  if(GPUMON_TESTS)
    gpumon_name_precompiled(gpumon_precompiled_test)
  endif()
endif()

# gpumon_precompile(TARGET DONOR [header.h ...]): TARGET takes the headers of `gpumon_precompiled` or
# `gpumon_precompiled_test`; with headers of the project, which most of its files include, it
# precompiles both for itself.
function(gpumon_precompile target donor)
  if(NOT GPUMON_PRECOMPILE)
    return()
  endif()
  if(NOT ARGN)
    target_precompile_headers(${target} REUSE_FROM ${donor})
    return()
  endif()
  set(headers ${standard_headers})
  if(donor STREQUAL gpumon_precompiled_test)
    list(APPEND headers <gtest/gtest.h> <gmock/gmock.h>)
  endif()
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/)
  target_precompile_headers(${target} PRIVATE ${headers} ${ARGN})
  gpumon_name_precompiled(${target})
endfunction()
