# Warnings are errors on g++ 12 and clang 14; hardening; sanitizers; coverage.
add_library(gpumon_options INTERFACE)
target_include_directories(gpumon_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(gpumon_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wcast-qual -Wformat=2 -Werror
  -fstack-protector-strong -fstack-clash-protection -fno-omit-frame-pointer
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # ccache sees by it which precompiled header a file uses.
  $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
  # Nor does it want one that knows when its headers were written.
  $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
# g++ 12 reports false ones of these inside libstdc++ and tl::expected at -O2.
target_compile_options(gpumon_options INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow
                          -Wno-stringop-overread -Wno-restrict>)
target_link_options(gpumon_options INTERFACE -Wl,-z,relro,-z,now,--as-needed)
# Position-independent executables: CMAKE_POSITION_INDEPENDENT_CODE compiles for them, this links.
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
target_compile_definitions(gpumon_options INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
if(GPUMON_SANITIZE)
  set(others -fno-sanitize-recover=all)
  if(GPUMON_SANITIZE MATCHES "undefined")
    # It looks through a pipe whether an object can be read, and takes each for a bad one where there
    # is no descriptor left. What it reports fails the run all the same (scripts/test.sh).
    list(APPEND others -fsanitize-recover=vptr)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    list(APPEND others -fno-sanitize=pointer-overflow)
  endif()
  # Undefined behaviour is looked for in what is tested; checks of it in tests cost as much to compile
  # as the tests themselves.
  string(REPLACE ",undefined" "" of_tests "${GPUMON_SANITIZE}")
  string(REPLACE "," "$<COMMA>" of_all "${GPUMON_SANITIZE}")
  target_compile_options(gpumon_options INTERFACE
    -fsanitize=$<IF:$<BOOL:$<TARGET_PROPERTY:gpumon_of_tests>>,${of_tests},${of_all}> ${others})
  target_link_options(gpumon_options INTERFACE -fsanitize=${GPUMON_SANITIZE} ${others})
  target_compile_definitions(gpumon_options INTERFACE GPUMON_SANITIZED=1)
else()
  target_compile_definitions(gpumon_options INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
if(GPUMON_COVERAGE)
  target_compile_options(gpumon_options INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(gpumon_options INTERFACE --coverage)
endif()
if(GPUMON_FUZZ)
  # libFuzzer sees by it which inputs reach what none before them did.
  target_compile_options(gpumon_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
