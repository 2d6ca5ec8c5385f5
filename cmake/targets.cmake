# gpumon_library(NAME SRCS a.cc ... DEPS x PRIVATE_DEPS y)
#   One static library per folder, alias gpumon::NAME. DEPS are what its headers show.
#   Without SRCS it is a header-only (INTERFACE) library.
function(gpumon_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_SRCS)
    add_library(gpumon_${name} STATIC ${ARG_SRCS})
    target_link_libraries(gpumon_${name} PUBLIC gpumon_options ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
    gpumon_precompile(gpumon_${name} gpumon_precompiled)
  else()
    add_library(gpumon_${name} INTERFACE)
    target_link_libraries(gpumon_${name} INTERFACE gpumon_options ${ARG_DEPS})
  endif()
  add_library(gpumon::${name} ALIAS gpumon_${name})
endfunction()

# gpumon_test(FOLDER SRCS a_test.cc ... DEPS x): one binary per mirrored folder, one ctest entry
# per TEST, labelled with the folder so that `ctest -L internal/prom` runs one folder. Most tests
# wait for others more than they work; BUSY (a filter of GoogleTest's) are those that do not:
# scripts/test.sh starts two for a core, and these count as two.
set(gpumon_busy 2)
# What takes minutes begins first, also where ctest has no times of a run before.
set(gpumon_long 1000)
function(gpumon_test folder)
  cmake_parse_arguments(ARG "SERIAL" "TIMEOUT;BUSY" "SRCS;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  string(REPLACE "/" "_" name ${folder})
  add_executable(${name}_test ${ARG_SRCS})
  target_link_libraries(${name}_test PRIVATE gpumon_options ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_options(${name}_test PRIVATE ${gpumon_test_options})
  set_target_properties(${name}_test PROPERTIES gpumon_of_tests TRUE)
  gpumon_precompile(${name}_test gpumon_precompiled_test)
  set(properties LABELS ${folder} TIMEOUT ${ARG_TIMEOUT})
  if(ARG_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  if(ARG_BUSY)
    gtest_discover_tests(${name}_test TEST_PREFIX "${folder}/" DISCOVERY_MODE PRE_TEST
                         TEST_FILTER "${ARG_BUSY}" TEST_LIST ${name}_busy
                         PROPERTIES ${properties} PROCESSORS ${gpumon_busy} COST ${gpumon_long})
    gtest_discover_tests(${name}_test TEST_PREFIX "${folder}/" DISCOVERY_MODE PRE_TEST
                         TEST_FILTER "-${ARG_BUSY}" TEST_LIST ${name}_others
                         PROPERTIES ${properties})
    return()
  endif()
  gtest_discover_tests(${name}_test TEST_PREFIX "${folder}/" DISCOVERY_MODE PRE_TEST
                       PROPERTIES ${properties})
endfunction()

# gpumon_bench(FOLDER SRCS ... DEPS ...): Google Benchmark binary bench/<folder>.
function(gpumon_bench folder)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  add_executable(${name}_bench ${ARG_SRCS})
  target_link_libraries(${name}_bench PRIVATE gpumon_options ${ARG_DEPS} benchmark::benchmark benchmark::benchmark_main)
endfunction()
