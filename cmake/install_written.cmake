# Run by the installation, with the variables of install.cmake, CMAKE_INSTALL_PREFIX and DESTDIR:
# other names, manual pages, completions, settings and units.
set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
# As GNU has it: what belongs to the system has its settings in /etc.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(SYSCONFDIR /etc)
else()
  set(SYSCONFDIR "${CMAKE_INSTALL_PREFIX}/etc")
endif()
set(BINDIR "${CMAKE_INSTALL_PREFIX}/${bindir}")

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# run_into(FILE COMMAND...): its standard output is the file.
function(run_into file)
  get_filename_component(folder "${file}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  execute_process(COMMAND ${ARGN} OUTPUT_FILE "${file}" COMMAND_ERROR_IS_FATAL ANY)
  message(STATUS "Installing: ${file}")
endfunction()

foreach(name IN LISTS other_names)
  run(${CMAKE_COMMAND} -E create_symlink gpuctl "${root}/${bindir}/${name}")
  message(STATUS "Installing: ${root}/${bindir}/${name}")
endforeach()

# page(NAME PROGRAM...): from what the program says to --help.
function(page name)
  execute_process(COMMAND ${ARGN} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE "${man}/${name}.help" "${help}")
  run_into("${man}/${name}.1" awk -v name=${name} -f "${source}/packaging/man.awk"
           "${man}/${name}.help")
  file(REMOVE "${man}/${name}.help")
endfunction()

set(man "${root}/${mandir}/man1")
run("${gpuctl}" man --directory "${man}")
page(gpu-monitoring-api "${server}")
page(gpu-monitoring-api-collect "${server}" collect)
page(gpu-exporter "${exporter}")
file(GLOB pages "${man}/gpu-*.1" "${man}/gpuctl*.1")
run(gzip -9nf ${pages})
foreach(name IN LISTS other_names)
  run(${CMAKE_COMMAND} -E create_symlink gpuctl.1.gz "${man}/${name}.1.gz")
endforeach()

set(bash "${root}/${datadir}/bash-completion/completions")
set(zsh "${root}/${datadir}/zsh/vendor-completions")
run_into("${bash}/gpuctl" "${gpuctl}" completion bash)
run_into("${zsh}/_gpuctl" "${gpuctl}" completion zsh)
# Shells look for them by the name that is typed.
foreach(name IN LISTS other_names)
  run(${CMAKE_COMMAND} -E create_symlink gpuctl "${bash}/${name}")
endforeach()
list(JOIN other_names " " names)
file(WRITE "${zsh}/_gpuctl_links" "#compdef ${names}\n_gpuctl \"$@\"\n")

# What an administrator has written there stays.
foreach(name IN ITEMS api collector exporter)
  set(folder "$ENV{DESTDIR}${SYSCONFDIR}/gpu-monitoring")
  if(NOT EXISTS "${folder}/${name}.env")
    file(COPY "${source}/packaging/env/${name}.env" DESTINATION "${folder}"
         FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
    message(STATUS "Installing: ${folder}/${name}.env")
  endif()
endforeach()

file(READ "${source}/packaging/systemd/hardening.conf" HARDENING)
foreach(unit IN ITEMS gpu-monitoring-api gpu-monitoring-collector gpu-exporter)
  configure_file("${source}/packaging/systemd/${unit}.service.in"
                 "${root}/lib/systemd/system/${unit}.service" @ONLY)
  message(STATUS "Installing: ${root}/lib/systemd/system/${unit}.service")
endforeach()
